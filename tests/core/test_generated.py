"""The Rasa project is made of what languages/, clinical/ and protocols/ say, and of nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from aftercare.protocol import Library, load_library
from scripts.rasa_project import project, shipped, write

pytestmark = pytest.mark.slow

REMEDY = "run `make generate`"


@pytest.fixture(scope="module")
def library(own_protocol: None) -> Library:
    return load_library(shipped())


@pytest.fixture(scope="module")
def made(library: Library) -> dict[str, str]:
    return project(library, shipped())


def test_the_rasa_project_is_up_to_date(made: dict[str, str], root: Path) -> None:
    kept = {name: (root / name).read_text(encoding="utf-8") for name in made if (root / name).is_file()}
    assert [name for name in made if kept.get(name) != made[name]] == [], REMEDY


def test_no_file_of_the_data_is_written_by_hand(made: dict[str, str], root: Path) -> None:
    found = {path.relative_to(root).as_posix() for path in (root / "data").rglob("*") if path.is_file()}
    assert found - set(made) == set(), f"write it in clinical/nlu or protocols/<id>/nlu, then {REMEDY}"


def test_every_made_file_says_so_in_its_first_line(made: dict[str, str]) -> None:
    assert [name for name, content in made.items() if "do not edit by hand" not in content.partition("\n")[0]] == []


def test_a_file_that_is_no_longer_made_is_removed(library: Library, made: dict[str, str], tmp_path: Path) -> None:
    stale = tmp_path / "data" / "nlu" / "clinical" / "stale.yml"
    stale.parent.mkdir(parents=True)
    stale.write_text("nlu: []\n", encoding="utf-8")
    write(library, shipped(), tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == set(made)


def test_the_domain_names_every_intent_that_has_examples_and_no_other(made: dict[str, str]) -> None:
    domain = yaml.safe_load(made["domain.yml"])
    nlu = [yaml.safe_load(content)["nlu"] for name, content in made.items() if name.startswith("data/nlu/")]
    shown = [entry["intent"] for entries in nlu for entry in entries]
    assert len(domain["intents"]) == len(set(domain["intents"]))
    assert set(domain["intents"]) == set(shown)


def test_every_intent_is_answered_by_one_rule(made: dict[str, str]) -> None:
    intents = yaml.safe_load(made["domain.yml"])["intents"]
    answered = re.findall(r"intent: (\w+)", made["data/rules/respond.yml"])
    assert sorted(answered) == sorted([*intents, "nlu_fallback"])


def test_the_examples_of_a_protocol_name_it_and_shared_ones_name_none(made: dict[str, str]) -> None:
    for name, content in made.items():
        if name.startswith("data/nlu/"):
            owner = "" if name.split("/")[2] == "clinical" else name.split("/")[2]
            told = {entry.get("metadata", {}).get("protocol", "") for entry in yaml.safe_load(content)["nlu"]}
            assert told == {owner}, name
