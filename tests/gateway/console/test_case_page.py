"""The case's page: what a nurse reads, what the forms do, and what never leaves it."""

from __future__ import annotations

import json
import logging
import re
import time
from typing import Any

import pytest
from sqlalchemy import Row, delete, select

from gateway.console.audit.log import AuditLog
from gateway.console.services import ConsoleServices
from gateway.records.database import writing
from gateway.records.tables import audit, conversation_key
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import CANARY, RED_FLAG, Clock, Door, Patient, stored

_EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>"
_PHONE = "212-664-7665"


@pytest.fixture
def red(door: Door) -> Patient:
    """Somebody with an emergency, who said more before."""
    patient = door.patient()
    patient.say(f"My procedure was 3 days ago and I have no fever. Call {_PHONE}")
    patient.say(RED_FLAG)
    return patient


@pytest.fixture
def number(door: Door, red: Patient) -> int:
    return case_of(door, red)


def seen(person: Person, number: int) -> str:
    """What the page sends of how far it showed the conversation."""
    found = re.search(r'name="seen" value="(\d+)"', person.get(f"/cases/{number}").text)
    assert found is not None
    return found[1]


def audited(services: ConsoleServices, act: str) -> list[Row[Any]]:
    with services.records.engine.connect() as connection:
        return list(connection.execute(select(audit).where(audit.c.act == act).order_by(audit.c.seq)))


def part(page: str, heading: str) -> str:
    """The words of the section with this heading."""
    found = re.search(rf'<section[^>]*aria-labelledby="{heading}".*?</section>', page, re.DOTALL)
    assert found is not None, heading
    return found[0]


def test_the_page_reads_in_sbar_order(nurse: Person, number: int, services: ConsoleServices) -> None:
    page = nurse.get(f"/cases/{number}").text
    headings = re.findall(r"<h2[^>]*>([^<]+)</h2>", page)
    assert headings[:4] == ["Situation", "Background", "Assessment", "Recommendation"]
    rule = next(rule for rule in services.library.default.rules if rule.id == "chest_pain")
    assert rule.sentence is not None
    situation = part(page, "situation")
    assert "Emergency" in situation
    assert f"<q>{RED_FLAG}</q>" in situation
    assert re.search(r'data-since="[^"]+" data-limit="300"', situation)
    assert "3 days" in part(page, "background")
    assessment = part(page, "assessment")
    for expected in (
        "chest_pain",
        services.library.default.version,
        "beyond the leaflet",
        rule.sentence.quote,
        rule.sentence.section,
        "Denied",
    ):
        assert expected in assessment
    recommendation = part(page, "recommendation")
    assert "Call 911" in recommendation
    assert "went out to the patient&#39;s browser" in recommendation or "went out to the patient's browser" in recommendation
    assert "still open on the patient's side" in recommendation


def test_evidence_is_marked_in_words_too(nurse: Person, number: int) -> None:
    transcript = part(nurse.get(f"/cases/{number}").text, "transcript")
    assert re.search(r'<mark class="present">chest pain<span class="cue"> \[present: chest pain\]</span></mark>', transcript)
    assert re.search(r'no <mark class="absent">fever<span class="cue"> \[denied: fever\]</span></mark>', transcript)


def test_what_was_not_delivered_and_a_closed_chat_are_told(door: Door, nurse: Person, red: Patient, number: int) -> None:
    seq = stored(red.send("thank you"))
    end = time.monotonic() + 8
    while not door.records.is_answered(door.name(red), seq):
        assert time.monotonic() < end, "no answer"
        time.sleep(0.01)
    assert red.ask("DELETE", "").status_code == 204
    recommendation = part(nurse.get(f"/cases/{number}").text, "recommendation")
    assert "The patient closed the chat." in recommendation
    assert "1 answer did not go out." in recommendation
    assert recommendation.count("Not delivered: the patient may not have seen it") == 1


def test_a_view_is_on_record_without_words(nurse: Person, number: int, services: ConsoleServices) -> None:
    nurse.get(f"/cases/{number}")
    (entry,) = audited(services, "view_case")
    assert (entry.staff_id, entry.case_id, entry.detail) == (nurse.id, number, {})


def test_a_case_that_does_not_exist_is_not_found(nurse: Person, auditor: Person, number: int) -> None:
    for wrong in (number + 1, 0, -1, "x", "9" * 30, "%E0"):
        assert nurse.get(f"/cases/{wrong}").status_code == 404, wrong
        assert nurse.post(f"/cases/{wrong}/acknowledge", seen=1).status_code == 404, wrong
        assert nurse.post(f"/cases/{wrong}/reveal").status_code == 404, wrong
        assert auditor.get(f"/cases/{wrong}").status_code == 404, wrong
        assert auditor.post(f"/cases/{wrong}/break-glass", reason="quality").status_code == 404, wrong


def test_nobody_acts_without_the_right(auditor: Person, admin: Person, number: int) -> None:
    for person in (auditor, admin):
        for act in ("acknowledge", "assign", "note", "amend", "snooze", "wake", "outcome", "close", "reopen", "reveal", "disagree"):
            assert person.post(f"/cases/{number}/{act}", seen=99, text="x").status_code == 403, act


def test_nobody_acts_with_a_form_that_is_not_ours(nurse: Person, number: int) -> None:
    assert nurse.post(f"/cases/{number}/acknowledge", csrf="wrong", seen=99).status_code == 403
    assert nurse.post(f"/cases/{number}/acknowledge", origin="https://evil.example", seen=99).status_code == 403
    assert "Not acknowledged" in nurse.get(f"/cases/{number}").text


def test_a_plain_form_goes_back_to_the_case(door: Door, nurse: Person, number: int) -> None:
    other = door.patient()
    other.say(RED_FLAG)
    answer = nurse.post(f"/cases/{number}/acknowledge", seen=seen(nurse, number))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/console/cases/{number}")
    page = nurse.get(f"/cases/{number}").text
    assert "Acknowledged by Nurse Example" in page
    assert "data-since" not in page
    assert f"Next case that waits: {case_of(door, other)}, emergency" in page
    assert "acknowledged the case (rule chest_pain, protocol vertebroplasty" in part(page, "history")


def test_the_queues_key_gets_a_line_of_text(door: Door, nurse: Person, lead: Person, number: int) -> None:
    shown = re.search(r'data-seen="(\d+)"', nurse.get("/").text)
    assert shown is not None
    form = {"csrf": nurse.csrf, "seen": shown[1]}
    headers = {"Origin": "http://127.0.0.1:8080", "HX-Request": "true"}
    first = nurse._ask("POST", f"/cases/{number}/acknowledge", headers=headers, data=form)
    assert first.status_code == 200
    assert first.text.startswith('<p class="told done"')
    assert f"Acknowledged: case {number}" in first.text
    second = lead._ask("POST", f"/cases/{number}/acknowledge", headers=headers, data={**form, "csrf": lead.csrf})
    assert second.status_code == 409
    assert re.fullmatch(
        r'<p class="told refusal" role="alert">Nurse Example acknowledged this case at \d\d:\d\d:\d\d E[SD]T.</p>', second.text.strip()
    )


def test_a_refused_form_shows_why_and_the_case_as_it_is(nurse: Person, lead: Person, number: int) -> None:
    shown = seen(nurse, number)
    lead.post(f"/cases/{number}/acknowledge", seen=shown)
    answer = nurse.post(f"/cases/{number}/acknowledge", seen=shown)
    assert answer.status_code == 409
    assert re.search(r'role="alert">Lead Example acknowledged this case at', answer.text)
    assert "Acknowledged by Lead Example" in answer.text


def test_what_fired_unseen_is_not_acknowledged_from_the_page(nurse: Person, red: Patient, number: int) -> None:
    shown = seen(nurse, number)
    red.say("I can not move my legs")
    answer = nurse.post(f"/cases/{number}/acknowledge", seen=shown)
    assert answer.status_code == 409
    assert "fired anew" in answer.text
    assert "I can not move my legs" in answer.text


def test_the_other_forms(nurse: Person, lead: Person, number: int) -> None:
    def send(act: str, **fields: Any) -> None:
        answer = nurse.post(f"/cases/{number}/{act}", seen=seen_now, **fields)
        assert answer.status_code == 303, answer.text

    seen_now = seen(nurse, number)
    send("assign", to=lead.id)
    send("note", text="first note")
    page = nurse.get(f"/cases/{number}").text
    assert "Assigned to Lead Example." in page
    note = re.search(r'name="note" value="(\d+)"', page)
    assert note is not None
    assert "Change this note" not in lead.get(f"/cases/{number}").text
    send("amend", note=note[1], text="second note")
    send("acknowledge")
    send("outcome", outcome="no_answer")
    send("snooze", minutes=30, reason="call back")
    page = nurse.get(f"/cases/{number}").text
    notes, history = part(page, "notes"), part(page, "history")
    assert notes.index("second note") < notes.index("first note")
    assert "Contact: No answer" in page
    assert "Snoozed until" in page
    assert re.search(r"snoozed it until .* E[SD]T: call back", history)
    send("wake")
    send("close", outcome="reached")
    page = nurse.get(f"/cases/{number}").text
    assert "closed it: Reached the patient" in page
    assert 'data-key="a"' not in page
    send("reopen")
    assert 'data-key="a"' in nurse.get(f"/cases/{number}").text


def test_what_was_typed_is_kept_when_a_form_is_refused(nurse: Person, number: int, red: Patient, door: Door) -> None:
    answer = nurse.post(f"/cases/{number}/disagree", seq=5, kind="over_triaged", reason="a long story")
    assert answer.status_code == 422
    assert re.search(r'<details data-key="d" open>', answer.text)
    assert "a long story</textarea>" in answer.text


@pytest.mark.parametrize("typed", [{"accepted": f"faq:{CANARY}"}, {"topic": CANARY}])
def test_words_in_place_of_a_topic_are_stored_nowhere(nurse: Person, number: int, services: ConsoleServices, typed: dict[str, str]) -> None:
    answer = nurse.post(f"/cases/{number}/disagree", seq=3, kind="misunderstood", reason="why", **typed)
    assert answer.status_code == 422
    assert CANARY not in str(audited(services, "disagree"))


def test_a_disagreement_is_on_the_page(nurse: Person, number: int) -> None:
    page = nurse.get(f"/cases/{number}").text
    chosen = re.search(r'<option value="(\d+)" selected>[^<]*Emergency</option>', page)
    assert chosen is not None
    fields: dict[str, Any] = {"seq": chosen[1], "kind": "misunderstood", "topic": "risks", "reason": "only a question"}
    answer = nurse.post(f"/cases/{number}/disagree", accepted=["ask", "chat"], **fields)
    assert answer.status_code == 303, answer.text
    history = part(nurse.get(f"/cases/{number}").text, "history")
    assert re.search(r"Nurse Example: Misunderstood, about .*right: A question to the patient, Talk, faq:risks\. only a question", history)


def test_telephone_numbers_show_behind_a_click_that_is_on_record(nurse: Person, number: int, services: ConsoleServices) -> None:
    page = nurse.get(f"/cases/{number}").text
    assert _PHONE not in page
    assert "[phone number]" in page
    assert not audited(services, "reveal_phone")
    revealed = nurse.post(f"/cases/{number}/reveal").text
    assert f'<a href="tel:{_PHONE}">{_PHONE}</a>' in revealed
    (entry,) = audited(services, "reveal_phone")
    assert (entry.staff_id, entry.case_id, entry.detail) == (nurse.id, number, {"phones": 1})
    assert _PHONE not in nurse.get(f"/cases/{number}").text


def test_the_keys_have_their_places(nurse: Person, door: Door) -> None:
    fever = door.patient()
    fever.say("I have a fever of 101")
    page = nurse.get(f"/cases/{case_of(door, fever)}").text
    assert re.search(r'<button[^>]* data-key="a">', page)
    assert re.search(r'<textarea[^>]* data-key="n">', page)
    for key in "osdi":
        assert re.search(rf'<details data-key="{key}"', page), key


def test_the_page_for_paper(nurse: Person, number: int, services: ConsoleServices) -> None:
    page = nurse.get(f"/cases/{number}/print")
    (entry,) = audited(services, "print_case")
    assert (entry.staff_id, entry.case_id) == (nurse.id, number)
    text = page.text
    assert [h.strip() for h in re.findall(r"<h2>([^<]+)</h2>", text)][:4] == ["Situation", "Background", "Assessment", "Recommendation"]
    assert RED_FLAG in text
    assert f"Rule chest_pain, protocol vertebroplasty {services.library.default.version}" in text
    assert "Printed by Nurse Example at" in text
    assert str(services.audit_log.head()) in text
    assert _PHONE not in text


def test_what_people_type_is_text_and_nothing_else(door: Door, nurse: Person, services: ConsoleServices) -> None:
    patient = door.patient()
    patient.say(f"I have chest pain {_EVIL}")
    number = case_of(door, patient)
    nurse.post(f"/cases/{number}/note", text=_EVIL)
    nurse.post(f"/cases/{number}/acknowledge", seen=99)
    nurse.post(f"/cases/{number}/snooze", seen=99, minutes=15, reason=_EVIL)
    nurse.post(f"/cases/{number}/disagree", seq=3, kind="misunderstood", reason=_EVIL)
    refused = nurse.post(f"/cases/{number}/disagree", seq=3, kind="over_triaged", reason=_EVIL)
    assert refused.status_code == 422
    for page in (nurse.get(f"/cases/{number}"), nurse.get(f"/cases/{number}/print"), refused):
        assert "&lt;script&gt;" in page.text
        assert "<script>alert" not in page.text
        assert "<img" not in page.text


def test_a_purged_conversation_says_so(door: Door, nurse: Person, number: int) -> None:
    nurse.post(f"/cases/{number}/note", text="a note that goes too")
    with writing(door.records.engine) as connection:
        connection.execute(delete(conversation_key))
    for path in ("", "/print"):
        page = nurse.get(f"/cases/{number}{path}")
        assert page.status_code == 200
        assert "The words of this conversation were deleted" in page.text
        assert "chest_pain" in page.text
        assert CANARY not in page.text
        assert "a note that goes too" not in page.text
    refused = nurse.post(f"/cases/{number}/note", text="another")
    assert refused.status_code == 409
    assert "deleted" in refused.text
    assert nurse.post(f"/cases/{number}/acknowledge", seen=99).status_code == 303


def test_no_word_reaches_the_audit_or_the_log(
    nurse: Person, number: int, services: ConsoleServices, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        nurse.get(f"/cases/{number}")
        nurse.post(f"/cases/{number}/note", text=f"nurse {CANARY}")
        nurse.post(f"/cases/{number}/disagree", seq=5, kind="misunderstood", reason=CANARY)
        nurse.post(f"/cases/{number}/reveal")
        nurse.post(f"/cases/{number}/snooze", seen=99, minutes=15, reason=CANARY)
        nurse.get(f"/cases/{number}/print")
    with services.records.engine.connect() as connection:
        details = json.dumps([row.detail for row in connection.execute(select(audit.c.detail))])
    out = capfd.readouterr()
    for place in (details, caplog.text, out.out, out.err):
        assert CANARY not in place
        assert _PHONE not in place


def test_a_case_is_not_shown_when_the_view_can_not_be_put_on_record(nurse: Person, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(AuditLog, "record", fail)
    page = nurse.get(f"/cases/{number}")
    assert page.status_code == 500
    assert CANARY not in page.text


def test_the_clock_of_a_case_over_its_limit_says_so(door: Door, nurse: Person, number: int) -> None:
    door.clock.travel(minutes=6)
    assert re.search(r"6 min, over the limit", part(nurse.get(f"/cases/{number}").text, "situation"))


def test_a_question_that_was_left_is_shown_as_that_and_not_as_deleted_words(
    door: Door, clock: Clock, request: pytest.FixtureRequest
) -> None:
    patient = door.patient()
    assert patient.say("My legs feel weak")["type"] == "question"
    clock.travel(minutes=11)
    door.portal.call(door.services.answering.follow_up)
    nurse: Person = request.getfixturevalue("nurse")
    for address in (f"/cases/{case_of(door, patient)}", f"/cases/{case_of(door, patient)}/print"):
        page = nurse.get(address).text
        assert "eft the last question unanswered" in page
        assert "words deleted" not in page.lower()
