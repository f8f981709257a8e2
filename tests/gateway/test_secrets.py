"""Secrets in files: found by name, and refused where others can read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.settings import SettingsError, from_environment
from tests.gateway.support import MASTER_KEY, MASTER_KEY_TEXT
from vault.secret import NAMES, SecretError, with_secrets

_NAME = "AFTERCARE_MASTER_KEY"


def _written(folder: Path, name: str = _NAME, content: str = f"{MASTER_KEY_TEXT}\n", mode: int = 0o400) -> Path:
    file = folder / name
    file.write_text(content)
    file.chmod(mode)
    return file


def test_a_secret_in_a_file_counts_as_in_a_variable(tmp_path: Path) -> None:
    file = _written(tmp_path)
    assert from_environment({f"{_NAME}_FILE": str(file)}, demo=True).master_keys == (MASTER_KEY,)


def test_what_systemd_hands_over_is_found(tmp_path: Path) -> None:
    _written(tmp_path, mode=0o440)
    assert from_environment({"CREDENTIALS_DIRECTORY": str(tmp_path)}, demo=True).master_keys == (MASTER_KEY,)


@pytest.mark.parametrize("name", NAMES)
def test_each_secret_may_stand_in_a_file(tmp_path: Path, name: str) -> None:
    file = _written(tmp_path, name, "a secret\n")
    assert with_secrets({f"{name}_FILE": str(file)})[name] == "a secret"
    assert with_secrets({"CREDENTIALS_DIRECTORY": str(tmp_path)})[name] == "a secret"
    assert with_secrets({"CREDENTIALS_DIRECTORY": str(tmp_path), name: "given"})[name] == "given"


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o602, 0o410])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = _written(tmp_path, mode=mode)
    with pytest.raises(SettingsError, match=rf"{_NAME}: {file} can be read or changed by others; run: chmod 0400") as refused:
        from_environment({f"{_NAME}_FILE": str(file)}, demo=True)
    assert MASTER_KEY_TEXT not in str(refused.value)


@pytest.mark.parametrize("mode", [0o444, 0o604, 0o402])
def test_a_credential_that_everybody_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    _written(tmp_path, mode=mode)
    with pytest.raises(SecretError, match="others"):
        with_secrets({"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_a_file_that_is_not_there_or_empty_is_told(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="cannot be read"):
        with_secrets({f"{_NAME}_FILE": str(tmp_path / "none")})
    with pytest.raises(SecretError, match="empty"):
        with_secrets({f"{_NAME}_FILE": str(_written(tmp_path, content=" \n"))})


def test_a_secret_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="both set"):
        with_secrets({_NAME: MASTER_KEY_TEXT, f"{_NAME}_FILE": str(_written(tmp_path))})


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SecretError) as refused:
        with_secrets({f"{name}_FILE": str(tmp_path / "none") for name in NAMES})
    assert len(str(refused.value).splitlines()) == len(NAMES)
