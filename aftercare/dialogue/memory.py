"""What a message puts into the conversation: its findings, the day of the procedure, who writes."""

from __future__ import annotations

from datetime import date, timedelta

from aftercare.decision import danger_check
from aftercare.decision.answers import Answer, heard
from aftercare.dialogue.situation import Situation
from aftercare.understanding.reading import Status

_LONGEST_AGO = 36_500


def remember(turn: Situation) -> bool:
    """Put the message's findings, and the day of the procedure, into the conversation; whether it claims what was supposed."""
    conversation, reading = turn.conversation, turn.reading
    named = any(mention.status in (Status.PRESENT, Status.RESOLVED) for mention in reading.mentions)
    claims = bool(conversation.supposed) and not named and _claims(turn, conversation.supposed)
    if claims:
        for finding in conversation.supposed:
            _hear(turn, finding, Status.PRESENT, reading.text)
    for finding, (status, evidence) in turn.understood.findings.items():
        if _is_good_news(turn, finding, status):
            continue
        _hear(turn, finding, status, evidence)
    _remember_day(turn)
    if turn.understood.reports and not conversation.writer:
        conversation.writer = reading.writer
    return claims


def _claims(turn: Situation, supposed: list[str]) -> bool:
    """Whether words that name nothing say that what was supposed is so."""
    if turn.claims_nothing():
        return False
    if "claim_plainly" in turn.reading.acts:
        return turn.reading.answer != "no"
    if {"claim", "claim_briefly"} & turn.reading.acts:
        return turn.reading.answer != "no" or not turn.reading.bare
    rows = [row.fact for row in turn.check.rows if row.findings & set(supposed)]
    return any(heard(turn.protocol, fact, turn.reading) is Answer.YES for fact in rows)


def _hear(turn: Situation, finding: str, status: Status, evidence: str) -> None:
    conversation = turn.conversation
    if status is Status.PRESENT:
        _open_rows_for(turn, finding)
        conversation.record(finding, "present", evidence)
        if finding in conversation.tapped:
            conversation.tapped.remove(finding)
    elif status is Status.RESOLVED:
        conversation.record(finding, "resolved", evidence)
        conversation.record(turn.names.gone, "present", evidence)
    elif status is Status.ABSENT or (status is Status.HYPOTHETICAL and finding not in conversation.findings):
        conversation.record(finding, status.value, evidence)


def _is_good_news(turn: Situation, finding: str, status: Status) -> bool:
    """The pain that the procedure was done for is gone or less: good news and no finding."""
    if not ("relief" in turn.reading.acts or turn.understood.intent == turn.names.relief) or status is Status.ABSENT:
        return False
    known = turn.protocol.findings[finding]
    by_lexicon = any(m.finding == finding and m.status is Status.PRESENT for m in turn.reading.mentions)
    said_now = by_lexicon and status is Status.PRESENT
    return (known.treated_pain and not said_now) or finding == turn.names.gone


def _open_rows_for(turn: Situation, finding: str) -> None:
    """A new symptom asks its rows again."""
    if finding in turn.conversation.has("present"):
        return
    denied_now = {name for name, (status, _) in turn.understood.findings.items() if status is Status.ABSENT}
    for row in turn.check.rows:
        if finding in row.opened_by and row.fact in turn.conversation.settled and not row.findings & denied_now:
            danger_check.reopen(turn.conversation, row)


def _remember_day(turn: Situation) -> None:
    """The day of the procedure, and whether it is longer ago than more pain is expected."""
    conversation, reading, scales = turn.conversation, turn.reading, turn.protocol.scales
    if not scales.later:
        return
    ago = max((days for days in (reading.days, reading.lasting) if days is not None), default=None)
    if reading.days is not None or (ago is not None and ago > scales.expected_days):
        day = (turn.today - timedelta(days=min(ago or 0, _LONGEST_AGO))).isoformat()
        conversation.procedure_day = min(day, conversation.procedure_day or day)
    if conversation.procedure_day:
        late = (turn.today - date.fromisoformat(conversation.procedure_day)).days > scales.expected_days
        conversation.findings[scales.later] = "present" if late else "absent"
