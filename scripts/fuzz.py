"""Coverage-guided fuzzing of the text pipeline: libFuzzer, by way of atheris, looks for words that the core cannot take, or not in time.

The core is imported in functions, because atheris must see it being imported.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import re
import subprocess
import sys
import tempfile
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.common import ROOT, FailureError, run_script, say

if TYPE_CHECKING:
    from aftercare.assistant import Assistant
    from aftercare.conversation import Conversation
    from aftercare.decision.reply import Reply
    from aftercare.protocol import Protocol
    from aftercare.understanding.reading import Reading

SECONDS = 120
TODAY = date(2024, 5, 15)
LONGEST = 600
LONGEST_READ = 4_000
# Watching the branches makes reading some ten times as slow. What takes time beyond all proportion takes far longer.
_SECONDS = 1.5
_PUMPED_OF = 8
_CHILD = "--child"
_SEED_LINES = (
    "I have chest pain",
    "no chest pain, but my legs are numb and weak",
    "my temperature is 101.5 F since yesterday, 8/10",
    "What if I can't breathe? My neighbor had a stroke.",
    "not sure",
    "None of these",
    "39,5 °C \u200b😀 it's gone now, 3 days ago",
    "pulse temptemptemp! 99",
    "cement kypho sun, no chest pain",
)
_LINES_TOLD = 40
_BREAK = "\x1e"
_CHATTER = re.compile(
    r"INFO: Instrumenting|WARNING: Failed to find function|#\d+\s+(NEW|REDUCE|RELOAD)|MS: |0x|artifact_prefix=|Base64: |Dictionary|###|\""
)


@dataclass(frozen=True)
class Case:
    """One input: what is remembered, and the messages that come one after the other.

    Attributes:
        finding: is present already; empty when nothing is known.
        pending: the question that was asked; empty when none was.
    """

    finding: str
    pending: str
    texts: tuple[str, ...]


def storable(text: str) -> str:
    """A text as the gateway hands it on: it lets no lone surrogate and no NUL in."""
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


def pumped(text: str) -> Iterator[str]:
    """A text as long as a patient may send, in which all of a text, its first or its second half is said again and again."""
    half = len(text) // 2
    for before, again, after in (("", text, ""), ("", text[:half], text[half:]), (text[:half], text[half:], "!")):
        if again:
            yield before + again * ((LONGEST_READ - len(text)) // len(again)) + after


def decode(data: bytes, protocol: Protocol) -> Case:
    """The case that libFuzzer's bytes stand for: two bytes choose the state, the rest are messages."""
    names, questions = ("", *sorted(protocol.findings)), ("", *sorted(protocol.questions))
    first, second = (data[:2] + b"\0\0")[:2]
    said = data[2:].decode("utf-8", "replace")
    texts = tuple(storable(text) for text in said.split(_BREAK)[:3])
    return Case(names[first % len(names)], questions[second % len(questions)], texts)


class Checks:
    """What must hold for every text.

    Args:
        assistant: the core.
    """

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def run(self, case: Case) -> None:
        """Let a patient say these texts.

        Raises:
            AssertionError: something does not hold.
        """
        from aftercare.conversation import Conversation

        known = {case.finding: "present"} if case.finding else {}
        asked = [case.pending] if case.pending else []
        conversation = Conversation(findings=known, evidence=dict.fromkeys(known, "my words"), asked=asked, pending=case.pending)
        for text in case.texts:
            conversation = self._turn(conversation, text)
        for text in case.texts:
            if zlib.crc32(text.encode()) % _PUMPED_OF == 0:
                for longer in pumped(text):
                    self._read(longer)

    def _read(self, text: str) -> Reading:
        started = time.process_time()
        reading = self._assistant.read(text, TODAY)
        seconds = time.process_time() - started
        assert seconds < _SECONDS, f"{len(text)} characters took {seconds:.1f} s"
        return reading

    def _turn(self, before: Conversation, text: str) -> Conversation:
        reading = self._read(text)
        after, reply = self._assistant.respond(before, reading, TODAY)
        for mention in reading.mentions:
            assert 0 <= mention.start < mention.end <= len(text), f"evidence of {mention.finding} is outside the text"
        self._check_reply(reply, text)
        present = before.has("present") - {self._assistant.protocol.scales.later}
        assert after.has("present") >= present, "what was present is no longer"
        if self._emergency(before.has("present")) or self._assistant.is_emergency(reading):
            assert self._emergency(after.has("present")), "an emergency was lowered"
            assert reply.custom.get("disposition", "emergency") == "emergency", "the reply to an emergency says less"
        assert type(after).parse(after.to_slots()) == after, "the conversation does not come back from its slots"
        return after

    def _check_reply(self, reply: Reply, text: str) -> None:
        assert reply.text.strip(), "no words"
        for finding in reply.custom["understood"]["findings"]:
            assert finding["evidence"] in text, f"the evidence of {finding['finding']} is not in the text"

    def _emergency(self, present: set[str]) -> bool:
        from aftercare.decision.rules import disposition
        from aftercare.protocol import Disposition

        return disposition(self._assistant.protocol, present) is Disposition.EMERGENCY


def reproduce(data: bytes) -> str:
    """The command that runs one input again."""
    return f"python -m scripts.fuzz --input {base64.b64encode(data).decode()}"


def guarded(checks: Checks, protocol: Protocol) -> Callable[[bytes], None]:
    """The target: runs one input, and prints how to run it again where it fails."""

    def target(data: bytes) -> None:
        try:
            checks.run(decode(data, protocol))
        except BaseException as error:
            say(f"\nFOUND: {type(error).__name__}: {str(error)[:300]}\nTo see it again: {reproduce(data)}")
            raise

    return target


def seeds() -> dict[str, bytes]:
    """Inputs to begin with."""
    every = (*_SEED_LINES, _BREAK.join(_SEED_LINES[:3]))
    return {str(place): bytes((place, place)) + text.encode() for place, text in enumerate(every)}


def _child(arguments: list[str]) -> None:
    """Fuzz in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["aftercare"]):
        from aftercare.assistant import Assistant
        from aftercare.protocol import load_protocol
    protocol = load_protocol()
    atheris.Setup([sys.argv[0], *arguments], guarded(Checks(Assistant(protocol)), protocol))
    atheris.Fuzz()


def words(protocol: Protocol) -> list[str]:
    """The words of the lexicon, which libFuzzer puts into texts."""
    said = [(finding.patterns, finding.normal) for finding in protocol.findings.values()]
    return sorted(set(re.findall(r"[a-z']{3,}", json.dumps([said, vars(protocol.grammar)], default=list))))


def fuzz(seconds: int, seed: int, protocol: Protocol) -> Iterator[str]:
    """Fuzz for so long in a process of its own, and give its lines as they come; nothing is kept.

    Args:
        seconds: how long.
        seed: libFuzzer's, from 1.
        protocol: whose words are used.

    Raises:
        FailureError: something was found, or atheris does not work here.
    """
    with tempfile.TemporaryDirectory(prefix="fuzz-") as scratch:
        corpus, dictionary = Path(scratch, "corpus"), Path(scratch, "words")
        corpus.mkdir()
        for name, data in seeds().items():
            (corpus / name).write_bytes(data)
        dictionary.write_text("".join(f'"{word}"\n' for word in words(protocol)))
        options = [
            f"-max_total_time={seconds}",
            f"-seed={seed}",
            f"-max_len={LONGEST}",
            f"-dict={dictionary}",
            f"-artifact_prefix={scratch}/",
        ]
        command = [sys.executable, "-m", "scripts.fuzz", _CHILD, str(corpus), *options, "-print_final_stats=1"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as child:
            assert child.stdout is not None
            last: deque[str] = deque(maxlen=_LINES_TOLD)
            try:
                for line in child.stdout:
                    last.append(line)
                    yield line
            except BaseException:
                child.terminate()
                raise
        if child.returncode:
            raise FailureError(f"the fuzzer found something, or could not run (it ended with {child.returncode}):\n{''.join(last)}")


def _again(data: bytes) -> None:
    """Run one input in this process."""
    from aftercare.assistant import Assistant
    from aftercare.protocol import load_protocol

    protocol = load_protocol()
    case = decode(data, protocol)
    say(repr(case))
    Checks(Assistant(protocol)).run(case)
    say("All holds.")


def main() -> None:
    """Fuzz, and tell what was found.

    Raises:
        FailureError: something was found.
    """
    if sys.argv[1:2] == [_CHILD]:
        _child(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m scripts.fuzz", description=__doc__)
    parser.add_argument("seconds", type=int, nargs="?", default=SECONDS, help=f"how long; {SECONDS} by default")
    parser.add_argument("--seed", type=int, default=None, help="libFuzzer's seed; by chance when not given, and printed")
    parser.add_argument("--input", type=base64.b64decode, help="run this one input, as printed when something was found")
    arguments = parser.parse_args()
    if arguments.input is not None:
        _again(arguments.input)
        return
    if find_spec("atheris") is None:
        raise FailureError("atheris, the fuzzer, is made for Linux on x86-64 only.")
    from aftercare.protocol import load_protocol

    seed = arguments.seed or random.randrange(1, 2**31)
    say(f"Fuzzing for {arguments.seconds} s with seed {seed}")
    for line in fuzz(arguments.seconds, seed, load_protocol()):
        if not _CHATTER.match(line):
            say(line.rstrip())


if __name__ == "__main__":
    run_script(main)
