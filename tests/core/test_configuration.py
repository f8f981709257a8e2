"""docs/configuration.md is up to date, and holds every variable that the code reads."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.settings import VARIABLES
from scripts.configuration import PARTS, page
from vault.secret import NAMES

_FOLDERS = ("actions", "aftercare", "deploy", "gateway", "rasa_ext", "readers", "scripts", "vault")
_OURS = re.compile(r"AFTERCARE_[A-Z0-9][A-Z0-9_]*[A-Z0-9]")
_EXAMPLE = re.compile(r"^(?:# )?([A-Z][A-Z0-9_]*)=", re.MULTILINE)
_THE_SYSTEMS = {"PATH", "XDG_DATA_HOME", "PYENV_ROOT", "ASDF_DATA_DIR"}
_LISTED = [variable.name for variables in PARTS.values() for variable in variables]
_FILES = {f"{name}_FILE" for name in NAMES}


def _sources(root: Path) -> Iterator[Path]:
    yield from (root / name for name in ("Makefile", "credentials.yml", "endpoints.yml"))
    for folder in _FOLDERS:
        yield from (file for file in sorted((root / folder).rglob("*")) if file.is_file() and "__pycache__" not in file.parts)


def _read(file: Path) -> Iterator[str]:
    """The names of variables that a Python file takes from the environment, whatever they begin with."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=source, attr="get" | "pop" | "setdefault"), args=[ast.Constant(value=str(name)), *_]):
                if ast.unparse(source).split(".")[-1] == "environ":
                    yield name
            case ast.Call(func=ast.Name(id="port_from") | ast.Attribute(attr="getenv"), args=[ast.Constant(value=str(name)), *_]):
                yield name
            case ast.Subscript(value=source, slice=ast.Constant(value=str(name))) if ast.unparse(source).split(".")[-1] == "environ":
                yield name


def test_the_page_is_up_to_date(root: Path) -> None:
    assert (root / "docs" / "configuration.md").read_text(encoding="utf-8") == page(), "run `make generate`"


def test_every_variable_of_ours_that_stands_in_the_code_is_in_the_table(root: Path) -> None:
    found = {name: file for file in _sources(root) for name in _OURS.findall(file.read_text(encoding="utf-8"))}
    assert {name: file for name, file in found.items() if name not in {*_LISTED, *_FILES}} == {}


def test_every_variable_that_python_reads_is_in_the_table(root: Path) -> None:
    found = {name: file for file in _sources(root) if file.suffix == ".py" for name in _read(file)}
    assert {"PORT", "AFTERCARE_GATEWAY_PORT"} <= set(found)
    assert {name: file for name, file in found.items() if name not in {*_LISTED, *_THE_SYSTEMS}} == {}


def test_every_variable_of_the_example_files_is_in_the_table(root: Path) -> None:
    found = {name for file in (root / "deploy" / "env").glob("*.example") for name in _EXAMPLE.findall(file.read_text(encoding="utf-8"))}
    assert len(found) > 20
    assert found <= {*_LISTED, *_FILES}


def test_the_table_holds_nothing_that_no_code_knows(root: Path) -> None:
    tables = {root / "scripts" / "configuration.py", root / "gateway" / "settings" / "variables.py"}
    text = "\n".join(file.read_text(encoding="utf-8") for file in _sources(root) if file not in tables)
    assert [name for name in _LISTED if not re.search(rf"(?<![A-Z]){name}(?![A-Z0-9_])|_{name}(?![A-Z0-9_])", text)] == []


def test_each_variable_stands_there_once() -> None:
    assert [name for name, times in Counter(_LISTED).items() if times > 1] == []


def test_every_secret_is_in_the_table_and_marked() -> None:
    marked = re.findall(r"^\| `(\w+)` .*\| yes \|$", page(), re.MULTILINE)
    assert sorted(marked) == sorted(NAMES)


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_the_page_tells_each_default_of_the_gateway(variable: object) -> None:
    default = getattr(variable, "default", "")
    row = next(line for line in page().splitlines() if line.startswith(f"| `{getattr(variable, 'name', '')}` "))
    assert not default or f"| `{default}` |" in row
