"""Where requests come from: what counts as one address, and whether the proxies in front are those that the settings name."""

from __future__ import annotations

import hmac
import time
from datetime import date
from ipaddress import IPv6Address, IPv6Network, ip_address

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gateway.settings import Settings

_log = structlog.get_logger(__name__)
_PREFIX = 64
_GROUP_DIGITS = 16
_FORWARDED = ("x-forwarded-for", "forwarded")
_UNBELIEVED = "aftercare.unbelieved"
_REMEMBER_SECONDS = 3_600.0
_SAID = {
    "not_named": "AFTERCARE_TRUSTED_PROXIES is not set, and patients come by HTTPS, so through a proxy: all of them share one "
    "address's limits; set it to the proxy's address",
    "not_trusted": "requests come through a proxy that AFTERCARE_TRUSTED_PROXIES does not name, or that sends no X-Forwarded-For: all its "
    "patients share one address's limits; name it, and let it send X-Forwarded-For",
}


def network(host: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of an IPv6 address, which one household has whole.

    Args:
        host: an address, or something else, which is returned as it is.
    """
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((found, _PREFIX), strict=False))


class Proxies:
    """What is known of the proxies in front.

    Args:
        settings: which are named, and whether there has to be one.
    """

    def __init__(self, settings: Settings) -> None:
        self.trusted = settings.trusted_proxies
        self._missing = settings.secure and not self.trusted
        self._until = 0.0

    def problem(self) -> str:
        """Why patients share one address's limits: `not_named`, `not_trusted` within the last hour, or empty when they do not."""
        if self._missing:
            return "not_named"
        return "not_trusted" if time.monotonic() < self._until else ""

    def warn(self) -> None:
        """Tell the operator, at the start, what is known by then."""
        if self.problem():
            _log.warning(_SAID[self.problem()])

    def forwarded(self) -> None:
        """Note a request that a stranger forwarded; the operator is warned once an hour."""
        before, self._until = self.problem(), time.monotonic() + _REMEMBER_SECONDS
        if not before:
            self.warn()


class Groups:
    """Tells which chats of a day came from one address, without keeping the address.

    Args:
        settings: the first master key, from which the hashes' key is made.
        proxies: while they hide the patients' addresses, nothing is reported.
    """

    def __init__(self, settings: Settings, proxies: Proxies) -> None:
        self._key = hmac.digest(settings.master_keys[0], b"address groups", "sha256")
        self._proxies = proxies

    def of(self, scope: Scope, day: date) -> str | None:
        """What a request has in common with others of the day from its address, in 16 hexadecimal digits.

        None where the address is no patient's own as far as one can tell: this machine's, or that of a proxy which is not trusted.
        """
        host = str(scope["client"][0]) if scope.get("client") else ""
        if scope.get(_UNBELIEVED, False) or self._proxies.problem() == "not_named" or not _is_foreign(host):
            return None
        return hmac.new(self._key, f"{day.isoformat()} {network(host)}".encode(), "sha256").hexdigest()[:_GROUP_DIGITS]


def _is_foreign(host: str) -> bool:
    """Whether this is the address of another machine."""
    try:
        found = ip_address(host)
        return not (getattr(found, "ipv4_mapped", None) or found).is_loopback
    except ValueError:
        return False


class Peers:
    """The layer that puts the patient's address in the place of a trusted proxy's, and notices proxies that are not trusted.

    Args:
        app: what it leads to.
        proxies: which are trusted; notified of others.
    """

    def __init__(self, app: ASGIApp, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies
        self._trusting = ProxyHeadersMiddleware(self._noticing, proxies.trusted) if proxies.trusted else None  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if self._trusting is None:
            await self._noticing(scope, receive, send)
        else:
            await self._trusting({**scope, "aftercare.peer": scope.get("client")}, receive, send)  # type: ignore[arg-type]

    async def _noticing(self, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = scope.get("client") is not scope.get("aftercare.peer", scope.get("client"))
        if scope["type"] == "http" and not replaced and any(name in Headers(scope=scope) for name in _FORWARDED):
            scope[_UNBELIEVED] = True
            self._proxies.forwarded()
        await self._app(scope, receive, send)
