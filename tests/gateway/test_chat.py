"""A chat from its start to its end, as a browser sees it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.gateway.support import API, CANARY, Clock, Door, Json, Patient, is_emergency, refused, stored


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_chat_starts_with_a_token_and_a_greeting(door: Door) -> None:
    response = door.start()
    assert response.status_code == 201
    body = response.json()
    assert set(body) == {"token", "session", "events"}
    assert len(body["token"]) >= 43
    (greeting,) = body["events"]
    assert (greeting["seq"], greeting["kind"], greeting["type"]) == (1, "greeting", "chat")
    assert greeting["blocks"][0]["kind"] == "say"
    assert greeting["blocks"][0]["text"].strip()
    assert greeting["buttons"] == greeting["sources"] == []
    assert body["session"]["writer"] == "patient"
    assert body["session"]["ended"] is False


def test_times_are_told_with_their_zone(door: Door, patient: Patient) -> None:
    session = patient.ask("GET", "").json()
    for name in ("started_at", "idle_expires_at", "expires_at", "server_time"):
        assert _moment(session[name]).utcoffset() == timedelta(), name
    assert _moment(session["expires_at"]) - _moment(session["started_at"]) == timedelta(hours=4)
    assert timedelta(minutes=29) < _moment(session["idle_expires_at"]) - _moment(session["server_time"]) <= timedelta(minutes=30)


def test_an_unknown_writer_key_or_field_is_refused(door: Door) -> None:
    for body, status in [
        ({"key": "demo", "writer": "nurse"}, 422),
        ({"key": "nobody"}, 403),
        ({"key": "demo\u0000"}, 403),
        ({"key": "demo", "more": 1}, 422),
        ({}, 422),
        ({"key": 5}, 422),
        ([], 422),
    ]:
        refused(door.client.post(f"{API}/sessions", json=body, headers={"Origin": "http://127.0.0.1:8080"}), status)


@pytest.mark.parametrize("body", [b"", b"hello", b'{"key": "demo"', b'{"key": "\xff"}', b"[" * 20_000, b'{"key": "\\ud800"}'])
def test_a_body_that_is_no_json_is_refused_with_the_safety_card(body: bytes, door: Door) -> None:
    headers = {"Origin": "http://127.0.0.1:8080", "Content-Type": "application/json"}
    response = door.client.post(f"{API}/sessions", content=body, headers=headers)
    assert 400 <= response.status_code < 500
    refused(response, response.status_code)


def test_keeping_it_open_renews_it(patient: Patient, clock: Clock) -> None:
    clock.travel(minutes=25)
    before = patient.ask("GET", "").json()
    after = patient.ask("POST", "/extend")
    assert after.status_code == 200
    assert _moment(after.json()["idle_expires_at"]) - _moment(before["idle_expires_at"]) > timedelta(minutes=24)
    clock.travel(minutes=25)
    assert patient.ask("GET", "").status_code == 200
    assert [event["kind"] for event in patient.events()] == ["greeting"]


def test_reading_and_waiting_do_not_renew_it(patient: Patient, clock: Clock) -> None:
    clock.travel(minutes=25)
    patient.ask("GET", "")
    patient.events()
    patient.ask("GET", "/summary")
    clock.travel(minutes=6)
    refused(patient.ask("GET", ""), 401, "session_expired")


def test_who_writes_can_be_told_at_the_start_and_later(door: Door) -> None:
    helper = door.patient(writer="helper")
    assert helper.started["session"]["writer"] == "helper"
    assert [event["kind"] for event in helper.started["events"]] == ["greeting", "writer"]
    changed = helper.ask("PUT", "/writer", json={"writer": "patient"})
    assert changed.status_code == 200
    assert changed.json()["writer"] == "patient"
    assert [event["writer"] for event in helper.events() if event["kind"] == "writer"] == ["helper", "patient"]
    helper.ask("PUT", "/writer", json={"writer": "patient"})
    assert len(helper.events()) == 3
    refused(helper.ask("PUT", "/writer", json={"writer": "nurse"}), 422)


def test_a_helper_is_told_what_to_do_for_the_patient(door: Door, protocol: object) -> None:
    own, others = door.patient(), door.patient(writer="helper")
    line = door.services.core.library.default.say("helper")
    assert line not in own.say("I have chest pain")["blocks"][0]["text"]
    assert line in others.say("I have chest pain")["blocks"][0]["text"]


def test_a_message_is_stored_and_answered_as_an_event(door: Door, patient: Patient) -> None:
    response = patient.send(f"I have chest pain {CANARY}", "message-1")
    assert response.status_code == 202
    assert set(response.json()) == {"state", "seq", "session"}
    assert response.json()["state"] == "stored"
    answer = patient.answer_to(stored(response))
    assert is_emergency(answer)
    assert answer["protocol"] == {"id": "vertebroplasty", "version": door.services.core.library.default.version}
    assert answer["sources"][0]["quote"]
    kinds = [(event["seq"], event["kind"]) for event in patient.events()]
    assert kinds == [(1, "greeting"), (2, "message"), (3, "answer")]
    message = patient.events()[1]
    assert (message["client_id"], message["text"]) == ("message-1", f"I have chest pain {CANARY}")
    assert door.recorded(patient, 2).facts["model"] == "model-1"


def test_events_never_tell_how_the_answer_was_made(patient: Patient) -> None:
    answer = patient.say("My legs feel weak")
    known = {"seq", "at", "kind", "reply_to", "type", "disposition", "blocks", "buttons", "check", "rows", "sources", "protocol"}
    assert {key for key, value in answer.items() if value is not None} <= known
    assert {key for event in patient.events() for key in event} <= known | {"client_id", "text", "writer"}


def test_an_interview_by_buttons_leads_to_its_advice(patient: Patient) -> None:
    first = patient.say("My legs feel weak")
    assert first["type"] == "question"
    assert first["blocks"][-1]["kind"] == "question"
    assert {button["title"] for button in first["buttons"]} >= {"Yes", "No"}
    second = patient.choose("No", first)
    assert second["disposition"] == "call_doctor"
    assert is_emergency(patient.answer_to(stored(patient.tick(second["check"], {"Chest pain": "yes"}))))


def test_the_transcript_is_what_comes_after_a_place(patient: Patient) -> None:
    patient.say("The needle site is sore")
    patient.say("Thank you")
    everything = patient.events()
    assert [event["seq"] for event in everything] == [1, 2, 3, 4, 5]
    for after in range(7):
        assert patient.events(after) == everything[after:]
    refused(patient.ask("GET", "/events", params={"after": -1}), 422)
    refused(patient.ask("GET", "/events", params={"after": 2**31}), 422)
    refused(patient.ask("GET", "/events", params={"wait": 26}), 422)
    refused(patient.ask("GET", "/events", params={"after": "x"}), 422)


def test_the_summary_holds_what_was_said_and_the_most_urgent_advice(door: Door, patient: Patient) -> None:
    assert patient.ask("GET", "/summary").json()["advice"] is None
    patient.settled(f"The needle site is sore {CANARY}")
    patient.say("I have a fever of 101.5 F")
    patient.say("What is vertebroplasty?")
    body = patient.ask("GET", "/summary").json()
    assert body["clinic"] == "Demo Spine Clinic (not a real clinic)"
    assert body["writer"] == "patient"
    assert body["advice"]["disposition"] == "call_doctor"
    assert [item["who"] for item in body["items"]] == ["patient", "assistant"] * 4
    assert body["items"][0]["blocks"] == [{"kind": "say", "text": f"The needle site is sore {CANARY}"}]
    assert body["items"][1]["disposition"] is None
    assert body["items"][3]["disposition"] == "self_care"
    assert "911" in str(body["watch"])
    assert body["protocol"]["id"] == "vertebroplasty"
    assert _moment(body["printed_at"]) >= _moment(body["started_at"])
    patient.say("I have chest pain")
    assert patient.ask("GET", "/summary").json()["advice"]["disposition"] == "emergency"


def test_a_later_and_milder_advice_does_not_take_the_place_of_the_most_urgent(door: Door, patient: Patient) -> None:
    patient.say("I have a fever of 101.5 F")

    def milder(messages: list[Json]) -> None:
        messages[0]["custom"] |= {"disposition": "self_care", "rules": ["soreness"]}

    door.rasa.twist(milder)
    assert patient.say("The needle site is sore")["disposition"] == "self_care"
    advice = patient.ask("GET", "/summary").json()["advice"]
    assert (advice["disposition"], advice["reply_to"]) == ("call_doctor", 2)


def test_a_device_is_cleared_on_request(patient: Patient) -> None:
    response = patient.ask("DELETE", "?clear_device=true")
    assert response.status_code == 204
    assert response.headers["clear-site-data"] == '"storage"'


def test_an_ended_chat_opens_nothing_more_and_stays_on_record(door: Door, patient: Patient) -> None:
    patient.say(f"The needle site is sore {CANARY}")
    response = patient.ask("DELETE", "")
    assert response.status_code == 204
    assert response.content == b""
    assert "clear-site-data" not in response.headers
    for method, path in [("GET", ""), ("POST", "/extend"), ("GET", "/events"), ("GET", "/stream"), ("GET", "/summary")]:
        assert CANARY not in refused(patient.ask(method, path), 401, "session_ended")["message"]
    refused(patient.ask("PUT", "/writer", json={"writer": "helper"}), 401, "session_ended")
    refused(patient.send("And now?"), 401, "session_ended")
    assert [event.kind for event in door.stored(patient)] == ["greeting", "message", "answer", "ended"]


def test_ending_twice_is_ending_once(door: Door, patient: Patient) -> None:
    patient.ask("DELETE", "")
    assert patient.ask("DELETE", "").status_code == 204
    assert [event.kind for event in door.stored(patient)] == ["greeting", "ended"]


def test_two_patients_never_meet(door: Door) -> None:
    one, two = door.patient(), door.patient()
    one.say(f"I have chest pain {CANARY}")
    assert two.settled("The needle site is sore")["disposition"] == "self_care"
    assert CANARY not in str(two.events())
    assert {body["sender"] for body in door.rasa.heard} == {door.name(one), door.name(two)}
    assert not {one.token, two.token} & {body["sender"] for body in door.rasa.heard}
