"""Addresses: of the gateway itself, and of the servers that it asks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from gateway.settings.model import Settings

_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
_HTTP = re.compile(r"https?://[^\s/?#@]+")
_STORAGES = ("async+memory://", "async+redis://", "async+rediss://")


def origin_problem(where: str, origin: str, demo: bool) -> str:
    """What is wrong about an origin, and what to do; empty when nothing is."""
    parts = _ORIGIN.fullmatch(origin)
    if parts is None:
        return f"{where}: {origin!r} is no origin; write scheme, host in small letters and, if unusual, port: https://www.example.org"
    if parts["scheme"] == "http" and not demo and parts["host"] not in ("127.0.0.1", "localhost"):
        return f"{where}: {origin!r} is not encrypted; use https"
    return ""


def public_origins(url: str, port: int, demo: bool, problems: list[str]) -> tuple[str, ...]:
    """The gateway's own origins, the first as patients know it; of this machine alone where none is set."""
    url = url.rstrip("/")
    if not url and not demo:
        problems.append("AFTERCARE_PUBLIC_URL is not set; set it to the address that patients' browsers use, https://...")
    origins = (url,) if url else (f"http://127.0.0.1:{port}", f"http://localhost:{port}")
    problems += filter(None, (origin_problem("AFTERCARE_PUBLIC_URL", each, demo) for each in origins))
    return origins


def console_origins(url: str, public: tuple[str, ...], demo: bool, problems: list[str]) -> tuple[str, ...]:
    """The console's own origin, or the public ones where it has none."""
    url = url.rstrip("/")
    if not url:
        return public
    problems += filter(None, [origin_problem("AFTERCARE_CONSOLE_URL", url, demo)])
    return (url,)


def address_problems(settings: Settings) -> Iterator[str]:
    """What is wrong about the addresses of the records, of Rasa and of what counts requests."""
    try:
        backend = make_url(settings.records_url).get_backend_name()
    except ArgumentError:
        backend = ""
    if backend not in ("sqlite", "postgresql"):
        yield "AFTERCARE_RECORDS is no address of a database; write sqlite:////folder/records.db or postgresql+psycopg://user:password@host/name"
    if not all(map(_HTTP.fullmatch, settings.rasa_urls)):
        yield "AFTERCARE_RASA_URL is no address; write http://host:port, and several with commas between them"
    elif len(set(settings.rasa_urls)) < len(settings.rasa_urls):
        yield "AFTERCARE_RASA_URL names a worker twice; write each address once"
    if not settings.limits_storage.startswith(_STORAGES):
        yield f"AFTERCARE_LIMITS_STORAGE must begin with one of {', '.join(_STORAGES)}"
