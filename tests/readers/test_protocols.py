"""A reader holds every protocol, and reads and answers by the one that it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date

import pytest

from aftercare.conversation import Conversation
from aftercare.protocol import Library, load_protocol
from readers.pool import Readers
from tests.gateway.support import RED_FLAG, RED_FLAG_OF_SECOND, ROOT, SECOND, make_second

TODAY = date(2024, 5, 15)
_FIRST, _SECOND = ("vertebroplasty", "en"), (SECOND, "en")


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Readers]:
    folders = ROOT / "protocols" / "vertebroplasty", make_second(tmp_path_factory.mktemp("protocols"))
    made = Readers(Library([load_protocol(folder) for folder in folders]))
    made.warm()
    yield made
    made.close()


@pytest.mark.parametrize("method", ["read", "hear"])
def test_words_are_read_by_the_protocol_that_is_named(method: str, readers: Readers) -> None:
    found = [readers.call(method, key, RED_FLAG_OF_SECOND, TODAY).mentions for key in (_FIRST, _SECOND)]
    assert not found[0]
    assert [mention.finding for mention in found[1]] == ["chest_pain"]


@pytest.mark.parametrize("key", [_FIRST, _SECOND])
def test_a_conversation_is_answered_by_the_protocol_that_it_is_bound_to(key: tuple[str, str], readers: Readers) -> None:
    name, language = key
    reading = asyncio.run(readers.read(key, RED_FLAG, TODAY))
    after, reply = asyncio.run(readers.respond(Conversation(protocol=name, language=language), reading, TODAY))
    assert after.key == key
    assert reply.custom["protocol"]["id"] == name
    assert reply.custom["rules"][0] == {"vertebroplasty": "chest_pain", SECOND: "second_chest_pain"}[name]


@pytest.mark.parametrize("key", [("", ""), ("lost", "en"), ("vertebroplasty", "es")])
def test_what_is_not_in_force_is_read_and_answered_by_the_default(key: tuple[str, str], readers: Readers) -> None:
    name, language = key
    reading = asyncio.run(readers.read(key, RED_FLAG, TODAY))
    after, _ = asyncio.run(readers.respond(Conversation(protocol=name, language=language), reading, TODAY))
    assert after.key == _FIRST
