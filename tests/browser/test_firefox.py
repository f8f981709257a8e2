"""Debian's Firefox: a patient with a telephone goes through the chat on the clinic's page, by finger."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from scripts.common import PATH
from scripts.stack import Stack
from tests.browser.clinic import Site
from tests.browser.watch import SPY
from tests.browser.words import EMERGENCY, ROOT, SELF_CARE, SORE, TEL, WORDS

WALK = ROOT / "tests" / "firefox" / "walk.mjs"
WET_BED = "mom wet the bed and didnt feel it"
LAUNCHER: dict[str, str] = WORDS["launcher"]

Seen = dict[str, Any]


@pytest.fixture(scope="module")
def seen(shared_stack: Stack, shared_site: Site) -> Seen:
    """What the patient met on the way, in one go."""
    node, firefox = (shutil.which(name, path=PATH) for name in ("node", "firefox-esr"))
    if not node or not firefox or not (WALK.parent / "node_modules").is_dir():
        pytest.fail("This test needs Debian's Firefox and what drives it; run: make programs")
    says = {"symptom": SORE, "emergency": WET_BED, "thanks": "thank you"}
    told = {"firefox": firefox, "url": f"{shared_site.origin}/", "spy": SPY, "says": says, "continue": LAUNCHER["continue"]}
    done = subprocess.run([node, WALK], input=json.dumps(told), capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    found: Seen = json.loads(done.stdout)
    return found


def test_the_launcher_opens_the_first_screen(seen: Seen) -> None:
    assert seen["launcher"] == {"name": LAUNCHER["open_name"], "expanded": "false", "focused": False}
    opened = seen["opened"]
    assert "Not for emergencies: call 911" in opened["main"]
    assert "not a person" in opened["main"]
    assert opened["starters"].split("\n") == [WORDS["start"][name] for name in ("symptom", "question", "helper")]
    assert opened["focused"] == "main", "a telephone's keyboard would cover the greeting"


def test_the_danger_check_is_answered_by_taps(seen: Seen) -> None:
    assert seen["check"]["question"].startswith("Before I say more: ")
    assert seen["check"]["rows"] == 12
    assert SELF_CARE in seen["check"]["answer"]


def test_an_emergency_is_in_sight_with_its_call_and_said_once(seen: Seen) -> None:
    emergency = seen["emergency"]
    assert emergency["heading"].startswith(EMERGENCY)
    assert emergency["calls"] == {"href": TEL["emergency"], "in_sight": True}
    assert emergency["said"] == [SORE, WET_BED]
    assert len(emergency["alerts"]) == 1
    assert emergency["alerts"][0].startswith(emergency["heading"])


def test_after_a_reload_the_chat_goes_on(seen: Seen) -> None:
    reloaded = seen["reloaded"]
    assert reloaded["launcher"]["name"].startswith(LAUNCHER["continue"])
    assert reloaded["said"] == [SORE, WET_BED]
    assert reloaded["alerts"] == [], "nothing is said again"
    assert "still an emergency" in reloaded["answer"]


def test_the_way_back_closes_the_menu_and_the_button_the_chat(seen: Seen) -> None:
    assert seen["back"] == {"stayed": True, "focused": "menu-button"}
    assert seen["closed"] == {"name": LAUNCHER["open_name"], "expanded": "false", "focused": True}


def test_nothing_was_blocked_logged_or_raised(seen: Seen) -> None:
    assert seen["complaints"] == []
