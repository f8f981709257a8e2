"""How patient and nurse reach each other, on the case's page: what stands in the transcript, in the situation and in the history."""

from __future__ import annotations

import re
import time
from html import unescape
from typing import Any

import pytest
from sqlalchemy import delete, update

from gateway.console.cases.case_view import CaseViews
from gateway.console.services import ConsoleServices
from gateway.contact.follow_ups import FollowUps
from gateway.records.database import writing
from gateway.records.tables import conversation_key, triage_case
from tests.gateway.console.conftest import Hire
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import RED_FLAG, Clock, Door, Patient, new_id, stored

_NUMBER = "(212) 664-7665"
_CALL = {"number": "212-664-7665", "name": "Anna Smith", "best": "after lunch", "whose": "helper"}
_REPLY = "I read what you wrote, dear"


def ask_for_call(patient: Patient, **details: str) -> None:
    answer = patient.ask("POST", "/callback", json={"client_id": new_id(), **_CALL, **details})
    assert answer.status_code == 201, answer.text


def html_of(person: Person, number: int, path: str = "") -> str:
    page = person.get(f"/cases/{number}{path}")
    assert page.status_code == 200, page.text
    return unescape(page.text)


def part(page: str, heading: str) -> str:
    """The section with this heading, without its tags, on one line."""
    found = re.search(rf'<section[^>]*aria-labelledby="{heading}".*?</section>', page, re.DOTALL)
    assert found is not None, heading
    return " ".join(re.sub(r"<[^>]+>", "", found[0]).split())


def act(person: Person, number: int, name: str, **fields: Any) -> None:
    answer = person.post(f"/cases/{number}/{name}", seen=10_000, **fields)
    assert answer.status_code == 303, unescape(answer.text)


def test_a_request_for_a_call_stands_in_situation_and_transcript_and_its_number_behind_a_click(
    red: Patient, nurse: Person, number: int
) -> None:
    ask_for_call(red)
    page = html_of(nurse, number)
    situation, transcript = part(page, "situation"), part(page, "transcript")
    assert re.search(r"Asks for a call since .* promised until ", situation)
    for words in (situation, transcript):
        assert "Name: Anna Smith. The number is of somebody who helps the patient. Best time: after lunch." in words
    assert "Patient asks for a call" in transcript
    assert "The clinic has your request for a call." in transcript
    assert "664" not in page
    assert "664" not in html_of(nurse, number, "/print")
    assert "Anna Smith" in html_of(nurse, number, "/print")
    revealed = nurse.post(f"/cases/{number}/reveal").text
    assert f">{_NUMBER}</a>" in revealed


def test_a_nurses_message_says_who_wrote_and_whether_it_was_delivered(red: Patient, nurse: Person, number: int) -> None:
    act(nurse, number, "acknowledge")
    act(nurse, number, "reply", text=_REPLY)
    transcript = part(html_of(nurse, number), "transcript")
    assert re.search(rf'Nurse Example wrote, shown as "[^"]+", not delivered yet {_REPLY}', transcript)
    red.events()
    page = html_of(nurse, number)
    assert re.search(rf'Nurse Example wrote, shown as "[^"]+", delivered {_REPLY}', part(page, "transcript"))
    assert "Shown to the patient, delivered" in part(page, "transcript")
    assert "Nurse Example holds the chat until" in part(page, "situation")
    assert _REPLY in html_of(nurse, number, "/print")


def test_an_answer_that_was_withheld_says_so_and_counts_as_nothing_that_the_patient_was_told(
    door: Door, nurse: Person, services: ConsoleServices
) -> None:
    patient = door.patient()
    patient.say("I have a fever of 101.5 F")
    number = case_of(door, patient)
    act(nurse, number, "acknowledge")
    act(nurse, number, "hold")
    seq, end = stored(patient.send("What is vertebroplasty?")), time.monotonic() + 8
    while not door.records.is_answered(door.name(patient), seq):
        assert time.monotonic() < end, "no answer"
        time.sleep(0.01)
    page = html_of(nurse, number)
    assert "not shown to the patient: a nurse held the chat" in part(page, "transcript")
    told = re.search(r'<table class="answers"><caption>All that.*?</table>', page, re.DOTALL)
    assert told is not None
    assert told[0].count("#entry-") == 1
    assert "did not go out" not in page
    patient.events()
    view = CaseViews(services.records, services.library, services.policy).read(number)
    assert view is not None
    assert [entry.delivered for entry in view.entries if entry.who == "assistant"] == [True, False]


def test_whether_the_patient_reached_somebody_is_shown_as_question_and_answer(
    door: Door, clock: Clock, hire: Hire, red: Patient, services: ConsoleServices
) -> None:
    clock.travel(minutes=6)
    FollowUps(door.records, door.services.core.library, services.policy.contact).look()
    question = next(event for event in red.events() if event["kind"] == "followup")
    nurse, number = hire(), case_of(door, red)
    waiting = part(html_of(nurse, number), "situation")
    assert re.search(r"Did you reach help.*\? ?No answer yet\.", waiting)
    answer = red.ask("POST", "/followup", json={"client_id": new_id(), "seq": question["seq"], "answer": "nobody"})
    assert answer.status_code == 201, answer.text
    page = html_of(nurse, number)
    assert re.search(r"Did you reach help[^?]*\? Nobody answered", part(page, "situation"))
    transcript = part(page, "transcript")
    assert "Assistant: asks whether somebody was reached" in transcript
    assert "To choose from: Yes, Nobody answered, Not yet." in transcript
    assert "Patient, asked whether somebody was reached Nobody answered" in transcript
    assert "Call 911 now. Do not wait." in transcript


def test_lowering_an_emergency_waits_for_a_second_person_who_sees_why(nurse: Person, hire: Hire, number: int) -> None:
    other = hire("nurse", "Second Nurse")
    act(nurse, number, "acknowledge")
    act(nurse, number, "lower", tier="call_doctor", reason="an old scar")
    mine, theirs = html_of(nurse, number), html_of(other, number)
    assert "Take back" in part(mine, "situation")
    assert "Agree" not in part(mine, "situation")
    assert "Nurse Example asks to lower this case to call doctor" in part(theirs, "situation")
    assert "Reason: an old scar" in part(theirs, "situation")
    assert "It stays an emergency" in part(theirs, "situation")
    act(other, number, "lower/confirm")
    page = html_of(nurse, number)
    assert "Lowered by hand by Second Nurse" in part(page, "situation")
    assert "by the rules: emergency. Reason: an old scar" in part(page, "situation")
    assert re.search(r'<h1>[^<]*<span class="tier-2"><span class="tier">Call doctor', page)


def test_every_act_has_its_words_in_the_history_with_the_reason(door: Door, nurse: Person, number: int) -> None:
    other = door.patient()
    other.say(RED_FLAG)
    act(nurse, number, "acknowledge")
    act(nurse, number, "undo")
    act(nurse, number, "acknowledge")
    act(nurse, number, "attempt", result="voicemail", note="spoke on the tape", minutes=30)
    act(nurse, number, "hold")
    act(nurse, number, "hand-back")
    act(nurse, number, "reply", text=_REPLY)
    act(nurse, number, "lower", tier="self_care", reason="a reason to lower")
    act(nurse, number, "lower/refuse")
    act(nurse, number, "page", reason="a reason to page")
    act(nurse, number, "join", other=case_of(door, other))
    act(nurse, number, "separate")
    act(nurse, number, "attempt", result="reached", note="all well")
    act(nurse, number, "close", outcome="reached", note="a closing note")
    act(nurse, number, "reopen", reason="a reason to reopen")
    history = part(html_of(nurse, number), "history")
    for words in (
        "took the acknowledgement back", "tried to reach the patient: left a voicemail, next try due", ": spoke on the tape",
        "held the chat until", "handed the chat back to the assistant", "wrote into the chat",
        "asked to lower it from emergency to self-care: a reason to lower", "decided that it stays an emergency",
        "paged step 1, second nurse, which names no one: a reason to page", f"joined it with case {case_of(door, other)}",
        "took it out of the joined cases", "tried to reach the patient: reached: all well",
        "closed it: Reached the patient. a closing note", "opened it again: a reason to reopen",
    ):  # fmt: skip
        assert words in history, words
    assert not re.search("hand_back|lower_|hand back,", history)


def test_another_case_with_the_same_number_can_be_joined(door: Door, nurse: Person, red: Patient, number: int) -> None:
    ask_for_call(red)
    other = door.patient()
    other.say(RED_FLAG)
    ask_for_call(other)
    second = case_of(door, other)
    assert f"Case {second}, emergency, not acknowledged" in part(html_of(nurse, number), "situation")
    assert f"Join with case {second}" in html_of(nurse, number)
    act(nurse, number, "join", other=second)
    situation = part(html_of(nurse, second), "situation")
    assert f"Case {number}, emergency" in situation
    assert "joined." in situation
    assert "Take this case out of the joined ones" in situation


def test_ones_own_acknowledgement_can_be_undone_for_a_minute(nurse: Person, lead: Person, number: int, clock: Clock) -> None:
    act(nurse, number, "acknowledge")
    assert "Undo my acknowledgement" in html_of(nurse, number)
    assert "Undo my acknowledgement" not in html_of(lead, number)
    clock.travel(seconds=61)
    assert "Undo my acknowledgement" not in html_of(nurse, number)


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("reply", {"text": "half a letter"}, ">half a letter</textarea>"),
        ("attempt", {"result": "voicemail", "note": "half a note"}, r'value="voicemail" required checked[^§]*value="half a note"'),
        ("raise", {"tier": "emergency", "reason": ""}, "as emergency already"),
        ("lower", {"tier": "emergency", "reason": "half a reason"}, 'value="half a reason"'),
        ("page", {"reason": "  "}, "Nothing is written"),
        ("close", {"outcome": "no_answer", "note": "half a close"}, r'value="no_answer" selected[^§]*value="half a close"'),
        ("join", {"other": "99999"}, 'value="99999"'),
    ],
)
def test_what_was_typed_stays_in_the_form_of_a_refused_act(
    nurse: Person, number: int, name: str, fields: dict[str, str], expected: str
) -> None:
    answer = nurse.post(f"/cases/{number}/{name}", seen=10_000, **fields)
    assert answer.status_code in (409, 422), answer.text
    assert re.search(expected, unescape(answer.text), re.DOTALL)
    if name != "raise":
        assert "data-kept" in answer.text
    assert "data-refused" in answer.text


def test_a_letter_to_a_chat_that_is_closed_is_kept_to_be_read(nurse: Person, red: Patient, number: int) -> None:
    act(nurse, number, "acknowledge")
    assert red.ask("DELETE", "").status_code == 204
    page = html_of(nurse, number)
    assert "The chat is closed on the patient's side, so nothing reaches them there" in part(page, "acts")
    assert "Send to the patient" not in page
    refused = nurse.post(f"/cases/{number}/reply", seen=10_000, text="half a letter")
    assert refused.status_code == 409
    assert "readonly>half a letter</textarea>" in refused.text


def test_who_takes_over_a_held_chat_says_so(nurse: Person, lead: Person, number: int) -> None:
    act(nurse, number, "acknowledge")
    assert 'name="take_over"' not in html_of(lead, number)
    act(nurse, number, "hold")
    assert "Take over: Nurse Example holds the chat until" in part(html_of(lead, number), "acts")
    assert 'name="take_over"' not in html_of(nurse, number)
    assert lead.post(f"/cases/{number}/reply", seen=10_000, text=_REPLY).status_code == 409
    act(lead, number, "reply", text=_REPLY, take_over=1)


def test_an_emergency_by_hand_is_one_for_the_forms_too(door: Door, nurse: Person) -> None:
    patient = door.patient()
    patient.say("I have a fever of 101")
    number = case_of(door, patient)
    assert "Raise: it is more urgent" in html_of(nurse, number)
    act(nurse, number, "raise", tier="emergency", reason="she sounds ill")
    page = html_of(nurse, number)
    assert "Raise: it is more urgent" not in page
    assert "Raised by hand by Nurse Example" in part(page, "situation")
    assert "by the rules: call doctor. Reason: she sounds ill" in part(page, "situation")
    assert "Snooze" not in part(page, "acts")


def test_a_purged_conversation_keeps_what_was_done_and_shows_no_words(door: Door, nurse: Person, red: Patient, number: int) -> None:
    ask_for_call(red)
    act(nurse, number, "acknowledge")
    act(nurse, number, "reply", text=_REPLY)
    act(nurse, number, "attempt", result="no_answer", note="nobody there")
    with writing(door.records.engine) as connection:
        connection.execute(delete(conversation_key))
        connection.execute(update(triage_case).values(lower_to=1, lower_asked_by=nurse.id))
    for path in ("", "/print"):
        page = html_of(nurse, number, path)
        assert "Asks for a call since" in page
        for words in (_REPLY, "Anna", "nobody there", "664"):
            assert words not in page


# What is present, denied or assumed


def test_what_the_calendar_alone_says_was_denied_by_nobody(door: Door, nurse: Person) -> None:
    patient = door.patient()
    patient.say("My procedure was 2 days ago and I have no fever")
    denied = re.search(r"<dt>Denied</dt>.*?</div>", html_of(nurse, case_of(door, patient)), re.DOTALL)
    assert denied is not None
    assert denied[0].count("<li>") == 1
    assert "fever" in denied[0].lower()


def test_what_alarmed_is_never_a_bare_no(door: Door, nurse: Person) -> None:
    patient = door.patient()
    answer = patient.say("I have a fever of 101.5 F")
    for _ in range(8):
        if not (answer.get("buttons") or answer.get("check") or answer["type"] == "question"):
            break
        answer = patient.say("No")
    page = html_of(nurse, case_of(door, patient))
    alarmed = re.findall(r'<ol class="complaints">.*?</ol>', page, re.DOTALL)
    assert alarmed
    for item in re.findall(r"<li.*?</li>", alarmed[0], re.DOTALL):
        assert "<q>No</q>" not in item or "Asked:" in item
