"""Messages and answers are stored once, in one order, whoever writes at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine

from gateway.records.database import connect, writing
from gateway.records.sealing import Keyring, SealError
from gateway.records.store import ConflictError, OvertakenError, Records
from gateway.records.tables import event as events
from tests.gateway.support import BOUND, CANARY, MASTER_KEY, Clock, new_id

THREADS = 20
_GREETING = {"blocks": [{"kind": "say", "text": "Hello"}], "buttons": [], "sources": []}
_T = TypeVar("_T")


@pytest.fixture
def records(engine: Engine) -> Records:
    return Records(engine, Keyring([MASTER_KEY]))


@pytest.fixture
def name(records: Records) -> str:
    return begun(records)


def begun(records: Records, writer: str = "patient") -> str:
    session = records.session(records.start("demo", _GREETING, writer, bound=BOUND))
    assert session is not None
    return session.conversation


def at_once(act: Callable[[int], _T]) -> list[_T | Exception]:
    """What an act returned or raised in each of twenty threads that begin together."""
    barrier = Barrier(THREADS)

    def one(number: int) -> _T | Exception:
        barrier.wait()
        try:
            return act(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


def successes(results: list[_T | Exception]) -> list[_T]:
    failed = [result for result in results if isinstance(result, Exception)]
    assert not failed, [f"{type(error).__name__}: {error}"[:200] for error in failed]
    return [result for result in results if not isinstance(result, Exception)]


def test_a_conversation_is_read_as_it_was_written(records: Records, name: str) -> None:
    message, new = records.add_message(name, "message-1", f"words {CANARY}")
    assert new
    records.add_answer(name, message.seq, {"by": "core", "type": "triage"}, {"blocks": []}, "emergency")
    records.add(name, "writer", {"writer": "helper"})
    greeting, *rest = records.events(name)
    assert (greeting.seq, greeting.kind, greeting.words) == (1, "greeting", _GREETING)
    assert [event.seq for event in rest] == [2, 3, 4]
    assert rest[0].words == {"text": f"words {CANARY}"}
    assert (rest[1].reply_to, rest[1].disposition) == (2, "emergency")
    assert rest[2].facts == {"writer": "helper"}
    assert [event.seq for event in records.events(name, after=3)] == [4]


def test_a_repeated_message_is_stored_once(records: Records, name: str) -> None:
    first, new = records.add_message(name, "message-1", "words")
    again, new_again = records.add_message(name, "message-1", "words")
    assert (new, new_again) == (True, False)
    assert first.seq == again.seq


def test_the_same_id_for_other_words_is_refused(records: Records, name: str) -> None:
    records.add_message(name, "message-1", "words")
    with pytest.raises(ConflictError):
        records.add_message(name, "message-1", "other words")
    assert len(records.events(name)) == 2


def test_two_conversations_may_use_the_same_id(records: Records, name: str) -> None:
    records.add_message(name, "message-1", "words")
    _, new = records.add_message(begun(records), "message-1", "other words")
    assert new


def test_one_id_from_twenty_threads_is_one_row_and_one_place(records: Records, name: str) -> None:
    results = successes(at_once(lambda _: records.add_message(name, "message-1", "words")))
    assert {event.seq for event, _ in results} == {2}
    assert sum(new for _, new in results) == 1
    assert [event.kind for event in records.events(name)] == ["greeting", "message"]


def test_twenty_threads_leave_no_gap_and_share_no_place(records: Records, name: str) -> None:
    results = successes(at_once(lambda number: records.add_message(name, f"message-{number}", f"words {number}")))
    assert sorted(event.seq for event, _ in results) == list(range(2, THREADS + 2))
    kept = records.events(name)
    assert [event.seq for event in kept] == list(range(1, THREADS + 2))
    for event, _ in results:
        assert kept[event.seq - 1].words == event.words


def test_two_gateways_on_one_database_leave_no_gap_and_share_no_place(records: Records, name: str, records_url: str) -> None:
    other = Records(connect(records_url), Keyring([MASTER_KEY]))
    both = (records, other)

    def write(number: int) -> list[int]:
        return [both[number % 2].add_message(name, f"message-{number}-{step}", "words")[0].seq for step in range(4)]

    results = successes(at_once(write))
    other.engine.dispose()
    assert sorted(seq for places in results for seq in places) == list(range(2, 4 * THREADS + 2))


def test_one_message_has_one_answer_from_twenty_threads(records: Records, name: str) -> None:
    message, _ = records.add_message(name, "message-1", "words")
    results = successes(at_once(lambda number: records.add_answer(name, message.seq, {"by": str(number)}, {}, None)))
    (made,) = [result for result in results if result is not None]
    answers = [event for event in records.events(name) if event.kind == "answer"]
    assert [(answer.seq, answer.facts) for answer in answers] == [(3, made.facts)]


def test_an_answer_given_twice_is_the_first(records: Records, name: str) -> None:
    message, _ = records.add_message(name, "message-1", "words")
    assert not records.is_answered(name, message.seq)
    assert records.add_answer(name, message.seq, {"by": "rasa"}, {}, None) is not None
    assert records.add_answer(name, message.seq, {"by": "core"}, {}, None) is None
    assert records.is_answered(name, message.seq)
    last = records.last(name, "answer")
    assert last is not None
    assert last.facts == {"by": "rasa"}


def test_of_two_buttons_of_one_answer_one_wins(records: Records, name: str) -> None:
    message, _ = records.add_message(name, "message-1", "words")
    answer = records.add_answer(name, message.seq, {}, {}, None)
    assert answer is not None

    def press(number: int) -> int:
        return records.add_message(name, f"press-{number}", "Yes" if number % 2 else "No", None, answer.seq)[0].seq

    results = at_once(press)
    assert [result for result in results if not isinstance(result, Exception)] == [4]
    lost = [result for result in results if isinstance(result, Exception)]
    assert {type(error) for error in lost} == {OvertakenError}
    assert len(records.events(name)) == 4


def test_a_button_is_not_overtaken_by_what_is_no_message(records: Records, name: str) -> None:
    message, _ = records.add_message(name, "message-1", "words")
    answer = records.add_answer(name, message.seq, {}, {}, None)
    assert answer is not None
    records.add(name, "extended", {})
    records.add(name, "writer", {"writer": "helper"})
    _, new = records.add_message(name, "message-2", "Yes", None, answer.seq)
    assert new


def test_several_conversations_do_not_get_in_each_others_way(records: Records) -> None:
    names = [begun(records) for _ in range(THREADS)]
    successes(at_once(lambda number: [records.add_message(names[number], f"message-{step}", "words") for step in range(3)]))
    for each in names:
        assert [event.seq for event in records.events(each)] == [1, 2, 3, 4]


def test_unanswered_messages_are_found_the_oldest_first(records: Records) -> None:
    one, two = begun(records), begun(records)
    first, _ = records.add_message(one, "message-1", "words")
    second, _ = records.add_message(two, "message-1", "words")
    third, _ = records.add_message(one, "message-2", "words")
    records.add_answer(two, second.seq, {}, {}, None)
    assert [(found, seq) for found, seq, _ in records.unanswered()] == [(one, first.seq), (one, third.seq)]
    assert [seq for _, seq, _ in records.unanswered(two)] == []


def test_a_token_is_known_by_its_hash_alone(records: Records) -> None:
    token = records.start("demo", _GREETING, "patient", bound=BOUND)
    assert len(token) >= 43
    assert records.session(token) is not None
    for wrong in ("", token[:-1], token.lower(), token + "a", "x" * 43, "🙂"):
        assert records.session(wrong) is None


def test_no_token_is_given_twice(records: Records) -> None:
    assert len({records.start("demo", _GREETING, "patient", bound=BOUND) for _ in range(100)}) == 100


def test_another_master_key_reads_nothing(records_url: str, records: Records, name: str) -> None:
    records.add_message(name, "message-1", "words")
    other = Records(connect(records_url), Keyring([bytes(range(1, 33))]))
    with pytest.raises(SealError):
        other.events(name)
    other.engine.dispose()


def test_a_rotated_master_key_reads_what_was_and_writes_what_comes(records_url: str, records: Records, name: str) -> None:
    records.add_message(name, "message-1", "words")
    new = bytes(range(1, 33))
    rotated = Records(connect(records_url), Keyring([new, MASTER_KEY]))
    rotated.add_message(name, "message-2", "more words")
    assert [event.words for event in rotated.events(name, after=1)] == [{"text": "words"}, {"text": "more words"}]
    later = begun(rotated)
    only_new = Records(connect(records_url), Keyring([new]))
    assert only_new.events(later)[0].words == _GREETING
    for each in (rotated, only_new):
        each.engine.dispose()


def test_words_moved_to_another_place_do_not_open(records: Records, name: str) -> None:
    """Somebody who writes into the database cannot give one message's words to another."""
    message, _ = records.add_message(name, "message-1", "Yes")
    moved: dict[str, Any] = {"conversation_id": name, "kind": "message", "at": message.at, "facts": {}, "client_id": new_id()}

    with records.engine.connect() as connection:
        sealed = connection.execute(events.select().where(events.c.seq == message.seq, events.c.conversation_id == name)).one().sealed
    with writing(records.engine) as connection:
        connection.execute(events.insert().values(seq=9, sealed=sealed, **moved))
    with pytest.raises(SealError):
        records.events(name, after=8)


def test_a_question_that_was_left_is_found_and_followed_up_once(engine: Engine) -> None:
    clock = Clock()
    records = Records(engine, Keyring([MASTER_KEY]), clock)
    name, other = begun(records), begun(records)
    for each, asks in ((name, True), (other, False)):
        message, _ = records.add_message(each, new_id(), "my back hurts")
        records.add_answer(each, message.seq, {"type": "question", "asks": asks}, {"blocks": []}, None)
    assert records.asked_and_left(10) == []
    clock.travel(minutes=11)
    assert records.asked_and_left(10) == [(name, 3)]
    results = at_once(lambda _: records.add(name, "answer", {}, words={"blocks": []}, right_behind=3))
    assert sum(not isinstance(result, Exception) for result in results) == 1
    assert {type(result) for result in results if isinstance(result, Exception)} == {OvertakenError}
    assert records.asked_and_left(10) == []
