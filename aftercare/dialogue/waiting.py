"""What a message is as the answer to what was asked, and what is said to one that is none."""

from __future__ import annotations

from dataclasses import replace

from aftercare.decision import danger_check
from aftercare.decision.answers import Answer, heard, settle, settle_as_dangerous
from aftercare.decision.danger_check import RowAnswers
from aftercare.decision.reply import Block, Reply
from aftercare.dialogue import asking, talk, taps
from aftercare.dialogue.situation import Situation
from aftercare.protocol.model import Question

_MOST_TRIES = 2


def answer_pending(turn: Situation) -> bool:
    """Record what the message answers to the single question that waits; whether it answered it."""
    question, conversation = turn.pending, turn.conversation
    if question is None:
        return False
    before = conversation.has("present")
    turn.heard = settle(turn.protocol, question, conversation, turn.reading)
    named = {mention.finding for mention in turn.reading.mentions}
    answered = turn.heard in (Answer.YES, Answer.NO, Answer.UNSURE) or bool(named & set(question.covers))
    if turn.button is not None:
        taps.note_tap(turn, before, rows=[], question=question.id)
    if answered:
        conversation.pending, conversation.repeated = "", 0
    return answered


def answer_check(turn: Situation) -> bool:
    """Record what the message says of the rows that wait; whether it said anything."""
    if not turn.checks:
        return False
    row_answers = _one_row(turn) if len(turn.checks) == 1 else turn.row_answers
    answers = row_answers.rows or (dict.fromkeys(turn.checks, "no") if _denies_all(turn, row_answers) else {})
    present = turn.conversation.has("present")
    for fact, answer in answers.items():
        contradicted = answer == "no" and turn.check.row(fact).findings & present
        if fact in turn.conversation.checks and not contradicted:
            danger_check.settle(turn.check.row(fact), answer, turn.conversation, turn.reading.text, turn.now)
    settled = turn.close_check()
    return bool(answers) or settled


def _one_row(turn: Situation) -> RowAnswers:
    """One row is a question like any other."""
    (fact,) = turn.checks
    answer = heard(turn.protocol, fact, turn.reading)
    if turn.row_answers.rows or answer not in (Answer.YES, Answer.NO, Answer.UNSURE) or turn.understood.topics:
        return turn.row_answers
    return RowAnswers({fact: answer.value})


def _denies_all(turn: Situation, row_answers: RowAnswers) -> bool:
    """Whether the message is a No to the whole list; one that names a sign speaks of that sign alone."""
    if row_answers.all_of_them:
        return row_answers.all_of_them == "no"
    named = turn.reading.mentions or turn.understood.reports or turn.understood.topics
    share = dict(turn.reading.replies.get(danger_check.NAME, ())).get("no", 0.0)
    if named or share < turn.protocol.thresholds["answer_no_to_all"]:
        return False
    return heard(turn.protocol, danger_check.NAME, turn.reading) is Answer.NO and not turn.fusion.suspects(turn.reading)


def unanswered(turn: Situation) -> Reply:
    """An aside is answered and the question stays; what cannot be understood is asked again, and in the end counts as dangerous."""
    question = turn.pending
    assert question is not None
    aside = talk.aside(turn) or (turn.plain("chat", "aside") if turn.heard is Answer.ASIDE else None)
    if aside is not None:
        again = turn.composer.question(question).custom
        reply = aside.followed_by(Block("question", question.text))
        return reply.with_payload(about=again["about"], buttons=again["buttons"], check=False)
    conversation = turn.conversation
    if conversation.repeated < _MOST_TRIES:
        conversation.repeated += 1
        introduction = [turn.block(question.introduction)] if question.introduction else []
        return turn.composer.question(replace(question, text=question.again), *introduction, _not_understood(turn, question))
    settle_as_dangerous(question, conversation, "" if turn.understood.reports else turn.reading.text)
    conversation.pending, conversation.repeated = "", 0
    reply = asking.emergency(turn) if turn.is_emergency() else asking.decide_or_ask(turn)
    return reply.followed_by(turn.block("broken_off" if turn.understood.reports else "not_understood_again"))


def _not_understood(turn: Situation, question: Question) -> Block:
    if turn.understood.reports:
        return turn.block("first_this")
    if turn.conversation.repeated == 1:
        return turn.block("not_understood")
    return turn.composer.block("say", "buttons_only", answers=", ".join(button.title for button in question.buttons))


def unanswered_check(turn: Situation) -> Reply:
    """The check was answered as a whole, or not at all. Behind an answer a doubt may stay; a Yes makes it wait for the row."""
    conversation = turn.conversation
    whole, claims = turn.row_answers.all_of_them, claims_something(turn)
    aside = None if whole or claims else talk.aside(turn)
    if aside is not None:
        return aside
    whole = whole or heard(turn.protocol, danger_check.NAME, turn.reading).value
    if whole == Answer.ASIDE.value and not claims:
        return turn.plain("chat", "aside")
    if whole == "unsure" and conversation.pending != danger_check.NAME:
        return turn.composer.check(conversation, "unsure")
    conversation.pending = danger_check.NAME
    if conversation.repeated < _MOST_TRIES:
        conversation.repeated += _MOST_TRIES if whole in ("yes", "unsure") else 1
        key = {"yes": "which", "unsure": "unsure"}.get(whole, "left")
        return turn.composer.check(conversation, key, *(() if key != "left" else (turn.block("not_understood"),)))
    conversation.record(turn.names.any_sign, "present", turn.reading.text)
    return asking.emergency(turn).followed_by(turn.block("not_sure" if whole == "unsure" else "not_understood_again"))


def claims_something(turn: Situation) -> bool:
    """Whether words that name nothing say that something is so, which may be one of the rows behind the last answer.

    'I could not reach them' speaks of the advice that stands.
    """
    opinions, acts = turn.reading.opinions, turn.reading.acts
    if turn.conversation.disposition and asking.practical(turn) is not None and "claim_plainly" not in acts:
        return False
    sure = bool(opinions) and opinions[0].best[1] >= turn.protocol.thresholds["nothing_reported"]
    return bool(acts & {"claim", "claim_briefly", "claim_plainly"}) and not (turn.claims_nothing() or turn.understood.topics or sure)


def waits_first(turn: Situation) -> bool:
    """Whether the danger check stands before the answer."""
    return turn.conversation.pending == danger_check.NAME
