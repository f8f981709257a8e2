"""A word of a danger sign survives a slip: a letter lost, doubled, swapped or hit beside; what it was is told by the sentence."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date

import pytest

from aftercare.assistant import Assistant
from aftercare.protocol import Disposition, Protocol, load_protocol
from aftercare.protocol.compose import PROTOCOLS
from aftercare.understanding.spelling import Spelling
from tests.core.test_lexicon import FILES, examples

pytestmark = pytest.mark.slow

TODAY = date(2024, 5, 15)
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
BESIDE = {letter: row[place - 1] if place else row[1] for row in ROWS for place, letter in enumerate(row)}
PROTOCOL = load_protocol(PROTOCOLS / "vertebroplasty")
SERIOUS = {
    finding
    for finding in PROTOCOL.findings
    if any(rule.disposition >= Disposition.CALL_DOCTOR and finding in rule.any_of and not rule.all_of for rule in PROTOCOL.rules)
}


def slips(word: str, chance: random.Random) -> Iterator[str]:
    place = chance.randrange(1, len(word) - 1)
    yield word[:place] + word[place + 1 :]
    yield word[:place] + word[place] + word[place:]
    yield word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    yield word[:place] + BESIDE.get(word[place], word[place]) + word[place + 1 :]


@pytest.fixture(scope="module")
def spelling(protocol: Protocol) -> Spelling:
    words = {word for finding in protocol.findings.values() for pattern in finding.patterns for word in pattern.replace("|", " ").split()}
    return Spelling(words, protocol.grammar.spelling)


def told(assistant: Assistant, text: str, finding: str) -> bool:
    return any(mention.finding == finding for mention in assistant.read(text, TODAY).mentions)


def test_words_of_danger_signs_survive_a_slip(assistant: Assistant, spelling: Spelling) -> None:
    chance, tried, lost = random.Random(4), 0, []
    for file in FILES:
        for under, example in examples(file) if file.stem in SERIOUS else ():
            text = example["yes"]
            if under != "patterns" or not told(assistant, text, file.stem):
                continue
            for word in {word for word in text.split() if len(word) > 3 and word.isalpha() and told(assistant, text, file.stem)}:
                if told(assistant, text.replace(word, "something", 1), file.stem):
                    continue
                for slip in slips(word, chance):
                    if slip == word or spelling.known(slip):
                        continue
                    tried += 1
                    if not told(assistant, text.replace(word, slip, 1), file.stem):
                        lost.append(f"{slip} in '{text}'")
    assert tried > 1_500
    assert len(lost) / tried <= 0.03, "\n".join(lost)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("my chets feels tight", "chest_pain"),
        ("she wet the bde", "bladder_bowel"),
        ("i can not move my lgs", "paralysis"),
        ("there is blod in my stool", "internal_bleeding"),
        ("my fevver is back", "fever"),
    ],
)
def test_what_a_slip_was_is_told_by_the_sentence(assistant: Assistant, text: str, finding: str) -> None:
    assert told(assistant, text, finding)


@pytest.mark.parametrize("text", ["any good chili recipes", "my pcp wrote a note", "the dtr is here", "bingo was fun"])
def test_a_word_that_is_no_slip_makes_no_sign(assistant: Assistant, text: str) -> None:
    assert not assistant.read(text, TODAY).mentions


@pytest.mark.parametrize("text", ["Hola, tengo una pregunta sobre mi seguro.", "gracias por todo, hola", "Quiero tener una cita por favor"])
def test_everyday_words_of_another_language_are_no_slips(assistant: Assistant, text: str) -> None:
    assert not assistant.read(text, TODAY).mentions
