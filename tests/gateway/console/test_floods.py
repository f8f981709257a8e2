"""A flood of emergencies from one address: one line, one bell, one notice; it hides nobody else, and a lead closes it at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from gateway.console.cases.case_view import act_associated_data
from gateway.console.cases.filters import Filter
from gateway.console.cases.flood_acts import FloodActs
from gateway.console.cases.queue import Queue
from gateway.console.errors import ActError
from gateway.console.identity.staff import StaffBook
from gateway.console.notify.delivery import NoticeDelivery
from gateway.console.notify.escalation import Escalation
from gateway.network import Groups, Proxies
from gateway.records.database import writing
from gateway.records.tables import audit, case_act, conversation, notice, triage_case
from gateway.records.tier import Rank
from gateway.settings import Settings
from tests.gateway.console.people import hired
from tests.gateway.console.test_escalation import Ward, _both_at_once, make_ward
from tests.gateway.support import API, CANARY, HOME, RED_FLAG, Door, Patient, clinic_in, library_in

__all__ = ["make_ward"]
_A, _B = "a" * 16, "b" * 16
_FEW = 3
_DAY = datetime(2026, 3, 2, tzinfo=UTC).date()


@pytest.fixture
def ward(make_ward: Callable[..., Ward], settings: Settings) -> Ward:
    """A ward that takes three emergencies from one address singly."""
    found = make_ward()
    policy = replace(found.settings.policy, flood=(_FEW, timedelta(hours=1)))
    found.settings = replace(found.settings, policy=policy)
    found.escalation = Escalation(found.records, found.settings, found.audit_log, clinic_in("UTC"))
    return found


def _case(ward: Ward, group: str | None, disposition: str = "emergency") -> int:
    number = ward.case(disposition)
    with writing(ward.records.engine) as connection:
        name = connection.scalar(select(triage_case.c.conversation_id).where(triage_case.c.id == number))
        connection.execute(update(conversation).where(conversation.c.id == name).values(address_group=group))
    ward.clock.wait(seconds=1)
    return number


def _queue(ward: Ward) -> Queue:
    return Queue(ward.records.engine, ward.settings.policy, ward.clock)


def _acts(ward: Ward) -> FloodActs:
    return FloodActs(ward.records, ward.settings.policy, ward.audit_log, library_in("UTC"))


def _lead(ward: Ward) -> int:
    """The new account of a lead."""
    return StaffBook(ward.records.engine, ward.records.keyring, ward.clock).invite("Lena Example", "lead")[0].id


def _numbers(ward: Ward, **wanted: Any) -> list[int]:
    return [row.id for row in _queue(ward).page(Filter(**wanted)).rows]


def _about(ward: Ward) -> list[tuple[str, int | None, int]]:
    return [
        (row.body["about"], row.case_id, row.level) for row in ward.rows(notice) if row.recipient in ("ward@a.example", "doctor@a.example")
    ]


def test_those_behind_the_first_ones_stand_as_one(ward: Ward) -> None:
    flood = [_case(ward, _A) for _ in range(5)]
    other, call = _case(ward, _B), _case(ward, _A, "call_doctor")
    page = _queue(ward).page(Filter())
    assert [row.id for row in page.rows] == [*flood[:3], other, call]
    (line,) = page.floods
    assert (line.group, line.cases, line.singly, line.folded) == (_A, 5, 3, 2)
    assert _numbers(ward, group=_A) == [*flood, call]
    assert _numbers(ward, number=flood[4]) == [flood[4]]
    assert _numbers(ward, view="all") == [*flood[:3], other, call]
    assert _queue(ward).counts().red == 6


def test_so_many_as_are_taken_singly_are_no_flood(ward: Ward) -> None:
    cases = [_case(ward, _A) for _ in range(3)]
    unknown = [_case(ward, None) for _ in range(5)]
    page = _queue(ward).page(Filter())
    assert ([row.id for row in page.rows], page.floods) == ([*cases, *unknown], ())


def test_the_queue_goes_on_over_its_pages_without_them(ward: Ward) -> None:
    flood = [_case(ward, _A) for _ in range(6)]
    others = [_case(ward, None) for _ in range(4)]
    found, after = [], ""
    while True:
        page = _queue(ward).page(Filter(), after, size=2)
        found += [row.id for row in page.rows]
        after = page.next
        if not after:
            break
    assert found == [*flood[:3], *others]


def test_a_flood_drowns_no_other_emergencys_bell(ward: Ward) -> None:
    flood = [_case(ward, _A) for _ in range(8)]
    other = _case(ward, _B)
    assert _queue(ward).reds() == [*flood[:3], other]


def test_when_the_first_ones_are_acknowledged_the_next_come_up(ward: Ward) -> None:
    flood = [_case(ward, _A) for _ in range(6)]
    ward.set(flood[0], state="acknowledged")
    assert _numbers(ward, only="unacknowledged") == flood[1:4]
    for number in flood[1:3]:
        ward.set(number, state="acknowledged")
    assert _numbers(ward, only="unacknowledged") == flood[3:]
    assert _queue(ward).page(Filter()).floods == ()


def test_the_rota_is_told_of_the_others_once(ward: Ward) -> None:
    flood = [_case(ward, _A) for _ in range(7)]
    other = _case(ward, _B)
    assert ward.look_after(minutes=6) == 5
    assert _about(ward) == [("case", number, 1) for number in [*flood[:3], other]] + [("flood", flood[3], 1)]
    assert {row.escalated for row in ward.rows(triage_case)} == {1}
    assert not any(row.untold for row in _queue(ward).page(Filter(group=_A)).rows)
    assert ward.look_after(seconds=1) == 0
    (body,) = [row.body for row in ward.rows(notice) if row.body["about"] == "flood" and row.recipient == "ward@a.example"]
    assert (body["cases"], body["singly"], body["again"], body["step"]) == (7, 3, 60, "second nurse")
    assert body["link"] == f"https://console.example/console/?view=all&group={_A}"
    (entry,) = [row for row in ward.rows(audit) if row.act == "flood"]
    assert entry.detail == {"step": "second nurse", "level": 1, "told": 3, "group": _A, "cases": 7}
    assert ward.audit_log.verify().problem == ""


def test_late_comers_tell_nobody_again_until_a_while_has_gone(ward: Ward) -> None:
    for _ in range(5):
        _case(ward, _A)
    ward.look_after(minutes=6)
    later = _case(ward, _A)
    ward.look_after(minutes=6)
    assert _about(ward).count(("flood", later, 1)) == 0
    assert [row.escalated for row in ward.rows(triage_case)][-1] == 1
    ward.look_after(hours=1)
    last = _case(ward, _A)
    ward.look_after(minutes=6)
    assert _about(ward)[-1] == ("flood", last, 1)


def test_each_step_of_the_rota_is_told_of_a_flood_that_nobody_looks_at(ward: Ward) -> None:
    flood = [_case(ward, _A) for _ in range(5)]
    for _ in range(4):
        ward.look_after(minutes=6)
    assert [each for each in _about(ward) if each[0] == "flood"] == [("flood", flood[3], 1), ("flood", flood[3], 2)]
    assert [row.escalated for row in ward.rows(triage_case)] == [3] * 5


def test_a_call_doctor_case_from_there_is_told_of_as_ever(ward: Ward) -> None:
    for _ in range(5):
        _case(ward, _A)
    call = _case(ward, _A, "call_doctor")
    ward.look_after(minutes=61)
    assert ("case", call, 1) in _about(ward)


def test_two_gateways_tell_of_a_flood_once(ward: Ward, records_url: str) -> None:
    for _ in range(_FEW):
        ward.set(_case(ward, _A), escalated=3)
    _case(ward, _A)
    ward.clock.wait(minutes=6)
    assert _both_at_once(ward, records_url, "_escalate_together") == [0, 1]
    assert [row.body["about"] for row in ward.rows(notice)] == ["flood"] * 3


def test_a_flood_is_no_sign_that_patients_come_in(ward: Ward) -> None:
    ward.chat()
    ward.clock.wait(hours=5)
    flood = [_case(ward, _A) for _ in range(4)]
    for number in flood:
        ward.set(number, state="closed")
    ward.look_after(hours=1)
    assert [row.body["about"] for row in ward.rows(notice)] == ["silence"] * 3
    _case(ward, _B, "self_care")
    assert ward.look_after(hours=3) == 0


def test_the_letter_says_what_it_is_about(ward: Ward) -> None:
    for _ in range(5):
        _case(ward, _A)
    ward.look_after(minutes=6)
    (row,) = [row for row in ward.rows(notice) if row.body["about"] == "flood" and row.recipient == "ward@a.example"]
    settings = replace(ward.settings, mail_from="aftercare@a.example")
    outbox = NoticeDelivery(ward.records.engine, settings, ward.clock, clinic_in("UTC"))
    letter = outbox._letter(row)
    said = " ".join(letter.get_content().split())
    assert letter["Subject"] == "5 emergencies from one address in 6 minutes"
    assert "one by one. Of the others you are told with this message only" in said
    assert CANARY not in said
    assert [posted.flood for posted in outbox.latest(99)].count(True) == 3


def test_a_lead_closes_what_nobody_acknowledged_with_a_reason(ward: Ward) -> None:
    flood = [_case(ward, _A) for _ in range(30)]
    seen, other = _case(ward, _A), _case(ward, _B)
    ward.set(seen, state="acknowledged")
    assert _acts(ward).close_flood(_A, _lead(ward), ward.clock(), "not_needed", " Somebody plays ") == 30
    states = {row.id: (row.state, row.outcome, row.rank) for row in ward.rows(triage_case)}
    assert all(states[number] == ("closed", "not_needed", Rank.CLOSED) for number in flood)
    assert states[seen][0] == "acknowledged"
    assert states[other][0] == "open"
    acts = [row for row in ward.rows(case_act) if row.kind == "close"]
    assert [row.case_id for row in acts] == flood
    assert all(row.facts["group"] == _A for row in acts)
    assert "plays" not in json.dumps([[*map(str, row)] for row in (*acts, *ward.rows(audit))])
    case = ward.rows(triage_case)[0]
    assert ward.records.open(case.conversation_id, acts[0].sealed, act_associated_data("close", acts[0].at)) == {"text": "Somebody plays"}
    assert ward.rows(audit)[-1].detail == {"group": _A, "outcome": "not_needed", "closed": 30}
    assert ward.audit_log.verify().problem == ""


def test_a_call_that_was_asked_for_is_no_longer_due(ward: Ward) -> None:
    flood = [_case(ward, _A) for _ in range(5)]
    ward.set(flood[0], callback_at=ward.clock(), callback_due=ward.clock(), next_attempt_at=ward.clock())
    lead = _lead(ward)
    ward.set(flood[0], held_by=lead, held_until=ward.clock() + timedelta(minutes=9))
    _acts(ward).close_flood(_A, lead, ward.clock(), "not_needed", "no patients")
    case = next(row for row in ward.rows(triage_case) if row.id == flood[0])
    assert (case.state, case.callback_at, case.callback_due, case.next_attempt_at) == ("closed", None, None, None)
    assert (case.held_by, case.held_until) == (None, None)


def test_whoever_wrote_since_the_list_was_shown_stays_open(ward: Ward) -> None:
    flood = [_case(ward, _A) for _ in range(5)]
    shown = ward.clock()
    ward.clock.wait(seconds=5)
    last = ward.rows(triage_case)[-1]
    ward.records.add_message(last.conversation_id, "message-late", CANARY)
    new = _case(ward, _A)
    assert _acts(ward).close_flood(_A, _lead(ward), shown, "not_needed", "no patients") == 4
    assert [row.id for row in ward.rows(triage_case) if row.state == "open"] == [flood[-1], new]


def test_one_that_was_closed_and_writes_again_is_open_again(ward: Ward) -> None:
    flood = [_case(ward, _A) for _ in range(4)]
    _acts(ward).close_flood(_A, _lead(ward), ward.clock(), "not_needed", "no patients")
    name = ward.rows(triage_case)[0].conversation_id
    ward.records.add_message(name, "message-again", CANARY)
    assert [row.id for row in ward.rows(triage_case) if row.state == "open"] == [flood[0]]


@pytest.mark.parametrize(
    ("cases", "outcome", "reason", "status"),
    [(3, "not_needed", "x", 409), (5, "", "x", 422), (5, "made_up", "x", 422), (5, "not_needed", "  ", 422)],
)
def test_what_is_no_flood_or_has_no_reason_stays_open(ward: Ward, cases: int, outcome: str, reason: str, status: int) -> None:
    for _ in range(cases):
        _case(ward, _A)
    with pytest.raises(ActError) as refused:
        _acts(ward).close_flood(_A, _lead(ward), ward.clock(), outcome, reason)
    assert refused.value.status == status
    assert {row.state for row in ward.rows(triage_case)} == {"open"}


def _groups(settings: Settings) -> Callable[..., str | None]:
    groups = Groups(settings, Proxies(settings))

    def of(host: str, day: Any = _DAY, **scope: Any) -> str | None:
        return groups.of({"client": (host, 1), **scope}, day)

    return of


def test_a_group_is_a_keyed_hash_of_a_day(settings: Settings) -> None:
    of = _groups(settings)
    mine = of("203.0.113.9")
    assert mine is not None
    assert re.fullmatch("[0-9a-f]{16}", mine)
    assert of("203.0.113.9") == of("::ffff:203.0.113.9") == mine
    assert of("2001:db8:1:2::1") == of("2001:db8:1:2:3::9")
    others = {mine, of("203.0.113.8"), of("203.0.113.9", _DAY + timedelta(days=1)), of("2001:db8:1:2::1"), of("2001:db8:1:3::1")}
    assert len(others) == 5
    assert _groups(replace(settings, master_keys=(b"another key of 32 bytes, no more",)))("203.0.113.9") != mine


def test_where_the_address_is_no_patients_own_there_is_no_group(settings: Settings) -> None:
    of = _groups(settings)
    assert [of(host) for host in ("127.0.0.1", "127.0.9.9", "::1", "unknown", "")] == [None] * 5
    assert of("203.0.113.9", **{"aftercare.unbelieved": True}) is None
    hidden = replace(settings, public_origins=("https://chat.clinic.example",), trusted_proxies="")
    assert _groups(hidden)("203.0.113.9") is None
    assert _groups(replace(hidden, trusted_proxies="10.0.0.1"))("203.0.113.9") is not None


@pytest.fixture
def flooded(open_door: Callable[..., Door], settings: Settings) -> Door:
    """A gateway with four emergencies of one address, of which two are taken singly, and one of another."""
    door = open_door(policy=replace(settings.policy, flood=(2, timedelta(hours=1))))
    for _ in range(4):
        door.patient().say(RED_FLAG)
    elsewhere = TestClient(door.app, base_url=HOME, client=("198.51.100.9", 1), raise_server_exceptions=False)
    started = elsewhere.post(f"{API}/sessions", json={"key": "demo"}, headers={"Origin": HOME}).json()
    Patient(door.client, started).say(RED_FLAG)
    return door


def test_a_lead_sees_the_line_and_closes_it(flooded: Door) -> None:
    lead, nurse = hired(flooded, "Lea Example", "lead"), hired(flooded, "Nora Example", "nurse")
    page = lead.get("/").text
    assert page.count('class="case"') == 3
    found = re.search(r"group=([0-9a-f]{16})", page)
    assert found is not None
    assert "<strong>2</strong> more emergencies from one address" in page
    assert nurse.get("/queue").text.count('class="case"') == 3
    group = f"/?view=all&group={found[1]}"
    assert nurse.get(group).text.count('class="case"') == 4
    assert "A team lead can close them together" in nurse.get(group).text
    form = lead.get(group).text
    seen = re.search(r'name="seen" value="([^"]+)"', form)
    assert seen is not None
    fields = {"seen": seen[1], "outcome": "not_needed", "reason": "Somebody plays with it"}
    assert nurse.post(f"/floods/{found[1]}/close", **fields).status_code == 403
    assert lead.post(f"/floods/{found[1]}/close", **{**fields, "reason": ""}).status_code == 422
    assert lead.post(f"/floods/{found[1]}/close", **{**fields, "seen": "now"}).status_code == 422
    assert lead.post("/floods/" + "0" * 16 + "/close", **fields).status_code == 409
    done = lead.post(f"/floods/{found[1]}/close", **fields)
    assert done.status_code == 303
    assert lead.get(done.headers["location"].removeprefix("/console")).text.count('class="case"') == 4
    assert lead.get("/").text.count('class="case"') == 1
    number = re.search(r"/console/cases/(\d+)", lead.get(group.replace("all", "closed")).text)
    assert number is not None
    history = nurse.get(f"/cases/{number[1]}").text
    assert "closed it together with others from one address: No contact needed. Somebody plays with it" in " ".join(history.split())
    assert f"group={found[1]}" in history


def test_the_address_stands_nowhere(flooded: Door) -> None:
    content = b"".join(file.read_bytes() for file in flooded.file.parent.glob("records.db*"))
    assert b"203.0.113" not in content
    assert b"198.51.100" not in content
