"""No evaluation sentence stands, or nearly stands, in another part, in the training data or in the lexicon."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest
import yaml
from rapidfuzz import fuzz, process

from evaluation.cases import MEASURED, REGRESSIONS, card_answers, cases, dialogues, everyday, pairs, patients

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
NEAR = 90
EXAMPLE = re.compile(r'^ +"(?:yes|no)": (.*)$', re.MULTILINE)
FEWEST_WORDS, FEWEST_IN_AN_ANSWER, IN_A_ROW = 4, 8, 6


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


def sentences(part: str) -> list[str]:
    """What a part's patients type first and in dialogues, and what they answer in more than a few words."""
    own, pairs_of = patients(part), [] if part == REGRESSIONS else pairs(part)
    answers = [words for patient in own for words in (*patient.facts.values(), patient.none, patient.others)]
    answers += [pair.text for pair in pairs_of] + [answer.text for answer in card_answers(part)]
    answers += [turn for dialogue in dialogues(part) for turn in dialogue.turns[1:]]
    openings = [case.text for case in cases(part)] + [patient.opening for patient in own] + [each.turns[0] for each in dialogues(part)]
    return openings + [words for words in answers if len(plain(words).split()) >= FEWEST_IN_AN_ANSWER]


@pytest.fixture(scope="module")
def parts() -> dict[str, list[str]]:
    return {part: [text for text in map(plain, sentences(part)) if len(text.split()) >= FEWEST_WORDS] for part in MEASURED} | {
        "everyday": [text for text in map(plain, everyday()) if len(text.split()) >= FEWEST_WORDS]
    }


@pytest.fixture(scope="module")
def training() -> list[str]:
    found = []
    for path in sorted((ROOT / "data" / "nlu").rglob("*.yml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            found += [plain(line[2:]) for line in entry["examples"].splitlines()]
    for path in sorted((ROOT / "clinical" / "signs").glob("*.jsonl")):
        found += [plain(json.loads(line)["text"]) for line in path.read_text(encoding="utf-8").splitlines()]
    return found


def near(these: list[str], those: list[str]) -> list[tuple[str, str]]:
    if not these or not those:
        return []
    scores = process.cdist(these, those, scorer=fuzz.ratio, score_cutoff=NEAR, workers=-1)
    return [(text, those[row.argmax()]) for text, row in zip(these, scores, strict=True) if row.max() > 0]


def in_lexicon(texts: list[str], lexicon: str) -> list[str]:
    words = (text.split() for text in texts)
    return [
        " ".join(each) for each in words for start in range(len(each) - IN_A_ROW + 1) if " ".join(each[start : start + IN_A_ROW]) in lexicon
    ]


def lexicon_files() -> list[Path]:
    folders = (ROOT / "clinical", *(rules.parent for rules in (ROOT / "protocols").glob("*/rules.yml")))
    files = [path for folder in folders for path in (*folder.glob("findings/*.yml"), *folder.glob("words.*.yml"))]
    return [*files, *(ROOT / "languages").rglob("*.yml")]


def lexicon() -> str:
    """All that the lexicon says, without the sentences that show what a pattern matches."""
    return " ".join(plain(EXAMPLE.sub("", path.read_text(encoding="utf-8"))) for path in lexicon_files())


def lexicon_examples() -> list[str]:
    """The sentences that show what a pattern matches, and what it must not."""
    return [plain(text) for path in lexicon_files() for text in EXAMPLE.findall(path.read_text(encoding="utf-8"))]


def demo_sentences() -> list[str]:
    """What the demo's invented people type first, what they write later, and what they answer in more than a few words."""
    content = yaml.safe_load((ROOT / "scripts" / "demo_patients.yml").read_text(encoding="utf-8"))
    entries = [entry for entries in content["groups"].values() for entry in entries]
    said = [text for entry in entries for text in [*entry["says"], *entry.get("then", [])]]
    answers = [
        text
        for facts in [*content["voices"].values(), *(entry.get("facts", {}) for entry in entries)]
        for texts in facts.values()
        for text in texts
    ]
    return said + [text for text in map(str, answers) if len(plain(text).split()) >= FEWEST_IN_AN_ANSWER]


def test_no_part_is_near_another(parts: dict[str, list[str]]) -> None:
    for one, other in itertools.combinations(parts, 2):
        assert near(parts[one], parts[other]) == [], (one, other)


def test_no_part_is_near_the_training_data(parts: dict[str, list[str]], training: list[str]) -> None:
    for texts in parts.values():
        assert near(texts, training) == []


def test_no_sentence_of_a_part_stands_in_the_lexicon(parts: dict[str, list[str]]) -> None:
    for texts in parts.values():
        assert in_lexicon(texts, lexicon()) == []


def test_no_example_of_the_lexicon_is_near_a_part(parts: dict[str, list[str]]) -> None:
    shown = [text for text in lexicon_examples() if len(text.split()) >= IN_A_ROW]
    assert len(shown) > 500
    for texts in parts.values():
        assert near(shown, texts) == []


def test_the_demo_is_near_no_part_and_no_training_data(parts: dict[str, list[str]], training: list[str]) -> None:
    demo = [text for text in map(plain, demo_sentences()) if len(text.split()) >= FEWEST_WORDS]
    assert len(demo) > 100
    for texts in [*parts.values(), training]:
        assert near(demo, texts) == []
    assert in_lexicon(demo, lexicon()) == []


def test_the_requests_for_a_person_are_near_no_training_data(training: list[str]) -> None:
    told = yaml.safe_load((ROOT / "tests" / "system" / "asks_for_a_person.yml").read_text(encoding="utf-8"))
    requests = [plain(text) for texts in told.values() for text in texts]
    assert len(requests) == 100
    assert near(requests, [*training, *(text for text in lexicon_examples() if len(text.split()) >= IN_A_ROW)]) == []
    assert in_lexicon(requests, lexicon()) == []


def test_training_data_and_lexicon_are_found(training: list[str]) -> None:
    assert len(training) > 38_000
    for known in ("popped crack cracked snap snapped crunch", "laughter laughing curiosity embarrassment boredom thirst"):
        assert in_lexicon([known], lexicon()) == [known]


def test_the_guard_sees_a_pasted_sentence(parts: dict[str, list[str]]) -> None:
    pasted = max(parts["test"], key=len)
    assert near([pasted], ["something else", pasted + " too"])
    assert in_lexicon([pasted], f"a pattern {pasted} another pattern")
