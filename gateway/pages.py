"""The pages and scripts that browsers load: the launcher, the panel, and the demo clinic's page."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.errors import RefusedError, bind
from gateway.patient_copy import PatientCopies, PatientCopy
from gateway.records.store import Clock
from gateway.settings import ANSWER_SECONDS, LONGEST_TEXT, EmbedKey, Settings
from gateway.settings.languages import direction, read_strings

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_PLACE = re.compile(r"""(["'`])__AFTERCARE__\1""")
_FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
_A_WHILE = {"cache-control": "public, max-age=300", "access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
_PATIENCE_IN_BROWSER = ANSWER_SECONDS + 2


class Pages:
    """The pages, made once.

    Args:
        settings: embed keys and addresses.
        copies: the words of every protocol: a page has those of its embed key's.
        clock: tells the time.
    """

    def __init__(self, settings: Settings, copies: PatientCopies, clock: Clock) -> None:
        self._settings = settings
        self._copies = copies
        self._clock = clock
        self._templates = Environment(loader=FileSystemLoader(settings.widget / "pages"), autoescape=True, undefined=StrictUndefined)
        self._strings = read_strings(settings.widget)
        dist = settings.widget / "dist"
        self._assets = {file.name: file.read_bytes() for file in dist.iterdir() if file.suffix in _TYPES and file.name != "aftercare.js"}
        self.launcher = self._launcher(dist / "aftercare.js")

    def router(self) -> APIRouter:
        """The routes."""
        routes = APIRouter(include_in_schema=False)

        @routes.get("/")
        async def home() -> Response:
            if not self._copies.demo:
                raise RefusedError(404, "not_found")
            return RedirectResponse("/demo")

        @routes.get("/demo")
        async def demo(request: Request) -> Response:
            if not self._copies.demo:
                raise RefusedError(404, "not_found")
            return self._demo(str(request.base_url).rstrip("/"))

        @routes.get("/panel/{key}")
        async def panel(request: Request, key: str, lang: str = "") -> Response:
            return self._panel(self._embed(request, key), lang)

        @routes.get("/panel/{key}/words")
        async def words(request: Request, key: str, lang: str = "") -> JSONResponse:
            return JSONResponse(self._words(self._embed(request, key), lang))

        @routes.get("/panel/{key}/embedding")
        async def embedding(key: str) -> Response:
            return self._embedding(self._settings.embed_keys.get(key))

        @routes.get("/aftercare.js")
        async def launcher() -> Response:
            return Response(self.launcher, media_type=_TYPES[".js"], headers=_A_WHILE)

        @routes.get("/assets/{name}")
        async def asset(name: str) -> Response:
            content = self._assets.get(name)
            if content is None:
                raise RefusedError(404, "not_found")
            return Response(content, media_type=_TYPES[Path(name).suffix], headers=_FOREVER)

        return routes

    def _embed(self, request: Request, key: str) -> EmbedKey:
        """The key of a panel."""
        embed = self._settings.embed_keys.get(key)
        if embed is not None:
            bind(request, embed.bound)
        if embed is None or embed.synthetic:
            raise RefusedError(404, "not_found")
        return embed

    def _words(self, embed: EmbedKey, wanted: str) -> dict[str, Any]:
        """What the panel shows, in the wanted language where the key offers it, or offers no choice and it is known; else in its own."""
        known = embed.languages or self._strings
        language = next((each for each in (wanted, wanted.split("-")[0]) if each in known), embed.language)
        copy = self._copies.of(embed.bound_in(language))
        return {
            "lang": language,
            "dir": direction(language),
            "strings": self._strings[language],
            "clinic": copy.clinic(),
            "contacts": copy.contacts(self._clock()),
            "safety": copy.safety(language),
        }

    def _panel(self, embed: EmbedKey, wanted: str) -> HTMLResponse:
        words = self._words(embed, wanted)
        config = {
            **words,
            "key": embed.name,
            "languages": [{"tag": each, "name": self._strings[each]["language"]["name"]} for each in embed.languages],
            "parents": self._parents(embed),
            "limits": {"text": LONGEST_TEXT, "answer_seconds": _PATIENCE_IN_BROWSER},
            "api": "/api/v1",
        }
        page = self._templates.get_template("panel.html").render(
            config=config,
            config_json=Markup(_in_page(config)),
            strings=words["strings"],
            lang=words["lang"],
            dir=words["dir"],
            script=self._address("panel.js"),
            style=self._address("panel.css"),
            icon=self._address("icon.svg"),
        )
        ancestors = " ".join(("'self'", *embed.origins))
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
            "form-action 'none'; require-trusted-types-for 'script'; trusted-types lit-html; "
            f"frame-ancestors {ancestors}"
        )
        return HTMLResponse(page, headers={"content-security-policy": policy, "cross-origin-resource-policy": "cross-origin"})

    def _embedding(self, embed: EmbedKey | None) -> HTMLResponse:
        """The page that any page may hold in a frame, and that tells it whether it may hold the panel. It shows nothing."""
        known = embed is not None and not embed.synthetic
        config = {"known": known, "parents": self._parents(embed) if embed is not None and known else []}
        page = self._templates.get_template("embedding.html").render(
            config_json=Markup(_in_page(config)), script=self._address("embedding.js")
        )
        policy = "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"
        return HTMLResponse(page, headers={"content-security-policy": policy, "cross-origin-resource-policy": "cross-origin"})

    def _parents(self, embed: EmbedKey) -> list[str]:
        """The origins of the pages that may hold this key's panel."""
        return [*embed.origins, *self._settings.public_origins]

    def _demo(self, origin: str) -> HTMLResponse:
        key = next(iter(self._settings.embed_keys))
        copy = self._copies.of(self._settings.embed_keys[key].bound)
        page = self._templates.get_template("demo.html").render(
            key=key,
            script=f"{origin}/aftercare.js",
            panel_url=f"{origin}/panel/{key}",
            style=self._address("demo.css"),
            icon=self._address("icon.svg"),
            clinic=copy.clinic(),
            contacts=copy.contacts(self._clock()),
        )
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; frame-src 'self'; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'"
        )
        return HTMLResponse(page, headers={"content-security-policy": policy})

    def _address(self, name: str) -> str:
        return f"/assets/{name}?v={hashlib.sha256(self._assets[name]).hexdigest()[:12]}"

    def _launcher(self, file: Path) -> bytes:
        card = {
            **self._card(self._copies.of()),
            "strings": {language: strings["launcher"] for language, strings in self._strings.items()},
        }
        own = {name: self._card(self._copies.of(embed.bound)) for name, embed in self._settings.embed_keys.items() if not embed.synthetic}
        others = {name: each for name, each in own.items() if any(each[part] != card[part] for part in each)}
        card |= {"keys": others} if others else {}
        code, places = _PLACE.subn(lambda _: json.dumps(json.dumps(card)), file.read_text(encoding="utf-8"))
        if places != 1:
            raise ValueError(f"{file} does not have its one place for the clinic's numbers; run: make setup")
        return code.encode()

    def _card(self, copy: PatientCopy) -> dict[str, Any]:
        """What the launcher shows when the gateway does not answer."""
        return {"contacts": copy.contacts(None), "safety": {language: copy.safety(language) for language in self._strings}}


def _in_page(data: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(data).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
