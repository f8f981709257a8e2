"""The hazard log is bound to tests: no control without a test that `make test` runs and that must pass.

"A control has no passing test" needs no second run to be found. `make test` runs every test under tests/ and fails when one fails. So a
control is shown by a green `make test` if each test that it names exists, is collected by `make test`, and can neither be skipped nor be
expected to fail. That is what is checked here, by reading the test files. `make safety` runs the named tests and writes down how they went;
a skip inside a fixture (no PostgreSQL on the machine) is seen there.
"""

from __future__ import annotations

import ast
import copy
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.common import FailureError
from scripts.safety import HAZARDS, MATRIX, PAGE, Result, Results, hazards, named_tests, page, risk

ROOT = Path(__file__).resolve().parents[2]
LOG = hazards()
ESCAPES = {"skip", "skipif", "xfail", "importorskip", "skipTest"}
STARTERS = {f"H{number:02}" for number in range(1, 19)}


@lru_cache
def _module(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _escapes(node: ast.AST) -> set[str]:
    """Ways out of failing that a piece of code names."""
    names = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
    return (names | {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}) & ESCAPES


def _problem(test: str, root: Path = ROOT) -> str:
    """Why a test of this name shows nothing; empty when it does."""
    path, *names = test.split("::")
    file = root / path
    if not file.is_file():
        return "no such file"
    module = _module(file)
    node: Any = module
    for name in names:
        node = next((each for each in node.body if getattr(each, "name", "") == name), None)
        if node is None:
            return "no such test"
        if _escapes(node):
            return f"may not fail: {_escapes(node)}"
    outside = [each for each in module.body if isinstance(each, ast.Assign | ast.Expr) and _escapes(each)]
    return "the file marks its tests as skipped or expected to fail" if outside else ""


def test_the_log_keeps_its_schema_and_holds_every_starter() -> None:
    assert {hazard["id"] for hazard in LOG} >= STARTERS
    assert [hazard["id"] for hazard in LOG] == sorted(hazard["id"] for hazard in LOG)


@pytest.mark.parametrize("test", named_tests(LOG))
def test_every_named_test_exists_and_must_pass(test: str) -> None:
    assert _problem(test) == ""


def test_make_test_collects_every_folder_that_the_log_names() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "PARALLEL := -n 2 --dist loadfile\n" in makefile
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe
    runs = [line.split("-m pytest ")[1].removeprefix("$(PARALLEL) ") for line in recipe[1].splitlines() if "-m pytest " in line]
    assert [run.split()[0] for run in runs] == ["tests/browser", "tests", "tests/rasa"]
    assert runs[0].split()[1:] == []
    assert runs[1].split()[1:] == ["--ignore=tests/rasa", "--ignore=tests/browser"]
    assert not {"-k", "-m", "--deselect"} & set(runs[2].split())
    assert "collect_ignore" not in "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("conftest.py"))


def test_no_risk_is_higher_after_the_controls() -> None:
    for hazard in LOG:
        before, after = hazard["before"], hazard["after"]
        assert risk(after) <= risk(before), hazard["id"]
        assert after == before or "controls" in hazard, hazard["id"]


def test_the_page_is_in_step_with_the_log() -> None:
    text, remedy = PAGE.read_text(encoding="utf-8"), "run `make safety`"
    assert re.findall(r"^### (H\d\d)$", text, re.MULTILINE) == [hazard["id"] for hazard in LOG], remedy
    rows = re.findall(r"^\| (H\d\d-C\d) \| .* \| `(\S+)` \| (.+) \|$", text, re.MULTILINE)
    told = [(control["id"], test) for hazard in LOG for control in hazard.get("controls", ()) for test in control["tests"]]
    assert [(control, test) for control, test, _ in rows] == told, remedy
    assert [row for row in rows if not row[2].startswith("passed")] == []
    for hazard in LOG:
        assert hazard["hazard"] in text, remedy
        assert hazard["left"].strip() in text, remedy


def test_the_safety_case_tells_which_risks_are_left() -> None:
    text = (ROOT / "docs" / "safety" / "safety-case.md").read_text(encoding="utf-8")
    left = {hazard["id"] for hazard in LOG if risk(hazard["after"]) > 3}
    row = next(line for line in text.splitlines() if line.startswith("| not acceptable"))
    assert set(re.findall(r"H\d\d", row)) == left


def test_nobody_has_signed() -> None:
    """A signature is a person's; this test goes when a person has signed."""
    text = (ROOT / "docs" / "safety" / "signatures.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and "---" not in line][1:]
    assert rows
    for row in rows:
        assert [cell.strip() for cell in row.strip("|").split("|")][1:] == ["", "", "", ""], row


@pytest.mark.parametrize("name", sorted(file.name for file in (ROOT / "docs" / "safety").glob("*.md")))
def test_every_file_that_a_page_links_to_is_there(name: str) -> None:
    file = ROOT / "docs" / "safety" / name
    text = file.read_text(encoding="utf-8")
    assert [link for link in re.findall(r"\]\(([^)#:]+)\)", text) if not (file.parent / link).exists()] == []
    tests = re.findall(r"`(tests/[\w/]+\.py(?:::\w+)*)`", text)
    assert [test for test in tests if _problem(test)] == []


# What must be seen, each in a log or a test file that is broken in one way.
@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def test_other(): pass", "no such test"),
        ("def test_it():\n    pytest.skip()", "may not fail: {'skip'}"),
        ("@pytest.mark.xfail\ndef test_it(): pass", "may not fail: {'xfail'}"),
        ("@pytest.mark.parametrize('a', [pytest.param(1, marks=pytest.mark.skip)])\ndef test_it(a): pass", "may not fail: {'skip'}"),
        ("pytestmark = pytest.mark.xfail\ndef test_it(): pass", "the file marks its tests as skipped or expected to fail"),
        ("pytest.importorskip('x')\ndef test_it(): pass", "the file marks its tests as skipped or expected to fail"),
        ("class TestAll:\n    def test_it(self): pass", "no such test"),
        ("def test_it(): pass", ""),
    ],
)
def test_a_test_that_shows_nothing_is_seen(tmp_path: Path, code: str, problem: str) -> None:
    (tmp_path / "test_x.py").write_text(code)
    assert _problem("test_x.py::test_it", tmp_path) == problem


def _break(tmp_path: Path, **changes: Any) -> None:
    content = copy.deepcopy(yaml.safe_load(HAZARDS.read_text(encoding="utf-8")))
    content["hazards"][0] |= changes
    (tmp_path / "hazards.yml").write_text(yaml.safe_dump({"hazards": content["hazards"]}))
    hazards(tmp_path / "hazards.yml")


@pytest.mark.parametrize(
    "changes",
    [
        {"controls": []},
        {"controls": [{"id": "H01-C1", "what": "something", "tests": []}]},
        {"controls": [{"id": "H01-C1", "what": "something", "tests": ["tests/core/test_rules.py"]}]},
        {"controls": [{"id": "H02-C9", "what": "something", "tests": ["tests/core/test_rules.py::test_x"]}]},
        {"uncontrolled": "beside its controls"},
        {"after": {"severity": 6, "likelihood": 1}},
        {"id": "H02"},
        {"note": "an unknown key"},
    ],
)
def test_a_broken_log_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(FailureError):
        _break(tmp_path, **changes)


def test_a_junit_report_is_read(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="tests.core.test_a" name="test_x[1]"/><testcase classname="tests.core.test_a" '
        'name="test_x[a::b]"><failure/></testcase><testcase classname="tests.core.test_a.TestB" name="test_y"><skipped/></testcase>'
        '<testcase classname="tests.core.test_a" name="test_z"/></testsuite></testsuites>'
    )
    results = Results()
    results.read(report)
    assert results.of("tests/core/test_a.py::test_x") == Result(passed=1, failed=1)
    assert results.of("tests/core/test_a.py::TestB::test_y") == Result(skipped=1)
    assert [results.of(f"tests/core/test_a.py::{name}").good for name in ("test_x", "test_z", "test_nowhere")] == [False, True, False]


def test_the_page_tells_what_did_not_pass(protocol: Any) -> None:
    assert "**not run**" in page(LOG, Results(), protocol, [])


def test_the_plan_prints_the_risks_that_the_page_uses() -> None:
    text = (ROOT / "docs" / "safety" / "risk-management-plan.md").read_text(encoding="utf-8")
    printed = [tuple(int(cell) for cell in row.split(" | ")[1:]) for row in re.findall(r"^\| (\d(?: \| \d){5}) \|$", text, re.MULTILINE)]
    assert tuple(printed) == MATRIX
