"""The patient's side by the clinic's clock: which day a message is of, and which number to call now."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from aftercare.conversation import Conversation
from aftercare.protocol import Key, Protocol
from aftercare.understanding.reading import Reading
from gateway.patient_copy import PatientCopy
from tests.gateway.support import Clock, Door
from tests.gateway.test_pages import _config, _Page

_OPEN, _CLOSED = datetime(2030, 5, 13, 14, tzinfo=UTC), datetime(2030, 5, 14, 3, 30, tzinfo=UTC)


class _Still(Clock):
    """A clock that stands at half past eleven at night of the 13th of May in New York, until it travels."""

    def __call__(self) -> datetime:
        return _CLOSED + self._ahead


@pytest.fixture
def clock() -> Clock:
    return _Still()


@pytest.mark.parametrize(("hours", "day"), [(0.0, "2030-05-12"), (0.49, "2030-05-12"), (0.51, "2030-05-13")])
def test_days_since_the_procedure_are_counted_from_the_clinics_day(door: Door, clock: Clock, hours: float, day: str) -> None:
    door.rasa.act = door.rasa.down
    clock.travel(hours=hours)
    patient = door.patient()
    patient.say("My back hurts a bit more, they did it yesterday")
    (answer,) = [event for event in door.stored(patient) if event.kind == "answer"]
    assert answer.words is not None
    assert Conversation.parse(answer.words["conversation"]).procedure_day == day


def test_a_refused_message_is_read_by_the_clinics_day(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    days = []
    read = door.services.core._readers.read

    async def noticing(key: Key, text: str, today: date) -> Reading:
        days.append(today)
        return await read(key, text, today)

    monkeypatch.setattr(door.services.core._readers, "read", noticing)
    door.portal.call(door.services.core.alarm, ("vertebroplasty", "en"), "I have chest pain", {})
    assert [str(day) for day in days] == ["2030-05-13"]


@pytest.mark.parametrize(
    ("at", "order", "now"),
    [
        (_OPEN, ["emergency", "clinic", "after_hours", "crisis"], ["clinic"]),
        (_CLOSED, ["emergency", "after_hours", "clinic", "crisis"], ["after_hours"]),
        (_OPEN.replace(month=12, year=2026, day=25), ["emergency", "after_hours", "clinic", "crisis"], ["after_hours"]),
        (None, ["emergency", "clinic", "after_hours", "crisis"], []),
    ],
)
def test_the_number_to_call_now_comes_first_behind_the_emergency_number(
    protocol: Protocol, at: datetime | None, order: list[str], now: list[str]
) -> None:
    contacts = PatientCopy(protocol).contacts(at)
    assert [contact["id"] for contact in contacts] == order
    assert [contact["id"] for contact in contacts if contact["now"]] == now


def test_the_panel_says_which_number_to_call_now(door: Door, clock: Clock) -> None:
    def told() -> list[tuple[str, bool]]:
        config = _config(_Page(door.client.get("/panel/demo").text))
        return [(contact["id"], contact["now"]) for contact in config["contacts"]]

    assert told()[1:3] == [("after_hours", True), ("clinic", False)]
    clock.travel(hours=8.49)
    assert told()[1] == ("after_hours", True)
    clock.travel(hours=0.02)
    assert told()[1:3] == [("clinic", True), ("after_hours", False)]


def test_the_state_of_a_chat_says_which_number_is_answered_now(door: Door, clock: Clock) -> None:
    patient = door.patient()
    assert patient.started["session"]["to_call"] == "after_hours"
    clock.travel(minutes=8 * 60 + 29)
    later = door.patient()
    assert later.ask("GET", "").json()["to_call"] == "after_hours"
    clock.travel(minutes=2)
    assert later.ask("GET", "").json()["to_call"] == "clinic"
    assert later.ask("GET", "/events?after=0&wait=0").json()["session"]["to_call"] == "clinic"
