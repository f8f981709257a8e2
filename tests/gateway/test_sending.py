"""A message is taken once, and a button only while its question is the last word."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.gateway.support import CANARY, Clock, Door, Json, Patient, new_id, refused, stored


@pytest.fixture
def asked(patient: Patient) -> Json:
    """A question with buttons."""
    answer = patient.say("My legs feel weak")
    assert answer["buttons"]
    return answer


def _button(answer: Json, title: str) -> str:
    return str(next(button["id"] for button in answer["buttons"] if button["title"] == title))


def test_a_message_sent_again_is_neither_stored_nor_answered_again(door: Door, patient: Patient) -> None:
    first = patient.send("The needle site is sore", "message-1")
    patient.answer_to(stored(first))
    again = patient.send("The needle site is sore", "message-1")
    assert again.status_code == 200
    assert again.json()["state"] == "answered"
    assert stored(again) == stored(first)
    assert len(patient.events()) == 3
    assert len(door.rasa.heard) == 1


def test_a_message_sent_again_before_its_answer_is_stored_only(door: Door, patient: Patient) -> None:
    door.rasa.after(0.5)
    first = patient.send("The needle site is sore", "message-1")
    again = patient.send("The needle site is sore", "message-1")
    assert (again.status_code, again.json()["state"]) == (200, "stored")
    patient.answer_to(stored(first))
    assert len(door.rasa.heard) == 1


def test_what_the_chat_is_told_of_its_end_does_not_go_back_with_an_old_message(patient: Patient, clock: Clock) -> None:
    patient.answer_to(stored(patient.send("The needle site is sore", "message-1")))
    clock.travel(minutes=20)
    later = patient.send("I am well otherwise").json()["session"]["idle_expires_at"]
    again = patient.send("The needle site is sore", "message-1")
    assert again.json()["session"]["idle_expires_at"] == later


def test_a_message_sent_many_times_at_once_is_stored_once(door: Door, patient: Patient) -> None:
    with ThreadPoolExecutor(12) as pool:
        responses = list(pool.map(lambda _: patient.send("The needle site is sore", "message-1"), range(12)))
    assert len({stored(response) for response in responses}) == 1
    assert sorted(response.status_code for response in responses) == [200] * 11 + [202]
    patient.answer_to(stored(responses[0]))
    assert [event["kind"] for event in patient.events()] == ["greeting", "message", "answer"]
    assert len(door.rasa.heard) == 1


def test_the_same_id_with_other_words_is_a_conflict(door: Door, patient: Patient) -> None:
    patient.answer_to(stored(patient.send("The needle site is sore", "message-1")))
    assert "answer" not in refused(patient.send("Thank you", "message-1"), 409, "conflict")
    assert patient.texts() == ["The needle site is sore"]


def test_a_conflict_with_a_red_flag_is_answered(patient: Patient) -> None:
    patient.answer_to(stored(patient.send("The needle site is sore", "message-1")))
    body = refused(patient.send("I have chest pain", "message-1"), 409, "conflict")
    assert body["answer"]["disposition"] == "emergency"


def test_the_same_id_with_another_button_is_a_conflict(patient: Patient, asked: Json) -> None:
    patient.answer_to(stored(patient.press(_button(asked, "No"), "message-1")))
    refused(patient.press(_button(asked, "Yes"), "message-1"), 409)
    assert patient.texts()[-1] == "No"


def test_a_button_sends_its_title(door: Door, patient: Patient, asked: Json) -> None:
    patient.answer_to(stored(patient.press(_button(asked, "No"))))
    assert patient.texts() == ["My legs feel weak", "No"]
    assert door.rasa.heard[-1]["message"] == "No"


def test_a_buttons_id_tells_nothing_and_is_never_the_same(door: Door) -> None:
    ids = [button["id"] for _ in range(3) for button in door.patient().say("My legs feel weak")["buttons"]]
    assert len(set(ids)) == len(ids)
    assert all(len(each) >= 16 and not {"yes", "no"} & {each.lower()} for each in ids)


def test_a_button_pressed_again_under_its_id_is_taken_once(patient: Patient, asked: Json) -> None:
    button = _button(asked, "No")
    first = patient.press(button, "message-1")
    patient.answer_to(stored(first))
    again = patient.press(button, "message-1")
    assert (again.status_code, again.json()["state"], stored(again)) == (200, "answered", stored(first))
    assert patient.texts() == ["My legs feel weak", "No"]


def test_a_button_pressed_again_as_a_new_message_is_gone(patient: Patient, asked: Json) -> None:
    patient.answer_to(stored(patient.press(_button(asked, "No"))))
    refused(patient.press(_button(asked, "No")), 409, "button_gone")
    refused(patient.press(_button(asked, "Yes")), 409, "button_gone")
    assert patient.texts() == ["My legs feel weak", "No"]


def test_a_button_is_gone_once_something_was_typed(door: Door, patient: Patient, asked: Json) -> None:
    door.rasa.after(0.5)
    typed = patient.send("What is vertebroplasty?")
    refused(patient.press(_button(asked, "Yes")), 409, "button_gone")
    patient.answer_to(stored(typed))
    refused(patient.press(_button(asked, "Yes")), 409, "button_gone")


def test_of_two_buttons_pressed_at_once_one_is_taken(patient: Patient, asked: Json) -> None:
    with ThreadPoolExecutor(2) as pool:
        responses = list(pool.map(lambda title: patient.press(_button(asked, title)), ["Yes", "No"]))
    assert sorted(response.status_code for response in responses) == [202, 409]
    assert len(patient.texts()) == 2


def test_a_button_of_another_patient_is_gone(door: Door, patient: Patient, asked: Json) -> None:
    other = door.patient()
    other.say("My legs feel weak")
    refused(other.press(_button(asked, "No")), 409, "button_gone")
    assert other.texts() == ["My legs feel weak"]


@pytest.mark.parametrize("button", ["made-up", "Yes", "", "0", "x" * 64, "'; DROP TABLE event; --"])
def test_a_made_up_button_is_gone(button: str, patient: Patient, asked: Json) -> None:
    refused(patient.press(button), 409, "button_gone")
    assert patient.texts() == ["My legs feel weak"]


def test_a_button_before_any_question_is_gone(patient: Patient) -> None:
    refused(patient.press("made-up"), 409, "button_gone")


@pytest.mark.parametrize(
    "body",
    [
        {"client_id": "message-1", "text": "Hello", "button": "made-up"},
        {"client_id": "message-1"},
        {"client_id": "message-1", "text": None, "button": None},
        {"client_id": "message-1", "text": ""},
        {"client_id": "message-1", "text": 5},
        {"client_id": "message-1", "text": ["Hello"]},
        {"client_id": "message-1", "text": "Hello", "more": 1},
        {"client_id": "message-1", "button": "x" * 65},
        {"client_id": "short", "text": "Hello"},
        {"client_id": "x" * 65, "text": "Hello"},
        {"client_id": "not allowed!", "text": "Hello"},
        {"client_id": "message-1\n", "text": "Hello"},
        {"text": "Hello"},
        {},
        [],
        "Hello",
        None,
    ],
)
def test_a_message_that_is_not_one_text_or_one_button_is_refused(body: object, patient: Patient) -> None:
    refused(patient.ask("POST", "/messages", json=body), 422, "bad_request")
    assert patient.texts() == []


def test_what_begins_with_a_slash_is_a_patients_words(door: Door, patient: Patient) -> None:
    for text in ("/restart", '/report_fever{"fever":"present"}', "/session_start"):
        patient.say(text)
        assert patient.texts()[-1] == text
        assert door.rasa.heard[-1]["message"] == text


def test_messages_of_one_patient_are_answered_one_after_the_other(door: Door, patient: Patient) -> None:
    door.rasa.after(0.2)
    places = [stored(patient.send(f"The needle site is sore {number}")) for number in range(3)]
    answers = [patient.answer_to(seq) for seq in places]
    assert [answer["seq"] for answer in answers] == sorted(answer["seq"] for answer in answers)
    assert [body["message"][-1] for body in door.rasa.heard] == ["0", "1", "2"]
    assert door.rasa.at_once == 1


def test_a_message_that_comes_while_another_waits_waits_too(door: Door, patient: Patient) -> None:
    door.rasa.after(0.3)
    first = stored(patient.send("The needle site is sore"))
    second = stored(patient.send("The needle site is red"))
    patient.answer_to(first)
    third = stored(patient.send("The needle site is warm"))
    patient.answer_to(second)
    patient.answer_to(third)
    assert door.rasa.at_once == 1
    assert [body["message"].split()[-1] for body in door.rasa.heard] == ["sore", "red", "warm"]


def test_patients_do_not_wait_for_each_other(door: Door) -> None:
    door.rasa.after(0.4)
    patients = [door.patient() for _ in range(6)]
    started = time.monotonic()
    places = [stored(each.send(f"The needle site is sore {CANARY}", new_id())) for each in patients]
    for each, seq in zip(patients, places, strict=True):
        each.answer_to(seq)
    assert time.monotonic() - started < 1.6
