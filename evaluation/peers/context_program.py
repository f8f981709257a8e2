"""Run by the peers' interpreter: reads texts with places as JSON from standard input, writes the status of each place."""

from __future__ import annotations

import json
import sys
from typing import Any

import medspacy.context  # noqa: F401  # registers the component
import spacy

_STATUSES = {"is_negated": "absent", "is_family": "other_person", "is_hypothetical": "hypothetical", "is_historical": "historical"}


def main() -> None:
    """Read, tell, write."""
    reader = spacy.blank("en")
    reader.add_pipe("sentencizer")
    context = reader.add_pipe("medspacy_context")
    told: list[list[str]] = []
    for asked in json.load(sys.stdin):
        doc = reader.get_pipe("sentencizer")(reader.make_doc(asked["text"]))
        spans = [doc.char_span(start, end, label="finding", alignment_mode="expand") for start, end in asked["places"]]
        found: dict[tuple[int, int], str] = {}
        for span in spans:
            if span is not None:
                doc.ents = [span]
                found[span.start, span.end] = _status(context(doc).ents[0])
        told.append([found[span.start, span.end] if span is not None else "" for span in spans])
    json.dump(told, sys.stdout)


def _status(span: Any) -> str:
    return next((status for name, status in _STATUSES.items() if getattr(span._, name)), "present")


if __name__ == "__main__":
    main()
