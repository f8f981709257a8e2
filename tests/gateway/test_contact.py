"""A request for a call, a nurse's words in the chat, and whether the patient reached somebody, as the patient's browser sees them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Row, select

from gateway.console.cases.acts import Acts
from gateway.console.cases.contact_acts import Attempt, ContactActs
from gateway.console.cases.holds import Holds
from gateway.console.errors import ActError
from gateway.contact.follow_ups import FollowUps
from gateway.contact.numbers import NumberError, numbers_in, read_number
from gateway.records.tables import triage_case
from gateway.records.tier import Rank
from tests.gateway.console.people import case_of, services_of
from tests.gateway.support import CANARY, HARMLESS, RED_FLAG, Clock, Door, Json, Patient, is_emergency, new_id, refused

_FEVER = "I have a fever of 101"
_NUMBER = "(312) 555-0177"
_MORNING = datetime(2030, 5, 10, 15, tzinfo=UTC)
_NIGHT = datetime(2030, 5, 10, 3, tzinfo=UTC)


def _call(patient: Patient, number: str = _NUMBER, client_id: str = "", **more: str) -> Json:
    response = patient.ask("POST", "/callback", json={"client_id": client_id or new_id(), "number": number, **more})
    assert response.status_code in (200, 201), response.text
    body: Json = response.json()
    return body


def _case(door: Door, patient: Patient) -> Row[Any]:
    with door.records.engine.connect() as connection:
        return connection.execute(select(triage_case).where(triage_case.c.conversation_id == door.name(patient))).one()


def _nurse(door: Door, name: str = "Ann Lee") -> int:
    return services_of(door).book.invite(name, "nurse")[0].id


def _taken(door: Door, patient: Patient, nurse: int) -> int:
    """The number of the patient's case, which this nurse has acknowledged."""
    number = case_of(door, patient)
    services_of(door).acts(Acts).acknowledge(number, nurse, door.stored(patient)[-1].seq)
    return number


def _kinds(patient: Patient, after: int = 0) -> list[str]:
    return [event["kind"] for event in patient.events(after)]


def _text(event: Json) -> str:
    return "\n".join(block["text"] for block in event["blocks"])


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("312 555 0177", _NUMBER),
        ("+1 312-555-0177", _NUMBER),
        ("555-0177", "555-0177"),
        ("+49 6221 123456", "+49 6221 123456"),
        ("312 555 0177 my sons cell", _NUMBER),
        ("312-555-0177 after 5", _NUMBER),
        ("555 0177 mom", "555-0177"),
        ("call 555-0177 now", "555-0177"),
        ("312 555 0177 ext. 5", f"{_NUMBER} ext. 5"),
    ],
)
def test_numbers_are_read_as_people_write_them(typed: str, shown: str) -> None:
    assert read_number(typed, "US") == shown


@pytest.mark.parametrize("typed", ["", "abc", "911", "12345", "1" * 30, "call me", "312 555 0177 or 312 555 0178"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(NumberError):
        read_number(typed, "US")


def test_a_number_is_found_among_words_and_a_measure_is_none() -> None:
    assert list(numbers_in("BP 122/80, 98.6, since 04/05/2026: call my son at 312 555 0177 please", "US")) == [_NUMBER]


def test_a_call_is_offered_once_behind_urgent_advice_and_never_behind_care_at_home(patient: Patient) -> None:
    assert "offers" not in patient.settled(HARMLESS)
    assert patient.say(_FEVER)["offers"] == ["callback"]
    assert "offers" not in patient.say("my fever is 101 now")
    assert patient.say(RED_FLAG)["offers"] == ["callback"]


def test_the_form_promises_what_the_clinics_hours_hold(door: Door, clock: Clock) -> None:
    for moment, words in ((_MORNING, "open now"), (_NIGHT, "tomorrow at 8:00 am")):
        clock.travel_to(moment)
        assert words in door.patient().ask("GET", "/callback").json()["text"]


def test_a_number_that_was_typed_is_to_be_confirmed(patient: Patient) -> None:
    assert patient.say(f"please call my daughter, {_NUMBER}")["offers"] == ["callback"]
    assert patient.ask("GET", "/callback").json()["number"] == _NUMBER


def test_a_request_reaches_the_nurses_and_the_patient_has_a_receipt(door: Door, patient: Patient) -> None:
    patient.settled(HARMLESS)
    assert _case(door, patient).rank == Rank.REST
    event = _call(patient, name="Mary", best="after 5 pm", whose="helper")
    assert event["callback"] == {"number": _NUMBER, "name": "Mary", "whose": "helper", "best": "after 5 pm"}
    assert "911" in _text(event)
    case = _case(door, patient)
    assert (case.rank, case.signal, case.unread) == (Rank.CALL, "callback", 3)
    assert patient.ask("GET", "/callback").json()["requested_at"] is not None


def test_a_request_is_stored_once(patient: Patient) -> None:
    name = new_id()
    first, again = _call(patient, client_id=name), _call(patient, client_id=name)
    assert first == again
    assert _kinds(patient).count("callback") == 1


def test_a_number_that_can_not_be_read_is_said_in_words(door: Door, patient: Patient) -> None:
    body = refused(patient.ask("POST", "/callback", json={"client_id": new_id(), "number": "tomorrow"}), 422, "number_unreadable")
    assert "number" in body["message"]
    assert "callback" not in [event.kind for event in door.stored(patient)]


def test_a_danger_sign_in_the_form_is_answered_as_an_emergency(door: Door, patient: Patient) -> None:
    _call(patient, best="soon, I have chest pain")
    asked = [event for event in door.stored(patient) if event.kind == "message"]
    assert is_emergency(patient.answer_to(asked[-1].seq))


def test_nothing_of_a_request_stands_open_in_the_database(door: Door, patient: Patient) -> None:
    _call(patient, number="312 555 0199", name=CANARY, best=f"when {CANARY} rings")
    with door.records.engine.connect() as connection:
        dump = "".join(map(str, connection.connection.driver_connection.iterdump()))  # type: ignore[union-attr]
    assert CANARY not in dump
    assert "555-0199" not in dump


def test_the_patient_reads_that_a_nurse_has_seen_it_and_tried(door: Door, patient: Patient, clock: Clock) -> None:
    patient.say(_FEVER)
    _call(patient)
    number, nurse = case_of(door, patient), _nurse(door)
    services = services_of(door)
    services.acts(Acts).acknowledge(number, nurse, door.stored(patient)[-1].seq)
    services.acts(ContactActs).attempt(number, nurse, Attempt.VOICEMAIL, "left my name")
    statuses = [event for event in patient.events() if event["kind"] == "status"]
    assert [event["status"] for event in statuses] == ["seen", "tried"]
    assert "We tried to reach you at" in _text(statuses[1])
    assert _case(door, patient).next_attempt_at is not None
    services.acts(ContactActs).attempt(number, nurse, Attempt.REACHED)
    case = _case(door, patient)
    assert (case.callback_at, case.callback_due, case.next_attempt_at) == (None, None, None)


def test_a_wrong_number_is_asked_for_again(door: Door, patient: Patient) -> None:
    patient.say(_FEVER)
    number = _taken(door, patient, nurse := _nurse(door))
    services_of(door).acts(ContactActs).attempt(number, nurse, Attempt.WRONG_NUMBER)
    (status,) = [event for event in patient.events() if event["kind"] == "status"]
    assert (status["status"], status["offers"]) == ("wrong_number", ["callback"])


def test_a_nurses_words_stand_in_the_chat_with_role_and_first_name(door: Door, patient: Patient) -> None:
    patient.say(_FEVER)
    number = _taken(door, patient, nurse := _nurse(door))
    services_of(door).acts(ContactActs).reply(number, nurse, door.stored(patient)[-1].seq, "I will call you in ten minutes.")
    held, words = patient.events(after=3)
    assert (held["kind"], held["status"]) == ("status", "held")
    assert (words["kind"], words["who"], words["text"]) == ("staff", "Ann (nurse)", "I will call you in ten minutes.")
    summary = patient.ask("GET", "/summary").json()
    assert [(item["who"], item.get("name")) for item in summary["items"]][-1] == ("nurse", "Ann (nurse)")


def test_while_a_nurse_holds_the_chat_only_danger_signs_are_answered(door: Door, patient: Patient, clock: Clock) -> None:
    patient.say(_FEVER)
    number = _taken(door, patient, nurse := _nurse(door))
    contact = services_of(door).acts(ContactActs)
    contact.reply(number, nurse, door.stored(patient)[-1].seq, "What is wrong?")
    quiet = patient.say("can I take a shower")
    assert (quiet["type"], quiet["blocks"], quiet.get("disposition")) == ("held", [], None)
    assert "held" in str(door.recorded(patient, quiet["reply_to"]).facts)
    assert is_emergency(patient.say(RED_FLAG))
    contact.hand_back(number, nurse)
    assert patient.say("can I take a shower")["type"] != "held"


def test_an_unseen_question_is_not_taken_for_asked(door: Door, patient: Patient) -> None:
    patient.say(_FEVER)
    number = _taken(door, patient, nurse := _nurse(door))
    contact = services_of(door).acts(ContactActs)
    contact.hold(number, nurse)
    withheld = patient.say(HARMLESS)
    assert withheld["type"] == "held"
    contact.hand_back(number, nurse)
    assert patient.say("yes").get("disposition") != "emergency"
    assert not _case(door, patient).asking


def test_a_failure_is_told_even_while_a_nurse_holds_the_chat(door: Door, patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    patient.say(_FEVER)
    number = _taken(door, patient, nurse := _nurse(door))
    services_of(door).acts(ContactActs).hold(number, nurse)
    door.rasa.act = door.rasa.down

    async def broken(*_: object, **__: object) -> object:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(door.services.core, "read", broken)
    monkeypatch.setattr(door.services.core, "answer_alone", broken)
    assert patient.say("hello")["type"] == "trouble"


def test_a_hold_ends_by_itself_and_the_patient_reads_it(door: Door, patient: Patient, clock: Clock) -> None:
    patient.say(_FEVER)
    number = _taken(door, patient, nurse := _nurse(door))
    services = services_of(door)
    services.acts(ContactActs).hold(number, nurse)
    holds = Holds(door.records, services.audit_log, services.library)
    assert holds.release() == 0
    clock.travel(minutes=16)
    assert holds.release() == 1
    assert patient.events()[-1]["status"] == "handed_back"
    assert patient.say("can I take a shower")["type"] != "held"


def test_another_nurse_has_to_take_the_chat_over(door: Door, patient: Patient) -> None:
    patient.say(_FEVER)
    ann, ben = _nurse(door), _nurse(door, "Ben Ray")
    number = _taken(door, patient, ann)
    contact, seen = services_of(door).acts(ContactActs), door.stored(patient)[-1].seq
    contact.reply(number, ann, seen, "Hello")
    with pytest.raises(ActError, match="Ann Lee holds this chat"):
        contact.reply(number, ben, seen, "Hello")
    contact.reply(number, ben, seen, "Hello", take_over=True)
    assert patient.events()[-1]["who"] == "Ben (nurse)"


def test_nobody_writes_into_a_chat_that_is_over_or_past_words_they_have_not_read(door: Door, patient: Patient) -> None:
    patient.say(_FEVER)
    number = _taken(door, patient, nurse := _nurse(door))
    contact, seen = services_of(door).acts(ContactActs), door.stored(patient)[-1].seq
    patient.say("can I take a shower")
    with pytest.raises(ActError, match="wrote since"):
        contact.reply(number, nurse, seen, "Hello")
    patient.ask("DELETE", "")
    with pytest.raises(ActError, match="closed on the patient's side"):
        contact.reply(number, nurse, door.stored(patient)[-1].seq, "Hello")


@pytest.fixture
def follow_ups(door: Door) -> FollowUps:
    return FollowUps(door.records, door.services.core.library, door.settings.policy.contact)


@pytest.mark.parametrize(("words", "minutes"), [(RED_FLAG, 5), (_FEVER, 20)])
def test_after_urgent_advice_the_chat_asks_once_whether_somebody_was_reached(
    patient: Patient, clock: Clock, follow_ups: FollowUps, words: str, minutes: int
) -> None:
    patient.settled(words)
    clock.travel(minutes=minutes - 1)
    assert follow_ups.look() == 0
    clock.travel(minutes=1, seconds=1)
    assert follow_ups.look() == 1
    assert follow_ups.look() == 0
    asked = patient.events()[-1]
    assert (asked["kind"], [button["id"] for button in asked["buttons"]]) == ("followup", ["reached", "nobody", "not_yet"])


def _answer(patient: Patient, seq: int, answer: str, client_id: str = "") -> httpx.Response:
    return patient.ask("POST", "/followup", json={"client_id": client_id or new_id(), "seq": seq, "answer": answer})


def test_who_reached_nobody_in_an_emergency_reads_what_to_do_and_the_case_waits_anew(
    door: Door, patient: Patient, clock: Clock, follow_ups: FollowUps
) -> None:
    patient.say(RED_FLAG)
    _taken(door, patient, _nurse(door))
    clock.travel(minutes=6)
    follow_ups.look()
    asked = patient.events()[-1]
    _answer(patient, asked["seq"], "nobody")
    chosen, status = patient.events(after=asked["seq"])
    assert (chosen["kind"], chosen["reply_to"]) == ("followed", asked["seq"])
    assert (status["disposition"], status["blocks"][0]["kind"]) == ("emergency", "advice")
    assert "911" in _text(status)
    assert _case(door, patient).rank == Rank.RED
    refused(_answer(patient, asked["seq"], "reached"), 409, "button_gone")


@pytest.mark.parametrize(("moment", "heading"), [(_MORNING, "Call 555-0199 now."), (_NIGHT, "Go to the ER now.")], ids=["open", "closed"])
def test_whom_no_doctor_answered_is_led_to_the_next_number_or_to_the_er(
    door: Door, clock: Clock, follow_ups: FollowUps, moment: datetime, heading: str
) -> None:
    clock.travel_to(moment)
    patient = door.patient()
    patient.settled(_FEVER)
    clock.travel(minutes=21)
    follow_ups.look()
    asked = patient.events()[-1]
    _answer(patient, asked["seq"], "nobody")
    status = patient.events(after=asked["seq"])[-1]
    assert (status["disposition"], status["blocks"][0]["kind"]) == ("call_doctor", "advice")
    assert status["blocks"][0]["text"].splitlines()[0] == heading
    advice = "\n".join(block["text"] for block in status["blocks"] if block["kind"] == "advice")
    assert ("555-0199" in advice) == (moment == _MORNING), (
        "a card that names one of the clinic's numbers is headed by the one that is answered now"
    )
    assert "555-0199" in _text(status)
    assert "go to the er" in _text(status).lower()


def test_who_reached_somebody_is_not_alarmed_again(door: Door, patient: Patient, clock: Clock, follow_ups: FollowUps) -> None:
    patient.say(RED_FLAG)
    _taken(door, patient, _nurse(door))
    clock.travel(minutes=6)
    follow_ups.look()
    asked, name = patient.events()[-1], new_id()
    _answer(patient, asked["seq"], "reached", name)
    _answer(patient, asked["seq"], "reached", name)
    _, status = patient.events(after=asked["seq"])
    assert "disposition" not in status
    assert _case(door, patient).rank == Rank.RED_SEEN


def test_nobody_is_asked_in_a_chat_that_is_over_held_or_waits_for_an_answer(
    door: Door, patient: Patient, clock: Clock, follow_ups: FollowUps
) -> None:
    ended, held, asking = patient, door.patient(), door.patient()
    for each in (ended, held):
        each.say(RED_FLAG)
    ended.ask("DELETE", "")
    asking.say("my leg feels strange")
    services_of(door).acts(ContactActs).hold(_taken(door, held, nurse := _nurse(door)), nurse)
    clock.travel(minutes=6)
    assert follow_ups.look() == 0


def test_a_request_at_night_is_due_after_the_clinic_opens(door: Door, clock: Clock) -> None:
    clock.travel_to(_NIGHT)
    patient = door.patient()
    _call(patient)
    case = _case(door, patient)
    assert case.callback_due - case.callback_at > timedelta(hours=5)


def test_a_held_chat_is_watched_without_rasa_too(door: Door, patient: Patient) -> None:
    patient.say(_FEVER)
    number = _taken(door, patient, nurse := _nurse(door))
    services_of(door).acts(ContactActs).hold(number, nurse)
    door.rasa.act = door.rasa.down
    assert patient.say("can I take a shower")["type"] == "held"
    assert is_emergency(patient.say(RED_FLAG))


def test_a_nurses_words_wait_for_a_patient_who_is_away(door: Door, patient: Patient) -> None:
    patient.say(_FEVER)
    seen = patient.events()[-1]["seq"]
    number = _taken(door, patient, nurse := _nurse(door))
    services_of(door).acts(ContactActs).reply(number, nurse, door.stored(patient)[-1].seq, "Please keep your phone near you.")
    assert door.records.delivered(door.name(patient))[0] <= seen
    assert [event["kind"] for event in patient.events(after=seen)] == ["status", "staff"]
    assert door.records.delivered(door.name(patient))[0] == door.stored(patient)[-1].seq
