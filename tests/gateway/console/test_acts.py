"""What nurses do with a case, on either database: each act, what refuses it, and what it leaves in the history and in the audit."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, Row, delete, select, text, update
from sqlalchemy.exc import DBAPIError

from gateway.console.audit.log import AuditLog
from gateway.console.cases.acts import Acts
from gateway.console.cases.case_view import act_associated_data
from gateway.console.cases.disagreements import Disagreements
from gateway.console.errors import ActError, NoCaseError
from gateway.console.identity.staff import StaffBook
from gateway.console.policy import read_policy
from gateway.records.database import writing
from gateway.records.sealing import Keyring
from gateway.records.store import Records
from gateway.records.tables import audit, case_act, conversation_key, disagreement, staff, triage_case
from gateway.records.tier import Rank
from tests.gateway.support import BOUND, MASTER_KEY, Clock, library_in

_SECRET = "numbatberry"
_PROTOCOL = {"id": "vertebroplasty", "version": "v1"}
_NO_WORDS: dict[str, Any] = {"blocks": [], "buttons": [], "understood": {}, "conversation": {"pending": ""}}


@dataclass
class Ward:
    """A case with two nurses, on one database.

    Attributes:
        number: the case.
    """

    records: Records
    audit_log: AuditLog
    acts: Acts
    clock: Clock
    number: int
    name: str
    anna: int
    bert: int

    @property
    def case(self) -> Row[Any]:
        with self.records.engine.connect() as connection:
            return connection.execute(select(triage_case).where(triage_case.c.id == self.number)).one()

    @property
    def seen(self) -> int:
        return int(self.case.last_seq)

    def says(self, disposition: str | None, *rules: str) -> None:
        """The patient writes, and gets an answer."""
        message = self.records.add(self.name, "message", {}, words={"text": _SECRET}, client_id=f"id-{self.seen}")
        facts = {"type": "triage", "rules": list(rules), "codes": [], "protocol": _PROTOCOL, "kept": True}
        self.records.add_answer(self.name, message.seq, facts, _NO_WORDS, disposition)

    def acknowledge(self, by: int | None = None) -> None:
        self.acts.acknowledge(self.number, by or self.anna, self.seen)

    def done(self) -> list[Row[Any]]:
        """The case's history."""
        with self.records.engine.connect() as connection:
            return list(connection.execute(select(case_act).where(case_act.c.case_id == self.number).order_by(case_act.c.id)))

    def audited(self) -> list[Row[Any]]:
        with self.records.engine.connect() as connection:
            return list(connection.execute(select(audit).order_by(audit.c.seq)))

    def words(self, act: Row[Any]) -> str:
        return str(self.records.open(self.name, act.sealed, act_associated_data(act.kind, act.at))["text"])


@pytest.fixture
def new_ward(engine: Engine) -> Callable[[str], Ward]:
    """Make a ward whose case has this disposition."""

    def make(disposition: str) -> Ward:
        clock = Clock()
        records, audit_log = Records(engine, Keyring([MASTER_KEY]), clock), AuditLog(engine, bytes(32), clock)
        book = StaffBook(engine, records.keyring, clock)
        anna, bert = (book.invite(name, "nurse")[0].id for name in ("Anna", "Bert"))
        token = records.start("demo", {"blocks": []}, "patient", bound=BOUND)
        session = records.session(token)
        assert session is not None
        policy = read_policy()
        ward = Ward(
            records, audit_log, Acts(records, policy, audit_log, library_in("America/New_York")), clock, 1, session.conversation, anna, bert
        )
        message = records.add(ward.name, "message", {}, words={"text": _SECRET}, client_id="first-one")
        facts = {"type": "triage", "rules": [f"first_{disposition}"], "codes": [], "protocol": _PROTOCOL, "kept": True}
        records.add_answer(ward.name, message.seq, facts, _NO_WORDS, disposition)
        return ward

    return make


@pytest.fixture
def red(new_ward: Callable[[str], Ward]) -> Ward:
    return new_ward("emergency")


@pytest.fixture
def call(new_ward: Callable[[str], Ward]) -> Ward:
    return new_ward("call_doctor")


def test_an_acknowledgement_says_who_when_and_by_which_rule(red: Ward) -> None:
    before = red.case
    red.acknowledge()
    case, (act,), entry = red.case, red.done(), red.audited()[-1]
    assert (case.state, case.rank, case.acknowledged_by) == ("acknowledged", Rank.RED_SEEN, red.anna)
    assert case.version == before.version + 1
    assert case.changed_at == case.acknowledged_at == act.at > before.changed_at
    assert (act.kind, act.staff_id) == ("acknowledge", red.anna)
    assert (act.facts["rule"], act.facts["protocol"]) == ("first_emergency", "vertebroplasty v1")
    assert act.facts["fired_at"] == before.fired_at.isoformat()
    assert (entry.act, entry.staff_id, entry.case_id, entry.detail["act"]) == ("acknowledge", red.anna, 1, act.id)
    assert not red.audit_log.verify().problem


def test_the_second_to_acknowledge_is_told_who_was_first(red: Ward) -> None:
    red.acknowledge(red.bert)
    at = red.case.acknowledged_at
    with pytest.raises(
        ActError, match=f"Bert acknowledged this case at {at.astimezone(ZoneInfo('America/New_York')):%H:%M:%S %Z}"
    ) as refused:
        red.acknowledge(red.anna)
    assert refused.value.status == 409
    assert len(red.done()) == 1


def test_of_two_who_acknowledge_at_once_one_does(red: Ward) -> None:
    seen, both = red.seen, Barrier(2)

    def race(by: int) -> str:
        both.wait()
        try:
            red.acts.acknowledge(1, by, seen)
        except ActError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(race, (red.anna, red.bert)))
    winner = red.case.acknowledged_by
    loser = told[1 if winner == red.anna else 0]
    assert sorted(map(bool, told)) == [False, True]
    assert loser.startswith("Anna" if winner == red.anna else "Bert")
    assert [act.staff_id for act in red.done()] == [winner]


def test_what_fired_unseen_is_not_acknowledged(call: Ward) -> None:
    seen = call.seen
    call.says("call_doctor", "another_rule")
    with pytest.raises(ActError, match="fired anew"):
        call.acts.acknowledge(1, call.anna, seen)
    with pytest.raises(ActError, match="fired anew"):
        call.acts.snooze(1, call.anna, seen, call.clock() + timedelta(minutes=30), "later")
    assert call.case.state == "open"
    assert not call.done()
    call.acknowledge()


def test_a_patient_who_only_writes_on_does_not_stop_an_acknowledgement(call: Ward) -> None:
    seen = call.seen
    call.says(None)
    call.acts.acknowledge(1, call.anna, seen)
    assert call.case.state == "acknowledged"


def test_a_rule_that_fires_later_opens_the_case_again(call: Ward) -> None:
    call.acknowledge()
    call.says("emergency", "red_rule")
    assert (call.case.state, call.case.rank) == ("open", Rank.RED)
    call.acknowledge(call.bert)
    assert call.done()[-1].facts["rule"] == "red_rule"


def test_an_emergency_is_neither_closed_nor_snoozed_before_it_is_acknowledged(red: Ward) -> None:
    with pytest.raises(ActError, match="Acknowledge it first"):
        red.acts.close(1, red.anna, red.seen, "reached")
    with pytest.raises(ActError, match="Acknowledge it first"):
        red.acts.snooze(1, red.anna, red.seen, red.clock() + timedelta(minutes=30), "later")
    assert (red.case.state, red.case.rank, red.case.snoozed_until) == ("open", Rank.RED, None)
    red.acknowledge()
    red.acts.snooze(1, red.anna, red.seen, red.clock() + timedelta(minutes=30), "later")
    red.acts.close(1, red.anna, red.seen, "reached")
    assert (red.case.state, red.case.rank, red.case.outcome, red.case.snoozed_until) == ("closed", Rank.CLOSED, "reached", None)


def test_acknowledging_does_not_close_and_closing_needs_an_outcome(red: Ward) -> None:
    red.acknowledge()
    assert red.case.closed_at is None
    for outcome in ("", "whatever"):
        with pytest.raises(ActError) as refused:
            red.acts.close(1, red.anna, red.seen, outcome)
        assert refused.value.status == 422
    assert red.case.state == "acknowledged"


def test_a_case_is_not_closed_over_words_that_nobody_read(red: Ward) -> None:
    red.acknowledge()
    seen = red.seen
    red.says(None)
    with pytest.raises(ActError, match="wrote since"):
        red.acts.close(1, red.anna, seen, "reached")
    red.acts.close(1, red.anna, red.seen, "reached")


def test_a_contact_outcome_leaves_the_case_open(red: Ward) -> None:
    red.acts.outcome(1, red.anna, "no_answer")
    assert (red.case.state, red.case.outcome) == ("open", "no_answer")
    assert red.done()[-1].facts == {"outcome": "no_answer"}
    with pytest.raises(ActError):
        red.acts.outcome(1, red.anna, "nonsense")


def test_nothing_but_notes_and_opening_is_done_to_a_closed_case(call: Ward) -> None:
    call.acts.close(1, call.anna, call.seen, "reached")
    refusals: tuple[Callable[[], object], ...] = (
        lambda: call.acknowledge(),
        lambda: call.acts.assign(1, call.anna, call.bert),
        lambda: call.acts.snooze(1, call.anna, call.seen, call.clock() + timedelta(hours=1), "later"),
        lambda: call.acts.outcome(1, call.anna, "reached"),
        lambda: call.acts.close(1, call.anna, call.seen, "reached"),
    )
    for refused in refusals:
        with pytest.raises(ActError, match="closed"):
            refused()
    call.acts.note(1, call.anna, "a late note")
    assert call.case.rank == Rank.CLOSED


def test_a_case_opened_again_waits_for_its_acknowledgement_anew(red: Ward) -> None:
    with pytest.raises(ActError, match="open already"):
        red.acts.reopen(1, red.anna)
    red.acknowledge()
    red.acts.close(1, red.anna, red.seen, "reached")
    red.clock.travel(hours=1)
    red.acts.reopen(1, red.bert)
    case = red.case
    assert (case.state, case.rank, case.acknowledged_by, case.outcome, case.closed_at) == ("open", Rank.RED, None, None, None)
    assert case.fired_at == case.changed_at
    red.acknowledge(red.bert)


def test_snooze_and_wake(call: Ward) -> None:
    with pytest.raises(ActError, match="not snoozed"):
        call.acts.wake(1, call.anna)
    for wrong in (timedelta(minutes=-1), timedelta(hours=25)):
        with pytest.raises(ActError, match="24 hours"):
            call.acts.snooze(1, call.anna, call.seen, call.clock() + wrong, "later")
    with pytest.raises(ActError, match="Nothing is written"):
        call.acts.snooze(1, call.anna, call.seen, call.clock() + timedelta(hours=1), " ")
    until = call.clock() + timedelta(hours=1)
    call.acts.snooze(1, call.anna, call.seen, until, f"call back {_SECRET}")
    assert call.case.snoozed_until == until
    assert call.words(call.done()[-1]) == f"call back {_SECRET}"
    call.acts.wake(1, call.bert)
    assert call.case.snoozed_until is None
    assert [act.kind for act in call.done()] == ["snooze", "wake"]


def test_who_looks_after_a_case(call: Ward) -> None:
    call.acts.assign(1, call.anna, call.bert)
    assert call.case.assignee == call.bert
    with writing(call.records.engine) as connection:
        connection.execute(update(staff).where(staff.c.id == call.anna).values(role="auditor"))
    for nobody in (call.anna, 999):
        with pytest.raises(ActError, match="cannot look after"):
            call.acts.assign(1, call.bert, nobody)
    call.acts.assign(1, call.bert, None)
    assert call.case.assignee is None
    assert [act.facts["to"] for act in call.done()] == [call.bert, None]


def test_both_versions_of_a_note_stay(call: Ward) -> None:
    call.acts.note(1, call.anna, "first")
    (note,) = call.done()
    call.acts.amend(1, call.anna, note.id, "second")
    first, second = call.done()
    assert [call.words(act) for act in (first, second)] == ["first", "second"]
    assert second.facts == {"amends": note.id}
    with pytest.raises(ActError, match="Only who wrote"):
        call.acts.amend(1, call.bert, note.id, "third")
    with pytest.raises(ActError):
        call.acts.amend(1, call.anna, second.id, "an amendment is not a note")
    with pytest.raises(ActError):
        call.acts.note(1, call.anna, " \n ")
    for change in (
        update(case_act).where(case_act.c.id == note.id).values(sealed=b""),
        delete(case_act).where(case_act.c.id == note.id),
    ):
        with pytest.raises(DBAPIError), writing(call.records.engine) as connection:
            connection.execute(change)
    assert call.words(call.done()[0]) == "first"


def test_an_act_whose_audit_fails_is_not_done(call: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    record = call.audit_log.record

    def fail(*arguments: Any, **more: Any) -> None:
        record(*arguments, **more)
        raise OSError("no audit")

    monkeypatch.setattr(call.audit_log, "record", fail)
    with pytest.raises(OSError, match="no audit"):
        call.acknowledge()
    assert call.case.state == "open"
    assert not call.done()
    assert not call.audited()


def test_a_purged_conversation_takes_no_words_but_can_be_closed(call: Ward) -> None:
    with writing(call.records.engine) as connection:
        connection.execute(delete(conversation_key))
    with pytest.raises(ActError, match="deleted"):
        call.acts.note(1, call.anna, "too late")
    with pytest.raises(ActError, match="deleted"):
        Disagreements(call.records, call.audit_log).add(1, call.anna, call.seen, "misunderstood", (), "too late")
    call.acknowledge()
    call.acts.close(1, call.anna, call.seen, "not_needed")


def test_there_is_nothing_to_do_with_a_case_that_does_not_exist(call: Ward) -> None:
    with pytest.raises(NoCaseError):
        call.acts.acknowledge(2, call.anna, 99)
    with pytest.raises(NoCaseError):
        Disagreements(call.records, call.audit_log).add(2, call.anna, 1, "misunderstood", (), "why")


def test_a_disagreement_stands_beside_the_record(call: Ward) -> None:
    add, before = Disagreements(call.records, call.audit_log).add, call.records.events(call.name)
    number = add(1, call.anna, call.seen, "under_triaged", ("emergency",), f"because {_SECRET}")
    with call.records.engine.connect() as connection:
        row = connection.execute(select(disagreement)).one()
    assert (row.id, row.seq, row.kind, row.accepted, row.staff_id) == (number, call.seen, "under_triaged", ["emergency"], call.anna)
    assert call.records.open(call.name, row.sealed, act_associated_data("disagreement", row.at)) == {"reason": f"because {_SECRET}"}
    assert call.records.events(call.name) == before
    entry = call.audited()[-1]
    assert (entry.act, entry.detail["disagreement"], entry.detail["accepted"]) == ("disagree", number, ["emergency"])


@pytest.mark.parametrize(
    ("kind", "accepted", "reason", "why"),
    [
        ("under_triaged", (), "why", "more urgent"),
        ("under_triaged", ("self_care",), "why", "more urgent"),
        ("over_triaged", (), "why", "less urgent"),
        ("over_triaged", ("emergency",), "why", "less urgent"),
        ("nonsense", (), "why", "Choose the answer"),
        ("misunderstood", ("nonsense",), "why", "Choose the answer"),
        ("misunderstood", ("faq:John Doe, born 1950",), "why", "Choose the answer"),
        ("misunderstood", (), " ", "Say why"),
    ],
)
def test_a_disagreement_that_says_nothing_is_refused(call: Ward, kind: str, accepted: tuple[str, ...], reason: str, why: str) -> None:
    with pytest.raises(ActError, match=why):
        Disagreements(call.records, call.audit_log).add(1, call.anna, call.seen, kind, accepted, reason)


def test_only_answers_of_this_case_can_be_disagreed_with(call: Ward) -> None:
    for seq in (1, call.seen - 1, 99):
        with pytest.raises(ActError, match="Choose the answer"):
            Disagreements(call.records, call.audit_log).add(1, call.anna, seq, "misunderstood", (), "why")


def test_no_word_stands_in_the_audit_or_open_in_the_history(red: Ward) -> None:
    red.acknowledge()
    red.acts.note(1, red.anna, _SECRET)
    red.acts.amend(1, red.anna, red.done()[-1].id, _SECRET)
    red.acts.snooze(1, red.anna, red.seen, red.clock() + timedelta(minutes=20), _SECRET)
    Disagreements(red.records, red.audit_log).add(1, red.anna, red.seen, "misunderstood", (), _SECRET)
    open_text = json.dumps([entry.detail for entry in red.audited()] + [act.facts for act in red.done()])
    assert _SECRET not in open_text
    with red.records.engine.connect() as connection:
        for table in ("case_act", "disagreement", "audit"):
            assert _SECRET not in str(connection.execute(text(f"SELECT * FROM {table}")).all())
