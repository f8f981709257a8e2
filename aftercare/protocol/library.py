"""The protocols in force side by side, each in its languages; a conversation is bound to one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aftercare.protocol.model import Protocol

Key = tuple[str, str]


class Library:
    """The protocols in force, by id and language.

    Args:
        protocols: at least one; the first is the default.
    """

    def __init__(self, protocols: Sequence[Protocol]) -> None:
        self._protocols = {protocol.key: protocol for protocol in protocols}
        self.default = protocols[0]

    def __iter__(self) -> Iterator[Protocol]:
        return iter(self._protocols.values())

    def find(self, name: str, language: str = "") -> Protocol | None:
        """The protocol of that id in a language, or in its first where it does not speak that one; None when the id is not in force.

        Args:
            name: the id; the default's when empty.
            language: its code, such as `en`.
        """
        name = name or self.default.id
        first = next((protocol for protocol in self if protocol.id == name), None)
        return self._protocols.get((name, language), first)

    def bound(self, name: str, language: str = "") -> Protocol:
        """The same, and the default in the place of None: a conversation whose protocol is no longer in force is still answered."""
        return self.find(name, language) or self.default
