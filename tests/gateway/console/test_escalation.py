"""Escalation: who is told when nobody acknowledges, once each, on both databases; and the watch over silence."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from gateway.console.audit.log import AuditLog
from gateway.console.notify.escalation import Escalation
from gateway.console.policy import Step
from gateway.records.database import connect, writing
from gateway.records.sealing import Keyring
from gateway.records.signals import rank_of
from gateway.records.store import Records
from gateway.records.tables import audit, case_act, notice, triage_case
from gateway.settings import EmbedKey, Settings
from tests.gateway.support import CANARY, MASTER_KEY, clinic_in

_numbers = count(1)
_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_EARLY = datetime(2026, 3, 2, 6, tzinfo=UTC)
_ROTA = (
    Step("second nurse", ("ward@a.example", "services@a.example"), ("pager",)),
    Step("doctor", ("doctor@a.example",), ()),
    Step("boss", (), ()),
)


@dataclass
class Wall:
    """A clock that stands until a test moves it."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Ward:
    """A database with its watch, without a web server."""

    settings: Settings
    records: Records
    clock: Wall
    audit_log: AuditLog
    escalation: Escalation

    def chat(self, embed_key: str = "demo") -> str:
        session = self.records.session(self.records.start(embed_key, {"blocks": []}, "patient", bound=("vertebroplasty", "en")))
        assert session is not None
        return session.conversation

    def case(self, disposition: str | None, rule: str = "chest_pain", kind: str = "triage") -> int:
        """A case of a new conversation."""
        name = self.chat()
        self.answer(name, disposition, rule, kind)
        with self.records.engine.connect() as connection:
            number = connection.scalar(select(triage_case.c.id).where(triage_case.c.conversation_id == name))
        assert number is not None
        return int(number)

    def answer(self, name: str, disposition: str | None, rule: str, kind: str = "triage") -> None:
        message, _ = self.records.add_message(name, f"message-{next(_numbers)}", CANARY)
        facts = {"type": kind, "rules": [rule] if disposition else [], "codes": [["chest_pain", "present"]]}
        words = {"text": CANARY, "blocks": [], "buttons": [], "conversation": {}, "understood": {}}
        self.records.add_answer(name, message.seq, facts, words, disposition)

    def set(self, number: int, **values: Any) -> None:
        with writing(self.records.engine) as connection:
            case = connection.execute(select(triage_case).where(triage_case.c.id == number)).one()
            now = {**case._mapping, **values}
            where = rank_of(now)
            changed = {**values, "rank": where, "version": case.version + 1}
            connection.execute(update(triage_case).where(triage_case.c.id == number).values(**changed))

    def rows(self, table: Any) -> list[Any]:
        with self.records.engine.connect() as connection:
            return list(connection.execute(select(table).order_by(*table.primary_key)))

    def look_after(self, **span: float) -> int:
        self.clock.wait(**span)
        return self.escalation.look()


@pytest.fixture
def make_ward(engine: Engine, settings: Settings) -> Callable[..., Ward]:
    def make(start: datetime = _EARLY, rota: tuple[Step, ...] = _ROTA, zone: str = "UTC", **changes: Any) -> Ward:
        clock = Wall(start)
        own = replace(settings, policy=replace(settings.policy, rota=rota), console_origins=("https://console.example",), **changes)
        records = Records(engine, Keyring((MASTER_KEY,)), clock)
        audit_log = AuditLog(engine, own.audit_key, clock)
        return Ward(own, records, clock, audit_log, Escalation(records, own, audit_log, clinic_in(zone)))

    return make


@pytest.fixture
def ward(make_ward: Callable[..., Ward]) -> Ward:
    return make_ward()


def test_each_step_waits_the_limit_again_until_the_rota_ends(ward: Ward) -> None:
    number = ward.case("emergency")
    assert ward.look_after(minutes=4, seconds=59) == 0
    before = ward.rows(triage_case)[0].version
    assert [ward.look_after(seconds=1), ward.look_after(minutes=4), ward.look_after(minutes=1), ward.look_after(minutes=5)] == [1, 0, 1, 1]
    assert ward.look_after(hours=1) == 0
    assert [(n.level, n.channel, n.recipient) for n in ward.rows(notice)] == [
        (1, "email", "ward@a.example"),
        (1, "email", "services@a.example"),
        (1, "webhook", "pager"),
        (2, "email", "doctor@a.example"),
        (3, "none", ""),
    ]
    (case,) = ward.rows(triage_case)
    assert (case.id, case.escalated, case.version, case.state) == (number, 3, before + 3, "open")
    assert case.changed_at == _EARLY + timedelta(minutes=15)


def test_a_step_is_on_record_with_the_case_and_in_the_audit(ward: Ward) -> None:
    number = ward.case("emergency")
    ward.look_after(minutes=5)
    (act,) = ward.rows(case_act)
    told = {"step": "second nurse", "level": 1, "told": 3}
    assert (act.case_id, act.staff_id, act.kind, act.facts, act.sealed) == (number, None, "escalated", told, None)
    (entry,) = ward.rows(audit)
    assert (entry.act, entry.staff_id, entry.case_id, entry.detail) == ("escalated", None, number, told)
    assert ward.audit_log.verify().problem == ""


def test_a_notice_says_which_case_how_long_and_where_and_no_more(ward: Ward) -> None:
    number = ward.case("emergency")
    ward.look_after(minutes=7)
    row = ward.rows(notice)[0]
    assert row.body == {
        "about": "case",
        "case": number,
        "tier": "emergency",
        "reason": "",
        "minutes": 7,
        "step": "second nurse",
        "at": "2026-03-02T06:07:00+00:00",
        "link": f"https://console.example/console/cases/{number}",
    }
    assert (row.due_at, row.attempts, row.sent_at, row.given_up_at) == (ward.clock(), 0, None, None)


def test_no_patients_word_and_no_conversation_goes_out(ward: Ward) -> None:
    ward.case("emergency")
    ward.look_after(minutes=5)
    said = json.dumps([[*map(str, row)] for table in (notice, case_act, audit) for row in ward.rows(table)])
    for secret in (CANARY, "chest_pain", ward.rows(triage_case)[0].conversation_id):
        assert secret not in said


def test_a_call_doctor_case_waits_longer(ward: Ward) -> None:
    ward.case("call_doctor", "fever")
    assert ward.look_after(minutes=59) == 0
    assert ward.look_after(minutes=1) == 1


def test_self_care_and_no_advice_tell_nobody(ward: Ward) -> None:
    ward.case("self_care", "sore")
    ward.case(None)
    assert ward.look_after(hours=20) == 0


def test_an_answer_that_failed_counts_like_call_doctor(ward: Ward) -> None:
    ward.case(None, kind="trouble")
    assert ward.look_after(minutes=59) == 0
    assert ward.look_after(minutes=1) == 1
    body = ward.rows(notice)[0].body
    assert (body["tier"], body["reason"]) == ("none", "failed")


@pytest.mark.parametrize("state", ["acknowledged", "closed"])
def test_an_acknowledgement_stops_the_steps(ward: Ward, state: str) -> None:
    number = ward.case("emergency")
    assert ward.look_after(minutes=5) == 1
    ward.set(number, state=state, acknowledged_at=ward.clock())
    assert ward.look_after(hours=1) == 0


def test_a_rule_that_fires_again_starts_from_the_first_step(ward: Ward) -> None:
    number = ward.case("emergency")
    assert [ward.look_after(minutes=5), ward.look_after(minutes=5)] == [1, 1]
    ward.set(number, state="acknowledged", acknowledged_at=ward.clock())
    ward.answer(ward.rows(triage_case)[0].conversation_id, "emergency", "weak_legs")
    assert ward.look_after(minutes=4) == 0
    assert ward.look_after(minutes=1) == 1
    assert [act.facts["level"] for act in ward.rows(case_act)] == [1, 2, 1]


def test_a_snoozed_case_escalates_when_it_wakes(ward: Ward) -> None:
    number = ward.case("call_doctor", "fever")
    ward.set(number, snoozed_until=ward.clock() + timedelta(minutes=90))
    assert ward.look_after(minutes=89) == 0
    assert ward.look_after(minutes=1) == 1


def test_an_emergency_that_nobody_acknowledged_does_not_sleep(ward: Ward) -> None:
    number = ward.case("emergency")
    ward.set(number, snoozed_until=ward.clock() + timedelta(hours=9))
    assert ward.look_after(minutes=5) == 1


def test_a_step_with_nobody_counts_and_is_shown(make_ward: Callable[..., Ward]) -> None:
    ward = make_ward(rota=(Step("nobody", (), ()), Step("doctor", ("doctor@a.example",), ())))
    ward.case("emergency")
    assert [ward.look_after(minutes=5), ward.look_after(minutes=5)] == [1, 1]
    first, second = ward.rows(notice)
    assert (first.channel, first.due_at, first.given_up_at, first.problem) == (
        "none",
        None,
        ward.clock() - timedelta(minutes=5),
        "nobody to tell",
    )
    assert (second.channel, second.level) == ("email", 2)
    assert [act.facts["told"] for act in ward.rows(case_act)] == [0, 1]


def test_two_gateways_take_a_step_once(ward: Ward, records_url: str) -> None:
    number = ward.case("emergency")
    ward.clock.wait(minutes=5)
    assert _both_at_once(ward, records_url, "_escalate") == [0, 1]
    assert [(act.case_id, act.kind) for act in ward.rows(case_act)] == [(number, "escalated")]
    assert (len(ward.rows(notice)), ward.rows(triage_case)[0].escalated) == (3, 1)


def _both_at_once(ward: Ward, url: str, where: str) -> list[int]:
    """What two gateways do that both see what is due before either of them acts."""
    meeting = threading.Barrier(2)

    class Slow(Escalation):
        pass

    def slowly(self: Escalation, *given: Any) -> Any:
        meeting.wait(10)
        return getattr(Escalation, where)(self, *given)

    setattr(Slow, where, slowly)

    def look() -> int:
        engine = connect(url)
        records = Records(engine, Keyring((MASTER_KEY,)), ward.clock)
        try:
            return Slow(records, ward.settings, AuditLog(engine, ward.settings.audit_key, ward.clock), clinic_in("UTC")).look()
        finally:
            engine.dispose()

    with ThreadPoolExecutor(2) as pool:
        return sorted(each.result() for each in [pool.submit(look), pool.submit(look)])


def test_a_case_that_changes_in_between_is_left_alone(ward: Ward) -> None:
    number = ward.case("emergency")
    ward.clock.wait(minutes=5)
    case = ward.rows(triage_case)[0]
    ward.set(number, state="acknowledged", acknowledged_at=ward.clock())
    assert not ward.escalation._escalate(case, ward.clock())
    assert ward.rows(notice) == []


def test_silence_is_told_once_a_stretch(ward: Ward) -> None:
    ward.chat()
    assert ward.look_after(hours=5, minutes=59) == 0, "counts from 08:00"
    assert ward.look_after(minutes=1) == 1
    assert [ward.look_after(hours=1), ward.look_after(days=1)] == [0, 0]
    ward.chat()
    assert ward.look_after(hours=3) == 0
    assert ward.look_after(hours=1) == 1
    assert [(n.case_id, n.recipient) for n in ward.rows(notice)] == [
        (None, each) for each in ("ward@a.example", "services@a.example", "pager")
    ] * 2
    body = ward.rows(notice)[0].body
    assert (body["about"], body["minutes"], body["link"]) == ("silence", 360, "https://console.example/console/")
    assert [entry.act for entry in ward.rows(audit)] == ["silence", "silence"]


def test_silence_is_told_during_the_hours_only(make_ward: Callable[..., Ward]) -> None:
    ward = make_ward(start=_NOON + timedelta(hours=3))
    ward.chat()
    assert [ward.look_after(hours=3), ward.look_after(hours=9), ward.look_after(hours=8, minutes=59)] == [0, 0, 0]
    assert ward.look_after(minutes=1) == 1


@pytest.mark.parametrize(
    ("zone", "day", "opens"),
    [
        ("America/New_York", datetime(2026, 3, 6, tzinfo=UTC), 13),
        ("America/New_York", datetime(2026, 3, 9, tzinfo=UTC), 12),
        ("Asia/Tokyo", datetime(2026, 3, 6, tzinfo=UTC), -1),
    ],
)
def test_the_hours_of_a_silence_are_the_clinics(make_ward: Callable[..., Ward], zone: str, day: datetime, opens: int) -> None:
    ward = make_ward(start=day + timedelta(hours=opens - 2), zone=zone)
    ward.chat()
    assert ward.look_after(hours=5, minutes=59) == 0, "counts from 08:00"
    assert ward.look_after(minutes=1) == 1
    ward.chat()
    assert [ward.look_after(hours=5, minutes=59), ward.look_after(minutes=1), ward.look_after(hours=5)] == [1, 0, 0]


@pytest.mark.parametrize(("sunday", "hours"), [(datetime(2026, 3, 8, tzinfo=UTC), 9), (datetime(2026, 11, 1, tzinfo=UTC), 11)])
def test_hours_of_a_silence_over_a_change_of_the_clock_have_its_length(
    make_ward: Callable[..., Ward], sunday: datetime, hours: int
) -> None:
    ward = make_ward(zone="America/New_York")
    policy = replace(ward.settings.policy, silence=(timedelta(hours=4), time(20), time(6)))
    ward.escalation = Escalation(ward.records, replace(ward.settings, policy=policy), ward.audit_log, clinic_in("America/New_York"))
    begins, ends = ward.escalation._watched_hours(sunday + timedelta(hours=6, minutes=30))
    assert ends - begins == timedelta(hours=hours)


def test_the_hours_may_go_past_midnight(make_ward: Callable[..., Ward], settings: Settings) -> None:
    ward = make_ward(start=_NOON)
    after, opens, closes = settings.policy.silence
    policy = replace(ward.settings.policy, silence=(after, closes, opens))
    ward.escalation = Escalation(ward.records, replace(ward.settings, policy=policy), ward.audit_log, clinic_in("UTC"))
    ward.chat()
    assert [ward.look_after(hours=5, minutes=59), ward.look_after(hours=4)] == [0, 0]
    assert ward.look_after(hours=3) == 1


def test_before_the_first_conversation_there_is_no_silence(ward: Ward) -> None:
    assert ward.look_after(hours=8) == 0


def test_a_probe_breaks_no_silence(make_ward: Callable[..., Ward], settings: Settings) -> None:
    keys = {**settings.embed_keys, "probe": EmbedKey("probe", (), "en", synthetic=True)}
    ward = make_ward(embed_keys=keys)
    ward.chat()
    ward.clock.wait(hours=5)
    ward.chat("probe")
    assert ward.look_after(hours=1) == 1


def test_two_gateways_tell_a_silence_once(ward: Ward, records_url: str) -> None:
    ward.chat()
    ward.clock.wait(hours=6)
    assert _both_at_once(ward, records_url, "_tell_silence") == [0, 1]
    assert len(ward.rows(notice)) == 3
