from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ALLOWED = {"aftercare", "rapidfuzz", "yaml", "jsonschema", "symspellpy", "numpy"}
_FORBIDDEN = (
    "rasa rasa_sdk sanic fastapi starlette flask django aiohttp uvicorn httpx requests urllib3 socket asyncio "
    "sqlalchemy sqlite3 psycopg psycopg2 redis pymongo alembic actions rasa_ext readers scripts gateway widget evaluation tests"
)
FORBIDDEN = set(_FORBIDDEN.split())
FOLDER = Path(__file__).resolve().parents[2] / "aftercare"
FILES = sorted(FOLDER.rglob("*.py"))


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add("." if node.level else (node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(FOLDER).as_posix())
def test_the_core_imports_neither_rasa_nor_a_web_or_database_library(file: Path) -> None:
    names = imported(file)
    assert not names & FORBIDDEN
    assert names <= ALLOWED | sys.stdlib_module_names


def test_the_core_is_there() -> None:
    assert len(FILES) > 15


def test_the_core_imports_without_rasa() -> None:
    import aftercare.assistant  # noqa: F401

    assert not {"rasa", "rasa_sdk", "sanic"} & set(sys.modules)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(FOLDER).as_posix())
def test_understanding_knows_nothing_of_deciding(file: Path) -> None:
    if file.parent.name == "understanding":
        modules = {node.module or "" for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)}
        assert not any(module.startswith(("aftercare.decision", "aftercare.assistant", "aftercare.conversation")) for module in modules)
