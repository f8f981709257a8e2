from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from aftercare.protocol import Protocol, load_library
from scripts.documents import patient_api, picture, register

REMEDY = "run `make generate`"
ROOT = Path(__file__).resolve().parents[2]
# Folders that hold no page of ours: what is installed, trained or made by a tool.
UNWRITTEN = ("models", "mutants")


def test_the_divergence_register_is_up_to_date(protocol: Protocol, root: Path) -> None:
    assert (root / "docs" / "divergence-register.md").read_text(encoding="utf-8") == register(protocol), REMEDY


def test_the_picture_is_up_to_date(protocol: Protocol, root: Path) -> None:
    assert (root / "docs" / "how-it-decides.svg").read_text(encoding="utf-8") == picture(protocol), REMEDY


@pytest.mark.slow
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
    rows = [line for line in page.partition("## Twelve points")[2].splitlines() if line.startswith("| ")][2:]
    files = (file for folder in ("browser", "gateway/console") for file in (root / "tests" / folder).glob("test_*.py"))
    written = "".join(file.read_text(encoding="utf-8") for file in files)
    assert len(rows) == 12
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row)
        assert named, row
        assert [name for name in named if f"def {name}(" not in written] == []


FOLDERS = [folder for folder in ROOT.iterdir() if folder.is_dir() and folder.name not in UNWRITTEN and not folder.name.startswith(".")]
FILES = [*ROOT.glob("*.md"), *(file for folder in FOLDERS for file in folder.rglob("*.md") if "node_modules" not in file.parts)]
PAGES = sorted(file.relative_to(ROOT).as_posix() for file in FILES)


def _prose(page: Path) -> str:
    """A page without its blocks of code."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?m)^(?: {4,}|\t).*$", "", text)


def _code(page: Path) -> str:
    """What a page shows as code: blocks and spans."""
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"^ *```.*?^ *```", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*fenced, *re.findall(r"(?m)^ {4,}.*$", text), *re.findall(r"`([^`]+)`", text)])


def _links(page: Path) -> list[tuple[Path, str]]:
    """The files of this repository that a page links to, each with the heading that it names, or nothing."""
    targets = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", _prose(page)))
    own = [target.partition("#") for target in targets if not re.match(r"[a-z]+:", target)]
    return [((page.parent / path).resolve() if path else page, heading) for path, _, heading in own]


def _anchors(page: Path) -> set[str]:
    """The names under which headings can be linked to."""
    headings = re.findall(r"(?m)^#+ +(.+?) *$", _prose(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _reached(start: Path) -> set[Path]:
    """What can be reached by links: pages, what they show, and the files that are no pages in a folder that they link to."""
    found, left = {start}, [start]
    while left:
        for target, _ in _links(left.pop()):
            beside = {file for file in target.iterdir() if file.is_file() and file.suffix != ".md"} if target.is_dir() else set()
            fresh = ({target} | beside) - found
            found |= fresh
            left += [file for file in fresh if file.suffix == ".md" and file.is_file()]
    return found


def _is_module(name: str, root: Path) -> bool:
    """Whether `python -m` finds a module: one of this repository, or one that is installed here or beside Rasa."""
    path = root.joinpath(*name.split("."))
    ours = path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()
    return ours or name in ("rasa", "rasa_sdk") or ("." not in name and not path.exists() and find_spec(name) is not None)


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_links_to_is_there(page: str, root: Path) -> None:
    links = _links(root / page)
    assert [file for file, _ in links if not file.exists()] == []
    assert [(file, heading) for file, heading in links if heading and heading not in _anchors(file)] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_names_exists(page: str, root: Path) -> None:
    code = _code(root / page)
    targets = set(re.findall(r"(?m)^([a-z][a-z-]*):", (root / "Makefile").read_text(encoding="utf-8")))
    scripts = json.loads((root / "widget" / "package.json").read_text(encoding="utf-8"))["scripts"]
    assert {name for name in re.findall(r"\bmake ([a-z][a-z-]*)", code) if name not in targets} == set()
    assert {name for name in re.findall(r"\bpython[0-9.]* -m ([a-z_][\w.]*\w)", code) if not _is_module(name, root)} == set()
    assert {name for name in re.findall(r"\bnpm run ([a-z]+)", code) if name not in scripts} == set()
    assert {name for name in re.findall(r"(?<![\w/])tests/[\w/]+(?:\.(?:py|yml))?", code) if not (root / name).exists()} == set()


def test_the_readme_is_short(root: Path) -> None:
    assert len((root / "README.md").read_text(encoding="utf-8").split()) < 900


def test_every_document_can_be_reached_from_the_readme(root: Path) -> None:
    documents = {file for file in (root / "docs").rglob("*") if file.is_file()}
    assert sorted(documents - _reached(root / "README.md")) == []


def _unused_words(root: Path) -> list[str]:
    """The words that the glossary's last table forbids."""
    table = (root / "docs" / "glossary.md").read_text(encoding="utf-8").partition("## Words that this project does not use")[2]
    return re.findall(r"(?m)^\| `([^`]+)` \|", table)


def test_the_glossary_forbids_words(root: Path) -> None:
    assert len(_unused_words(root)) > 20


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/glossary.md"])
def test_no_page_uses_a_word_that_the_glossary_forbids(page: str, root: Path) -> None:
    words = "|".join(re.escape(word) for word in _unused_words(root))
    assert re.findall(rf"\b(?:{words})\b", (root / page).read_text(encoding="utf-8"), flags=re.IGNORECASE) == []


def test_the_hooks_check_types_as_make_lint_does(root: Path) -> None:
    hooks = [
        hook for repo in yaml.safe_load((root / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"] for hook in repo["hooks"]
    ]
    entries = [hook["entry"].replace(".venv-rasa/bin/python", "$(RASA)").replace(".venv/bin/python", "$(TOOLS)") for hook in hooks]
    lint = (root / "Makefile").read_text(encoding="utf-8").partition("\nlint:")[2].partition("\n\n")[0]
    typed = [entry for entry in entries if " -m mypy " in entry]
    assert len(typed) == 2
    assert [entry for entry in typed if f"\t{entry}\n" not in lint] == []
