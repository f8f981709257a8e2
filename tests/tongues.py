"""A second language that nobody has to write: the shipped protocol and the widget's words with a mark before every text."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from aftercare.protocol import Protocol

MARK = "[×] "


def marked(text: Any) -> Any:
    """Every text in it with the mark."""
    if isinstance(text, dict):
        return {key: marked(inner) for key, inner in text.items()}
    return MARK + text if isinstance(text, str) else text


def in_language(protocol: Protocol, language: str) -> Protocol:
    """The protocol, understanding as before, with what it says marked as that of a language."""
    wording = marked(dict(protocol.wording))
    questions = {name: replace(each, text=MARK + each.text, again=MARK + each.again) for name, each in protocol.questions.items()}
    rows = tuple(replace(row, text=MARK + row.text) for row in protocol.danger_check.rows)
    wording["safety"][language] = wording["safety"]["en"]
    return replace(
        protocol, language=language, wording=wording, questions=questions, danger_check=replace(protocol.danger_check, rows=rows)
    )


def widget_with(folder: Path, widget: Path, names: dict[str, str]) -> Path:
    """A copy of the built widget that also has words in these languages, each by its own name."""
    shutil.copytree(widget, folder, ignore=shutil.ignore_patterns("node_modules", "src", "test", "package"))
    english = json.loads((widget / "strings" / "en.json").read_text(encoding="utf-8"))
    for language, name in names.items():
        words = marked(english)
        words["language"]["name"] = name
        (folder / "strings" / f"{language}.json").write_text(json.dumps(words), encoding="utf-8")
    return folder
