"""The handover: complete, signed by two, and never signed over an emergency that was not thought of."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from gateway.console.audit.log import AuditLog
from gateway.console.cases.acts import Acts
from gateway.console.cases.queue import Queue
from gateway.console.handover.handovers import HandoverError, Handovers, TakenError
from gateway.console.handover.shift import Shift
from gateway.console.identity.staff import StaffBook
from gateway.console.policy import read_policy
from gateway.console.services import ConsoleServices
from gateway.records.retention import purge
from gateway.records.sealing import Keyring
from gateway.records.store import Records
from gateway.records.tables import audit, handover
from tests.gateway.console.conftest import Hire
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import BOUND, CANARY, HARMLESS, MASTER_KEY, RED_FLAG, Door, Patient, library_in, new_id

_FEVER = "I have a fever of 101"
_TYPED = "wombatjam: called twice & left a <message>"


def _acts(services: ConsoleServices) -> Acts:
    return services.acts(Acts)


def _look(services: ConsoleServices) -> Shift:
    return Handovers(services.records, services.policy, services.audit_log).look()


def _case(door: Door, words: str) -> int:
    patient: Patient = door.patient()
    patient.say(words)
    return case_of(door, patient)


def _seen(services: ConsoleServices, number: int) -> int:
    """The place of a case's last event."""
    return max(event.seq for event in services.records.events(_conversation(services, number)))


def _conversation(services: ConsoleServices, number: int) -> str:
    return Queue(services.records.engine, services.policy, services.records.clock).conversation(number)


def _given(person: Person, **fields: str) -> int:
    answer = person.post("/handover", **fields)
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].rsplit("/", 1)[1])


def test_what_is_open_stands_in_its_list(door: Door, services: ConsoleServices, nurse: Person) -> None:
    red, seen, call, sore = (_case(door, words) for words in (RED_FLAG, RED_FLAG, _FEVER, HARMLESS))
    _acts(services).acknowledge(seen, nurse.id, _seen(services, seen))
    shift = _look(services)
    assert [line.case for line in shift.red] == [red]
    assert [line.case for line in shift.red_seen] == [seen]
    assert [line.case for line in shift.call] == [call]
    assert set(shift.change.new) == {red, seen, call, sore}
    assert shift.summary.acknowledged == 1
    page = nurse.get("/handover")
    assert page.status_code == 200, page.text
    assert f'name="comment-{red}"' in page.text
    assert f'name="comment-{call}"' not in page.text
    assert f"<q>{RED_FLAG}</q>" in page.text


def test_calls_that_are_promised_stand_with_their_time(door: Door, services: ConsoleServices, nurse: Person) -> None:
    tried, later, reached = (_case(door, _FEVER) for _ in range(3))
    acts, now = _acts(services), door.clock()
    acts.outcome(tried, nurse.id, "no_answer")
    acts.outcome(reached, nurse.id, "no_answer")
    acts.outcome(reached, nurse.id, "reached")
    acts.snooze(later, nurse.id, _seen(services, later), now + timedelta(hours=2), "asleep")
    shift = _look(services)
    assert [line.case for line in shift.lines if line.called] == [tried]
    assert [(line.case, line.snoozed_until) for line in shift.lines if line.snoozed_until] == [(later, now + timedelta(hours=2))]


def test_an_open_emergency_without_a_comment_blocks_the_signature_and_nothing_is_lost(
    door: Door, services: ConsoleServices, nurse: Person
) -> None:
    first, second = _case(door, RED_FLAG), _case(door, RED_FLAG)
    _acts(services).acknowledge(second, nurse.id, _seen(services, second))
    page = nurse.post("/handover", general="quiet night", **{f"comment-{first}": _TYPED, f"comment-{second}": "  "})
    assert page.status_code == 422
    assert f"Write a comment on each open emergency: case {second}." in page.text
    assert "wombatjam: called twice &amp; left a &lt;message&gt;</textarea>" in page.text
    assert "quiet night</textarea>" in page.text
    _given(nurse, **{f"comment-{first}": _TYPED, f"comment-{second}": "in the ER"})


def test_a_case_that_turns_red_behind_the_page_blocks_the_signature(door: Door, services: ConsoleServices, nurse: Person) -> None:
    first = _case(door, RED_FLAG)
    assert nurse.get("/handover").status_code == 200
    late = _case(door, RED_FLAG)
    page = nurse.post("/handover", **{f"comment-{first}": "known"})
    assert page.status_code == 422
    assert f"case {late}." in page.text
    with services.records.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(handover)) == 0


def test_a_comment_on_a_case_that_is_no_emergency_any_more_is_kept(door: Door, services: ConsoleServices, nurse: Person) -> None:
    red, closed = _case(door, RED_FLAG), _case(door, RED_FLAG)
    acts = _acts(services)
    acts.acknowledge(closed, nurse.id, _seen(services, closed))
    acts.close(closed, nurse.id, _seen(services, closed), "reached")
    page = nurse.post("/handover", **{f"comment-{closed}": _TYPED})
    assert page.status_code == 422
    assert "wombatjam" in page.text
    number = _given(nurse, **{f"comment-{closed}": _TYPED, f"comment-{red}": "waits"})
    assert "wombatjam" in nurse.get(f"/handover/{number}").text


def test_a_comment_that_is_too_long_is_refused(door: Door, nurse: Person) -> None:
    red = _case(door, RED_FLAG)
    assert nurse.post("/handover", **{f"comment-{red}": "x" * 1_001}).status_code == 422
    assert nurse.post("/handover", general="x" * 4_001, **{f"comment-{red}": "x"}).status_code == 422


def test_one_gives_and_another_takes_once(door: Door, services: ConsoleServices, hire: Hire) -> None:
    giver, taker, third = hire("nurse", "Giver"), hire("nurse", "Taker"), hire("lead", "Third")
    red = _case(door, RED_FLAG)
    number = _given(giver, general="see you", **{f"comment-{red}": _TYPED})
    assert "Not taken over" in taker.get("/handover").text
    assert giver.post(f"/handover/{number}/take").status_code == 409
    assert taker.post(f"/handover/{number}/take").status_code == 303
    assert third.post(f"/handover/{number}/take").status_code == 409
    page = third.get(f"/handover/{number}").text
    assert "Given by Giver" in page
    assert "Taken over by Taker" in page
    assert "wombatjam: called twice &amp; left a &lt;message&gt;" in page
    assert "see you" in page
    assert taker.post("/handover/999/take").status_code == 404
    assert taker.get("/handover/999").status_code == 404
    with services.records.engine.connect() as connection:
        acts = list(connection.scalars(select(audit.c.act).where(audit.c.act.like("%handover%")).order_by(audit.c.seq)))
    assert acts == ["handover_given", "view_handover", "handover_taken", "view_handover"]


def test_the_next_handover_begins_where_the_last_one_ended(door: Door, services: ConsoleServices, nurse: Person) -> None:
    before = _case(door, _FEVER)
    _given(nurse)
    door.clock.travel(minutes=5)
    behind = _case(door, _FEVER)
    _acts(services).close(before, nurse.id, _seen(services, before), "advised")
    change = _look(services).change
    assert change.new == (behind,)
    assert (change.closed, change.outcomes) == (1, {"advised": 1})


def test_what_came_over_its_limit_is_told_whether_it_waits_or_not(door: Door, services: ConsoleServices, nurse: Person) -> None:
    seen, waits = _case(door, RED_FLAG), _case(door, RED_FLAG)
    door.clock.travel(minutes=6)
    _acts(services).acknowledge(seen, nurse.id, _seen(services, seen))
    soon = _case(door, RED_FLAG)
    _acts(services).acknowledge(soon, nurse.id, _seen(services, soon))
    shift = _look(services)
    assert set(shift.change.late) == {seen, waits}
    assert shift.summary.late == 1
    assert shift.summary.slowest_tenth is not None
    assert shift.summary.slowest_tenth > timedelta(minutes=6)


def test_comments_lie_sealed_and_are_purged_with_their_conversation(door: Door, services: ConsoleServices, nurse: Person) -> None:
    red = _case(door, RED_FLAG)
    number = _given(nurse, general="badgerham", **{f"comment-{red}": _TYPED})
    with services.records.engine.connect() as connection:
        row = connection.execute(select(handover).where(handover.c.id == number)).one()
        details = list(connection.scalars(select(audit.c.detail)))
    for word in (b"wombatjam", b"badgerham", CANARY.encode()):
        assert word not in row.sealed
        assert word.decode() not in json.dumps([row.figures, details])
    purge(services.records.engine, door.clock() + timedelta(days=1), dry_run=False)
    page = nurse.get(f"/handover/{number}").text
    assert "wombatjam" not in page
    assert "deleted" in page
    assert "badgerham" in page


def test_an_emergency_whose_words_were_purged_needs_no_comment(door: Door, services: ConsoleServices, nurse: Person) -> None:
    red = _case(door, RED_FLAG)
    purge(services.records.engine, door.clock() + timedelta(days=1), dry_run=False)
    assert [line.case for line in _look(services).red] == [red]
    assert f'name="comment-{red}"' not in nurse.get("/handover").text
    _given(nurse)


def test_it_is_given_read_and_taken_in_either_database(engine: Engine) -> None:
    records, policy = Records(engine, Keyring([MASTER_KEY])), read_policy()
    book = StaffBook(engine, records.keyring, records.clock)
    (giver, _), (taker, _) = book.invite("Giver", "nurse"), book.invite("Taker", "lead")
    session = records.session(records.start("demo", {"blocks": [], "buttons": [], "sources": []}, "patient", bound=BOUND))
    assert session is not None
    message, _ = records.add_message(session.conversation, new_id(), CANARY)
    records.add_answer(session.conversation, message.seq, {"type": "triage", "rules": ["chest_pain"]}, {}, "emergency")
    audit_log = AuditLog(engine, bytes(32), records.clock)
    acts, handovers = Acts(records, policy, audit_log, library_in("UTC")), Handovers(records, policy, audit_log)
    (line,) = handovers.look().red
    assert line.rule == "chest_pain"
    acts.outcome(line.case, giver.id, "no_answer")
    with pytest.raises(HandoverError):
        handovers.give(giver.id, {}, "")
    number = handovers.give(giver.id, {line.case: "called"}, "all else is quiet")
    handovers.take(number, taker.id)
    with pytest.raises(TakenError):
        handovers.take(number, taker.id)
    signed = handovers.read(number)
    assert signed is not None
    assert (signed.comments, signed.general, signed.taken_by) == ({line.case: "called"}, "all else is quiet", "Taker")
    assert [each.case for each in signed.shift.lines if each.called] == [line.case]
    assert [each.id for each in handovers.newest()] == [number]
    assert audit_log.verify().problem == ""


@pytest.mark.parametrize("role", ["auditor", "admin"])
def test_only_nurses_and_leads_hand_over(hire: Hire, nurse: Person, role: str) -> None:
    number = _given(nurse)
    person = hire(role)
    assert person.get("/handover").status_code == 403
    assert person.post("/handover").status_code == 403
    assert person.get(f"/handover/{number}").status_code == 403
    assert person.post(f"/handover/{number}/take").status_code == 403
