"""The gateway without a browser: what the server holds of a conversation, and time that has passed for it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from scripts.stack import Stack
from tests.browser.clinic import KEY


class Server:
    """The patient API, and the file behind it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.records = stack.records.removeprefix("sqlite:///")
        self._client = httpx.Client(base_url=f"{stack.gateway}/api/v1", timeout=15, trust_env=False)

    def ask(self, method: str, path: str, token: str = "", origin: str | None = None, **more: Any) -> httpx.Response:
        """One request, by default as from the gateway's own page."""
        headers = {"Origin": origin or self.stack.gateway} | ({"Authorization": f"Bearer {token}"} if token else {})
        return self._client.request(method, path, headers=headers, **more)

    def start(self, origin: str | None = None) -> httpx.Response:
        """Start a chat."""
        return self.ask("POST", "/sessions", origin=origin, json={"key": KEY, "writer": "patient"})

    def say(self, token: str, text: str) -> httpx.Response:
        """Send words."""
        return self.ask("POST", "/session/messages", token, json={"client_id": str(uuid4()), "text": text})

    def end(self, token: str) -> None:
        """End the chat."""
        assert self.ask("DELETE", "/session", token).status_code == 204

    def events(self, token: str) -> list[dict[str, Any]]:
        """The conversation so far."""
        answer = self.ask("GET", "/session/events?after=0&wait=0", token)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["events"])

    def messages(self, token: str) -> list[str]:
        """What the patient said, in the server's order."""
        return [event["text"] for event in self.events(token) if event["kind"] == "message"]

    def error(self, token: str) -> str:
        """Why this token opens nothing; empty when it does."""
        answer = self.ask("GET", "/session", token)
        return "" if answer.is_success else str(answer.json()["error"])

    def age(self, token: str, by: timedelta) -> None:
        """Let the session have begun this much earlier."""
        began = datetime.now(UTC) - by
        with closing(sqlite3.connect(self.records, timeout=5)) as file, file:
            changed = file.execute(
                "UPDATE session SET started_at = ? WHERE token_hash = ?",
                (began.strftime("%Y-%m-%d %H:%M:%S.%f"), hashlib.sha256(token.encode()).digest()),
            )
            assert changed.rowcount == 1

    def close_cases(self) -> None:
        """Close every case, so that the queue is empty."""
        closed = "state = 'closed', place = 9, closed_at = last_at, waiting_since = NULL, callback_due = NULL"
        with closing(sqlite3.connect(self.records, timeout=5)) as file, file:
            file.execute(f"UPDATE triage_case SET {closed}")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another process (this one) holds the records' only write lock."""
        with closing(sqlite3.connect(self.records, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            try:
                yield
            finally:
                other.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
