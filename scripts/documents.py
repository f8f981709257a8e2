"""Writes the documents that are made from the project: the register, the picture of the rules, the API's description, the variables."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from html import escape

from aftercare.protocol import Disposition, Library, Protocol, ProtocolError, load_library
from gateway.app import create_app
from gateway.settings import from_environment
from scripts import configuration
from scripts.common import ROOT

DOCS = ROOT / "docs"
_TITLES = {
    Disposition.EMERGENCY: "EMERGENCY: call 911 or go to the ER",
    Disposition.CALL_DOCTOR: "CALL YOUR DOCTOR",
    Disposition.SELF_CARE: "CARE AT HOME",
}
_COLOURS = {
    Disposition.EMERGENCY: "#b3261e",
    Disposition.CALL_DOCTOR: "#8a5a00",
    Disposition.SELF_CARE: "#1b6e3c",
}
_ASKED = {
    Disposition.EMERGENCY: "The danger check asks, with every answer:",
    Disposition.CALL_DOCTOR: "The danger check asks, before care at home:",
    Disposition.SELF_CARE: "Only when every row was answered No.",
}
_WIDTH, _LINE, _MARGIN = 330, 16, 14


def register(protocol: Protocol) -> str:
    """The divergence register in Markdown: each rule that goes further than the leaflet, and why."""
    lines = [
        "# Divergence register",
        "",
        "Where Aftercare goes further than the clinic's leaflet, and why. An extension is never less urgent than the leaflet.",
        "Made from `protocols/` by `python -m scripts.documents`; do not edit by hand.",
        "",
        f"Protocol: {protocol.id}",
        "",
        "| rule | findings | the leaflet | Aftercare | reason |",
        "| --- | --- | --- | --- | --- |",
    ]
    for rule in protocol.rules:
        if rule.basis == "extension":
            quote = f"“{rule.sentence.quote}” " if rule.sentence else ""
            leaflet = quote + rule.leaflet_disposition.replace("none", "(no advice)").replace("_", " ")
            labels = _condition(protocol, rule.all_of, rule.any_of)
            lines.append(f"| {rule.id} | {labels} | {leaflet} | {rule.disposition.wire.replace('_', ' ')} | {rule.reason} |")
    lines += ["", *_check_table(protocol)]
    lines += [
        "",
        "No clinician has reviewed or signed this register.",
        "",
        "Reviewed by (name, role): ____________________  Date: __________  Signature: ____________________",
        "",
    ]
    return "\n".join(lines)


def _check_table(protocol: Protocol) -> list[str]:
    """What is asked before an answer is called harmless: the leaflet asks nothing, so each row goes further than it."""
    check = protocol.danger_check
    lines = [
        "## The danger check",
        "",
        "The leaflet asks nothing. Aftercare asks these rows before every care-at-home answer, and those of an emergency behind every",
        f"other answer about recovery; an answer holds for {check.valid_hours:g} hours. “Not sure” counts as Yes.",
        "",
        "| row | asked | Yes leads to | No rules out |",
        "| --- | --- | --- | --- |",
    ]
    for row in check.rows:
        ruled_out = ", ".join(protocol.findings[finding].label for finding in row.no)
        lines.append(f"| {row.fact} | {row.text} | {row.tier.wire.replace('_', ' ')} | {ruled_out} |")
    return lines


def _condition(protocol: Protocol, all_of: tuple[str, ...], any_of: tuple[str, ...]) -> str:
    every = " and ".join(protocol.findings[finding].label for finding in all_of)
    one = " or ".join(protocol.findings[finding].label for finding in any_of)
    return f"{every}, with {one}" if every and one else every or one


def picture(protocol: Protocol) -> str:
    """The rules and the danger check's rows as an SVG, a column a disposition; the leftmost column with a true entry decides."""
    columns = [list(_column(protocol, urgency)) for urgency in sorted(Disposition, reverse=True)]
    height = max(len(column) for column in columns) * _LINE + 3 * _MARGIN + _LINE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH * 3}" height="{height}" '
        f'viewBox="0 0 {_WIDTH * 3} {height}" font-family="sans-serif" font-size="12" role="img">',
        "<title>The rules by disposition: the most urgent one that holds decides</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for number, (urgency, column) in enumerate(zip(sorted(Disposition, reverse=True), columns, strict=True)):
        left = number * _WIDTH + 4
        parts.append(
            f'<rect x="{left}" y="4" width="{_WIDTH - 8}" height="{height - 8}" rx="6" fill="none" '
            f'stroke="{_COLOURS[urgency]}" stroke-width="2"/>'
        )
        head = f'x="{left + _MARGIN}" y="{_MARGIN + _LINE}" font-weight="bold" fill="{_COLOURS[urgency]}"'
        parts.append(f"<text {head}>{escape(_TITLES[urgency])}</text>")
        for row, (text, first) in enumerate(column):
            place = f'x="{left + _MARGIN + (0 if first else 10)}" y="{2 * _MARGIN + (row + 2) * _LINE}"'
            parts.append(f'<text {place} fill="#222">{escape(text)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _column(protocol: Protocol, urgency: Disposition) -> Iterator[tuple[str, bool]]:
    """The lines of a column, and whether an entry begins: the rules with a dot, the rows of the danger check with a question mark."""
    for rule in protocol.rules:
        if rule.disposition is urgency:
            mark = " *" if rule.basis == "extension" else ""
            yield from _entry("•", _condition(protocol, rule.all_of, rule.any_of) + mark)
    yield "", True
    yield _ASKED[urgency], True
    for row in protocol.danger_check.rows:
        if row.tier is urgency:
            yield from _entry("?", row.text)


def _entry(mark: str, text: str) -> Iterator[tuple[str, bool]]:
    for number, line in enumerate(textwrap.wrap(text, 46)):
        yield (f"{mark} {line}" if number == 0 else line), number == 0


def patient_api(library: Library) -> str:
    """The patient API's OpenAPI document."""
    settings = from_environment({}, demo=True, protocols=[protocol.key for protocol in library])
    return json.dumps(create_app(settings, library).openapi(), indent=1) + "\n"


def main() -> int:
    """Write the documents; return the exit code."""
    try:
        library = load_library()
    except ProtocolError as error:
        print(error, file=sys.stderr)
        return 1
    protocol = library.default
    DOCS.mkdir(exist_ok=True)
    (DOCS / "divergence-register.md").write_text(register(protocol), encoding="utf-8")
    (DOCS / "how-it-decides.svg").write_text(picture(protocol), encoding="utf-8")
    (DOCS / "configuration.md").write_text(configuration.page(), encoding="utf-8")
    (DOCS / "openapi.json").write_text(patient_api(library), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
