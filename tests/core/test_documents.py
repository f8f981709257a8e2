from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from aftercare.protocol import Protocol, load_library
from scripts.documents import patient_api, picture, register

REMEDY = "run `make generate`"


def test_the_divergence_register_is_up_to_date(protocol: Protocol, root: Path) -> None:
    assert (root / "docs" / "divergence-register.md").read_text(encoding="utf-8") == register(protocol), REMEDY


def test_the_picture_is_up_to_date(protocol: Protocol, root: Path) -> None:
    assert (root / "docs" / "how-it-decides.svg").read_text(encoding="utf-8") == picture(protocol), REMEDY


def test_the_patient_apis_description_is_up_to_date(root: Path) -> None:
    assert (root / "docs" / "openapi.json").read_text(encoding="utf-8") == patient_api(load_library()), REMEDY


def test_the_register_names_every_extension_and_nothing_else(protocol: Protocol) -> None:
    assert _rows(register(protocol).partition("\n## ")[0]) == [rule.id for rule in protocol.rules if rule.basis == "extension"]


def test_the_register_names_every_row_of_the_danger_check(protocol: Protocol) -> None:
    assert _rows(register(protocol).partition("\n## ")[2]) == [row.fact for row in protocol.danger_check.rows]


def _rows(text: str) -> list[str]:
    """The first cells of a table, without its head."""
    return [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")][2:]


def test_the_picture_is_well_formed_and_holds_every_rule_and_row(protocol: Protocol) -> None:
    text = " ".join(node.text or "" for node in ElementTree.fromstring(picture(protocol)).iter())
    assert text.count("• ") == len(protocol.rules)
    assert len(re.findall(r"(?<!\w)\? ", text)) == len(protocol.danger_check.rows)


def test_the_widgets_table_names_tests_that_exist(root: Path) -> None:
    named = re.findall(r"`(test_\w+)`", (root / "docs" / "widget.md").read_text(encoding="utf-8"))
    written = "".join(file.read_text(encoding="utf-8") for file in (root / "tests" / "browser").glob("test_*.py"))
    assert len(named) > 25
    assert [name for name in named if f"def {name}(" not in written] == []


def test_the_consoles_points_name_tests_that_exist(root: Path) -> None:
    page = (root / "docs" / "console.md").read_text(encoding="utf-8")
    rows = [line for line in page.partition("## Eleven points")[2].splitlines() if line.startswith("| ")][2:]
    files = (file for folder in ("browser", "gateway/console") for file in (root / "tests" / folder).glob("test_*.py"))
    written = "".join(file.read_text(encoding="utf-8") for file in files)
    assert len(rows) == 11
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row)
        assert named, row
        assert [name for name in named if f"def {name}(" not in written] == []


PAGES = (
    "README.md",
    *(f"docs/{name}.md" for name in ("embedding", "widget", "evaluation", "console", "operating", "configuration")),
    "docs/safety/README.md",
)


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_links_to_is_there(page: str, root: Path) -> None:
    file = root / page
    links = re.findall(r"\]\(([^)#:]+)\)", file.read_text(encoding="utf-8"))
    assert [link for link in links if not (file.parent / link).exists()] == []
