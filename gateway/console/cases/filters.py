"""What is shown of the queue, as the parameters of an address and as conditions on cases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_

from gateway.console.cases.floods import of_group
from gateway.console.policy import Policy
from gateway.records.cases import ASSUMED, PRESENT
from gateway.records.signals import OPEN
from gateway.records.statements import EFFECTIVE_TIER
from gateway.records.tables import case_finding, case_rule, conversation, triage_case
from gateway.records.tier import TIER_OF, UNACKNOWLEDGED, Rank

VIEWS = ("work", "all", "unfinished", "closed", "snoozed")
ONLY = ("unacknowledged", "breached", "callback", "unanswered", "unread", "mine-due", "silent")
_GROUP = re.compile(r"[0-9a-f]{16}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
UNANSWERED_AFTER = timedelta(seconds=10)


@dataclass(frozen=True)
class Filter:
    """What is shown of the queue.

    Attributes:
        view: `work`, what needs a nurse; `all` that is open; `unfinished`, chats that left the danger check before an answer; `closed`;
            `snoozed`.
        tier: only this tier.
        assignee: only the cases of this account; -1 for those of nobody.
        only: one of ONLY (`unread`: with messages that no nurse has opened; `mine-due`: the next try to reach the patient is due;
            `silent`: the leaflet did not say), or empty; `breached`, `callback`, `unanswered` and `mine-due` show snoozed cases too.
        number: only the case of this number.
        days: only cases that opened in so many last days.
        group: only the cases of a day from one address.
        protocol: only the conversations that are bound to this one.
    """

    view: str = "work"
    tier: int | None = None
    finding: str = ""
    rule: str = ""
    assignee: int | None = None
    only: str = ""
    number: int | None = None
    days: int | None = None
    group: str = ""
    protocol: str = ""

    def as_query(self) -> dict[str, str]:
        """The filter as the parameters of an address, without those that are as new."""
        new = Filter()
        return {name: str(value) for name, value in vars(self).items() if value not in (None, "") and value != getattr(new, name)}

    @classmethod
    def parse(cls, given: Mapping[str, str]) -> Filter:
        """The filter in these parameters; what does not count is left out."""
        known = {name: value.strip() for name, value in given.items() if name in vars(cls()) and value.strip()}
        whole = {name: int(known[name]) for name in ("tier", "assignee", "number", "days") if is_number(known.get(name, ""))}
        texts = {name: known[name] for name in ("finding", "rule", "protocol") if _NAME.fullmatch(known.get(name, ""))}
        texts |= {"only": known["only"]} if known.get("only") in ONLY else {}
        texts |= {"group": known["group"]} if _GROUP.fullmatch(known.get("group", "")) else {}
        return cls(view=known["view"] if known.get("view") in VIEWS else "work", **texts, **whole)  # type: ignore[arg-type]


def is_unanswered(now: datetime) -> ColumnElement[bool]:
    """Whether a message waits for its answer for too long."""
    return and_(triage_case.c.waiting_since < now - UNANSWERED_AFTER, triage_case.c.rank != Rank.CLOSED)


def is_number(text: str) -> bool:
    """Whether this is a whole number of less than ten characters."""
    return text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 10


def is_breached(policy: Policy, now: datetime) -> ColumnElement[bool]:
    """Whether a case waits for its acknowledgement, or for the call that the patient asked for, for longer than it may."""
    c = triage_case.c
    late = (and_(c.rank == rank, c.fired_at < now - policy.limits[TIER_OF[rank]]) for rank in UNACKNOWLEDGED)
    return or_(*late, and_(asks_for_call(), c.callback_due < now))


def asks_for_call() -> ColumnElement[bool]:
    """Whether the patient of an open case asks for a call that nobody has made."""
    return and_(triage_case.c.callback_at.is_not(None), triage_case.c.rank < Rank.CLOSED)


def is_try_due(now: datetime) -> ColumnElement[bool]:
    """Whether the next try to reach the patient of an open case is due."""
    return and_(triage_case.c.next_attempt_at <= now, triage_case.c.rank < Rank.CLOSED)


def has_unread() -> ColumnElement[bool]:
    """Whether the patient of a case wrote something that no nurse has opened."""
    return triage_case.c.unread > 0


def conditions_of(wanted: Filter, policy: Policy, now: datetime) -> list[ColumnElement[bool]]:
    """A filter as conditions on cases.

    Args:
        wanted: which cases.
        policy: the limits.
        now: the moment.
    """
    c = triage_case.c
    awake = or_(c.rank == Rank.RED, c.snoozed_until.is_(None), c.snoozed_until <= now)
    by_view = {
        "work": [c.rank <= Rank.CALL_SEEN, awake],
        "all": [c.rank < Rank.CLOSED, awake],
        "unfinished": [c.rank == Rank.UNFINISHED, awake],
        "closed": [c.rank == Rank.CLOSED],
        "snoozed": [c.rank < Rank.CLOSED, c.snoozed_until > now],
        "any": [],
    }
    conditions: list[ColumnElement[bool]] = by_view[wanted.view]
    if wanted.number is not None:
        conditions = [c.id == wanted.number]
    instead = {
        "unanswered": is_unanswered(now),
        "breached": is_breached(policy, now),
        "callback": asks_for_call(),
        "mine-due": is_try_due(now),
    }
    besides = {"unacknowledged": c.state == OPEN, "unread": has_unread(), "silent": c.silent.is_(True)}
    conditions = [instead[wanted.only]] if wanted.only in instead else conditions
    conditions += [besides[wanted.only]] if wanted.only in besides else []
    if wanted.tier is not None:
        conditions.append(EFFECTIVE_TIER.in_([wanted.tier]))
    if wanted.assignee is not None:
        conditions.append(c.assignee.is_(None) if wanted.assignee == -1 else c.assignee == wanted.assignee)
    if wanted.group:
        conditions.append(of_group(wanted.group))
    if wanted.days is not None:
        conditions.append(c.opened_at >= now - timedelta(days=min(wanted.days, 36_500)))
    if wanted.finding:
        f = case_finding.c
        conditions.append(exists().where(f.case_id == c.id, f.code == wanted.finding, f.status.in_((PRESENT, ASSUMED))))
    if wanted.protocol:
        conditions.append(exists().where(conversation.c.id == c.conversation_id, conversation.c.protocol == wanted.protocol))
    if wanted.rule:
        conditions.append(exists().where(case_rule.c.case_id == c.id, case_rule.c.rule == wanted.rule))
    return conditions
