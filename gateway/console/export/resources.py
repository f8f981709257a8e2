"""What FHIR resources are made of here: identities, references, extensions, and elements that may be missing."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from gateway.console.export.content import When

OURS = "urn:aftercare"
"""Begins the systems of our codes and the addresses of our extensions."""
Resource = dict[str, Any]


class Identities:
    """The identities of the resources of one bundle, and references to them.

    Args:
        namespace: makes them; those of another export are others.
    """

    def __init__(self, namespace: UUID) -> None:
        self._namespace = namespace

    def new(self, kind: str, *parts: str | int, **elements: Any) -> Resource:
        """A resource of a kind, known by these parts; elements that are None are left out."""
        return {"resourceType": kind, "id": self._of(kind, *parts), **given(**elements)}

    def to(self, kind: str, *parts: str | int, display: str | None = None) -> Resource:
        """A reference to the resource of a kind that is known by these parts."""
        return {"reference": full_url(self._of(kind, *parts)), "type": kind, **given(display=display)}

    def _of(self, kind: str, *parts: str | int) -> str:
        return str(uuid5(self._namespace, "/".join((kind, *map(str, parts)))))


def full_url(identity: str) -> str:
    """The address of a resource in its bundle."""
    return f"urn:uuid:{identity}"


def given(**values: Any) -> Resource:
    """The elements that there are: neither None nor an empty list."""
    return {name: value for name, value in values.items() if value is not None and value != []}


def concept(system: str, code: str, text: str) -> Resource:
    """A code of ours as a CodeableConcept; `system` is its name without what all begin with."""
    return {"coding": [{"system": f"{OURS}:{system}", "code": code, "display": text}], "text": text}


def text_of(name: str, value: str | None) -> list[Resource]:
    """An extension with a text, if there is one."""
    return [{"url": f"{OURS}:{name}", "valueString": value}] if value else []


def number_of(name: str, value: int | None) -> list[Resource]:
    """An extension with a number, if there is one."""
    return [] if value is None else [{"url": f"{OURS}:{name}", "valueInteger": value}]


def minutes_of(when: When | None, name: str = "minutes-since-opening") -> list[Resource]:
    """An extension that stands for a time where only minutes go out."""
    return number_of(name, when.minutes if when else None)


def moment_of(when: When | None) -> str | None:
    """A time as an element, where one goes out."""
    return (when.at or None) if when else None


def step_of(name: str, when: When, **parts: str) -> Resource:
    """An extension that tells what something was, and when."""
    told = [each for part, value in parts.items() for each in text_of(part, value)]
    return {"url": f"{OURS}:{name}", "extension": [*told, *text_of("at", when.at), *minutes_of(when)]}
