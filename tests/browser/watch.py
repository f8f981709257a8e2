"""Watches what a browser does that nobody sees: console, errors, requests, what scripts store and send."""

from __future__ import annotations

import re
from collections.abc import Iterable

from playwright.sync_api import BrowserContext, ConsoleMessage, Frame, Request

_BLOCKED = "blocked by policy:"

# Runs in every document before its own scripts.
SPY = """
(() => {
  const spy = { polite: [], alert: [], kept: [], received: [], told: [] };
  Object.defineProperty(window, "__spy", { value: spy });
  const write = (text) => { try { return typeof text === "string" ? text : JSON.stringify(text); } catch { return String(text); } };
  addEventListener("securitypolicyviolation", (event) =>
    console.info("blocked by policy: " + event.effectiveDirective + " " + event.blockedURI + " " + event.sample));
  addEventListener("message", (event) => spy.received.push(event.origin + " " + write(event.data)), true);
  const keep = Storage.prototype.setItem;
  Storage.prototype.setItem = function (key, value) { spy.kept.push(key + "=" + value); return keep.call(this, key, value); };
  const tell = BroadcastChannel.prototype.postMessage;
  BroadcastChannel.prototype.postMessage = function (data) { spy.told.push(write(data)); return tell.call(this, data); };
  new MutationObserver((changes) => {
    const regions = new Set();
    for (const { target } of changes) {
      const region = (target.nodeType === 1 ? target : target.parentElement)?.closest("#polite, #alert");
      if (region && region.textContent.trim()) regions.add(region);
    }
    for (const region of regions) spy[region.id].push(region.textContent.trim());
  }).observe(document, { childList: true, subtree: true, characterData: true });
})();
"""


class Watch:
    """Everything that happened in one browser context."""

    def __init__(self, context: BrowserContext, origins: Iterable[str]) -> None:
        self._origins = tuple(origins)
        self._tolerated = [r"/favicon\.ico$"]  # browsers ask for it once; it has a test of its own
        self.requests: list[str] = []
        self.bodies: list[tuple[str, str, str]] = []
        self.console: list[str] = []
        self.blocked: list[str] = []
        self.errors: list[str] = []
        context.add_init_script(SPY)
        context.on("request", self._requested)
        context.on("console", self._logged)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    def tolerate(self, pattern: str) -> None:
        """Errors in the console that match this are the test's own doing."""
        self._tolerated.append(pattern)

    def allow(self, origin: str) -> None:
        """The test itself goes there."""
        self._origins += (origin,)

    @property
    def foreign(self) -> list[str]:
        """Requests to any other address than the gateway's and the clinic's."""
        local = ("data:", "blob:", "about:", "chrome-error:")
        allowed = tuple(f"{origin}/" for origin in self._origins)
        return [url for url in self.requests if not url.startswith((*allowed, *local))]

    @property
    def complaints(self) -> list[str]:
        """Everything that should not have happened."""
        told = [text for text in (*self.console, *self.blocked) if not any(re.search(pattern, text) for pattern in self._tolerated)]
        return [*told, *self.errors, *(f"foreign request: {url}" for url in self.foreign)]

    def _requested(self, request: Request) -> None:
        self.requests.append(request.url)
        if request.method != "GET":
            self.bodies.append((request.method, request.url, request.post_data or ""))

    def _logged(self, message: ConsoleMessage) -> None:
        if message.text.startswith(_BLOCKED):
            self.blocked.append(message.text)
        elif message.type in ("error", "warning"):
            self.console.append(f"{message.type}: {message.text} {message.location['url']}")


def spied(frame: Frame, what: str) -> list[str]:
    """What the spy in a document has seen."""
    return list(frame.evaluate("(what) => window.__spy[what]", what))
