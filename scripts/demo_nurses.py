"""The demo clinic's invented nurses, and what they do with a day's cases."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush

import yaml

from gateway.console.audit.acts import AuditAct
from gateway.console.cases.acts import Acts
from gateway.console.cases.case_view import CaseViews
from gateway.console.cases.queue import Queue
from gateway.console.cases.rows import Row
from gateway.console.services import ConsoleServices
from gateway.records.tier import TIERS, Tier
from scripts.demo_clock import WATCH, Watch
from scripts.demo_patients import PEOPLE

NURSES = {"demo-lead": "lead", "demo-nurse": "nurse"}
DAY = timedelta(hours=24)
_SEEN = {"emergency": 1.0, "call_doctor": 0.85}
_SEEN_TIERS = {TIERS[name]: name for name in _SEEN}
_SOON = {"emergency": 5.0, "call_doctor": 50.0}


class Nurses:
    """Two invented nurses at the console. Their accounts are shut, and nobody has their passwords."""

    def __init__(self, services: ConsoleServices, chance: random.Random) -> None:
        self._services = services
        self._chance = chance
        self._acts = services.acts(Acts)
        self._queue = Queue(services.records.engine, services.policy, services.records.clock)
        self._views = CaseViews(services.records, services.library, services.policy)
        self._endings: dict[str, list[dict[str, str]]] = yaml.safe_load(PEOPLE.read_text(encoding="utf-8"))["endings"]
        self._planned = list[tuple[datetime, int, Callable[[], None]]]()
        self._last = datetime.now(UTC) - DAY
        self._people = [self._account(name, role) for name, role in NURSES.items()]

    def hear_of(self, conversation: str) -> None:
        """Plan what to do with a conversation's case."""
        number = self._views.number_of(conversation)
        row = self._queue.one(number) if number else None
        tier = _SEEN_TIERS.get(Tier(row.tier)) if row else None
        if row is not None and tier is not None and self._chance.random() < _SEEN[tier]:
            for at, act in self._plan(row, tier):
                heappush(self._planned, (at, row.id, act))

    def work_until(self, end: datetime) -> None:
        """Do what is planned up to a moment, in order."""
        while self._planned and self._planned[0][0] < end:
            at, _, act = heappop(self._planned)
            self._last = max(at, self._last)
            WATCH.set(Watch(self._last))
            act()

    def go_home(self) -> None:
        """Shut the accounts."""
        WATCH.set(None)
        for person in self._people:
            self._services.book.change(person, disabled=True)

    def _account(self, name: str, role: str) -> int:
        WATCH.set(Watch(self._last))
        known = self._services.book.named(name)
        if known is None:
            known, _code = self._services.book.invite(name, role)
            self._services.audit_log.record(AuditAct.ACCOUNT_MADE, detail={"account": known.id, "role": role, "by": "demo"})
        return known.id

    def _plan(self, row: Row, tier: str) -> Iterator[tuple[datetime, Callable[[], None]]]:
        """What one of them does with a case, and when."""
        by, soon = self._chance.choice(self._people), _SOON[tier]
        at = max(row.fired_at + timedelta(minutes=self._chance.uniform(1, soon)), row.last_at + timedelta(seconds=10))
        yield at, lambda: self._acts.acknowledge(row.id, by, row.last_seq)
        ending = self._chance.choice(self._endings[tier])
        later = at + timedelta(minutes=self._chance.uniform(3, 3 * soon))
        yield later, lambda: self._acts.note(row.id, by, ending["note"])
        if ending["outcome"] in self._services.policy.outcomes:
            yield later + timedelta(seconds=30), lambda: self._acts.close(row.id, by, row.last_seq, ending["outcome"])
