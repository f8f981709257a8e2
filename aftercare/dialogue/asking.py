"""What is asked and advised: the emergency, what can still change the disposition, the disposition, the danger check behind an answer."""

from __future__ import annotations

from collections.abc import Iterator

from aftercare.conversation import REACHED, UNREACHED
from aftercare.decision import danger_check
from aftercare.decision.answers import Answer, heard
from aftercare.decision.interview import next_question
from aftercare.decision.reply import Block, Reply
from aftercare.decision.rules import disposition
from aftercare.dialogue.situation import (
    AFTER_HOURS_SILENT,
    HELP_COMING,
    LEAVES_NUMBER,
    NOBODY_ANSWERS,
    REAL_PERSON,
    SPOKEN,
    WANTS_PERSON,
    Situation,
)
from aftercare.protocol.model import INTRODUCTION, Disposition
from aftercare.understanding.reading import Status
from aftercare.understanding.understood import TOPIC_PREFIX

CALLBACK = "callback"


def emergency(turn: Situation) -> Reply:
    """The emergency; once given it stands, and is said again in few words, with the practical answer and nothing else.

    Who tells that help is coming is not told to call it again.
    """
    new = turn.stood is not Disposition.EMERGENCY
    turn.close_interview()
    turn.conversation.checks, turn.conversation.disposition = [], Disposition.EMERGENCY.wire
    if not new and not turn.understood.reports:
        act, block = next(_practical(turn), ("", None))
        if act == HELP_COMING:
            return turn.composer.instead(turn.conversation, block)
        return turn.composer.stands(turn.conversation, block or _other_business(turn), _who_answers(turn))
    reply = turn.composer.triage(turn.conversation)
    if turn.reading.foreign:
        reply = reply.preceded_by(turn.block("emergency_spanish"))
    if not new:
        return reply.preceded_by(turn.block("emergency_stands"))
    other = _other_business(turn)
    return reply.followed_by(other) if other else reply


def _who_answers(turn: Situation) -> Block | None:
    """What is said to who asks, while an emergency stands, whether a person answers."""
    return turn.block("program") if REAL_PERSON in turn.reading.acts else None


def _other_business(turn: Situation) -> Block | None:
    """What is said to a question about something else while an emergency stands: no answer that could contradict it."""
    asks = turn.understood.topics or turn.understood.intent in turn.names.silent or turn.understood.intent.startswith(TOPIC_PREFIX)
    return turn.composer.practical("other", turn.conversation) if asks else None


def practical(turn: Situation) -> Block | None:
    """The answer to a practical question about advice that stands."""
    return next((block for _, block in _practical(turn)), None)


def _practical(turn: Situation) -> Iterator[tuple[str, Block]]:
    for act in turn.names.practical:
        block = turn.composer.practical(act, turn.conversation) if act in turn.reading.acts else None
        if block is not None:
            yield act, block


def advice_again(turn: Situation) -> Reply | None:
    """The answer to a practical question about advice that stands, and the advice in one line; None where none is asked.

    Where no number answers, the ER takes the place of the doctor. To who spoke to the doctor that advice is not given again.
    """
    act, block = next(_practical(turn), ("", None))
    if block is None:
        return None
    conversation, silent = turn.conversation, {AFTER_HOURS_SILENT} | ({NOBODY_ANSWERS} if turn.conversation.call == UNREACHED else set())
    if turn.stands_by_doctor() and act in silent:
        conversation.call = UNREACHED
        return turn.composer.instead(conversation)
    if turn.stands_by_doctor() and act == SPOKEN:
        conversation.call = REACHED
    elif turn.stands_by_doctor():
        return turn.composer.stands(conversation, block)
    return Reply((block,), turn.plain("chat", "aside").custom)


def decide_or_ask(turn: Situation) -> Reply:
    """What can still change the disposition, the most dangerous first, else the disposition."""
    conversation = turn.conversation
    present = conversation.has("present")
    current = disposition(turn.protocol, present)
    if current is None:
        return _nothing_present(turn)
    if current is Disposition.SELF_CARE and danger_check.open_rows(turn.check, conversation, Disposition.CALL_DOCTOR):
        return ask_check(turn, "left" if turn.checks else "first")
    question = next_question(turn.protocol, conversation)
    if question is not None:
        return ask(turn, question.id)
    turn.close_interview()
    reply = triage(turn)
    return reply.preceded_by(turn.block("denied")) if _only_denies(turn) else reply


def denies_beside_advice(turn: Situation) -> bool:
    """A denial behind advice that stands: the advice is repeated."""
    denies = _only_denies(turn) or turn.is_sure(*turn.names.denials)
    return turn.stood is not None and denies and not turn.understood.topics


def keep_complaint(turn: Situation) -> None:
    """What raised a doubt and was not understood otherwise stays a symptom that the protocol does not know when the sign is denied."""
    names = turn.names
    understood = turn.understood.topics or turn.is_sure(*names.replies, *names.silent, names.denial, names.supposition, names.history)
    if not turn.understood.reports and not understood:
        turn.conversation.evidence.setdefault(turn.names.unknown, turn.reading.text)


def is_aside(turn: Situation) -> bool:
    """Whether the message says something beside the question that waits, and the lexicon finds nothing in it."""
    waits = turn.pending is not None or bool(turn.checks)
    if not waits or turn.reading.mentions or turn.fusion.hears_red_flag(turn.reading):
        return False
    key = turn.pending.heard_as if turn.pending is not None else danger_check.NAME
    return "aside" in turn.reading.acts or heard(turn.protocol, key, turn.reading) is Answer.ASIDE


def asks_about_danger(turn: Situation) -> bool:
    """Whether the question that waits, unanswered, is about a red flag of which there was a doubt; nothing less urgent goes before it."""
    question = turn.pending
    if question is None or turn.conversation.pending != question.id or not question.only_confirms:
        return False
    return disposition(turn.protocol, turn.conversation.has("present") | {question.covers[0]}) is Disposition.EMERGENCY


def _only_denies(turn: Situation) -> bool:
    statuses = {status for status, _ in turn.understood.findings.values()}
    return statuses == {Status.ABSENT} and turn.stood is not None


def triage(turn: Situation) -> Reply:
    """The disposition of all that is present."""
    if turn.understood.reports and turn.conversation.call == REACHED:
        turn.conversation.call = ""
    reply = turn.composer.triage(turn.conversation)
    turn.conversation.disposition = str(reply.custom["disposition"])
    turn.conversation.unfinished = False
    return reply


def _nothing_present(turn: Situation) -> Reply:
    """Everything that was asked was denied. Words that were not understood stay a symptom that the protocol does not know."""
    conversation = turn.conversation
    if conversation.checks and conversation.pending == danger_check.NAME:
        return ask_check(turn, "left")
    if turn.names.unknown in conversation.evidence:
        conversation.record(turn.names.unknown, "present", conversation.evidence[turn.names.unknown])
        return decide_or_ask(turn)
    turn.close_interview()
    return turn.plain("chat", "denied", "watch_list", check=True)


def ask(turn: Situation, question_id: str, *before: Block) -> Reply:
    """A single question, which waits from now on."""
    question = turn.protocol.questions[question_id]
    if turn.conversation.writer == "helper" and not turn.conversation.asked and not before:
        before = (turn.block("about_patient"),)
    turn.conversation.pending, turn.conversation.repeated = question_id, 0
    turn.conversation.asked.append(question_id)
    return turn.composer.question(question, *before)


def ask_check(turn: Situation, introduction: str, *before: Block) -> Reply:
    """The danger check in front of the answer that waits."""
    conversation = turn.conversation
    conversation.checks = danger_check.open_rows(turn.check, conversation, Disposition.CALL_DOCTOR)
    if conversation.pending != danger_check.NAME:
        conversation.pending, conversation.repeated = danger_check.NAME, 0
    if danger_check.NAME not in conversation.asked:
        conversation.asked.append(danger_check.NAME)
    return turn.composer.check(conversation, introduction, *before)


def with_check(turn: Situation, reply: Reply) -> Reply:
    """The danger check behind an answer about recovery, and behind every answer while its rows wait."""
    conversation = turn.conversation
    wants = reply.custom.get("check", False) or reply.disposition is Disposition.CALL_DOCTOR
    reply = Reply(reply.blocks, {key: value for key, value in reply.custom.items() if key != "check"})
    if "about" in reply.custom or reply.disposition in (Disposition.EMERGENCY, Disposition.SELF_CARE):
        return reply
    if conversation.disposition == Disposition.EMERGENCY.wire:
        return reply
    if wants and not conversation.checks:
        conversation.repeated = 0
        conversation.checks = danger_check.open_rows(turn.check, conversation, Disposition.EMERGENCY)
    if reply.disposition is Disposition.CALL_DOCTOR:
        conversation.checks = danger_check.open_rows(turn.check, conversation, Disposition.EMERGENCY)
    return turn.composer.with_check(reply, conversation) if conversation.checks else reply


def other_question(turn: Situation) -> Reply:
    """The answer to a question that the leaflet does not answer."""
    key = turn.names.silent.get(turn.understood.intent, turn.names.beyond)
    return turn.plain("not_in_leaflet", key, "watch_short", check=True)


def with_topics(turn: Situation, reply: Reply) -> Reply:
    """Triage comes first, and the answer to what else was asked follows in the text."""
    answers = [turn.composer.topic_text(topic) for topic in turn.topics()]
    asks_beyond = turn.understood.beyond_leaflet or turn.understood.intent in turn.names.silent or "about_now" in turn.reading.acts
    unanswered = (asks_beyond or turn.understood.topics) and not (answers and not turn.understood.beyond_leaflet)
    if unanswered:
        answers.append(turn.block("not_in_leaflet"))
    return reply.with_note(*answers)


def with_offer(turn: Situation, reply: Reply) -> Reply:
    """Who asks for a person, or leaves a number, may be offered a call back; who asks reads whom to call unless the advice says so.

    Beside an answer to a question who leaves a number reads where it belongs.
    """
    if turn.leaves_number():
        form = turn.block(f"about_chat.{LEAVES_NUMBER}")
        answers = reply.custom["type"] in ("faq", "not_in_leaflet")
        return (reply.with_note(form) if answers else reply).with_payload(offers=[CALLBACK])
    if not turn.wants_person():
        return reply
    whom_to_call = turn.block(f"about_chat.{WANTS_PERSON}")
    told = reply.disposition in (Disposition.EMERGENCY, Disposition.CALL_DOCTOR) or whom_to_call in reply.blocks
    return (reply if told else reply.with_note(whom_to_call)).with_payload(offers=[CALLBACK])


def with_advice(turn: Situation, reply: Reply) -> Reply:
    """The advice to call the doctor stands behind every answer of another kind until they spoke; a question alone is asked by itself."""
    if reply.custom["type"] in ("triage", "question") or not turn.stands_by_doctor() or turn.conversation.call == REACHED:
        return reply
    return turn.composer.with_advice(reply, turn.conversation)


def behind_answer(turn: Situation, question: Reply) -> Reply:
    """A question about a slight doubt, behind the answer to what was surely asked; any other question, and one by itself, as it is."""
    topics = turn.topics()
    if turn.protocol.questions[turn.conversation.pending].introduction != INTRODUCTION:
        return question
    if not turn.understood.surely_asks or not (topics or turn.understood.intent in turn.names.silent):
        return question
    answer = turn.composer.faq(topics) if topics else other_question(turn)
    kept = {key: question.custom[key] for key in ("about", "buttons")}
    return answer.followed_by(*question.blocks).with_payload(**kept, check=False)
