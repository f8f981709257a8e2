"""What a clinic knows stands in data: no code of the core or the gateway names a finding, a topic, or a part of the body."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aftercare.protocol import load_protocol
from aftercare.protocol.compose import HOUSE, PROTOCOLS

FILES = sorted(file for folder in ("aftercare", "gateway", "readers", "actions", "rasa_ext") for file in (HOUSE / folder).rglob("*.py"))
MIGRATIONS = "migrations"
PROTOCOL = load_protocol(PROTOCOLS / "vertebroplasty")
# Types of answers on the wire, answers to a question, labels of the answer reader, an element of FHIR and a column of the export that
# something clinical is named like.
SHARED = {"out_of_scope", "unsure", "other", "activity", "days_since_procedure"}
NAMES = (
    {name for finding in PROTOCOL.findings.values() for name in (finding.id, finding.code, *finding.intents)}
    | set(PROTOCOL.topics)
    | {f"ask_{topic}" for topic in PROTOCOL.topics}
    | set(PROTOCOL.meanings)
    | {row.fact for row in PROTOCOL.danger_check.rows}
    | set(PROTOCOL.questions)
) - SHARED
# Words of signs that are everyday words of code, too.
EVERYDAY = set(
    """in my the her his to with any of other back new severe bad worse pressure loss control bleed feeling night problem problems sign
    signs symptom symptoms speech pain temperature trouble troubles site face balance fall falls difficulty difficulties seat worsening
    sensation accident accidents retention arm""".split()  # noqa: SIM905
)
BODY = {word for word in PROTOCOL.grammar.names_of_signs if len(word) > 2} - EVERYDAY
PROCEDURES = {folder.name for folder in PROTOCOLS.iterdir() if folder.is_dir()}


def name_of(file: Path) -> str:
    return file.relative_to(HOUSE).as_posix()


def texts(file: Path) -> Iterator[ast.Constant]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_code_names_a_finding_a_topic_or_a_procedure(file: Path) -> None:
    named = {f"{node.lineno}: {node.value}" for node in texts(file) if node.value in NAMES | PROCEDURES and MIGRATIONS not in file.parts}
    assert not named


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_code_speaks_of_the_body(file: Path) -> None:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        found = BODY & set(re.findall(r"[a-z]+", line.lower()))
        assert not found, f"{name_of(file)}:{number}: {', '.join(sorted(found))}"


def test_the_lists_are_worth_something() -> None:
    assert {"chest_pain", "ice", "report_fever", "walking", "cement"} <= NAMES
    assert {"fever", "chest", "bladder", "numbness", "bleeding"} <= BODY
