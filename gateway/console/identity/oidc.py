"""The hospital's OpenID provider: where somebody is sent to log in, and what the provider then says of them, checked."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from gateway.records.sealing import Keyring, SealError
from gateway.records.store import Clock
from gateway.settings import Provider

COOKIE = "__Host-oidc"
LONGEST = timedelta(minutes=10)
_ASSOCIATED_DATA = "oidc"
_SECONDS = 5.0
_LEEWAY = 60
_KEYS_AGAIN = timedelta(minutes=1)
_SUBJECT = 255
_SECRET_BYTES = 32
_ALGORITHMS = [f"{kind}{size}" for kind in ("RS", "PS", "ES") for size in (256, 384, 512)]
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class OidcError(Exception):
    """The provider confirms nobody's identity; `reason` is a key of templates/reasons.yml."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Journey:
    """A way to the provider and back.

    Attributes:
        redirect: the address that the provider sends the browser back to.
        next: where the person wanted to go.
        token: the locked login that is to be opened; empty to log in.
        began: when it began.
    """

    state: str
    nonce: str
    verifier: str
    redirect: str
    next: str
    token: str
    began: float


@dataclass(frozen=True)
class OidcIdentity:
    """Whose identity the provider confirms; `subject` is the issuer with its name for the person."""

    subject: str
    name: str
    email: str | None
    role: str


class OidcClient:
    """Asks one provider.

    Args:
        provider: whom to ask, and which of its groups has which role.
        keyring: seals what a browser keeps of a journey.
        clock: tells the time.
    """

    def __init__(self, provider: Provider, keyring: Keyring, clock: Clock) -> None:
        self._provider = provider
        self._keyring = keyring
        self._clock = clock
        self._about: dict[str, str] = {}
        self._keys: tuple[datetime, KeySet] | None = None
        self._used: dict[str, datetime] = {}

    async def begin(self, redirect: str, next: str, token: str = "") -> tuple[str, str]:
        """The provider's address to send the browser to, and the cookie that it keeps until it comes back.

        The provider asks for the password each time: its own login may outlast the console's lock.

        Raises:
            OidcError: the provider cannot be reached.
        """
        state, nonce, verifier = (secrets.token_urlsafe(_SECRET_BYTES) for _ in range(3))
        journey = Journey(state, nonce, verifier, redirect, next, token, self._clock().timestamp())
        async with self._client() as client:
            about = await self._metadata(client)
        address = prepare_grant_uri(
            about["authorization_endpoint"], self._provider.client_id, "code", redirect, "openid profile email", state, nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier), code_challenge_method="S256", prompt="login", max_age="0",
        )  # fmt: skip
        return str(address), base64.urlsafe_b64encode(self._keyring.seal(asdict(journey), _ASSOCIATED_DATA)).decode()

    async def finish(self, cookie: str, answer: Mapping[str, str]) -> tuple[Journey, OidcIdentity]:
        """What a browser that came back brings.

        Args:
            cookie: what `begin` gave it.
            answer: the parameters with which the provider sent it back.

        Raises:
            OidcError: it is not the journey that began here, or the provider does not confirm somebody with one role here.
        """
        journey = self._journey(cookie, answer.get("state", ""))
        if not answer.get("code") or "error" in answer:
            raise OidcError("provider_refused")
        async with self._client() as client:
            about = await self._metadata(client)
            written = await self._id_token(client, about["token_endpoint"], answer["code"], journey)
            claims = await self._claims(client, about, written, journey)
        return journey, self._identity(claims)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=_SECONDS, trust_env=False, follow_redirects=False)

    async def _id_token(self, client: httpx.AsyncClient, address: str, code: str, journey: Journey) -> str:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": journey.redirect, "code_verifier": journey.verifier}
        ours = quote_plus(self._provider.client_id), quote_plus(self._provider.client_secret)
        try:
            answer = await client.post(address, data=form, auth=ours)
            content = answer.json() if answer.status_code == httpx.codes.OK else None
        except (httpx.HTTPError, ValueError):
            raise OidcError("provider_down") from None
        written = content.get("id_token") if isinstance(content, dict) else None
        if not isinstance(written, str):
            raise OidcError("provider_refused")
        return written

    def _journey(self, cookie: str, state: str) -> Journey:
        now = self._clock()
        try:
            journey = Journey(**self._keyring.open(base64.urlsafe_b64decode(cookie), _ASSOCIATED_DATA))
        except (SealError, ValueError):
            raise OidcError("provider_stray") from None
        self._used = {used: at for used, at in self._used.items() if now - at < LONGEST}
        late = now.timestamp() - journey.began > LONGEST.total_seconds()
        if late or journey.state in self._used or not secrets.compare_digest(journey.state.encode(), state.encode()):
            raise OidcError("provider_stray")
        self._used[journey.state] = now
        return journey

    async def _metadata(self, client: httpx.AsyncClient) -> dict[str, str]:
        if not self._about:
            found = await self._json(client, f"{self._provider.issuer}/.well-known/openid-configuration")
            about = {name: str(found.get(name, "")) for name in ("issuer", *_ENDPOINTS)}
            scheme = urlsplit(self._provider.issuer).scheme
            safe = all(urlsplit(about[name]).scheme in ("https", scheme) for name in _ENDPOINTS)
            if about["issuer"].rstrip("/") != self._provider.issuer or not safe:
                raise OidcError("provider_down")
            self._about = about
        return self._about

    async def _claims(self, client: httpx.AsyncClient, about: Mapping[str, str], written: str, journey: Journey) -> dict[str, Any]:
        """What an ID token says, if it is this provider's, for us, of now, and of this journey."""
        token = await self._decoded(client, about, written)
        client_id = self._provider.client_id
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock().timestamp()), leeway=_LEEWAY, iss={"essential": True, "value": about["issuer"]},
            sub={"essential": True}, aud={"essential": True, "value": client_id}, exp={"essential": True}, iat={"essential": True},
            nonce={"essential": True, "value": journey.nonce},
        )  # fmt: skip
        claims: dict[str, Any] = token.claims
        try:
            registry.validate(claims)
        except JoseError:
            raise OidcError("provider_untrue") from None
        audiences, party, proved = claims["aud"], claims.get("azp"), claims.get("auth_time")
        if (party is not None and party != client_id) or (isinstance(audiences, list) and len(audiences) > 1 and party is None):
            raise OidcError("provider_untrue")
        if not isinstance(proved, int | float) or proved < journey.began - _LEEWAY:
            raise OidcError("provider_old")
        return claims

    async def _decoded(self, client: httpx.AsyncClient, about: Mapping[str, str], written: str) -> jwt.Token:
        for again in (False, True):
            keys = await self._key_set(client, about["jwks_uri"], again)
            try:
                return jwt.decode(written, keys, algorithms=_ALGORITHMS)
            except (JoseError, ValueError, KeyError, TypeError):
                continue
        raise OidcError("provider_untrue")

    async def _key_set(self, client: httpx.AsyncClient, address: str, again: bool) -> KeySet:
        """The provider's public keys; looked up again at most once a minute, for a provider that has changed them."""
        now = self._clock()
        if self._keys is None or (again and now - self._keys[0] >= _KEYS_AGAIN):
            found = (await self._json(client, address)).get("keys")
            public = [key for key in found if isinstance(key, dict) and key.get("kty") in ("RSA", "EC")] if isinstance(found, list) else []
            try:
                self._keys = now, KeySet.import_key_set({"keys": public})
            except (JoseError, ValueError, KeyError, TypeError):
                raise OidcError("provider_down") from None
        return self._keys[1]

    async def _json(self, client: httpx.AsyncClient, address: str) -> dict[str, Any]:
        try:
            answer = await client.get(address)
            content = answer.json() if answer.status_code == httpx.codes.OK else None
        except (httpx.HTTPError, ValueError):
            content = None
        if not isinstance(content, dict):
            raise OidcError("provider_down")
        return content

    def _identity(self, claims: Mapping[str, Any]) -> OidcIdentity:
        listed = claims.get(self._provider.claim)
        groups = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
        roles = {self._provider.roles[group] for group in groups if isinstance(group, str) and group in self._provider.roles}
        if not roles:
            raise OidcError("provider_no_role")
        if len(roles) > 1:
            raise OidcError("provider_two_roles")
        subject = f"{claims['iss']}|{claims['sub']}"
        if len(subject) > _SUBJECT:
            raise OidcError("provider_untrue")
        name = next((str(claims[each]) for each in ("name", "preferred_username", "email") if claims.get(each)), str(claims["sub"]))
        return OidcIdentity(subject, name, _email(claims), roles.pop())


def _email(claims: Mapping[str, Any]) -> str | None:
    """The e-mail address, unless the provider says that nobody checked it."""
    email = claims.get("email")
    fits = isinstance(email, str) and email.count("@") == 1 and len(email) <= 254 and email.isprintable() and " " not in email
    return str(email) if fits and claims.get("email_verified", True) is True else None
