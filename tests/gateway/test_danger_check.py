"""The danger check by rows: asked with the answer, answered one by one, stored before anything else, and told apart when it is left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from gateway.dialogue.rows import RowState
from gateway.records.signals import Standing
from gateway.records.store import Event
from gateway.records.tables import notice, triage_case
from gateway.records.tier import Rank
from tests.gateway.support import Clock, Door, Json, Patient, is_emergency, new_id, refused, stored

SORE = "The needle site is sore"
FEVER = "I have a fever of 101.5 F"
NUMB = "Numb between the legs"
CHEST = "Chest pain"
_MINUTES = 10


@pytest.fixture
def asked(patient: Patient) -> Json:
    """The danger check in front of an answer."""
    answer = patient.say(SORE)
    assert answer["check"]["waits"]
    return answer


def _case(door: Door) -> Any:
    with door.records.engine.connect() as connection:
        return connection.execute(select(triage_case)).one()


def _follow_up(door: Door) -> None:
    door.portal.call(door.services.answering.follow_up)


def _rows(events: list[Event]) -> dict[str, str]:
    """What became of each row in the end, as the record has it."""
    found: dict[str, str] = {}
    for event in events:
        if event.kind in ("answer", "left"):
            found |= event.facts["rows"]
    return found


def test_the_card_has_the_rows_worst_first_each_with_an_id_of_its_own(asked: Json, patient: Patient) -> None:
    rows = asked["check"]["rows"]
    assert rows[0]["text"].startswith(CHEST)
    assert [row["danger"] for row in rows] == [True] * 8 + [False] * 4
    assert all(row["text"] in asked["blocks"][-1]["text"] for row in rows)
    again = patient.say("What is vertebroplasty?")["check"]["rows"]
    ids = [row["id"] for row in [*rows, *again]]
    assert len(set(ids)) == len(ids)
    assert all(len(each) >= 16 for each in ids)


def test_no_to_all_gives_the_answer_that_waited(door: Door, patient: Patient, asked: Json) -> None:
    answer = patient.tick_all(asked)
    assert answer["disposition"] == "self_care"
    assert set(door.rasa.heard[-1]["answers"].values()) == {"no"}
    assert door.rasa.heard[-1]["message"] == ""
    assert set(_rows(door.stored(patient)).values()) == {RowState.NO}
    message = next(event for event in patient.events() if event.get("rows"))
    assert (message["text"], message["rows"][0]) == ("", {"text": asked["check"]["rows"][0]["text"], "answer": "no"})


@pytest.mark.parametrize("value", ["yes", "unsure"])
def test_a_row_of_danger_is_an_emergency_at_once(door: Door, patient: Patient, asked: Json, value: str) -> None:
    assert is_emergency(patient.answer_to(stored(patient.tick(asked["check"], {NUMB: value}))))
    states = _rows(door.stored(patient))
    assert states.pop("saddle_numbness") == {"yes": RowState.YES, "unsure": RowState.NOT_SURE}[value]
    assert set(states.values()) == {RowState.LEFT}
    assert ["saddle_numbness", "present"] in door.stored(patient)[-1].facts["codes"]


def test_some_answers_are_kept_and_the_others_asked_again(door: Door, patient: Patient, asked: Json) -> None:
    again = patient.answer_to(stored(patient.tick(asked["check"], {CHEST: "no", NUMB: "no"})))
    texts = [row["text"] for row in again["check"]["rows"]]
    assert len(texts) == len(asked["check"]["rows"]) - 2
    assert not any(text.startswith((CHEST, NUMB)) for text in texts)
    states = _rows(door.stored(patient))
    assert (states["chest_pain"], states["breathing"]) == (RowState.NO, RowState.ASKED)
    assert patient.tick_all(again)["disposition"] == "self_care"


def test_rows_and_words_come_together(door: Door, patient: Patient, asked: Json) -> None:
    seq = stored(patient.tick(asked["check"], {CHEST: "no"}, text="and I cannot pee"))
    assert is_emergency(patient.answer_to(seq))
    (message,) = [event for event in door.stored(patient) if event.seq == seq]
    assert message.words is not None
    assert (message.words["text"], message.facts["rows"]) == ("and I cannot pee", {"chest_pain": "no"})


def test_words_alone_answer_it_too(patient: Patient, asked: Json) -> None:
    assert patient.say("none of these")["disposition"] == "self_care"


def test_it_is_stored_before_rasa_hears_of_it(door: Door, patient: Patient, asked: Json) -> None:
    door.rasa.after(0.5)
    seq = stored(patient.tick(asked["check"], {CHEST: "no"}))
    last = door.stored(patient)[-1]
    assert (last.seq, last.kind, last.facts["rows"]) == (seq, "message", {"chest_pain": "no"})
    patient.answer_to(seq)


def test_sent_again_it_is_taken_once(door: Door, patient: Patient, asked: Json) -> None:
    first = patient.tick(asked["check"], {NUMB: "yes"}, client_id="message-1")
    patient.answer_to(stored(first))
    again = patient.tick(asked["check"], {NUMB: "yes"}, client_id="message-1")
    assert (again.status_code, again.json()["state"], stored(again)) == (200, "answered", stored(first))
    refused(patient.tick(asked["check"], {NUMB: "no"}, client_id="message-1"), 409, "conflict")
    assert sum(event.kind == "message" for event in door.stored(patient)) == 2


def test_sent_many_times_at_once_it_is_taken_once(door: Door, patient: Patient, asked: Json) -> None:
    with ThreadPoolExecutor(8) as pool:
        send = lambda _: patient.tick(asked["check"], {CHEST: "no"}, client_id="message-1")  # noqa: E731
        responses = list(pool.map(send, range(8)))
    assert len({stored(response) for response in responses}) == 1
    patient.answer_to(stored(responses[0]))
    assert len(door.rasa.heard) == 2


def test_the_rows_of_an_older_turn_are_gone_and_a_yes_is_answered_all_the_same(patient: Patient, asked: Json) -> None:
    patient.answer_to(stored(patient.tick(asked["check"], {CHEST: "no"})))
    assert "answer" not in refused(patient.tick(asked["check"], {NUMB: "no"}), 409, "button_gone")
    assert is_emergency(refused(patient.tick(asked["check"], {NUMB: "yes"}), 409, "button_gone")["answer"])


def test_the_rows_of_another_patient_are_gone(door: Door, patient: Patient, asked: Json) -> None:
    other = door.patient()
    other.say(SORE)
    refused(other.tick(asked["check"], {CHEST: "no"}), 409, "button_gone")


@pytest.mark.parametrize(
    "body",
    [
        {"rows": {}},
        {"rows": {"made-up": "maybe"}},
        {"rows": {"made-up": ""}},
        {"rows": {"": "yes"}},
        {"rows": {"x" * 65: "yes"}},
        {"rows": {f"made-up-{number}": "no" for number in range(41)}},
        {"rows": ["made-up"]},
        {"rows": {"made-up": "no"}, "button": "made-up"},
    ],
)
def test_rows_of_another_shape_are_refused(body: Json, patient: Patient, asked: Json) -> None:
    refused(patient.ask("POST", "/messages", json={"client_id": new_id(), **body}), 422, "bad_request")


@pytest.mark.parametrize("identity", ["made-up", "x" * 16 + "00", "99", "-1", "chest_pain"])
def test_a_made_up_row_is_gone(identity: str, patient: Patient, asked: Json) -> None:
    refused(patient.ask("POST", "/messages", json={"client_id": new_id(), "rows": {identity: "no"}}), 409, "button_gone")


def test_without_rasa_the_core_takes_the_rows(door: Door, patient: Patient, asked: Json) -> None:
    door.rasa.act = door.rasa.down
    again = patient.answer_to(stored(patient.tick(asked["check"], {CHEST: "no"})))
    assert again["check"]["waits"]
    assert is_emergency(patient.answer_to(stored(patient.tick(again["check"], {NUMB: "yes"}))))
    assert door.stored(patient)[-1].facts["by"] == "core"


def test_a_rasa_that_does_not_hear_a_yes_is_not_believed(door: Door, patient: Patient, asked: Json) -> None:
    def deaf(body: Json) -> httpx.Response:
        return httpx.Response(200, json=door.rasa.reply({**body, "answers": {}, "message": "none of these"}))

    door.rasa.say(deaf)
    assert is_emergency(patient.answer_to(stored(patient.tick(asked["check"], {NUMB: "yes"}))))


@pytest.mark.parametrize(
    "change",
    [
        lambda custom: custom.update(rows=custom["rows"][:-1]),
        lambda custom: custom.update(checks=[]),
        lambda custom: custom.update(about="walking"),
        lambda custom: custom["rows"][0].pop("text"),
        lambda custom: custom["rows"][0].update(tier="self_care"),
    ],
)
def test_rows_that_break_the_contract_are_not_believed(door: Door, patient: Patient, change: Any) -> None:
    door.rasa.twist(lambda messages: change(messages[0]["custom"]))
    answer = patient.say(SORE)
    assert len(answer["check"]["rows"]) == 12
    assert door.stored(patient)[-1].facts["cause"] == "invalid"


def test_in_maintenance_a_yes_is_answered_and_stored_and_a_no_is_refused(door: Door, patient: Patient, asked: Json) -> None:
    object.__setattr__(door.settings, "maintenance", True)
    refused(patient.tick(asked["check"], {CHEST: "no"}), 503, "maintenance")
    assert is_emergency(patient.answer_to(stored(patient.tick(asked["check"], {NUMB: "yes"}))))


def test_a_tap_taken_back_is_asked_again(door: Door, patient: Patient, asked: Json) -> None:
    assert is_emergency(patient.answer_to(stored(patient.tick(asked["check"], {NUMB: "yes"}))))
    again = patient.say("I tapped that by mistake")
    assert again["check"]["waits"]
    assert door.stored(patient)[-1].facts["by"] == "rasa"
    assert _rows(door.stored(patient))["saddle_numbness"] == RowState.ASKED


def test_behind_an_answer_it_may_be_passed_over(door: Door, patient: Patient) -> None:
    answer = patient.say(FEVER)
    assert (answer["disposition"], answer["check"]["waits"]) == ("call_doctor", False)
    assert len(answer["check"]["rows"]) == 8
    assert "check" not in patient.tick_all(answer)


def test_the_summary_says_what_was_answered(patient: Patient, asked: Json) -> None:
    patient.answer_to(stored(patient.tick(asked["check"], {CHEST: "no"}, text="still sore")))
    body = patient.ask("GET", "/summary").json()
    assert [block["text"] for block in body["items"][2]["blocks"]] == ["still sore", f"{asked['check']['rows'][0]['text']} No"]


# Left


def test_left_before_an_answer_the_chat_is_unfinished_and_alarms_nobody(door: Door, patient: Patient, asked: Json, clock: Clock) -> None:
    assert (_case(door).rank, _case(door).danger_check) == (Rank.REST, Standing.BEFORE)
    clock.travel(minutes=_MINUTES, seconds=1)
    for _ in range(3):
        _follow_up(door)
        clock.travel(minutes=5)
    (told,) = patient.events(after=asked["seq"])
    assert told["type"] == "chat"
    assert "disposition" not in told
    assert told["check"]["waits"]
    case = _case(door)
    assert (case.rank, case.tier, case.danger_check, case.asking) == (Rank.UNFINISHED, 0, Standing.UNFINISHED, False)
    assert Rank.UNFINISHED > Rank.CALL_SEEN
    assert set(_rows(door.stored(patient)).values()) == {RowState.LEFT}
    with door.records.engine.connect() as connection:
        assert connection.execute(select(notice)).all() == []


def test_who_comes_back_to_it_gets_the_answer(door: Door, patient: Patient, asked: Json, clock: Clock) -> None:
    clock.travel(minutes=_MINUTES, seconds=1)
    _follow_up(door)
    assert patient.tick_all(patient.events()[-1])["disposition"] == "self_care"
    assert (_case(door).rank, _case(door).danger_check) == (Rank.REST, Standing.NONE)


def test_left_behind_call_your_doctor_the_case_says_so(door: Door, patient: Patient, clock: Clock) -> None:
    answer = patient.say(FEVER)
    assert _case(door).danger_check == Standing.BEHIND
    clock.travel(minutes=_MINUTES, seconds=1)
    for _ in range(3):
        _follow_up(door)
    assert patient.events(after=answer["seq"]) == []
    assert [event.kind for event in door.stored(patient)][-2:] == ["answer", "left"]
    assert (_case(door).rank, _case(door).danger_check) == (Rank.CALL, Standing.LEFT)
    assert set(_rows(door.stored(patient)).values()) == {RowState.LEFT}


def test_left_behind_information_it_is_nothing(door: Door, patient: Patient, clock: Clock) -> None:
    answer = patient.say("What if I get chest pain?")
    assert answer["check"]["waits"] is False
    assert _case(door).danger_check == Standing.NONE
    clock.travel(minutes=_MINUTES, seconds=1)
    _follow_up(door)
    assert door.stored(patient)[-1].seq == answer["seq"]
