"""Conversations that stand in the records without a gateway, at a time that stands still."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from gateway.records.store import Records
from gateway.records.tables import triage_case
from tests.gateway.support import BOUND, CANARY, Clock, new_id

NOON = datetime(2030, 5, 10, 12, tzinfo=UTC)


class Still(Clock):
    """A clock that stands still at a moment until it travels."""

    def __call__(self) -> datetime:
        return NOON + self._ahead


def said(records: Records, disposition: str | None = None, rules: tuple[str, ...] = (), text: str = CANARY, **more: Any) -> int:
    """A conversation with one message and its answer; the number of its case.

    Args:
        records: where it stands.
        disposition: of the answer.
        rules: those that fired.
        text: the message.
        more: the answer's facts; `meaning`, `topic` and `heard` (findings) go into its words.
    """
    session = records.session(records.start("demo", {"blocks": [], "buttons": [], "sources": []}, "patient", bound=BOUND))
    assert session is not None
    message, _ = records.add_message(session.conversation, new_id(), text)
    facts = {"by": "rasa", "cause": "", "type": "triage", "rules": list(rules), "codes": [], "protocol": {}} | more
    understood = {"meaning": more.get("meaning", ""), "findings": more.get("heard", [])}
    words: dict[str, Any] = {"understood": understood, "topic": more.get("topic"), "blocks": [], "buttons": [], "conversation": {}}
    records.add_answer(session.conversation, message.seq, facts, words, disposition)
    with records.engine.connect() as connection:
        query = select(triage_case.c.id).where(triage_case.c.conversation_id == session.conversation)
        return int(connection.execute(query).scalar_one())


def conversation_of(records: Records, case: int) -> str:
    """The conversation of a case."""
    with records.engine.connect() as connection:
        return str(connection.scalar(select(triage_case.c.conversation_id).where(triage_case.c.id == case)))
