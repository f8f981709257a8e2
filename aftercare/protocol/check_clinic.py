"""What makes a leaflet or a clinic's file wrong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from aftercare.protocol.compose import Content
from aftercare.protocol.files import place_of
from aftercare.protocol.opening import WEEKDAYS, Span, overlap

_FICTIONAL = re.compile(r"\b555[-. ]?01\d\d\b|^$|x{3}|0{5}", re.IGNORECASE)
_DIGIT = re.compile(r"\d")


def leaflet(folder: Path, content: Content) -> Iterator[str]:
    """Whether the sentences are the leaflet's, word for word, and the leaflet is the one that they were compared with."""
    file = folder / "leaflet.txt"
    if not file.exists():
        yield f"{file.name}: the leaflet is missing; put the clinic's text there"
        return
    text = file.read_bytes()
    digest = hashlib.sha256(text).hexdigest()
    if digest != content["leaflet"]["sha256"]:
        yield (
            f"{place_of(content['leaflet'], ['sha256'])}: leaflet.txt has changed (its hash is {digest}); "
            "compare every sentence and rule with the new text, then put that hash here"
        )
    seen: set[str] = set()
    for number, section in enumerate(content["leaflet"]["sections"]):
        place = ("sections", number)
        if section["title"] not in text.decode():
            yield f"{place_of(content['leaflet'], [*place])}: no section '{section['title']}' in leaflet.txt; copy its title word for word"
        for name, quote in section["sentences"].items():
            line = place_of(content["leaflet"], [*place, "sentences", name])
            if quote not in text.decode():
                yield f"{line}: '{name}' is not in leaflet.txt word for word; copy the sentence exactly"
            if name in seen:
                yield f"{line}: two sentences are called '{name}'; rename one"
            seen.add(name)


def clinic(content: Content) -> Iterator[str]:
    """Whether a real clinic has real numbers, and a demo none."""
    details = content["clinic"]
    for name in ("phone", "after_hours_phone"):
        fictional = bool(_FICTIONAL.search(details[name].strip()))
        if details["mode"] == "clinic" and fictional:
            yield f"{place_of(content['clinic'], [name])}: '{name}' is empty or fictional; put in the clinic's real number"
        elif not _DIGIT.search(details[name]):
            yield f"{place_of(content['clinic'], [name])}: '{name}' has no digit; write the number as it is dialed"
        if details["mode"] == "demo" and not fictional:
            yield f"{place_of(content['clinic'], [name])}: '{name}' looks real; a demo uses 555-01xx, a real clinic sets mode: clinic"


def time_zone(content: Content) -> Iterator[str]:
    """Whether its time zone is known."""
    name = content["clinic"]["time_zone"]
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: it names a folder of the database
        here = place_of(content["clinic"], ["time_zone"])
        yield f"{here}: '{name}' is no time zone of the IANA database; write one such as America/New_York"


def opening(content: Content) -> Iterator[str]:
    """Whether its opening hours make sense."""
    hours = content["clinic"]["opening"]
    if not any(hours.get(day) for day in WEEKDAYS):
        yield f"{place_of(content['clinic'], ['opening'])}: the clinic is never open; write the hours of its weekdays"
    for day in WEEKDAYS:
        here, spans = place_of(content["clinic"], ["opening", day]), {written: Span.parse(written) for written in hours.get(day, ())}
        backwards = [written for written, span in spans.items() if span.begins >= span.ends]
        for written in backwards:
            yield f"{here}: the hours {written} of {day} end before they begin; hours past midnight stand on two days"
        if not backwards and (overlap(spans.values()) or len(spans) < len(hours.get(day, ()))):
            yield f"{here}: the hours of {day} overlap; make them one, or correct them"
    for number, written in enumerate(hours.get("holidays", ())):
        try:
            date.fromisoformat(written)
        except ValueError:
            yield f"{place_of(content['clinic'], ['opening', 'holidays', number])}: {written} is no date; correct it"
