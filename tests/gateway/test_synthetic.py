"""The operator's synthetic patient is answered as any other, and no nurse is called for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateway.records.tables import triage_case
from gateway.settings import EmbedKey, Settings, SettingsError, from_environment
from tests.gateway.support import EVIL, RED_FLAG, Door, is_emergency, refused


@pytest.fixture
def door(open_door: Callable[..., Door], settings: Settings) -> Door:
    return open_door(embed_keys={**settings.embed_keys, "synthetic": EmbedKey("synthetic", (), "en", synthetic=True)})


def _cases(door: Door) -> int:
    with door.records.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(triage_case)) or 0


def test_a_synthetic_patient_is_answered_and_makes_no_case(door: Door) -> None:
    patient = door.patient("synthetic")
    assert is_emergency(patient.say(RED_FLAG))
    assert [event.kind for event in door.stored(patient)] == ["greeting", "message", "answer"]
    assert _cases(door) == 0


def test_everybody_else_makes_one_beside_it(door: Door) -> None:
    door.patient("synthetic").say(RED_FLAG)
    door.patient("demo").say(RED_FLAG)
    assert _cases(door) == 1


def test_no_patient_comes_upon_the_synthetic_key(door: Door) -> None:
    assert door.client.get("/panel/demo").status_code == 200
    refused(door.client.get("/panel/synthetic"), 404, "not_found")
    refused(door.start("synthetic", EVIL), 403, "forbidden")


def test_a_key_for_our_own_pages_only_has_a_panel_that_a_server_can_send(open_door: Callable[..., Door]) -> None:
    """No header may end in a blank: the server would break off."""
    door = open_door(embed_keys={"ours": EmbedKey("ours", (), "en")})
    response = door.client.get("/panel/ours")
    assert response.status_code == 200
    assert all(value == value.strip() for value in response.headers.values())
    assert response.headers["content-security-policy"].endswith("frame-ancestors 'self'")


def _settings(folder: Path, entry: str) -> Settings:
    file = folder / "embed.yml"
    file.write_text(f"keys:\n  probe: {entry}\n")
    return from_environment({"AFTERCARE_EMBED": str(file), "AFTERCARE_RECORDS": "sqlite:///nowhere.db"}, demo=True)


def test_the_embed_file_marks_it(tmp_path: Path) -> None:
    assert _settings(tmp_path, "{origins: [], synthetic: true}").embed_keys["probe"].synthetic
    assert not _settings(tmp_path, "{origins: []}").embed_keys["probe"].synthetic


@pytest.mark.parametrize("entry", ["{origins: [], synthetic: maybe}", '{origins: ["https://www.clinic.example"], synthetic: true}'])
def test_a_mark_that_could_hide_patients_is_refused(entry: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="synthetic"):
        _settings(tmp_path, entry)


def test_unmarked_it_makes_cases_again(open_door: Callable[..., Door], settings: Settings) -> None:
    key = EmbedKey("probe", (), "en", synthetic=True)
    patient = open_door(embed_keys={"probe": key}).patient("probe")
    patient.say(RED_FLAG)
    later = open_door(embed_keys={"probe": replace(key, synthetic=False)})
    assert _cases(later) == 0
    later.patient("probe").say(RED_FLAG)
    assert _cases(later) == 1
