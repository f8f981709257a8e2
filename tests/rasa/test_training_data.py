from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from aftercare.protocol import load_protocol

ROOT = Path(__file__).resolve().parents[2]
FEWEST, FEWEST_RED_FLAG = 50, 300


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


@pytest.fixture(scope="module")
def examples() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "data" / "nlu").rglob("*.yml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            found.setdefault(entry["intent"], []).extend(line[2:] for line in entry["examples"].splitlines())
    return found


def test_every_intent_has_enough_examples(examples: dict[str, list[str]]) -> None:
    protocol = load_protocol()
    red = {intent for finding in protocol.red_flags for intent in protocol.findings[finding].intents}
    for intent, texts in examples.items():
        assert len(texts) >= (FEWEST_RED_FLAG if intent in red else FEWEST), intent


def test_no_example_stands_twice(examples: dict[str, list[str]]) -> None:
    texts = [plain(text) or text for several in examples.values() for text in several]
    assert len(texts) == len(set(texts))


def test_intents_are_those_of_the_protocol_and_the_domain(examples: dict[str, list[str]]) -> None:
    protocol = load_protocol()
    domain = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    assert set(domain["intents"]) == set(examples)
    assert {f"ask_{topic}" for topic in protocol.topics} <= set(examples)
    assert {intent for finding in protocol.findings.values() for intent in finding.intents} <= set(examples)
    entities = {next(iter(entity)) for entity in domain["entities"]}
    assert entities == {*protocol.findings, "reading"}
