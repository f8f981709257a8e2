"""What the gateway itself says to patients, all of it from the clinic's wording: errors, the safety card, telephone numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from aftercare.decision.reply import Reply
from aftercare.protocol import Key, Library, Protocol

_EMERGENCY, _CRISIS = ("emergency", "emergency_number"), ("crisis", "crisis_line")
_BY_HOURS = (("clinic", "phone"), ("after_hours", "after_hours_phone"))
_CARD = (("advice", "advice"), ("watch", "watch"))
_SHOWN = ("type", "disposition")
_ENGLISH = "en"


class PatientCopy:
    """The wording of one protocol, as the widget takes it."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    @property
    def language(self) -> str:
        """The language that it is in."""
        return self._protocol.language

    def error(self, code: str) -> str:
        """The sentence for an error code."""
        return self._protocol.say(f"errors.{code}")

    def safety(self, language: str = "") -> dict[str, Any]:
        """The safety card: a heading, whom to call, and the red flags.

        Args:
            language: one that the protocol has the card in; else it is in the protocol's own, or in English.
        """
        cards = self._protocol.wording["safety"]
        language = next((each for each in (language, self._protocol.language) if each in cards), _ENGLISH)
        return {
            "heading": self._protocol.say(f"safety.{language}.heading"),
            "blocks": [{"kind": kind, "text": self._protocol.say(f"safety.{language}.{key}")} for kind, key in _CARD],
        }

    def contacts(self, at: datetime | None) -> list[dict[str, Any]]:
        """The clinic's telephone numbers, with the links that dial them: the emergency number first, then the one to call now.

        Args:
            at: the moment for which the clinic is open or closed; None for what is kept for longer, where none is the one to call now.

        Returns:
            `id`, `number` and `href` of each; `now` says that it is the one of the clinic's two numbers that is answered.
        """
        clinic = self._protocol.clinic
        now = clinic.to_call(at) if at is not None else ""
        ordered = (_EMERGENCY, *sorted(_BY_HOURS, key=lambda contact: now not in ("", contact[1])), _CRISIS)
        return [
            {"id": name, "number": clinic.details[key], "href": f"tel:{quote(clinic.details[key])}", "now": key == now}
            for name, key in ordered
        ]

    def to_call(self, at: datetime) -> str:
        """Which of the clinic's two numbers is answered at a moment, as `contacts` names it: `clinic` or `after_hours`."""
        return next(name for name, key in _BY_HOURS if key == self._protocol.clinic.to_call(at))

    def clinic(self) -> dict[str, Any]:
        """The clinic's name and hours."""
        details = self._protocol.clinic.details
        return {"name": details["clinic"], "hours": details["hours"], "demo": self._protocol.clinic.mode == "demo"}


class PatientCopies:
    """The wording of every protocol in force.

    Args:
        library: the protocols.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._by_key = {protocol.key: PatientCopy(protocol) for protocol in library}

    def of(self, key: Key | None = None) -> PatientCopy:
        """The wording of what a conversation is bound to; the default protocol's where that is not known or no longer in force."""
        return self._by_key[self._library.bound(*(key or self._library.default.key)).key]

    @property
    def demo(self) -> bool:
        """Whether nothing here is of a real clinic."""
        return is_demo(self._library)


def is_demo(library: Library) -> bool:
    """Whether every protocol is of an invented clinic."""
    return all(protocol.clinic.mode == "demo" for protocol in library)


def shown(reply: Reply) -> dict[str, Any]:
    """A reply as the patient's browser gets it when it could not become an event."""
    answer = {key: reply.custom[key] for key in _SHOWN if key in reply.custom}
    return {**answer, "blocks": reply.wire["blocks"], "buttons": [], "sources": reply.custom.get("sources", [])}
