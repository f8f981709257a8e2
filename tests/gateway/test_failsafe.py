"""Whatever Rasa or the core does, the patient has an answer within five seconds, and never one that understates the words."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from aftercare.assistant import Assistant
from aftercare.protocol import Protocol
from readers.pool import BrokenReaderError, Readers
from tests.gateway.support import ANSWER_SECONDS, HARMLESS, RED_FLAG, Door, Json, Patient, is_emergency, refused, stored

Twist = Callable[[list[Json]], Any]


def _without(*path: str) -> Twist:
    def twist(messages: list[Json]) -> None:
        part = messages[0]
        for name in path[:-1]:
            part = part[name]
        del part[path[-1]]

    return twist


def _with(value: object, *path: str) -> Twist:
    def twist(messages: list[Json]) -> None:
        part = messages[0]
        for name in path[:-1]:
            part = part[name]
        part[path[-1]] = value

    return twist


_RAW: dict[str, Callable[[Json], httpx.Response]] = {
    "no-json": lambda _: httpx.Response(200, text="<html>Bad gateway</html>"),
    "half-a-json": lambda _: httpx.Response(200, text='[{"text": "Hello'),
    "not-utf-8": lambda _: httpx.Response(200, content=b'[{"text": "\xff\xfe"}]'),
    "nothing": lambda _: httpx.Response(200, content=b""),
    "nested-too-deep": lambda _: httpx.Response(200, content=b"[" * 200_000),
    "empty-list": lambda _: httpx.Response(200, json=[]),
    "an-object": lambda _: httpx.Response(200, json={"text": "Hello"}),
    "null": lambda _: httpx.Response(200, json=None),
    "strings": lambda _: httpx.Response(200, json=["Hello"]),
    "text-without-custom": lambda body: httpx.Response(200, json=[{"recipient_id": body["sender"], "text": "Hello"}]),
}
_TWISTS: dict[str, Twist] = {
    "no-text": _without("text"),
    "empty-text": _with("", "text"),
    "blank-text": _with(" \n ", "text"),
    "text-is-a-number": _with(5, "text"),
    "two-customs": lambda messages: messages * 2,
    "custom-is-a-text": _with("triage", "custom"),
    "no-type": _without("custom", "type"),
    "type-is-null": _with(None, "custom", "type"),
    "unknown-type": _with("nonsense", "custom", "type"),
    "no-conversation": _without("custom", "conversation"),
    "broken-conversation": _with({"findings": 5}, "custom", "conversation"),
    "unknown-slot": _with({"more": "x"}, "custom", "conversation"),
    "unknown-disposition": _with("panic", "custom", "disposition"),
    "disposition-is-a-list": _with(["emergency"], "custom", "disposition"),
    "triage-without-disposition": _without("custom", "disposition"),
    "broken-sources": _with([{"title": "x"}], "custom", "sources"),
    "sources-are-a-text": _with("leaflet", "custom", "sources"),
    "broken-buttons": _with([{"label": "Yes"}], "custom", "buttons"),
    "buttons-are-a-text": _with("Yes", "custom", "buttons"),
    "understood-is-null": _with(None, "custom", "understood"),
    "understood-is-a-list": _with([1], "custom", "understood"),
    "broken-findings": _with({"findings": [{"code": "soreness"}]}, "custom", "understood"),
    "no-protocol": _without("custom", "protocol"),
    "protocol-is-a-text": _with("vertebroplasty", "custom", "protocol"),
    "lone-surrogate": _with("Hello \ud800", "text"),
}


def _answered_in_time(patient: Patient, text: str) -> Json:
    sent = time.monotonic()
    answer = patient.answer_to(stored(patient.send(text)))
    assert time.monotonic() - sent < ANSWER_SECONDS
    return answer


def _check_safe(door: Door, patient: Patient) -> None:
    """The red flag is an emergency, the harmless words get their check and their advice, and the chat can be read and goes on."""
    emergency = _answered_in_time(patient, RED_FLAG)
    assert is_emergency(emergency)
    assert patient.ask("GET", "/summary").status_code == 200
    assert is_emergency([event for event in patient.events() if event["kind"] == "answer"][-1])
    other = door.patient()
    answer = other.tick_all(_answered_in_time(other, HARMLESS))
    assert answer["disposition"] == "self_care"
    assert other.ask("GET", "/summary").json()["advice"]["disposition"] == "self_care"


def _cause(door: Door, patient: Patient, answer: Json) -> tuple[str, str]:
    facts = door.recorded(patient, answer["reply_to"]).facts
    return facts["by"], facts["cause"]


def test_a_well_rasa_answers_by_itself(door: Door, patient: Patient) -> None:
    answer = _answered_in_time(patient, RED_FLAG)
    assert is_emergency(answer)
    assert _cause(door, patient, answer) == ("rasa", "")


def test_a_refused_connection_is_answered_at_once(door: Door, patient: Patient) -> None:
    door.rasa.act = door.rasa.down
    sent = time.monotonic()
    answer = patient.say(RED_FLAG)
    assert time.monotonic() - sent < 1
    assert is_emergency(answer)
    assert _cause(door, patient, answer) == ("core", "down")
    _check_safe(door, door.patient())


def test_a_hanging_rasa_is_not_waited_for_beyond_five_seconds(door: Door) -> None:
    """Also of three messages, one sent right after the other, none waits longer."""
    door.rasa.act = door.rasa.hang
    urgent, harmless, hasty = door.patient(), door.patient(), door.patient()

    def hurry() -> list[tuple[Json, float]]:
        sent = [(time.monotonic(), stored(hasty.send(f"{HARMLESS} {number}"))) for number in range(3)]
        return [(hasty.answer_to(seq), time.monotonic() - moment) for moment, seq in sent]

    with ThreadPoolExecutor(3) as pool:
        hurried = pool.submit(hurry)
        results = [pool.submit(_answered_in_time, patient, text) for patient, text in [(urgent, RED_FLAG), (harmless, HARMLESS)]]
        emergency, advice = [result.result() for result in results]
        assert all(seconds < ANSWER_SECONDS for _, seconds in hurried.result()), hurried.result()
    assert is_emergency(emergency)
    assert advice["check"]["waits"]
    assert _cause(door, urgent, emergency) == ("core", "slow")
    assert all(_cause(door, hasty, answer) == ("core", "slow") for answer, _ in hurried.result())


@pytest.mark.parametrize("status", [500, 503, 404, 400, 302, 204])
def test_a_rasa_that_answers_with_an_error_is_passed_over(status: int, door: Door, patient: Patient) -> None:
    door.rasa.say(lambda _: httpx.Response(status, json=[]))
    _check_safe(door, patient)
    assert _cause(door, patient, {"reply_to": 2}) == ("core", "raised")


@pytest.mark.parametrize("answer", _RAW)
def test_an_answer_that_is_no_list_of_messages_is_passed_over(answer: str, door: Door, patient: Patient) -> None:
    door.rasa.say(_RAW[answer])
    _check_safe(door, patient)
    assert _cause(door, patient, {"reply_to": 2}) == ("core", "invalid")


@pytest.mark.parametrize("twist", _TWISTS)
def test_an_answer_that_breaks_the_contract_harms_nobody(twist: str, door: Door, patient: Patient) -> None:
    door.rasa.twist(_TWISTS[twist])
    _check_safe(door, patient)


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.ReadError, OSError, RuntimeError])
def test_a_connection_that_breaks_is_passed_over(error: type[Exception], door: Door, patient: Patient) -> None:
    def fail(_: Json) -> httpx.Response:
        raise error("broken")

    door.rasa.say(fail)
    _check_safe(door, patient)


def _chat(**changes: object) -> Twist:
    def twist(messages: list[Json]) -> None:
        (message,) = messages
        kept = {name: message["custom"][name] for name in ("protocol", "conversation", "model")}
        message["text"], message["custom"] = "You are welcome.", {"type": "chat", **kept, **changes}

    return twist


_FINDING = {"finding": "chest_pain", "code": "chest_pain", "status": "present", "evidence": "chest pain"}
_UNDERSTATED: dict[str, Twist] = {
    "without saying how it was understood": _chat(),
    "having understood nothing": _chat(understood={"meaning": "thank", "findings": []}),
    "having understood something else": _chat(understood={"meaning": "x", "findings": [{**_FINDING, "finding": "soreness"}]}),
    "having understood that it is present": _chat(understood={"meaning": "report_chest_pain", "findings": [_FINDING]}),
    "with care at home": _chat(type="triage", disposition="self_care", rules=["soreness"]),
    "with a call to the doctor": _chat(type="triage", disposition="call_doctor", rules=["fever"]),
}


@pytest.mark.parametrize("twist", _UNDERSTATED)
def test_an_answer_to_a_red_flag_that_is_no_emergency_is_overruled(twist: str, door: Door, patient: Patient) -> None:
    door.rasa.twist(_UNDERSTATED[twist])
    answer = _answered_in_time(patient, RED_FLAG)
    assert is_emergency(answer)
    assert _cause(door, patient, answer) == ("core", "understated")


def test_a_fever_is_not_left_to_care_at_home(door: Door, patient: Patient) -> None:
    door.rasa.twist(_chat(type="triage", disposition="self_care", rules=["soreness"]))
    answer = _answered_in_time(patient, "I have a fever of 101.5")
    assert answer["disposition"] == "call_doctor"
    assert _cause(door, patient, answer) == ("core", "understated")


def test_an_answer_that_is_more_urgent_than_the_core_stands(door: Door, patient: Patient) -> None:
    door.rasa.twist(_chat(type="triage", disposition="emergency", rules=["stroke"]))
    answer = _answered_in_time(patient, HARMLESS)
    assert answer["disposition"] == "emergency"
    assert _cause(door, patient, answer)[0] == "rasa"


def _break(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """Let a method of the core raise, in whichever process it is called."""
    sound = Readers.call

    def call(readers: Readers, method: str, *arguments: object) -> Any:
        if method == broken:
            raise BrokenReaderError(f"{method}: RuntimeError")
        return sound(readers, method, *arguments)

    def fail(*_: object) -> Any:
        raise RuntimeError("the core is broken")

    monkeypatch.setattr(Readers, "call", call)
    monkeypatch.setattr(Assistant, broken, fail, raising=False)


@pytest.mark.parametrize("broken", ["hear", "respond"])
def test_with_neither_rasa_nor_the_core_the_safety_card_is_the_answer(
    broken: str, door: Door, patient: Patient, monkeypatch: pytest.MonkeyPatch, protocol: Protocol
) -> None:
    door.rasa.act = door.rasa.down
    _break(monkeypatch, broken)
    answer = _answered_in_time(patient, RED_FLAG)
    assert answer["type"] == "trouble"
    assert "911" in str(answer["blocks"])
    assert protocol.clinic.details["phone"] in str(answer["blocks"])
    assert _cause(door, patient, answer) == ("card", "down")
    monkeypatch.undo()
    assert is_emergency(_answered_in_time(patient, RED_FLAG))


@pytest.mark.parametrize("broken", ["hear", "understates"])
def test_a_broken_core_beside_a_well_rasa_leaves_nobody_without_an_answer(
    broken: str, door: Door, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = door.rasa.reply({"sender": "other", "message": RED_FLAG})
    door.rasa.say(lambda _: httpx.Response(200, json=messages))
    _break(monkeypatch, broken)
    answer = _answered_in_time(patient, RED_FLAG)
    assert is_emergency(answer) or answer["type"] == "trouble"


def test_a_limited_patient_of_a_broken_core_still_has_the_safety_card(
    door: Door, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    _break(monkeypatch, "hear")
    patient.ask("DELETE", "")
    refused(patient.send(RED_FLAG), 401, "session_ended")


def test_the_interview_goes_on_without_rasa(door: Door, patient: Patient) -> None:
    first = patient.say("My legs feel weak")
    door.rasa.act = door.rasa.down
    second = patient.choose("No", first)
    assert second["disposition"] == "call_doctor"
    assert is_emergency(patient.answer_to(stored(patient.tick(second["check"], {"Numb between the legs": "yes"}))))


def test_an_interview_without_rasa_leads_to_its_end(door: Door, patient: Patient) -> None:
    door.rasa.act = door.rasa.down
    first = patient.say("My legs feel weak")
    assert [button["title"] for button in first["buttons"]][:2] == ["Yes", "No"]
    second = patient.choose("No", first)
    assert second["disposition"] == "call_doctor"
    assert patient.tick_all(second)["disposition"] == "call_doctor"
    assert is_emergency(patient.say("I can not walk any more"))


def test_rasa_is_told_what_it_missed_and_only_then(door: Door, patient: Patient) -> None:
    patient.say("My legs feel weak")
    patient.say("No")
    assert [set(body) for body in door.rasa.heard] == [{"sender", "message", "protocol", "language"}] * 2
    door.rasa.act = door.rasa.down
    patient.say("The needle site is sore")
    door.rasa.act = door.rasa.well
    patient.say("Hello")
    told = door.rasa.heard[-1]["conversation"]
    assert told["findings"]["leg_weakness"] == "present"
    assert told["findings"]["soreness"] == "present"
    patient.say("Hello")
    assert "conversation" not in door.rasa.heard[-1]


def test_rasa_is_told_again_until_it_has_heard(door: Door, patient: Patient) -> None:
    door.rasa.act = door.rasa.down
    patient.say("My legs feel weak")
    patient.say("No")
    assert [body["conversation"]["findings"]["leg_weakness"] for body in door.rasa.heard if "conversation" in body] == ["present"]
    door.rasa.act = door.rasa.well
    assert patient.say("none of these")["disposition"] == "call_doctor"
    assert door.rasa.heard[-1]["conversation"]["checks"]


def test_rasa_is_told_what_it_could_not_keep(door: Door, patient: Patient) -> None:
    door.rasa.twist(_with(False, "custom", "stored"))
    answer = patient.say("My legs feel weak")
    assert _cause(door, patient, answer)[0] == "rasa"
    door.rasa.act = door.rasa.well
    patient.say("No")
    assert door.rasa.heard[-1]["conversation"]["findings"]["leg_weakness"] == "present"


def test_a_rasa_that_forgot_is_told_and_asked_again(door: Door, patient: Patient) -> None:
    patient.say("My legs feel weak")
    door.rasa.forget()
    answer = patient.say("No")
    assert answer["disposition"] == "call_doctor"
    assert _cause(door, patient, answer) == ("rasa", "")
    assert door.rasa.heard[-1]["conversation"]["findings"]["leg_weakness"] == "present"
    assert patient.say("none of these")["disposition"] == "call_doctor"


def test_a_rasa_that_began_anew_is_told_also_where_no_finding_is_lost(door: Door) -> None:
    helper = door.patient(writer="helper")
    helper.say("Hello")
    helper.say("Hello")
    assert "conversation" not in door.rasa.heard[-1]
    door.rasa.forget()
    helper.say("Hello")
    assert door.rasa.heard[-1]["conversation"]["writer"] == "helper"
    helper.say("Hello")
    assert "conversation" not in door.rasa.heard[-1]


def test_a_rasa_that_forgets_again_and_again_is_passed_over(door: Door, patient: Patient) -> None:
    patient.say("My legs feel weak")
    door.rasa.twist(_with({}, "custom", "conversation"))
    answer = patient.say("No")
    assert answer["disposition"] == "call_doctor"
    assert _cause(door, patient, answer)[0] == "core"


def test_rasa_is_told_who_writes(door: Door) -> None:
    helper = door.patient(writer="helper")
    helper.say(HARMLESS)
    assert door.rasa.heard[-1]["conversation"]["writer"] == "helper"
    helper.say(HARMLESS)
    assert "conversation" not in door.rasa.heard[-1]
    helper.ask("PUT", "/writer", json={"writer": "patient"})
    helper.say(HARMLESS)
    assert door.rasa.heard[-1]["conversation"]["writer"] == "patient"


def test_a_writer_told_while_an_answer_is_made_is_not_forgotten(door: Door, patient: Patient) -> None:
    door.rasa.after(0.4)
    seq = stored(patient.send(HARMLESS))
    time.sleep(0.1)
    patient.ask("PUT", "/writer", json={"writer": "helper"})
    patient.answer_to(seq)
    patient.say(HARMLESS)
    assert door.rasa.heard[-1].get("conversation", {}).get("writer") == "helper"


def test_an_emergency_stands_after_rasa_comes_back(door: Door, patient: Patient) -> None:
    door.rasa.act = door.rasa.down
    assert is_emergency(patient.say(RED_FLAG))
    door.rasa.act = door.rasa.well
    for text in ("Thank you", HARMLESS, "I am fine now"):
        assert patient.say(text)["disposition"] == "emergency"


def test_what_rasa_says_late_is_not_heard(door: Door, patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.dialogue.answering.PATIENCE", 0.3)
    door.rasa.after(0.8)
    answer = patient.say(RED_FLAG)
    assert _cause(door, patient, answer) == ("core", "slow")
    time.sleep(0.8)
    assert [event["kind"] for event in patient.events()] == ["greeting", "message", "answer"]
