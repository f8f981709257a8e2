"""What is said where nothing is reported: an FAQ, small talk, a supposition, another person, or words that were not understood."""

from __future__ import annotations

from aftercare.decision import danger_check
from aftercare.decision.reply import Reply
from aftercare.dialogue import asking
from aftercare.dialogue.situation import LEAVES_NUMBER, WANTS_PERSON, Situation
from aftercare.protocol.model import Disposition, Topic
from aftercare.understanding.reading import Status
from aftercare.understanding.understood import TOPIC_PREFIX


def aside(turn: Situation) -> Reply | None:
    """The answer to a question or small talk in the middle of the interview; None when it is none."""
    if turn.topics() or turn.understood.intent in turn.names.silent or turn.understood.intent == turn.names.supposition:
        return talk(turn)
    about_advice = turn.names.practical if turn.conversation.disposition else ()
    if turn.reading.acts & {*turn.names.about_chat, *about_advice, "aside", "pause", "nonsense"} or turn.reading.wordless:
        return talk(turn)
    return talk(turn) if turn.is_sure(*(intent for intent in turn.names.replies if intent not in turn.names.short_answers)) else None


def talk(turn: Situation) -> Reply:
    """Nothing is reported: an FAQ, small talk, a supposition, another person, or words that were not understood."""
    acts, intent, topics = turn.reading.acts, turn.understood.intent, turn.topics()
    if turn.reading.wordless or "nonsense" in acts:
        return turn.plain("chat", "empty" if turn.reading.wordless else "greeting")
    practical = asking.advice_again(turn) if turn.conversation.disposition else None
    if practical is not None:
        return practical
    if turn.leaves_number() and not (topics or intent in turn.names.silent):
        return turn.plain("chat", f"about_chat.{LEAVES_NUMBER}")
    supposed = [f for f, (status, _) in turn.understood.findings.items() if status is Status.HYPOTHETICAL]
    if supposed or intent == turn.names.supposition:
        return _suppose(turn, supposed, topics)
    about_chat = _about_chat(turn, topics)
    if about_chat:
        return turn.plain("chat", f"about_chat.{about_chat}", check=about_chat == WANTS_PERSON and _may_tell_of_danger(turn))
    if topics:
        reply = turn.composer.faq(topics).with_payload(check=any(topic.recovery for topic in topics))
        return reply.followed_by(turn.block("not_in_leaflet")) if turn.understood.beyond_leaflet else reply
    if intent in turn.names.silent or turn.understood.topics or (not intent and "about_now" in acts):
        return asking.other_question(turn)
    return _small_talk(turn, intent)


def _about_chat(turn: Situation, topics: list[Topic]) -> str:
    """What is asked about the chat, or whether a person is asked for, by its act; empty where something else is asked."""
    if turn.is_sure(*(TOPIC_PREFIX + topic.id for topic in topics), *turn.names.silent):
        return ""
    if turn.wants_person():
        return "" if topics else WANTS_PERSON
    return next((act for act in turn.names.about_chat if act in turn.reading.acts), "")


def _suppose(turn: Situation, supposed: list[str], topics: list[Topic]) -> Reply:
    turn.conversation.supposed = supposed or [turn.names.unknown]
    answer = turn.protocol.topic_of_suppositions
    other = [topic for topic in topics if topic is not answer]
    reply = turn.composer.supposed(answer, supposed)
    return (turn.composer.faq(other) if other and not supposed else reply).with_payload(check=True)


def _small_talk(turn: Situation, intent: str) -> Reply:
    """Nothing is reported and nothing asked. Where a red flag is not out of the question, the danger check is asked."""
    acts = turn.reading.acts
    sure = bool(intent) and turn.is_sure(intent)
    if intent in turn.names.short_answers and not sure:
        intent = ""
    if turn.reading.foreign:
        return turn.plain("out_of_scope", "language")
    if acts & {"relief", "checking_in"} or intent == turn.names.relief:
        return turn.plain("chat", "good_news", "watch_list", check=True)
    if acts & {"aside", "pause"} and not intent:
        return turn.plain("chat", "aside" if turn.pending is not None or turn.checks else "greeting")
    if not sure and _may_tell_of_danger(turn):
        return _not_understood(turn)
    if intent == turn.names.history and sure:
        return turn.plain("chat", "not_a_finding", check=True)
    if _denies(turn, intent):
        return _denied(turn)
    if intent in turn.names.replies:
        kind, *wordings = turn.names.replies[intent]
        return turn.plain(kind, *wordings, check=kind == "chat" and _names_a_sign(turn))
    return _not_understood(turn)


def _may_tell_of_danger(turn: Situation) -> bool:
    """Whether the classifier hears a complaint, and leaves a red flag some chance."""
    heard = bool(turn.reading.opinions) and turn.fusion.may_be_red_flag(turn.reading)
    return heard and turn.fusion.may_be_complaint(turn.reading)


def _names_a_sign(turn: Situation) -> bool:
    """Whether words stand in the message that name a sign, and were taken to mean none."""
    return any(status is Status.NOT_MEANT for status, _ in turn.understood.findings.values())


def _denies(turn: Situation, intent: str) -> bool:
    """Whether the message says that something is not so, or that all is as it should be."""
    if intent == turn.names.denial:
        likely = turn.reading.opinions[0].best[1] >= turn.protocol.thresholds["topic_beside"]
        return likely or bool(turn.understood.findings)
    return not intent and (bool(turn.understood.findings) or _says_all_is_normal(turn))


def _denied(turn: Situation) -> Reply:
    """What is denied is noted; advice that was given stands."""
    if turn.advised():
        return turn.composer.stands(turn.conversation, turn.block("denied"))
    return turn.plain("chat", "denied", "watch_list", check=True)


def _says_all_is_normal(turn: Situation) -> bool:
    return bool(turn.reading.opinions) and turn.fusion.says_all_is_normal(turn.reading)


def _not_understood(turn: Situation) -> Reply:
    """Words that were not understood. What may be a complaint is kept, and what could be dangerous is asked."""
    conversation = turn.conversation
    before = turn.block("not_understood")
    if turn.advised():
        return turn.composer.stands(conversation, before)
    if not turn.fusion.may_be_complaint(turn.reading):
        return _no_report(turn)
    again = turn.names.unknown in conversation.evidence
    conversation.evidence.setdefault(turn.names.unknown, turn.reading.text)
    if danger_check.open_rows(turn.check, conversation, Disposition.CALL_DOCTOR):
        return asking.ask_check(turn, "first", before)
    if again:
        conversation.record(turn.names.unknown, "present", turn.reading.text)
        return asking.decide_or_ask(turn)
    return turn.composer.say_again(before)


def _no_report(turn: Situation) -> Reply:
    """Words that are no report at all. The second time the greeting, the numbers and the offer of a call: nothing is said twice running."""
    conversation = turn.conversation
    again = conversation.repeated > 0 and not conversation.checks
    if not conversation.checks:
        conversation.repeated = 1
    if again:
        return turn.plain("chat", "greeting", "practical.which_number.always").with_payload(offers=[asking.CALLBACK])
    return turn.plain("chat", "not_understood", "say_again", "watch_short")
