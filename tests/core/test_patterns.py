from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from aftercare.protocol import Protocol
from aftercare.understanding.patterns import Compiler, PatternError, PatternMatcher

ROOT = Path(__file__).resolve().parents[2]
CLAUSES = yaml.safe_load((ROOT / "languages" / "en" / "clauses.yml").read_text(encoding="utf-8"))
TOKENS = yaml.safe_load((ROOT / "languages" / "en" / "tokens.yml").read_text(encoding="utf-8"))
CLASSES = {"leg": ["leg", "legs", "foot"], "cannot": ["can not", "unable to", "hardly"], "wet": ["wet", "soak*"]}


def matches(pattern: str, text: str) -> bool:
    matcher = PatternMatcher()
    matcher.add("pattern", Compiler(CLASSES, CLAUSES, TOKENS).compile(pattern))
    return bool(matcher(text.split(" ")))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("fever", "a fever now"),
        ("numb|dead leg", "a dead leg"),
        ("swell*", "the swelling"),
        ("swell*", "it swells"),
        ("shiver*|chill", "a chill"),
        ("@leg numb", "my foot numb"),
        ("@cannot breathe", "i can not breathe"),
        ("@cannot breathe", "i am unable to breathe"),
        ("@cannot breathe", "i hardly breathe"),
        ("@wet|damp bed", "a soaked bed"),
        ("@wet|damp bed", "a damp bed"),
        ("chest ~2 pain", "chest pain"),
        ("chest ~2 pain", "chest has pain"),
        ("very? bad pain", "bad pain"),
        ("very? bad pain", "very bad pain"),
        ("@cannot? walk", "walk"),
        ("~3 fever ~3", "fever"),
    ],
)
def test_a_pattern_matches(pattern: str, text: str) -> None:
    assert matches(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("fever", "feverish"),
        ("swell*", "upswell"),
        ("chest ~2 pain", "chest a b c pain"),
        ("chest ~3 pain", "chest . no pain"),
        ("chest ~3 pain", "chest \n no pain"),
        ("chest ~3 pain", "chest but no pain"),
        ("chest ~3 pain", "chest however no pain"),
        ("chest ~3 pain", "chest ; no pain"),
        ("@leg numb", "numb leg"),
        ("@cannot breathe", "i can breathe"),
        ("a|b c", "a b"),
    ],
)
def test_a_pattern_does_not_match(pattern: str, text: str) -> None:
    assert not matches(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("@nowhere hurts", "'@nowhere'"),
        ("fever|@nowhere", "'@nowhere'"),
        ("", "no word"),
        ("~3", "no word"),
    ],
)
def test_a_bad_pattern_is_refused_by_name(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason) as refused:
        Compiler(CLASSES, CLAUSES, TOKENS).compile(pattern)
    assert f"'{pattern}'" in str(refused.value)


def test_the_vocabulary_is_what_the_patterns_name() -> None:
    compiler = Compiler(CLASSES, CLAUSES, TOKENS)
    compiler.compile("@cannot feel ~2 @leg|toe*")
    assert {"can", "not", "unable", "feel", "legs", "toe"} <= compiler.vocabulary


def test_no_pattern_uses_a_sign_that_the_language_does_not_have(protocol: Protocol) -> None:
    compiler = Compiler(protocol.grammar.words, protocol.grammar.clauses, protocol.grammar.tokens)
    for finding in protocol.findings.values():
        for pattern in (*finding.patterns, *finding.normal):
            compiler.compile(pattern)
    strange = {word for word in compiler.vocabulary if word[:1] in set("!~?@+^(")} - {"?"}  # alone it stands for the mark in a text
    assert not strange
