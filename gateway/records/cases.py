"""The nurses' cases: what the queue is sorted and searched by, derived from the events in the transaction that stores them. No words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from gateway.records import statements as sql
from gateway.records.signals import CLOSED, DEFAULT, OPEN, Signals, Standing, rank_of, signal_of, strongest, tier_of
from gateway.records.tier import TIER_OF, TIERS, Rank, Tier

PRESENT, ASSUMED = "present", "assumed"
_SILENT = ("not_in_leaflet", "out_of_scope")
_TROUBLE = "trouble"
UNREAD = "unread"
"""Stands among the findings of a case when a message could not be read, and is the cause of that answer."""
_QUESTION = "question"
_BY_PATIENT = ("message", "callback", "followed")
FOLLOWED_KINDS = (*_BY_PATIENT, "answer", "left")
REACHED = "reached"
WAITING = tuple(TIER_OF)


def follow(
    connection: Connection,
    conversation: str,
    seq: int,
    kind: str,
    at: datetime,
    facts: Mapping[str, Any],
    disposition: str | None,
    signals: Signals = DEFAULT,
) -> None:
    """Bring a conversation's case up to date with an event that was just stored.

    A rule that fires for the first time starts the clock, unless an older one of the same or a higher tier still waits; it opens the case
    again when a nurse had acknowledged or closed it. So does a request for a call, and that nobody was reached in an emergency. A patient
    who writes again opens a closed case and wakes a snoozed one.
    """
    if kind not in FOLLOWED_KINDS:
        return
    mine = {"name": conversation}
    case = connection.execute(sql.CASE, mine).one_or_none()
    if case is None:
        connection.execute(sql.NEW_CASE, _new(conversation, seq, at))
        case = connection.execute(sql.CASE, mine).one()
    values: dict[str, Any] = {"last_at": at, "last_seq": seq, "changed_at": at, "version": case.version + 1}
    if kind in _BY_PATIENT:
        values |= {"unread": case.unread + 1, "words_at": at}
    if kind == "message":
        values |= {"waiting_since": case.waiting_since or at, "snoozed_until": None, **(_opened(at, seq) if case.state == CLOSED else {})}
    elif kind == "callback":
        values |= _called(case, seq, at, facts)
    elif kind == "followed":
        values |= _followed(case, seq, at, facts)
    elif kind == "left":
        values["danger_check"] = Standing.LEFT
    else:
        values |= _answered(connection, case, conversation, seq, at, facts, disposition)
    now = {**case._mapping, **values}
    values |= {"rank": rank_of(now, signals), "signal": strongest(case.signal, signal_of(now))}
    connection.execute(sql.CHANGED_CASE, {"case": case.id, **values})


def _new(conversation: str, seq: int, at: datetime) -> dict[str, Any]:
    return {
        "conversation_id": conversation,
        "opened_at": at,
        "tier": Tier.NONE,
        "rank": Rank.REST,
        "state": OPEN,
        "fired_at": at,
        "fired_seq": seq,
        "last_at": at,
        "last_seq": seq,
        "failed": False,
        "silent": False,
        "asking": False,
        "danger_check": Standing.NONE,
        "escalated": 0,
        "version": 1,
        "changed_at": at,
    }


def _called(case: Row[Any], seq: int, at: datetime, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The patient asks for a call: the clock runs from the first request that is still open."""
    values = {"callback_at": case.callback_at or at, "callback_due": case.callback_due or datetime.fromisoformat(facts["due"])}
    starts = case.state != OPEN or case.rank in (Rank.REST, Rank.UNFINISHED)
    return {**values, "snoozed_until": None, **(_opened(at, seq) if starts else {})}


def _followed(case: Row[Any], seq: int, at: datetime, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The patient says whether they reached somebody; in an emergency a nurse looks again when they did not."""
    unreached = facts["answer"] != REACHED and tier_of(dict(case._mapping)) is Tier.EMERGENCY
    starts = case.state == CLOSED or (unreached and case.state != OPEN)
    return {"snoozed_until": None, **(_opened(at, seq) if starts else {})}


def _opened(at: datetime, seq: int) -> dict[str, Any]:
    cleared = dict.fromkeys(("acknowledged_at", "acknowledged_by", "snoozed_until", "closed_at", "outcome"))
    return {**cleared, "state": OPEN, "fired_at": at, "fired_seq": seq, "escalated": 0}


def _answered(
    connection: Connection, case: Row[Any], conversation: str, seq: int, at: datetime, facts: Mapping[str, Any], disposition: str | None
) -> dict[str, Any]:
    tier = TIERS[disposition]
    failed = facts.get("type") == _TROUBLE
    held = facts.get("held", False)
    silent = case.silent or (facts.get("type") in _SILENT and not held)
    values: dict[str, Any] = {"failed": case.failed or failed, "silent": silent}
    values["waiting_since"] = connection.scalar(sql.WAITING_SINCE, {"name": conversation})
    values["tier"] = max(case.tier, tier)
    values["asking"] = not held and facts.get("asks", facts.get("type") == _QUESTION)
    values["danger_check"] = Standing.NONE if held else facts.get("check", Standing.NONE)
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
    if case.by_hand is not None and fires and tier > case.by_hand:
        values |= dict.fromkeys(("by_hand", "lower_to", "lower_asked_by"))
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
