"""A made-up patient who checks the whole chain through the public address: an emergency must be answered as one, within seconds.

`python -m deploy.synthetic_patient` starts a chat by an embed key that embed.yml marks `synthetic: true`, which makes no case, types a red
flag, waits for the answer, ends the chat, and prints figures in Prometheus' text format. The exit code is 1 when the answer did not come.
"""

from __future__ import annotations

import argparse
import os
import ssl
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx

from vault.secret import with_secrets

API = "/api/v1"
RED_FLAG = "I have chest pain"
ANSWER_SECONDS = 5.0
_REQUEST_SECONDS = 10.0


@dataclass(frozen=True)
class Outcome:
    """What came of a visit.

    Attributes:
        problem: the step that failed, or empty.
        seconds: from sending the red flag to reading the answer.
    """

    problem: str
    seconds: float

    def figures(self, now: float) -> str:
        """The outcome in Prometheus' text format."""
        values = {
            "up": ("Whether the synthetic patient's red flag was answered as an emergency in time.", int(not self.problem)),
            "seconds": ("From the synthetic patient's red flag to its answer.", round(self.seconds, 3)),
            "last_run_seconds": ("When the synthetic patient last came.", round(now)),
        }
        return "".join(
            f"# HELP aftercare_synthetic_{name} {text}\n# TYPE aftercare_synthetic_{name} gauge\naftercare_synthetic_{name} {value}\n"
            for name, (text, value) in values.items()
        )


class ProbeError(RuntimeError):
    """The step that failed."""


def visit(url: str, key: str, trust: ssl.SSLContext | bool = True) -> Outcome:
    """Be a patient once.

    Args:
        url: the public address.
        key: the embed key of probes.
        trust: the certificates to trust.
    """
    seconds = 0.0
    try:
        with httpx.Client(base_url=url, verify=trust, timeout=_REQUEST_SECONDS, headers={"Origin": url}) as client:
            started = _checked("start", client.post(f"{API}/sessions", json={"key": key}))
            client.headers["Authorization"] = f"Bearer {started.json()['token']}"
            try:
                seconds = _alarm(client)
            finally:
                _checked("end", client.delete(f"{API}/session"))
    except ProbeError as error:
        return Outcome(str(error), seconds)
    except httpx.HTTPError as error:
        return Outcome(f"connection: {type(error).__name__}", seconds)
    return Outcome("" if seconds <= ANSWER_SECONDS else "slow", seconds)


def _alarm(client: httpx.Client) -> float:
    """Send a red flag; for how many seconds its answer was waited for."""
    began = time.monotonic()
    body = {"client_id": f"synthetic-{uuid4().hex}", "text": RED_FLAG}
    seq = _checked("send", client.post(f"{API}/session/messages", json=body)).json()["seq"]
    after = seq
    while time.monotonic() - began < 2 * ANSWER_SECONDS:
        found = _checked("read", client.get(f"{API}/session/events", params={"after": after, "wait": 5})).json()["events"]
        for event in found:
            after = event["seq"]
            if event.get("reply_to") == seq:
                if event.get("disposition") != "emergency":
                    raise ProbeError("not answered as an emergency")
                return time.monotonic() - began
    raise ProbeError("no answer")


def _checked(step: str, response: httpx.Response) -> httpx.Response:
    if not response.is_success:
        raise ProbeError(f"{step}: status {response.status_code}")
    return response


def main() -> int:
    """Visit once, and tell."""
    parser = argparse.ArgumentParser(prog="python -m deploy.synthetic_patient")
    parser.add_argument("--textfile", type=Path, help="write the figures there, for node_exporter, instead of printing them")
    parser.add_argument("--certificate", type=Path, help="a certificate to trust besides the system's")
    arguments = parser.parse_args()
    environ = with_secrets(os.environ)
    url, key = environ.get("AFTERCARE_PUBLIC_URL", "").rstrip("/"), environ.get("AFTERCARE_PROBE_KEY", "")
    if not url or not key:
        print("AFTERCARE_PUBLIC_URL and AFTERCARE_PROBE_KEY are not set; see deploy/env/.", file=sys.stderr)
        return 1
    trust = ssl.create_default_context()
    if arguments.certificate:
        trust.load_verify_locations(arguments.certificate)
    outcome = visit(url, key, trust)
    figures = outcome.figures(time.time())
    if arguments.textfile:
        new = arguments.textfile.with_suffix(".new")
        new.write_text(figures, encoding="utf-8")
        new.chmod(0o644)
        new.replace(arguments.textfile)
    else:
        print(figures, end="")
    if outcome.problem:
        print(f"The synthetic patient was not served: {outcome.problem}", file=sys.stderr)
    return int(bool(outcome.problem))


if __name__ == "__main__":
    sys.exit(main())
