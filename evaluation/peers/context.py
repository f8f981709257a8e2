"""The peer for assertion status: medspaCy's ConText, given the places where our lexicon finds something."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from aftercare.assistant import Assistant
from aftercare.protocol import load_protocol
from evaluation.bot import Answer
from scripts import environments, setup
from scripts.common import ROOT, FailureError

_PROGRAM = Path(__file__).with_name("context_program.py")


def answers(texts: Sequence[str]) -> list[Answer]:
    """For each text what ConText takes its findings for, in the shape of a bot's answer.

    Raises:
        FailureError: the library could not be installed or run.
    """
    setup.install(environments.PEERS)
    protocol = load_protocol()
    assistant = Assistant(protocol)
    mentions = [assistant.read(text, assistant.today()).mentions for text in texts]
    asked = [{"text": text, "places": [[m.start, m.end] for m in own]} for text, own in zip(texts, mentions, strict=True)]
    done = subprocess.run(
        [environments.PEERS.python, _PROGRAM], input=json.dumps(asked), cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    if done.returncode:
        raise FailureError("medspaCy could not read the cases:\n" + done.stderr[-2000:])
    return [
        Answer({"understood": {"findings": _findings([protocol.findings[m.finding].code for m in own], statuses)}}, 0.0)
        for own, statuses in zip(mentions, json.loads(done.stdout), strict=True)
    ]


def _findings(codes: Sequence[str], statuses: Sequence[str]) -> list[dict[str, str]]:
    return [{"code": code, "status": status} for code, status in zip(codes, statuses, strict=True) if status]
