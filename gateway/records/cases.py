"""The nurses' cases: what the queue is sorted and searched by, derived from the events in the transaction that stores them. No words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row

from gateway.records import statements as sql
from gateway.records.tier import TIER_OF, TIERS, Rank, Tier

OPEN, ACKNOWLEDGED, CLOSED = "open", "acknowledged", "closed"
PRESENT, ASSUMED = "present", "assumed"
_SILENT = ("not_in_leaflet", "out_of_scope")
_TROUBLE = "trouble"
UNREAD = "unread"
"""Stands among the findings of a case when a message could not be read, and is the cause of that answer."""
_QUESTION = "question"


class Standing(StrEnum):
    """Where the danger check stands in a conversation.

    `before`: an answer waits for it. `behind`: it came with 'call your doctor' and waits. `unfinished`: it was left before an answer, and
    nothing reassuring was said. `left`: it was left behind 'call your doctor'. Left behind information it is nothing.
    """

    NONE = ""
    BEFORE = "before"
    BEHIND = "behind"
    UNFINISHED = "unfinished"
    LEFT = "left"


WAITING = tuple(TIER_OF)


def rank_of(tier: int, state: str, *, failed: bool, asking: bool, check: str = Standing.NONE) -> Rank:
    """The rank of a case in the queue.

    Args:
        tier: the most urgent disposition of the conversation, 0 (none) to 3 (emergency).
        state: `open`, `acknowledged` or `closed`.
        failed: an answer could not be made, and the patient got the safety card alone; it waits beside call-doctor cases.
        asking: the patient was asked a question that can change the disposition and has not answered; it waits beside them too, for an
            interview that is broken off counts as its more urgent end.
        check: where the danger check stands. A chat in which it was left before any answer has a rank of its own, below all that wait.
    """
    if state == CLOSED:
        return Rank.CLOSED
    seen = state == ACKNOWLEDGED
    if tier == Tier.EMERGENCY:
        return Rank.RED_SEEN if seen else Rank.RED
    if tier == Tier.CALL_DOCTOR or failed or asking:
        return Rank.CALL_SEEN if seen else Rank.CALL
    return Rank.UNFINISHED if check == Standing.UNFINISHED else Rank.REST


def follow(
    connection: Connection, conversation: str, seq: int, kind: str, at: datetime, facts: Mapping[str, Any], disposition: str | None
) -> None:
    """Bring a conversation's case up to date with an event that was just stored.

    A rule that fires for the first time starts the clock, unless an older one of the same or a higher tier still waits; it opens the case
    again when a nurse had acknowledged or closed it. A patient who writes again opens a closed case and wakes a snoozed one.
    """
    if kind not in ("message", "answer", "left"):
        return
    mine = {"name": conversation}
    case = connection.execute(sql.CASE, mine).one_or_none()
    if case is None:
        new = {
            "conversation_id": conversation,
            "opened_at": at,
            "tier": Tier.NONE,
            "rank": Rank.REST,
            "state": OPEN,
            "fired_at": at,
            "fired_seq": seq,
        }
        rest = {
            "waiting_since": at,
            "last_at": at,
            "last_seq": seq,
            "failed": False,
            "silent": False,
            "asking": False,
            "danger_check": Standing.NONE,
            "escalated": 0,
            "version": 1,
        }
        connection.execute(sql.NEW_CASE, {**new, **rest, "changed_at": at})
        case = connection.execute(sql.CASE, mine).one()
    values: dict[str, Any] = {"last_at": at, "last_seq": seq, "changed_at": at, "version": case.version + 1}
    if kind == "message":
        values |= {"waiting_since": case.waiting_since or at, "snoozed_until": None, **(_opened(at, seq) if case.state == CLOSED else {})}
    elif kind == "left":
        values["danger_check"] = Standing.LEFT
    else:
        values |= _answered(connection, case, conversation, seq, at, facts, disposition)
    now = {**case._mapping, **values}
    values["rank"] = rank_of(now["tier"], now["state"], failed=now["failed"], asking=now["asking"], check=now["danger_check"])
    connection.execute(sql.CHANGED_CASE, {"case": case.id, **values})


def _opened(at: datetime, seq: int) -> dict[str, Any]:
    cleared = dict.fromkeys(("acknowledged_at", "acknowledged_by", "snoozed_until", "closed_at", "outcome"))
    return {**cleared, "state": OPEN, "fired_at": at, "fired_seq": seq, "escalated": 0}


def _answered(
    connection: Connection, case: Row[Any], conversation: str, seq: int, at: datetime, facts: Mapping[str, Any], disposition: str | None
) -> dict[str, Any]:
    tier = TIERS[disposition]
    failed = facts.get("type") == _TROUBLE
    silent = case.silent or facts.get("type") in _SILENT
    values: dict[str, Any] = {"failed": case.failed or failed, "silent": silent}
    values["waiting_since"] = connection.scalar(sql.WAITING_SINCE, {"name": conversation})
    values["tier"] = max(case.tier, tier)
    values["asking"] = facts.get("asks", facts.get("type") == _QUESTION)
    values["danger_check"] = facts.get("check", Standing.NONE)
    known = set(connection.scalars(sql.RULES_OF_CASE, {"case": case.id}))
    protocol = facts.get("protocol", {})
    version = f"{protocol.get('id', '')} {protocol.get('version', '')}".strip()
    new = {rule: rank for rank, rule in enumerate(dict.fromkeys(facts.get("rules", ()))) if rule not in known}
    for rule, rank in new.items():
        row = {"case_id": case.id, "rule": rule, "seq": seq, "rank": rank, "tier": tier, "at": at, "protocol": version}
        connection.execute(sql.NEW_RULE, row)
    _note_findings(connection, case.id, facts.get("codes", ()))
    fires = tier >= Tier.CALL_DOCTOR and bool(new)
    rises = tier > case.tier
    if fires or failed or rises:
        values["snoozed_until"] = None
    if case.state != OPEN and (fires or failed or (rises and tier >= Tier.CALL_DOCTOR)):
        values |= _opened(at, seq)
    elif rises or (case.rank in (Rank.REST, Rank.UNFINISHED) and (failed or values["asking"])):
        values |= {"fired_at": at, "fired_seq": seq, "escalated": 0}
    return values


def _note_findings(connection: Connection, case: int, codes: Any) -> None:
    rows = connection.execute(sql.FINDINGS_OF_CASE, {"case": case})
    known = {(row.code, row.status) for row in rows}
    for code, status in dict.fromkeys(map(tuple, codes)):
        if (code, status) not in known:
            connection.execute(sql.NEW_FINDING, {"case_id": case, "code": code, "status": status})
