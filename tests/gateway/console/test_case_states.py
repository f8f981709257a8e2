"""Whatever nurses and patients do, in whatever order: no act loses a red case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, Row, select

from gateway.console.audit.log import AuditLog
from gateway.console.cases.acts import Acts
from gateway.console.cases.contact_acts import Attempt, ContactActs
from gateway.console.cases.filters import Filter
from gateway.console.cases.holds import Holds
from gateway.console.cases.queue import Queue
from gateway.console.cases.tier_acts import TierActs
from gateway.console.errors import ActError
from gateway.console.identity.staff import StaffBook
from gateway.console.policy import read_policy
from gateway.records.sealing import Keyring
from gateway.records.signals import tier_of
from gateway.records.store import Records
from gateway.records.tables import case_act, triage_case
from gateway.records.tier import Rank, Tier
from tests.gateway.support import BOUND, MASTER_KEY, Clock, library_in, new_id

_WORDS: Mapping[str, Any] = {"blocks": [], "buttons": [], "sources": [], "conversation": {}, "rows": []}
_DISPOSITIONS = ("emergency", "call_doctor", "self_care", None)
_STAFF = st.sampled_from((0, 1))
_TIERS = st.sampled_from(list(Tier))


class Ward:
    """One conversation, its case, and two nurses."""

    def __init__(self, engine: Engine, people: tuple[int, int]) -> None:
        self.clock = Clock()
        self.records = Records(engine, Keyring([MASTER_KEY]), self.clock)
        audit_log, policy, library = AuditLog(engine, bytes(32), self.clock), read_policy(), library_in("UTC")
        given_to = (self.records, policy, audit_log, library)
        self.acts, self.tiers, self.contact = Acts(*given_to), TierActs(*given_to), ContactActs(*given_to)
        self.holds, self.policy, self.people = Holds(self.records, audit_log, library), policy, people
        session = self.records.session(self.records.start("demo", {"blocks": []}, "patient", bound=BOUND))
        assert session is not None
        self.name, self.rules = session.conversation, 0
        self.says("emergency")

    @property
    def case(self) -> Row[Any]:
        with self.records.engine.connect() as connection:
            return connection.execute(select(triage_case).where(triage_case.c.conversation_id == self.name)).one()

    @property
    def seen(self) -> int:
        return self.records.newest(self.name)

    def says(self, disposition: str | None) -> None:
        """The patient writes, and a new rule of this disposition answers."""
        self.rules += 1
        message, _ = self.records.add_message(self.name, new_id(), "words")
        facts = {"type": "triage", "rules": [f"rule_{self.rules}"], "codes": [], "protocol": {}, "kept": True}
        self.records.add_answer(self.name, message.seq, facts, _WORDS, disposition)

    def acted(self, kind: str) -> int:
        """How often an act of this kind was done."""
        with self.records.engine.connect() as connection:
            c = case_act.c
            return len(connection.execute(select(c.id).where(c.case_id == self.case.id, c.kind == kind)).all())


_Act = Callable[[Ward], object]


def _by(make: Callable[[Ward, int], object]) -> st.SearchStrategy[_Act]:
    return _STAFF.map(lambda who: lambda ward: make(ward, ward.people[who]))


_ACTS: st.SearchStrategy[_Act] = st.one_of(
    st.sampled_from(_DISPOSITIONS).map(lambda disposition: lambda ward: ward.says(disposition)),
    st.integers(1, 90).map(lambda minutes: lambda ward: ward.clock.travel(minutes=minutes)),
    _by(lambda ward, by: ward.acts.acknowledge(ward.case.id, by, ward.seen)),
    _by(lambda ward, by: ward.acts.undo(ward.case.id, by)),
    _by(lambda ward, by: ward.acts.assign(ward.case.id, by, None)),
    _by(lambda ward, by: ward.acts.snooze(ward.case.id, by, ward.seen, ward.clock() + timedelta(minutes=25), "later")),
    _by(lambda ward, by: ward.acts.wake(ward.case.id, by)),
    _by(lambda ward, by: ward.acts.close(ward.case.id, by, ward.seen, "no_answer", "a note")),
    _by(lambda ward, by: ward.acts.close(ward.case.id, by, ward.seen, "sent_to_er")),
    _by(lambda ward, by: ward.acts.reopen(ward.case.id, by)),
    _by(lambda ward, by: ward.contact.attempt(ward.case.id, by, Attempt.NO_ANSWER)),
    _by(lambda ward, by: ward.contact.attempt(ward.case.id, by, Attempt.REACHED)),
    _by(lambda ward, by: ward.contact.reply(ward.case.id, by, ward.seen, "Hello", take_over=True)),
    _by(lambda ward, by: ward.contact.hand_back(ward.case.id, by)),
    st.just(lambda ward: ward.holds.release()),
    _TIERS.flatmap(lambda tier: _by(lambda ward, by: ward.tiers.raise_to(ward.case.id, by, tier, "why"))),
    _TIERS.flatmap(lambda tier: _by(lambda ward, by: ward.tiers.lower_to(ward.case.id, by, tier, "why"))),
    _by(lambda ward, by: ward.tiers.confirm_lowering(ward.case.id, by, ward.seen)),
    _by(lambda ward, by: ward.tiers.refuse_lowering(ward.case.id, by)),
)


@pytest.fixture
def people(engine: Engine) -> tuple[int, int]:
    book = StaffBook(engine, Keyring([MASTER_KEY]), Clock())
    return book.invite("Anna Example", "nurse")[0].id, book.invite("Bert Example", "nurse")[0].id


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(_ACTS, max_size=25))
def test_no_act_loses_a_red_case(engine: Engine, people: tuple[int, int], acts: list[_Act]) -> None:
    ward = Ward(engine, people)
    queue = Queue(engine, ward.policy, ward.clock)
    for act in acts:
        before = ward.case
        try:
            act(ward)
        except ActError:
            assert ward.case == before
            continue
        after = ward.case
        if tier_of(dict(after._mapping)) is Tier.EMERGENCY and after.state != "closed":
            assert after.rank in (Rank.RED, Rank.RED_SEEN)
            asleep = after.snoozed_until is not None and after.snoozed_until > ward.clock()
            assert not asleep or (after.rank == Rank.RED_SEEN and after.snoozed_until - ward.clock() <= ward.policy.acts.snooze_emergency)
            shown = [row.id for row in queue.page(Filter(view="work", number=after.id)).rows]
            assert shown == [after.id]
        if after.state == "closed" and before.state != "closed":
            assert before.state == "acknowledged" or tier_of(dict(before._mapping)) is not Tier.EMERGENCY
        if tier_of(dict(before._mapping)) is Tier.EMERGENCY and tier_of(dict(after._mapping)) is not Tier.EMERGENCY:
            assert before.lower_to is not None
            assert ward.acted("lower") > 0
