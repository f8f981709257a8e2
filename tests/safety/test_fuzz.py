"""A short look by the fuzzer, and that it sees what it is made to see."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

import pytest

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.protocol import Protocol
from aftercare.understanding.reading import Reading
from scripts.fuzz import LONGEST_READ, Case, Checks, decode, fuzz, pumped, reproduce, seeds, storable, words

SECONDS = 10


class _Broken(Assistant):
    """A core with a fault."""

    def __init__(self, protocol: Protocol, fault: str) -> None:
        super().__init__(protocol)
        self._fault = fault

    def read(self, text: str, today: date) -> Reading:
        reading = super().read(text, today)
        if self._fault == "raises":
            raise ValueError(text)
        if self._fault == "slow":
            wait_until(time.process_time() + len(text) ** 2 / 1_000_000)
        if self._fault == "evidence outside":
            return replace(reading, mentions=tuple(replace(each, end=len(text) + 1) for each in reading.mentions))
        return reading

    def respond(
        self,
        conversation: Conversation,
        reading: Reading,
        today: date,
        at: datetime | None = None,
        answers: Mapping[str, str] | None = None,
    ) -> tuple[Conversation, Reply]:
        after, reply = super().respond(conversation, reading, today, at, answers)
        if self._fault == "silent":
            return after, replace(reply, blocks=())
        if self._fault == "forgets":
            return Conversation(), reply
        if self._fault == "understates":
            return after, reply.with_payload(disposition="self_care")
        if self._fault == "other words":
            return after, reply.with_payload(understood={"findings": [{"finding": "chest_pain", "evidence": "not my words"}]})
        return after, reply


CASE = Case("", "", ("I have chest pain",))


def wait_until(moment: float) -> None:
    while time.process_time() < moment:
        pass


def test_a_sound_core_passes(protocol: Protocol) -> None:
    checks = Checks(Assistant(protocol))
    for data in seeds().values():
        checks.run(decode(data, protocol))


@pytest.mark.parametrize("fault", ["raises", "evidence outside", "silent", "forgets", "understates", "other words"])
def test_a_fault_is_seen(protocol: Protocol, fault: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        Checks(_Broken(protocol, fault)).run(CASE)


def test_an_emergency_that_a_second_message_lowers_is_seen(protocol: Protocol) -> None:
    with pytest.raises(AssertionError, match=r"no longer|lowered"):
        Checks(_Broken(protocol, "forgets")).run(Case("chest_pain", "", ("thank you",)))


def test_a_core_that_takes_longer_than_in_proportion_is_seen(protocol: Protocol, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.fuzz._PUMPED_OF", 1)
    with pytest.raises(AssertionError, match="took"):
        Checks(_Broken(protocol, "slow")).run(CASE)


@pytest.mark.parametrize("text", ["", "a", "chest pain", "x" * 600])
def test_a_text_is_made_as_long_as_may_be_sent(text: str) -> None:
    assert all(len(text) < len(longer) <= LONGEST_READ for longer in pumped(text))
    assert len(list(pumped(text))) == min(3, 2 * len(text))


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x00\x00", b"\x05\x03\xed\xa0\x80\x00", b"\x01\x02ab\x1ecd\x1eef\x1egh"])
def test_any_bytes_are_a_case(protocol: Protocol, data: bytes) -> None:
    case = decode(data, protocol)
    assert 1 <= len(case.texts) <= 3
    assert all(storable(text) == text for text in case.texts)
    assert case.finding in {"", *protocol.findings}
    assert case.pending in {"", *protocol.questions}


def test_a_find_can_be_run_again(protocol: Protocol, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from scripts import fuzz as script

    data = seeds()["0"]
    monkeypatch.setattr(sys, "argv", ["fuzz", *reproduce(data).split()[3:]])
    script.main()
    assert repr(decode(data, protocol)) in capsys.readouterr().out


def test_the_lexicon_gives_the_fuzzer_its_words(protocol: Protocol) -> None:
    assert {"chest", "pain", "breathe"} <= set(words(protocol))


def test_fuzzing_for_a_while_finds_nothing(protocol: Protocol) -> None:
    pytest.importorskip("atheris")
    lines = list(fuzz(SECONDS, 1, protocol))
    done = next(line for line in lines if line.startswith("stat::number_of_executed_units"))
    assert int(done.split()[-1]) > len(seeds()), lines[-20:]
