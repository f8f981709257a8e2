"""An account that is closed gives its cases back: nobody believes that somebody acts on them who is no longer there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Row, select, text, update

from gateway.console.audit.log import AuditLog, Wanted
from gateway.console.cases.acts import Acts
from gateway.console.cases.holds import Holds
from gateway.console.cases.queue import Queue
from gateway.console.cases.release import release_cases
from gateway.console.errors import ActError
from gateway.console.handover.shift import read_shift
from gateway.console.identity.staff import StaffBook
from gateway.console.notify.escalation import Escalation
from gateway.console.policy import read_policy
from gateway.console.services import ConsoleServices
from gateway.records.database import connect
from gateway.records.sealing import Keyring
from gateway.records.store import Records
from gateway.records.tables import case_act, triage_case
from gateway.records.tier import Rank
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import BOUND, MASTER_KEY, RED_FLAG, Clock, Door, library_in

_NO_WORDS: dict[str, Any] = {"blocks": [], "buttons": [], "understood": {}, "conversation": {"pending": ""}}
_POLICY = read_policy()


@dataclass
class Ward:
    """Two nurses and an admin, on one database."""

    records: Records
    audit_log: AuditLog
    acts: Acts
    book: StaffBook
    anna: int
    bert: int
    admin: int

    def new_case(self, disposition: str = "emergency") -> int:
        """A case of this disposition."""
        session = self.records.session(self.records.start("demo", {"blocks": []}, "patient", bound=BOUND))
        assert session is not None
        message = self.records.add(session.conversation, "message", {}, words={"text": "words"}, client_id="first-one")
        facts = {"type": "triage", "rules": [f"a_{disposition}"], "codes": [], "protocol": {}, "kept": True}
        self.records.add_answer(session.conversation, message.seq, facts, _NO_WORDS, disposition)
        with self.records.engine.connect() as connection:
            query = select(triage_case.c.id).where(triage_case.c.conversation_id == session.conversation)
            return int(connection.execute(query).scalar_one())

    def case(self, number: int) -> Row[Any]:
        with self.records.engine.connect() as connection:
            return connection.execute(select(triage_case).where(triage_case.c.id == number)).one()

    def history(self, number: int) -> list[Row[Any]]:
        with self.records.engine.connect() as connection:
            return list(connection.execute(select(case_act).where(case_act.c.case_id == number).order_by(case_act.c.id)))

    def acknowledge(self, number: int, by: int) -> None:
        self.acts.acknowledge(number, by, self.case(number).last_seq)

    def close(self, account: int) -> None:
        """An admin closes an account."""

        def release(connection: Connection) -> None:
            release_cases(connection, self.audit_log, account, self.admin, self.records.clock())

        self.book.change(account, disabled=True, also=release)


@pytest.fixture
def ward(engine: Engine, clock: Clock) -> Ward:
    records, audit_log = Records(engine, Keyring([MASTER_KEY]), clock), AuditLog(engine, bytes(32), clock)
    book = StaffBook(engine, records.keyring, clock)
    anna, bert, admin = (book.invite(name, role)[0].id for name, role in (("Anna", "nurse"), ("Bert", "nurse"), ("Cleo", "admin")))
    acts = Acts(records, _POLICY, audit_log, library_in("America/New_York"))
    return Ward(records, audit_log, acts, book, anna, bert, admin)


def test_an_acknowledged_emergency_waits_again_with_a_new_clock(ward: Ward, clock: Clock) -> None:
    number = ward.new_case()
    ward.acknowledge(number, ward.anna)
    before = ward.case(number)
    clock.travel(hours=3)
    ward.close(ward.anna)
    case = ward.case(number)
    assert (case.state, case.rank, case.acknowledged_by, case.acknowledged_at) == ("open", Rank.RED, None, None)
    assert case.fired_at == case.changed_at >= before.fired_at + timedelta(hours=3)
    assert (case.escalated, case.version) == (0, before.version + 1)
    ward.acknowledge(number, ward.bert)
    assert ward.case(number).rank == Rank.RED_SEEN


@pytest.mark.parametrize(("disposition", "rank"), [("emergency", Rank.RED), ("call_doctor", Rank.CALL), ("self_care", Rank.REST)])
def test_a_case_that_nobody_acknowledged_loses_its_assignee_alone(ward: Ward, clock: Clock, disposition: str, rank: Rank) -> None:
    number = ward.new_case(disposition)
    ward.acts.assign(number, ward.bert, ward.anna)
    before = ward.case(number)
    clock.travel(hours=3)
    ward.close(ward.anna)
    case = ward.case(number)
    assert case.assignee is None
    assert (case.state, case.rank, case.fired_at, case.version) == ("open", rank, before.fired_at, before.version + 1)
    assert case.changed_at > before.changed_at


def test_a_case_is_its_assignees_whoever_acknowledged_it(ward: Ward) -> None:
    theirs, others = ward.new_case(), ward.new_case()
    ward.acknowledge(theirs, ward.bert)
    ward.acts.assign(theirs, ward.bert, ward.anna)
    ward.acknowledge(others, ward.anna)
    ward.acts.assign(others, ward.anna, ward.bert)
    before = ward.case(others)
    ward.close(ward.anna)
    assert (ward.case(theirs).rank, ward.case(theirs).assignee) == (Rank.RED, None)
    assert ward.case(others) == before


def test_closed_cases_and_those_of_others_stay_as_they_are(ward: Ward) -> None:
    closed, others, free = ward.new_case(), ward.new_case(), ward.new_case("call_doctor")
    ward.acts.assign(closed, ward.anna, ward.anna)
    ward.acknowledge(closed, ward.anna)
    ward.acts.close(closed, ward.anna, ward.case(closed).last_seq, "reached")
    ward.acknowledge(others, ward.bert)
    ward.acts.assign(others, ward.bert, ward.bert)
    before = [ward.case(number) for number in (closed, others, free)]
    ward.close(ward.anna)
    assert [ward.case(number) for number in (closed, others, free)] == before


def test_what_was_put_aside_is_back_and_a_promised_call_is_still_promised(ward: Ward, clock: Clock) -> None:
    number = ward.new_case()
    ward.acknowledge(number, ward.anna)
    ward.acts.outcome(number, ward.anna, "no_answer")
    ward.acts.snooze(number, ward.anna, ward.case(number).last_seq, clock() + timedelta(minutes=20), "call again")
    ward.close(ward.anna)
    assert (ward.case(number).snoozed_until, ward.case(number).outcome) == (None, "no_answer")
    queue = Queue(ward.records.engine, _POLICY, clock)
    assert queue.reds() == [number]
    with ward.records.engine.connect() as connection:
        assert [line.case for line in read_shift(connection, _POLICY, clock()).red] == [number]


def test_the_chat_that_it_held_is_handed_back_at_once(ward: Ward, clock: Clock) -> None:
    mine, other = ward.new_case(), ward.new_case()
    later = clock() + timedelta(minutes=15)
    with ward.records.engine.begin() as connection:
        for number, holder in ((mine, ward.anna), (other, ward.bert)):
            connection.execute(update(triage_case).where(triage_case.c.id == number).values(held_by=holder, held_until=later))
    ward.close(ward.anna)
    assert Holds(ward.records, ward.audit_log, library_in("America/New_York")).release() == 1
    assert [ward.case(number).held_by for number in (mine, other)] == [None, ward.bert]


def test_history_and_audit_say_why_and_who_closed_the_account(ward: Ward) -> None:
    number, assigned = ward.new_case(), ward.new_case("call_doctor")
    ward.acknowledge(number, ward.anna)
    ward.acts.assign(assigned, ward.bert, ward.anna)
    ward.close(ward.anna)
    for case, opened in ((number, True), (assigned, False)):
        act = ward.history(case)[-1]
        facts = {"why": "account_closed", "account": ward.anna, "opened": opened}
        assert (act.kind, act.staff_id, act.facts, act.sealed) == ("unassigned", None, facts, None)
        (entry,) = ward.audit_log.read(Wanted(act="unassigned", case=case)).entries
        assert (entry.person, entry.detail) == ("Cleo", {**facts, "act": act.id})
    assert ward.audit_log.verify().problem == ""
    ward.close(ward.anna)
    assert len(ward.audit_log.read(Wanted(act="unassigned")).entries) == 2, "there is nothing left to give back"


def test_the_account_is_not_closed_without_its_cases(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [ward.new_case(), ward.new_case()]
    for number in numbers:
        ward.acknowledge(number, ward.anna)
    record_all = ward.audit_log.record_all

    def fail(*arguments: Any, **more: Any) -> None:
        record_all(*arguments, **more)
        raise OSError("no audit")

    monkeypatch.setattr(ward.audit_log, "record_all", fail)
    with pytest.raises(OSError, match="no audit"):
        ward.close(ward.anna)
    person = ward.book.get(ward.anna)
    assert person is not None
    assert not person.disabled
    assert [ward.case(number).acknowledged_by for number in numbers] == [ward.anna] * 2
    assert [len(ward.history(number)) for number in numbers] == [1, 1]


def test_a_closed_account_takes_no_case(ward: Ward) -> None:
    number = ward.new_case()
    ward.close(ward.anna)
    for act in (partial(ward.acknowledge, number, ward.anna), partial(ward.acts.assign, number, ward.bert, ward.anna)):
        with pytest.raises(ActError, match="cannot look after"):
            act()
    assert (ward.case(number).state, ward.case(number).assignee) == ("open", None)


@pytest.mark.parametrize("act", ["acknowledge", "assign"])
def test_no_case_stays_with_an_account_that_is_closed_at_the_same_moment(ward: Ward, act: str) -> None:
    for _ in range(8):
        number, anna = ward.new_case(), ward.book.invite(f"Anna {ward.case(1).version} {ward.records.clock()}", "nurse")[0].id
        ready = Barrier(2)

        def take(number: int = number, anna: int = anna, ready: Barrier = ready) -> None:
            ready.wait()
            if act == "acknowledge":
                ward.acknowledge(number, anna)
            else:
                ward.acts.assign(number, ward.bert, anna)

        def close(anna: int = anna, ready: Barrier = ready) -> None:
            ready.wait()
            ward.close(anna)

        with ThreadPoolExecutor(2) as both:
            taken, closed = both.submit(take), both.submit(close)
            assert closed.exception() is None
            assert isinstance(taken.exception(), ActError | None)
        assert (ward.case(number).acknowledged_by, ward.case(number).assignee) == (None, None)


def test_its_cases_are_found_by_an_index(sqlite_url: str, clock: Clock) -> None:
    engine, looked = connect(sqlite_url), list[str]()
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.set_trace_callback(looked.append)
        release_cases(connection, AuditLog(engine, bytes(32), clock), 1, 2, clock())
        raw.set_trace_callback(None)
        queries = [each for each in looked if "triage_case" in each]
        plan = " ".join(str(row) for query in queries for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}")))
    assert "case_held" in plan
    assert "case_by_assignee" in plan
    assert "case_acknowledged_by" in plan
    engine.dispose()


# The pages.


@pytest.fixture
def shut(door: Door, nurse: Person, admin: Person) -> int:
    """An emergency that the nurse had acknowledged before her account was closed."""
    patient = door.patient()
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    answer = nurse.post(f"/cases/{number}/acknowledge", seen=99)
    assert answer.status_code == 303, answer.text
    assert admin.post(f"/staff/{nurse.id}/shut").status_code == 303
    return number


def test_the_case_says_so_on_the_screen_and_on_paper(shut: int, lead: Person) -> None:
    words = "Aftercare: Nurse Example&#39;s account was closed; the case belongs to nobody, and waits for an acknowledgement again"
    for path in (f"/cases/{shut}", f"/cases/{shut}/print"):
        page = lead.get(path).text
        assert words in page.replace("Nurse Example's", "Nurse Example&#39;s"), path
        assert "Not acknowledged" in page
        assert "Assigned to nobody" in page


def test_the_queue_and_the_alarm_wake_up(door: Door, nurse: Person, admin: Person, lead: Person, services: ConsoleServices) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    nurse.post(f"/cases/{number}/acknowledge", seen=99)
    queue = Queue(services.records.engine, services.policy, services.records.clock)
    seen = queue.fingerprint()
    assert lead.get(f"/queue?seen={seen}").status_code == 204
    assert lead.get("/alarm").json()["red"] == []
    admin.post(f"/staff/{nurse.id}/shut")
    assert lead.get(f"/queue?seen={seen}").status_code == 200
    assert lead.get("/alarm").json()["red"] == [number]


def test_the_rota_is_told_when_nobody_takes_it_over_in_time(shut: int, services: ConsoleServices, clock: Clock) -> None:
    escalation = Escalation(services.records, services.settings, services.audit_log, services.clinic)
    clock.travel(minutes=4)
    assert escalation.look() == 0
    clock.travel(minutes=2)
    assert escalation.look() == 1
    (entry,) = services.audit_log.read(Wanted(act="escalated")).entries
    assert (entry.case, entry.detail["level"]) == (shut, 1)


def test_an_account_of_the_hospitals_gives_its_cases_back_too(door: Door, admin: Person, services: ConsoleServices) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    number, person = case_of(door, patient), services.book.adopt("https://login.example|ben", "Ben", "nurse", None)
    acts = services.acts(Acts)
    acts.assign(number, person.id, person.id)
    admin.post(f"/staff/{person.id}/shut")
    row = Queue(services.records.engine, services.policy, services.records.clock).one(number)
    assert row is not None
    assert row.assignee is None


@pytest.mark.parametrize(("role", "keeps"), [("auditor", False), ("admin", False), ("lead", True)])
def test_who_may_act_no_longer_gives_the_cases_back(
    door: Door, nurse: Person, admin: Person, lead: Person, services: ConsoleServices, role: str, keeps: bool
) -> None:
    patient = door.patient()
    patient.say(RED_FLAG)
    number = case_of(door, patient)
    nurse.post(f"/cases/{number}/acknowledge", seen=99)
    assert admin.post(f"/staff/{nurse.id}/role", role=role).status_code == 303
    row = Queue(services.records.engine, services.policy, services.records.clock).one(number)
    assert row is not None
    assert (row.state == "acknowledged") is keeps
    words = "has another role; the case belongs to nobody, and waits for an acknowledgement again"
    assert (words in lead.get(f"/cases/{number}").text) is not keeps
