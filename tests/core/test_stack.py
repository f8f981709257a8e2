"""Where the custom action runs is one setting; the running bot starts an action server only where it is given a port."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.common import FailureError
from scripts.stack import Ports, Stack

ELSEWHERE = "http://actions.example/webhook"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AFTERCARE_ACTION_URL", "AFTERCARE_ACTION_PORT"):
        monkeypatch.delenv(name, raising=False)


def _stack(folder: Path, actions: int = 0, **env: str) -> Stack:
    return Stack(Ports(1, 2, actions), folder / "conversations.db", folder, env)


def test_without_a_port_there_is_no_action_server_and_no_address_of_one(tmp_path: Path) -> None:
    environment = _stack(tmp_path).environment()
    assert environment["AFTERCARE_ACTION_SERVER"] == "false"
    assert not environment.get("AFTERCARE_ACTION_URL")


def test_an_action_server_that_somebody_else_runs_is_asked(tmp_path: Path) -> None:
    environment = _stack(tmp_path, AFTERCARE_ACTION_URL=ELSEWHERE).environment()
    assert (environment["AFTERCARE_ACTION_SERVER"], environment["AFTERCARE_ACTION_URL"]) == ("false", ELSEWHERE)


def test_with_a_port_rasa_asks_the_action_server_there(tmp_path: Path) -> None:
    environment = _stack(tmp_path, 5055, AFTERCARE_ACTION_URL=ELSEWHERE).environment()
    assert environment["AFTERCARE_ACTION_SERVER"] == "true"
    assert environment["AFTERCARE_ACTION_PORT"] == "5055"
    assert environment["AFTERCARE_ACTION_URL"] == "http://127.0.0.1:5055/webhook"


@pytest.mark.parametrize(("told", "port"), [("", 0), ("5055", 5055)])
def test_the_port_is_told_by_the_environment(told: str, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Ports.here().actions == 0
    monkeypatch.setenv("AFTERCARE_ACTION_PORT", told)
    assert Ports.here().actions == port


def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERCARE_ACTION_PORT", "server")
    with pytest.raises(FailureError, match="AFTERCARE_ACTION_PORT"):
        Ports.here()
