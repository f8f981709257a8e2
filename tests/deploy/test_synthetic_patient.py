"""The synthetic patient tells a broken chain from a whole one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from deploy import synthetic_patient
from deploy.synthetic_patient import visit

_ANSWER = {"seq": 3, "kind": "answer", "reply_to": 2, "disposition": "emergency"}


@contextmanager
def _chain(events: list[dict[str, Any]], status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """A patient API that says these events; its address, and what it was asked."""
    asked: list[str] = []
    said = {"POST /api/v1/sessions": {"token": "t"}, "POST /api/v1/session/messages": {"seq": 2}, "DELETE /api/v1/session": {}}

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            asked.append(f"{self.command} {self.path.partition('?')[0]}")
            body = json.dumps(said.get(asked[-1], {"events": events})).encode()
            self.send_response(status if asked[-1].startswith("GET") else 200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def test_an_emergency_in_time_is_well_and_the_chat_is_ended() -> None:
    with _chain([_ANSWER]) as (url, asked):
        outcome = visit(url, "synthetic")
    assert not outcome.problem
    assert asked[-1] == "DELETE /api/v1/session"
    assert "aftercare_synthetic_up 1\n" in outcome.figures(0)


@pytest.mark.parametrize(
    ("events", "status", "problem"),
    [
        ([{**_ANSWER, "disposition": "self_care"}], 200, "not answered as an emergency"),
        ([], 503, "read: status 503"),
        ([], 200, "no answer"),
    ],
)
def test_anything_else_is_told(events: list[dict[str, Any]], status: int, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic_patient, "ANSWER_SECONDS", 0.2)
    with _chain(events, status) as (url, asked):
        outcome = visit(url, "synthetic")
    assert outcome.problem == problem
    assert asked[-1] == "DELETE /api/v1/session"
    assert "aftercare_synthetic_up 0\n" in outcome.figures(0)


def test_nobody_there_is_told() -> None:
    with _chain([]) as (url, _):
        pass
    assert visit(url, "synthetic").problem.startswith("connection: ")
