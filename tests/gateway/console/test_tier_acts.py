"""Raising, lowering, taking back, paging, joining, and what an emergency's end needs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Row, select

from gateway.console.cases.acts import Acts
from gateway.console.cases.contact_acts import Attempt, ContactActs
from gateway.console.cases.disagreements import Disagreements
from gateway.console.cases.joining import JoiningActs
from gateway.console.cases.tier_acts import TierActs
from gateway.console.cases.waits import waits
from gateway.console.errors import ActError
from gateway.console.notify.paging import Paging
from gateway.console.services import ConsoleServices
from gateway.contact.callbacks import Callbacks
from gateway.records.tables import case_act, notice, triage_case
from gateway.records.tier import Rank, Tier
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import HARMLESS, RED_FLAG, Clock, Door, Patient, new_id, reviews_of

_FEVER = "I have a fever of 101"


def _case(services: ConsoleServices, number: int) -> Row[Any]:
    with services.records.engine.connect() as connection:
        return connection.execute(select(triage_case).where(triage_case.c.id == number)).one()


def _kinds(services: ConsoleServices, number: int) -> list[str]:
    with services.records.engine.connect() as connection:
        return list(connection.scalars(select(case_act.c.kind).where(case_act.c.case_id == number).order_by(case_act.c.id)))


def _seen(services: ConsoleServices, number: int) -> int:
    return len(services.records.events(_case(services, number).conversation_id))


@pytest.fixture
def acts(services: ConsoleServices) -> TierActs:
    return services.acts(TierActs)


def test_a_case_that_is_raised_waits_on_top_with_a_clock_of_its_own(
    door: Door, patient: Patient, services: ConsoleServices, nurse: Person, acts: TierActs, clock: Clock
) -> None:
    patient.settled(HARMLESS)
    number = case_of(door, patient)
    services.acts(Acts).acknowledge(number, nurse.id, _seen(services, number))
    clock.travel(hours=1)
    acts.raise_to(number, nurse.id, Tier.EMERGENCY, "She sounds confused on the phone")
    case = _case(services, number)
    assert (case.rank, case.state, case.acknowledged_by, case.signal) == (Rank.RED, "open", None, "emergency")
    assert door.records.clock() - case.fired_at < timedelta(minutes=1)
    with pytest.raises(ActError, match="already"):
        acts.raise_to(number, nurse.id, Tier.CALL_DOCTOR, "again")


def test_a_case_is_not_raised_without_a_reason(door: Door, patient: Patient, nurse: Person, acts: TierActs) -> None:
    patient.settled(HARMLESS)
    with pytest.raises(ActError, match="Nothing is written"):
        acts.raise_to(case_of(door, patient), nurse.id, Tier.EMERGENCY, " ")


def test_an_emergency_is_lowered_by_two_and_counts_again_when_a_rule_fires(
    door: Door, patient: Patient, services: ConsoleServices, nurse: Person, lead: Person, acts: TierActs
) -> None:
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    assert not acts.lower_to(number, nurse.id, Tier.SELF_CARE, "She talked about a film")
    assert _case(services, number).rank == Rank.RED
    with pytest.raises(ActError, match="second person"):
        acts.confirm_lowering(number, nurse.id, _seen(services, number))
    acts.confirm_lowering(number, lead.id, _seen(services, number))
    assert (_case(services, number).rank, _case(services, number).tier) == (Rank.REST, Tier.EMERGENCY)
    patient.say("my leg is completely numb and weak")
    case = _case(services, number)
    assert (case.rank, case.by_hand) == (Rank.RED, None)


def test_nobody_confirms_past_words_that_fired_anew(
    door: Door, patient: Patient, services: ConsoleServices, nurse: Person, lead: Person, acts: TierActs
) -> None:
    patient.say(RED_FLAG)
    number, seen = case_of(door, patient), _seen(services, case_of(door, patient))
    acts.lower_to(number, nurse.id, Tier.CALL_DOCTOR, "no chest pain after all")
    patient.say("my leg is completely numb and weak")
    with pytest.raises(ActError, match="fired anew"):
        acts.confirm_lowering(number, lead.id, seen)
    acts.refuse_lowering(number, lead.id)
    assert _case(services, number).lower_to is None
    with pytest.raises(ActError, match="Nobody has asked"):
        acts.confirm_lowering(number, lead.id, _seen(services, number))


def test_what_is_no_emergency_is_lowered_at_once(
    door: Door, patient: Patient, services: ConsoleServices, nurse: Person, acts: TierActs
) -> None:
    patient.say(_FEVER)
    number = case_of(door, patient)
    assert acts.lower_to(number, nurse.id, Tier.SELF_CARE, "measured again: 98.2")
    assert _case(services, number).rank == Rank.REST


def test_an_accepted_under_triage_raises_the_case_by_itself(
    door: Door, patient: Patient, services: ConsoleServices, nurse: Person, lead: Person
) -> None:
    answer = patient.settled(HARMLESS)
    number = case_of(door, patient)
    services.acts(Acts).close(number, nurse.id, _seen(services, number), "advised")
    disagreement = Disagreements(services.records, services.audit_log).add(
        number, nurse.id, answer["seq"], "under_triaged", ("emergency",), "she could not walk"
    )
    reviews_of(services.records, services.audit_log).review(disagreement, lead.id, "accepted")
    assert (_case(services, number).rank, _kinds(services, number)[-1]) == (Rank.RED, "raise")


def test_an_acknowledgement_is_taken_back_within_a_minute_and_the_clock_goes_on(
    door: Door, patient: Patient, services: ConsoleServices, nurse: Person, lead: Person, clock: Clock
) -> None:
    patient.say(RED_FLAG)
    number, acts = case_of(door, patient), services.acts(Acts)
    fired_at = _case(services, number).fired_at
    acts.acknowledge(number, nurse.id, _seen(services, number))
    assert _case(services, number).assignee == nurse.id
    with pytest.raises(ActError, match="taken back"):
        acts.undo(number, lead.id)
    acts.undo(number, nurse.id)
    case = _case(services, number)
    assert (case.rank, case.fired_at, case.assignee, case.acknowledged_at) == (Rank.RED, fired_at, None, None)
    with services.records.engine.connect() as connection:
        assert waits(connection, fired_at - timedelta(hours=1), services.records.clock())[0] == []
    acts.acknowledge(number, nurse.id, _seen(services, number))
    clock.travel(seconds=61)
    with pytest.raises(ActError, match="taken back"):
        acts.undo(number, nurse.id)


def test_taking_back_leaves_what_another_assigned_and_gives_the_chat_to_the_assistant(
    door: Door, patient: Patient, services: ConsoleServices, nurse: Person, lead: Person
) -> None:
    patient.say(RED_FLAG)
    number, acts = case_of(door, patient), services.acts(Acts)
    acts.acknowledge(number, nurse.id, _seen(services, number))
    services.acts(ContactActs).hold(number, nurse.id)
    acts.assign(number, lead.id, lead.id)
    acts.undo(number, nurse.id)
    case = _case(services, number)
    assert (case.state, case.assignee, case.held_by, case.held_until) == ("open", lead.id, None, None)
    assert services.records.events(case.conversation_id)[-1].facts["status"] == "handed_back"


def test_who_closes_a_case_leaves_nobodys_wish_to_lower_it(
    door: Door, patient: Patient, services: ConsoleServices, nurse: Person, lead: Person, acts: TierActs
) -> None:
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    services.acts(Acts).acknowledge(number, nurse.id, _seen(services, number))
    acts.lower_to(number, nurse.id, Tier.CALL_DOCTOR, "a film")
    services.acts(Acts).close(number, nurse.id, _seen(services, number), "reached")
    services.acts(Acts).reopen(number, nurse.id)
    with pytest.raises(ActError, match="Nobody has asked"):
        acts.confirm_lowering(number, lead.id, _seen(services, number))


def test_an_emergency_that_nobody_reached_needs_two_tries_and_a_note(
    door: Door, patient: Patient, services: ConsoleServices, nurse: Person
) -> None:
    patient.say(RED_FLAG)
    number, acts, contact = case_of(door, patient), services.acts(Acts), services.acts(ContactActs)
    acts.acknowledge(number, nurse.id, _seen(services, number))
    for tried in range(2):
        with pytest.raises(ActError, match="Try to reach the patient 2 times"):
            acts.close(number, nurse.id, _seen(services, number), "no_answer", "nobody there")
        contact.attempt(number, nurse.id, (Attempt.NO_ANSWER, Attempt.VOICEMAIL)[tried])
    with pytest.raises(ActError, match="Write a note"):
        acts.close(number, nurse.id, _seen(services, number), "no_answer")
    acts.close(number, nurse.id, _seen(services, number), "no_answer", "police asked to look in")
    assert _case(services, number).state == "closed"


def test_a_try_needs_somebody_who_took_the_case(door: Door, patient: Patient, services: ConsoleServices, nurse: Person) -> None:
    patient.say(RED_FLAG)
    with pytest.raises(ActError, match="Acknowledge it first"):
        services.acts(ContactActs).attempt(case_of(door, patient), nurse.id, Attempt.REACHED)


def test_an_emergency_is_not_snoozed_past_the_policys_minutes(
    door: Door, patient: Patient, services: ConsoleServices, nurse: Person
) -> None:
    patient.say(RED_FLAG)
    number, acts, now = case_of(door, patient), services.acts(Acts), services.records.clock()
    acts.acknowledge(number, nurse.id, _seen(services, number))
    with pytest.raises(ActError, match="30 minutes"):
        acts.snooze(number, nurse.id, _seen(services, number), now + timedelta(minutes=45), "later")


def test_paging_notifies_the_next_step_at_once_and_once_a_minute(
    door: Door, patient: Patient, services: ConsoleServices, nurse: Person, clock: Clock
) -> None:
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    paging = Paging(services.records, services.settings, services.audit_log, services.library)
    paging.page(number, nurse.id, "She does not answer")
    with pytest.raises(ActError, match="last minute"):
        paging.page(number, nurse.id, "She does not answer")
    clock.travel(minutes=2)
    paging.page(number, nurse.id, "Still nobody")
    with services.records.engine.connect() as connection:
        rows = connection.execute(select(notice.c.level, notice.c.body).where(notice.c.case_id == number).order_by(notice.c.id)).all()
    assert [row.level for row in rows] == [1, 2]
    assert all("answer" not in str(row.body) for row in rows)


def test_chats_with_one_number_are_found_joined_and_separated(door: Door, services: ConsoleServices, nurse: Person) -> None:
    callbacks = Callbacks(services.records, services.library, services.policy.contact)
    numbers = []
    for typed in ("(312) 555-0177", "+1 312 555 0177", "312 555 0188"):
        patient = door.patient()
        session = services.records.session(patient.token)
        assert session is not None
        callbacks.request(session, new_id(), typed, {"whose": "patient"})
        numbers.append(case_of(door, patient))
    first, second, other = numbers
    assert callbacks.same_caller(first) == [second]
    assert callbacks.same_caller(other) == []
    acts = services.acts(JoiningActs)
    acts.join(second, nurse.id, first)
    with pytest.raises(ActError, match="joined already"):
        acts.join(first, nurse.id, second)
    assert {_case(services, number).joined for number in (first, second)} == {first}
    acts.separate(second, nurse.id)
    assert _case(services, second).joined is None
