"""The languages that the widget has words in, each with all that the English one has, and which of them a clinic may offer."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

_EXAMPLE = "en"
_RIGHT_TO_LEFT = ("ar", "fa", "he", "ur")
_PLACEHOLDER = re.compile(r"\{\w+\}")

Strings = Mapping[str, Any]


def read_strings(widget: Path) -> dict[str, Strings]:
    """What the widget itself says, by language: the files of its folder `strings`."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted((widget / "strings").glob("*.json"))}


def direction(language: str) -> str:
    """How a language is written, as `dir` says it."""
    return "rtl" if language.split("-")[0] in _RIGHT_TO_LEFT else "ltr"


def language_problems(strings: Mapping[str, Strings], language: str, protocol: str, spoken: Collection[str]) -> Iterator[str]:
    """What a language lacks to be offered: words of the widget's, and the protocol's own.

    Args:
        strings: what the widget says in each language.
        language: the language to be offered.
        protocol: the id of the protocol.
        spoken: the languages of the protocol.
    """
    if language not in strings:
        yield f"the widget has no words in it; write widget/strings/{language}.json with every key of {_EXAMPLE}.json"
    else:
        have, wanted = _texts(strings[language]), _texts(strings[_EXAMPLE])
        missing = [key for key, text in wanted.items() if not have.get(key, "").strip()]
        changed = [key for key, text in wanted.items() if key not in missing and not _placeholders(text) <= _placeholders(have[key])]
        if missing:
            yield f"widget/strings/{language}.json lacks {', '.join(missing)}; add the words"
        if changed:
            yield f"widget/strings/{language}.json leaves out a place in braces in {', '.join(changed)}; write it as in {_EXAMPLE}.json"
    if language not in spoken:
        known = ", ".join(spoken) or "none"
        yield f"the protocol {protocol} does not speak it, but: {known}; write its wording.{language}.yml"


def _texts(words: object, path: str = "") -> dict[str, str]:
    if not isinstance(words, Mapping):
        return {path: words} if isinstance(words, str) else {}
    return {name: text for key, inner in words.items() for name, text in _texts(inner, f"{path}.{key}".lstrip(".")).items()}


def _placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))
