"""The console's pages as HTML: templates, static files, and the headers that let nothing foreign in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from aftercare.protocol import Key, Library, Protocol
from aftercare.understanding.steps import STEPS
from gateway.console import times
from gateway.console.identity.sessions import Login
from gateway.records.cases import UNREAD
from gateway.records.store import Clock
from gateway.records.tier import Tier
from gateway.settings import Settings

_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {"content-security-policy": _POLICY, "cache-control": "no-store", "referrer-policy": "same-origin"}
_YEAR = {"cache-control": "public, max-age=31536000, immutable"}
STATE_NAMES = {"open": "Not acknowledged", "acknowledged": "Acknowledged", "closed": "Closed"}


class Renderer:
    """Makes pages.

    Args:
        settings: where the bundled scripts are.
        library: labels of findings, rules and rows; the default protocol's clinic gives the time zone.
        clock: tells the time.
    """

    def __init__(self, settings: Settings, library: Library, clock: Clock) -> None:
        self._clock = clock
        self._library = library
        self._labels = {protocol.key: _finding_labels(protocol) for protocol in library}
        default = library.default
        files = [*(_HERE / "static").iterdir(), settings.widget / "dist" / "htmx.js", settings.widget / "dist" / "icon.svg"]
        self._static = {file.name: file.read_bytes() for file in files if file.suffix in _TYPES}
        self._reasons: dict[str, str] = yaml.safe_load((_HERE / "templates" / "reasons.yml").read_text(encoding="utf-8"))
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.filters |= {"ago": self._ago, "span": span, "iso": iso, "parsed": datetime.fromisoformat, "brief": self._brief}
        local = {"moment": times.moment, "clock": times.clock_time, "zone": times.abbreviation, "offset": times.offset_seconds}
        self._templates.filters |= {name: partial(shown, library.default.clinic) for name, shown in local.items()}
        self._templates.globals |= {
            "tiers": {tier: tier.label for tier in reversed(Tier)},
            "states": STATE_NAMES,
            "asset": self._asset,
            "lock_seconds": int(settings.policy.lock_after.total_seconds()),
            "finding_label": _first({}, *(self._labels[protocol.key] for protocol in library)),
            "finding_labels": self.finding_labels,
            "row_text": _first(*({row.fact: row.text for row in protocol.danger_check.rows} for protocol in library)),
            "rule_names": list(dict.fromkeys(rule.id for protocol in library for rule in protocol.rules)),
            "protocol_names": list(dict.fromkeys(protocol.id for protocol in library)),
            "several_protocols": len(self._labels) > 1,
            "in_force": self._labels.keys(),
            "step_reasons": {step.id: step.reason for step in STEPS},
            "time_zone": default.clinic.zone.key,
            "demo": default.clinic.mode == "demo",
            "clinic": default.clinic.details["clinic"],
        }

    def page(self, request: Request, template: str, login: Login | None, status: int = 200, **values: Any) -> HTMLResponse:
        """A whole page, or the part of one that the template is.

        Args:
            request: what is answered.
            template: its file under templates/.
            login: who sees it; None before logging in.
            status: the HTTP status.
            values: what the template shows.
        """
        about = {"login": login, "csrf": login.csrf if login else "", "now": self._clock(), "path": request.url.path}
        html = self._templates.get_template(template).render(**about, **values)
        return HTMLResponse(html, status, headers=HEADERS)

    def finding_labels(self, bound: Key) -> Mapping[str, str]:
        """Codes of findings with their labels, by the protocol that answers what is bound so."""
        return self._labels[self._library.bound(*bound).key]

    def reason(self, key: str) -> str:
        """The sentence that says why something is refused and what to do."""
        return self._reasons[key]

    def static(self, name: str) -> Response | None:
        """A static file."""
        content = self._static.get(name)
        return Response(content, media_type=_TYPES[Path(name).suffix], headers=_YEAR) if content is not None else None

    def _asset(self, name: str) -> str:
        return f"/console/static/{name}?v={hashlib.sha256(self._static[name]).hexdigest()[:12]}"

    def _brief(self, at: datetime | None) -> str:
        return times.brief(self._library.default.clinic, at, self._clock())

    def _ago(self, at: datetime) -> str:
        return span(self._clock() - at)


def iso(at: datetime | None) -> str:
    """A moment for machines."""
    return at.isoformat() if at else ""


def span(time: timedelta | None) -> str:
    """A span in words, as coarse as a clock on the wall."""
    if time is None:
        return ""
    seconds = max(0, int(time.total_seconds()))
    for size, name in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            number, rest = divmod(seconds, size)
            finer = {86_400: (3_600, "h"), 3_600: (60, "min")}.get(size)
            more = f" {rest // finer[0]} {finer[1]}" if finer and rest // finer[0] else ""
            return f"{number} {name}{'s' if name == 'day' and number > 1 else ''}{more}"
    return f"{seconds} s"


def _first(*labels: Mapping[str, str]) -> Mapping[str, str]:
    """All of these together; of a name with several, the first one."""
    return {name: text for each in reversed(labels) for name, text in each.items()}


def _finding_labels(protocol: Protocol) -> Mapping[str, str]:
    """Codes of the wire contract, each with the label of the finding of that name, else of the first that has it."""
    labels: dict[str, str] = {}
    for finding in protocol.findings.values():
        labels[finding.code] = finding.label if finding.id == finding.code else labels.get(finding.code, finding.label)
    return labels | {"other": "another symptom", UNREAD: "could not be read"}
