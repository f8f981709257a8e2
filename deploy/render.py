"""Writes nginx's configuration from the environment, and the pages it shows when no gateway answers, from the protocol's wording.

`python -m deploy.render FOLDER`, in the gateway's environment.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from html import escape
from ipaddress import ip_network
from pathlib import Path

from aftercare.protocol import Protocol, ProtocolError, load_protocol
from gateway.errors import error_body
from gateway.patient_copy import PatientCopy

TEMPLATE = Path(__file__).with_name("nginx") / "aftercare.conf"
ACTIONS = TEMPLATE.with_name("actions.conf")
"""What is added where AFTERCARE_ACTIONS names action servers."""

_PLACE = re.compile(r"\$\{(AFTERCARE_[A-Z_]+)\}")
_SERVER = re.compile(r"[A-Za-z0-9.:\[\]_-]+:[0-9]+")
_LISTENER = re.compile(r"(?:\[[0-9a-f:]+\]:|[A-Za-z0-9.-]+:)?[0-9]{1,5}")
_VALUE = re.compile(r"[A-Za-z0-9./:\[\]_-]+")
_LANGUAGES = ("en", "es")
_STYLE = (
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:38rem;margin:0 auto;padding:1rem}"
    "section{border-left:.5rem solid #b3261e;padding:0 1rem;margin:1.5rem 0}p{white-space:pre-line}"
    "a{display:inline-block;padding:.5rem 0;font-weight:bold}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}a{color:#9cf}}"
)


class RenderError(ValueError):
    """Something is missing; the message names it."""


def configuration(environ: Mapping[str, str]) -> str:
    """The configuration of nginx.

    Args:
        environ: a value for every name in the templates; the lists have blanks between their entries. The names of the second template may
            be left out where no action server is asked.

    Raises:
        RenderError: a name has no value, or one that nginx would take for something else.
    """
    templates = [TEMPLATE, ACTIONS] if environ.get("AFTERCARE_ACTIONS") else [TEMPLATE]
    template = "\n".join(each.read_text(encoding="utf-8") for each in templates)
    names = sorted(set(_PLACE.findall(template)))
    missing = [name for name in names if not environ.get(name)]
    if missing:
        raise RenderError(f"Not set: {', '.join(missing)}; see deploy/env/.")
    odd = [name for name in names if not _is_right(name, environ[name])]
    if odd:
        raise RenderError(f"Not to be used as they are: {', '.join(odd)}; see deploy/env/.")
    return _PLACE.sub(lambda place: _written(place[1], environ[place[1]]), template)


def _is_right(name: str, value: str) -> bool:
    if name in _LISTS:
        return all(map(_LISTS[name][0], value.split()))
    return bool(_VALUE.fullmatch(value))


def _written(name: str, value: str) -> str:
    """A list with a line for each of its entries; any other value as it is."""
    return "\n    ".join(map(_LISTS[name][1].format, value.split())) if name in _LISTS else value


def _is_network(written: str) -> bool:
    try:
        ip_network(written)
    except ValueError:
        return False
    return True


_LISTS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "AFTERCARE_GATEWAYS": (_SERVER.fullmatch, "server {} max_fails=2 fail_timeout=3s;"),
    "AFTERCARE_ACTIONS": (_SERVER.fullmatch, "server {} max_fails=2 fail_timeout=3s;"),
    "AFTERCARE_CONSOLE_NETWORKS": (_is_network, "{} 1;"),
    "AFTERCARE_HTTP_LISTEN": (_LISTENER.fullmatch, "listen {};"),
    "AFTERCARE_HTTPS_LISTEN": (_LISTENER.fullmatch, "listen {} ssl http2;"),
}


def page(protocol: Protocol) -> str:
    """What a browser shows when no gateway answers: whom to call, in both languages."""
    copy = PatientCopy(protocol)
    cards = "".join(_card(language, copy.safety(language)) for language in _LANGUAGES)
    numbers = "".join(f'<li><a href="{escape(each["href"])}">{escape(each["number"])}</a></li>' for each in copy.contacts(None))
    clinic = escape(copy.clinic()["name"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{clinic}</title><style>{_STYLE}</style></head><body><main><h1>{clinic}</h1>"
        f"<p>{escape(copy.error('internal'))}</p>{cards}<ul>{numbers}</ul></main></body></html>\n"
    )


def _card(language: str, card: Mapping[str, object]) -> str:
    blocks = card["blocks"]
    assert isinstance(blocks, list)
    text = "".join(f"<p>{escape(block['text'].strip())}</p>" for block in blocks)
    return f'<section lang="{language}"><h2>{escape(str(card["heading"]))}</h2>{text}</section>'


def body(protocol: Protocol, code: str = "not_stored") -> str:
    """What a program gets when no gateway answers, or is not asked: an error as the gateway makes it."""
    return json.dumps(error_body(PatientCopy(protocol), code), ensure_ascii=False) + "\n"


def files(protocol: Protocol, environ: Mapping[str, str]) -> dict[str, str]:
    """Every file by its name.

    Raises:
        RenderError: see `configuration`.
    """
    return {
        "aftercare.conf": configuration(environ),
        "fallback.html": page(protocol),
        "fallback.json": body(protocol),
        "too-long.json": body(protocol, "too_long"),
    }


def main() -> int:
    """Write the files."""
    parser = argparse.ArgumentParser(prog="python -m deploy.render", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    try:
        made = files(load_protocol(), os.environ)
    except (ProtocolError, RenderError) as error:
        print(error, file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        (folder / name).write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
