"""The lexicon's own examples: each pattern matches what it is for, and not what looks like it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml

from aftercare.assistant import Assistant
from aftercare.protocol import load_protocol
from aftercare.protocol.compose import CLINICAL, LANGUAGES, PROTOCOLS
from aftercare.understanding.patterns import Compiler, PatternMatcher
from aftercare.understanding.spelling import Spelling
from aftercare.understanding.text import Tokenizer

PROTOCOL = load_protocol(PROTOCOLS / "vertebroplasty")
COMPILER = Compiler(PROTOCOL.grammar.words, PROTOCOL.grammar.clauses, PROTOCOL.grammar.tokens)
TOKENIZER = Tokenizer(PROTOCOL.grammar.tokens)
SPELLING = Spelling((), PROTOCOL.grammar.spelling)
FILES = sorted([*CLINICAL.glob("findings/*.yml"), *PROTOCOLS.glob("*/findings/*.yml"), *LANGUAGES.glob("*/*.yml")])
CLOSE = {"normal", "not_a_trigger", "not_a_question", "triggers"}
LONGEST_LINE = 160


def examples(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Every pattern of a file with the list it stands in."""

    def walk(content: object, under: str) -> Iterator[tuple[str, dict[str, str]]]:
        if isinstance(content, dict) and set(content) == {"say", "yes", "no"}:
            yield under, content
        elif isinstance(content, dict):
            for name, value in content.items():
                yield from walk(value, under if under in CLOSE else str(name))
        elif isinstance(content, list):
            for value in content:
                yield from walk(value, under)

    return walk(yaml.safe_load(file.read_text(encoding="utf-8")), "")


def matches(pattern: str, text: str, *, close: bool) -> bool:
    matcher = PatternMatcher()
    matcher.add("it", COMPILER.compile(pattern, close=close))
    return bool(matcher([word.norm for word in TOKENIZER.words(text, SPELLING.known)]))


def name_of(file: Path) -> str:
    return f"{file.parent.parent.name}-{file.stem}"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_pattern_matches_its_example_and_not_its_counter_example(file: Path) -> None:
    wrong = []
    for under, example in examples(file):
        close = under in CLOSE
        if not matches(example["say"], example["yes"], close=close):
            wrong.append(f"'{example['say']}' does not match '{example['yes']}'")
        if matches(example["say"], example["no"], close=close):
            wrong.append(f"'{example['say']}' matches '{example['no']}'")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_line_of_the_lexicon_is_longer_than_a_screen(file: Path) -> None:
    longest = max(map(len, file.read_text(encoding="utf-8").splitlines()), default=0)
    assert longest <= LONGEST_LINE


def test_every_pattern_of_a_finding_has_its_examples() -> None:
    named = {example["say"].replace("| ", "|") for file in FILES for _, example in examples(file)}
    used = {pattern for finding in PROTOCOL.findings.values() for pattern in (*finding.patterns, *finding.normal)}
    assert {pattern.replace("| ", "|") for pattern in used} <= named
    assert len(named) > 1_000


def test_words_that_are_written_alike_are_no_signs(assistant: Assistant, today: date) -> None:
    """A herb whose name begins like a fever is none."""
    assert not assistant.read("I take feverfew and drink chestnut milk", today).mentions
