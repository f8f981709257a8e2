"""The shape of the house: small files and functions in the whole product, and no circle of imports anywhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from aftercare.protocol.compose import HOUSE

pytestmark = pytest.mark.slow

PACKAGES = ("aftercare", "readers", "actions", "rasa_ext", "gateway", "vault", "scripts", "evaluation")
MIGRATIONS = HOUSE / "gateway" / "records" / "migrations"
SMALL = sorted(
    file
    for folder in (*PACKAGES, "benchmarks", "deploy", "encoder")
    for file in (HOUSE / folder).rglob("*.py")
    if not file.is_relative_to(MIGRATIONS)
)
WIDGET = sorted((HOUSE / "widget" / "src").rglob("*.ts"))
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 300, 50


def name_of(file: Path) -> str:
    return file.relative_to(HOUSE).as_posix()


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(HOUSE).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("file", SMALL, ids=name_of)
def test_files_and_functions_fit_on_a_few_screens(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= MOST_LINES_OF_A_FUNCTION, f"{node.name} has {length} lines"


@pytest.mark.parametrize("file", WIDGET, ids=name_of)
def test_files_of_the_widget_fit_on_a_few_screens(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def imports(file: Path, known: set[str]) -> Iterator[str]:
    """The modules of ours that a module needs when it is loaded."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in names if name in known]
            yield from modules
            if len(modules) < len(names) and node.module in known:
                yield node.module


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_needs_itself(package: str) -> None:
    files = {module_of(file): file for folder in PACKAGES for file in (HOUSE / folder).rglob("*.py")}
    graph = {name: set(imports(file, set(files))) - {name} for name, file in files.items()}
    inside = {name: needs for name, needs in graph.items() if name.split(".")[0] == package}
    own = {name: {each for each in needs if each in inside} for name, needs in inside.items()}
    try:
        order = list(TopologicalSorter(own).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
    assert order


def test_packages_depend_one_way() -> None:
    files = {module_of(file): file for folder in PACKAGES for file in (HOUSE / folder).rglob("*.py")}
    between: dict[str, set[str]] = {package: set() for package in PACKAGES}
    for name, file in files.items():
        package = name.split(".")[0]
        between[package] |= {each.split(".")[0] for each in imports(file, set(files))} - {package}
    assert between["aftercare"] == set()
    assert between["readers"] == {"aftercare"}
    assert between["actions"] <= {"aftercare", "readers"}
    assert between["rasa_ext"] <= {"aftercare", "readers", "vault"}
    assert between["gateway"] <= {"aftercare", "readers", "vault", "evaluation"}
    list(TopologicalSorter(between).static_order())
