"""How a case follows its conversation: what opens it, what starts its clock, what brings it back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from aftercare.protocol.model import Disposition
from gateway.console.cases.acts import Acts
from gateway.console.services import ConsoleServices
from gateway.records.sealing import Keyring
from gateway.records.store import Records
from gateway.records.tables import triage_case
from gateway.records.tier import TIERS, Rank, Tier
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import BOUND, MASTER_KEY, Clock, Door, new_id

_GREETING: dict[str, list[Any]] = {"blocks": [], "buttons": [], "sources": []}
_WORDS = {"text": "words"}


class Chat:
    """A conversation without a bot."""

    def __init__(self, records: Records) -> None:
        session = records.session(records.start("demo", _GREETING, "patient", bound=BOUND))
        assert session is not None
        self.records, self.name = records, session.conversation

    def write(self) -> int:
        message, _ = self.records.add_message(self.name, new_id(), "words")
        return message.seq

    def turn(self, disposition: str | None = None, *rules: str, kind: str = "triage", asks: bool = False) -> Any:
        """A message and its answer; the case behind it."""
        facts = {"type": kind, "rules": list(rules), "codes": [], "asks": asks, "protocol": {"id": "p", "version": "1"}}
        self.records.add_answer(self.name, self.write(), facts, _WORDS, disposition)
        return self.case

    @property
    def case(self) -> Any:
        with self.records.engine.connect() as connection:
            return connection.execute(select(triage_case).where(triage_case.c.conversation_id == self.name)).one()


@pytest.fixture
def chat(engine: Any, clock: Clock) -> Chat:
    return Chat(Records(engine, Keyring([MASTER_KEY]), clock))


def _acknowledged(chat: Chat, services: ConsoleServices, person: int) -> None:
    Acts(chat.records, services.policy, services.audit_log, services.library).acknowledge(chat.case.id, person, chat.case.last_seq)


def test_a_message_without_an_answer_makes_a_case_that_waits(chat: Chat) -> None:
    seq = chat.write()
    assert chat.case.waiting_since is not None
    chat.records.add_answer(chat.name, seq, {"type": "chat"}, _WORDS, None)
    assert chat.case.waiting_since is None
    assert chat.case.rank == Rank.REST


def test_an_unanswered_question_waits_beside_call_doctor_until_it_is_answered(chat: Chat) -> None:
    assert chat.turn(kind="question", asks=True).rank == Rank.CALL
    assert chat.turn("self_care", "soreness").rank == Rank.REST


def test_an_answer_that_failed_waits_beside_call_doctor(chat: Chat, clock: Clock) -> None:
    began = chat.turn(kind="chat").fired_at
    clock.travel(minutes=30)
    failed = chat.turn(kind="trouble")
    assert failed.rank == Rank.CALL
    assert failed.fired_at > began


def test_the_clock_starts_when_the_tier_rises_and_not_when_the_same_is_said_again(chat: Chat, clock: Clock) -> None:
    first = chat.turn("call_doctor", "fever")
    clock.travel(minutes=10)
    red = chat.turn("emergency", "chest_pain", "fever")
    assert (red.rank, red.tier) == (Rank.RED, 3)
    assert red.fired_at > first.fired_at
    clock.travel(minutes=10)
    assert chat.turn("emergency", "chest_pain", "fever").fired_at == red.fired_at


def test_a_tier_that_rises_is_never_hidden_by_an_earlier_acknowledgement(door: Door, nurse: Person, services: ConsoleServices) -> None:
    chat = Chat(door.records)
    chat.turn("call_doctor", "fever")
    _acknowledged(chat, services, nurse.id)
    risen = chat.turn("emergency", "fever")
    assert (risen.state, risen.rank, risen.escalated, risen.acknowledged_at) == ("open", Rank.RED, 0, None)


def test_what_was_snoozed_before_its_answer_came_does_not_sleep_over_it(door: Door, nurse: Person, services: ConsoleServices) -> None:
    chat = Chat(door.records)
    seq = chat.write()
    acts = services.acts(Acts)
    acts.snooze(chat.case.id, nurse.id, seq, services.records.clock() + timedelta(hours=1), "later")
    facts = {"type": "triage", "rules": ["fever"], "codes": [], "protocol": {}}
    chat.records.add_answer(chat.name, seq, facts, _WORDS, "call_doctor")
    assert chat.case.snoozed_until is None
    assert chat.case.rank == Rank.CALL


def test_a_patient_who_goes_on_wakes_a_snoozed_case_and_opens_a_closed_one(door: Door, nurse: Person, services: ConsoleServices) -> None:
    patient = door.patient()
    patient.say("I have a fever of 101")
    number, acts = case_of(door, patient), services.acts(Acts)
    acts.acknowledge(number, nurse.id, 99)
    acts.close(number, nurse.id, 99, "reached")
    patient.say("it is worse now")
    with door.records.engine.connect() as connection:
        case = connection.execute(select(triage_case).where(triage_case.c.id == number)).one()
    assert (case.state, case.outcome) == ("open", None)


def test_tiers_are_the_cores_dispositions() -> None:
    assert {disposition.wire: int(disposition) for disposition in Disposition} | {None: 0} == TIERS
    assert [tier.key for tier in Tier] == ["none", *(disposition.wire for disposition in sorted(Disposition))]
