"""Which part knows which: the core nothing of the gateway, the gateway nothing of Rasa's insides, the records nothing of the web."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = sorted((ROOT / "aftercare").rglob("*.py"))
GATEWAY = sorted((ROOT / "gateway").rglob("*.py"))
RECORDS = [file for file in GATEWAY if "records" in file.parts]
_WEB = {"fastapi", "starlette", "httpx", "uvicorn", "limits", "jinja2", "requests"}
_OTHER_PARTS = {"rasa", "rasa_sdk", "actions", "rasa_ext", "evaluation", "scripts", "tests", "widget"}
_TABLES_OF_RASA = re.compile(r"conversations\.db|AFTERCARE_DB\b|sender_id|action_name|intent_name|rasa_conversation", re.IGNORECASE)


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imported(file: Path) -> set[str]:
    """Every module that a file imports, anywhere in it, by its whole name."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{_name(file)} imports by a relative name"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("__import__", "importlib.import_module", "import_module"):
            names.add(ast.literal_eval(node.args[0]))
    return names


def _calls_others(file: Path) -> bool:
    """Whether a file asks a server that is not Rasa: a webhook, or the hospital's OpenID provider; or any, to see whether it is there."""
    return _name(file) in ("gateway/console/notify/delivery.py", "gateway/console/identity/oidc.py", "gateway/check/servers.py")


def _packages(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(file)}


@pytest.mark.parametrize("file", CORE, ids=_name)
def test_the_core_knows_no_gateway(file: Path) -> None:
    assert "gateway" not in _packages(file)


@pytest.mark.parametrize("file", GATEWAY, ids=_name)
def test_the_gateway_knows_the_core_and_no_other_part(file: Path) -> None:
    assert not _packages(file) & _OTHER_PARTS


@pytest.mark.parametrize("file", RECORDS, ids=_name)
def test_the_records_know_nothing_of_the_web_or_of_the_core(file: Path) -> None:
    assert not _packages(file) & (_WEB | {"aftercare"})
    inside = {name for name in imported(file) if name.startswith("gateway.")}
    assert all(name.startswith(("gateway.records.", "gateway.settings.")) for name in inside), inside


@pytest.mark.parametrize("file", GATEWAY, ids=_name)
def test_the_gateway_reads_no_table_of_rasa(file: Path) -> None:
    constants = [node.value for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant)]
    found = [text for text in constants if isinstance(text, str) and _TABLES_OF_RASA.search(text)]
    assert not found


@pytest.mark.parametrize(
    "file", [file for file in GATEWAY if "dialogue" not in file.parts and file.name != "app.py" and not _calls_others(file)], ids=_name
)
def test_only_the_dialogue_knows_how_rasa_is_asked(file: Path) -> None:
    assert "httpx" not in _packages(file)


def test_only_records_contact_and_console_know_the_tables() -> None:
    knowing = [_name(file) for file in GATEWAY if any(name.startswith("gateway.records.tables") for name in imported(file))]
    assert knowing
    assert all(name.startswith(("gateway/records/", "gateway/contact/", "gateway/console/")) and "/pages/" not in name for name in knowing)


@pytest.mark.parametrize("file", [file for file in GATEWAY if "console" not in file.parts], ids=_name)
def test_the_rest_of_the_gateway_knows_no_page_of_the_console(file: Path) -> None:
    """Of the console, the application knows how to put it together and what it does by itself, the commands know its commands, settings and
    contact its policy, the check its mail server and accounts."""
    known = {name for name in imported(file) if name.startswith("gateway.console")}
    allowed = {
        "app.py": ("notify.delivery", "services", "notify.escalation", "routes", "cases.holds"),
        "callbacks.py": ("policy",),
        "follow_ups.py": ("policy",),
        "__main__.py": ("commands", "identity.rights", "insights.regressions"),
        "environment.py": ("policy",),
        "model.py": ("policy",),
        "provider.py": ("identity.rights",),
        "servers.py": ("notify.delivery", "identity.staff"),
    }
    parts = tuple(f"gateway.console.{part}" for part in allowed.get(file.name, ()))
    assert not [name for name in known if name not in parts and not name.startswith(tuple(f"{part}." for part in parts))]


def test_no_two_parts_of_the_console_import_each_other() -> None:
    """Neither its packages nor the modules beside them."""
    console = ROOT / "gateway" / "console"
    parts = {".".join(file.relative_to(ROOT).with_suffix("").parts[:3]) for file in console.rglob("*.py") if file.name != "__init__.py"}
    graph: dict[str, set[str]] = {part: set() for part in parts}
    for file in console.rglob("*.py"):
        part = ".".join(file.relative_to(ROOT).with_suffix("").parts[:3])
        if part in parts:
            graph[part] |= {".".join(name.split(".")[:3]) for name in imported(file)} & parts - {part}
    assert {"gateway.console.cases", "gateway.console.identity", "gateway.console.redaction"} <= parts
    assert len(list(TopologicalSorter(graph).static_order())) == len(parts)


def test_every_file_was_looked_at() -> None:
    assert len(CORE) > 15
    assert len(GATEWAY) > 20
    assert len(RECORDS) >= 6
