"""A hospital's OpenID provider on this machine, which says what a test wants it to say."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from gateway.settings import Provider
from tests.gateway.support import Clock

CLIENT, SECRET, KEY_ID = "aftercare", "provider secret", "key-1"
ROLES = {"nurses": "nurse", "leads": "lead", "admins": "admin"}


@cache
def new_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


@dataclass
class Hospital:
    """The provider, which says what a test wants it to say.

    Attributes:
        claims: what it says of whoever comes, beside what it has to say.
        change: what is done to an ID token's claims.
        sign: how an ID token is signed.
        asked: every request for a token.
        keys: what it publishes.
        down: it answers nothing but errors.
    """

    clock: Clock
    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    change: Callable[[dict[str, Any]], Any] = lambda _: None
    sign: Callable[[dict[str, Any]], str] | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    key: RSAKey = field(default_factory=lambda: new_key(KEY_ID))
    keys: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False
    moved: str = ""
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = [dict(self.key.as_dict(private=False))]
        self.claims = {"sub": "anna", "name": "Anna Keller", "email": "anna@hospital.example", "groups": ["nurses", "staff"]}

    def authorize(self, address: str) -> dict[str, str]:
        """Log in as a person does, and return with what the browser is sent back."""
        parts = urlsplit(address)
        asked = dict(parse_qsl(parts.query))
        assert parts.path == "/authorize"
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert asked["prompt"] == "login"
        assert "openid" in asked["scope"].split()
        code = secrets.token_hex(8)
        self._codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def token(self, asked: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        self.asked.append(asked)
        given = self._codes.pop(asked.get("code", ""), None)
        known = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(asked.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if known != f"{CLIENT}:{quote_plus(SECRET)}":
            return 401, {"error": "invalid_client"}
        if given is None or given["code_challenge"] != challenge or given["redirect_uri"] != asked.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        now = int(self.clock().timestamp())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": given["nonce"], "auth_time": now, **self.claims}
        self.change(claims)
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": (self.sign or self.signed)(claims)}

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": KEY_ID}, claims, self.key)


def _handler(hospital: Hospital) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if hospital.moved and self.path.startswith("/.well-known"):
                self.send_response(302)
                self.send_header("Location", hospital.moved)
                self.end_headers()
            elif self.path.startswith("/authorize"):
                back = dict(parse_qsl(urlsplit(self.path).query))["redirect_uri"]
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                address = escape(f"{back}?{urlencode(hospital.authorize(self.path))}")
                self.wfile.write(f"<a href='{address}'>I am Anna</a>".encode())
            elif self.path == "/.well-known/openid-configuration":
                ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
                self._say(200, {"issuer": hospital.url, **{name: hospital.url + path for name, path in ends.items()}})
            else:
                self._say(200, {"keys": hospital.keys})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked = {name: values[0] for name, values in parse_qs(body).items()}
            self._say(*hospital.token(asked, self.headers.get("Authorization", "")))

        def _say(self, status: int, content: dict[str, Any]) -> None:
            self.send_response(500 if hospital.down else status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


@contextmanager
def open_hospital(clock: Clock) -> Iterator[Hospital]:
    """A provider that runs."""
    found = Hospital(clock)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found))
    found.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def provider_of(hospital: Hospital) -> Provider:
    """The settings by which the gateway finds it."""
    return Provider(hospital.url, CLIENT, SECRET, ROLES, "groups")
