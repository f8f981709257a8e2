"""What the widget says, from its own files, and what patients say in these tests."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STRINGS = ROOT / "widget" / "strings"


def _words(language: str) -> dict[str, Any]:
    words: dict[str, Any] = json.loads((STRINGS / f"{language}.json").read_text(encoding="utf-8"))
    return words


WORDS = _words("en")
SPANISH = _words("es")

# What a browser says of a page that was made wrong on purpose.
OUR_OWN = r"net::ERR_|Failed to execute 'postMessage'|[Cc]ontent [Ss]ecurity [Pp]olicy|frame-ancestors|status of 404|blocked by policy"

CANARY = "quokkaberry"
NUMBER = {"emergency": "911", "clinic": "555-0100", "after_hours": "555-0199"}
TEL = {name: f"tel:{number}" for name, number in NUMBER.items()}

WEAK_LEGS = "My legs feel weak."
WORSE = "Is either leg getting weaker or more numb?"
WORSE_AGAIN = "Is a leg weaker or more numb now than when it began?"
CHEST = "Chest pain or pressure?"
SEAT = "Numb between the legs or where you sit?"
A_BIT_SORE = "a bit sore where the needle went in"
ICE = "can I use ice"
NUMB_LEGS = "I can't feel my legs"
FEVER = "I have a fever of 101.5 F."
SORE = "The needle site is sore."
HOW_LONG = "How long does the procedure take?"
SHOWER = "Can I take a shower?"

EMERGENCY = WORDS["card"]["emergency_prefix"]
CALL_DOCTOR = WORDS["card"]["call_doctor_prefix"]
SELF_CARE = WORDS["card"]["self_care_prefix"]


def filled(text: str, **more: str) -> str:
    """The text with the clinic's numbers in it."""
    values = {"phone": NUMBER["clinic"], "emergency": NUMBER["emergency"], "after_hours": NUMBER["after_hours"]} | more
    return re.sub(r"\{(\w+)\}", lambda place: values.get(place[1], place[0]), text)


def beginning(*texts: str) -> re.Pattern[str]:
    """A name that begins with one of these."""
    return re.compile(f"^(?:{'|'.join(map(re.escape, texts))})")
