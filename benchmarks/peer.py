"""The plain Rasa project that speed is compared with: what `rasa init` gives, with our intents, and a custom action that triages.

It runs on our environment's packages, but for jsonschema: Rasa checks each action's answer with it, and an installer picks a release that
takes ten times as long for that as the one we pin.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import yaml

from scripts.common import RASA_PYTHON, ROOT, FailureError, digest, rasa_environment, read_stamp, say, tail
from scripts.setup import UV, run
from scripts.stack import free_port

FOLDER = ROOT / "models" / "plain-project"
_LOCK = ROOT / "requirements" / "plain.txt"
_EXAMPLES = 15
_STORIES = 20
_READY_SECONDS = 300
_ACTION = '''"""The plain project's action: reads the intent, says what to do, keeps a slot."""

from rasa_sdk import Action
from rasa_sdk.events import SlotSet


class ActionTriage(Action):
    def name(self):
        return "action_triage"

    async def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="Please call your doctor about: " + tracker.get_intent_of_latest_message())
        return [SlotSet("reported", tracker.get_intent_of_latest_message())]
'''


@dataclass
class Peer:
    """The running plain project.

    Attributes:
        url: the address of its Rasa.
        pids: the process ids of `rasa` and `actions`.
        ready_seconds: how long Rasa took to start.
    """

    url: str
    pids: dict[str, int]
    ready_seconds: float


def train() -> float:
    """Train the plain project if its data changed; how long the training took, in seconds.

    Raises:
        FailureError: the training failed.
    """
    files = _files()
    told = hashlib.sha256("".join(files.values()).encode() + (ROOT / "requirements" / "rasa.txt").read_bytes())
    stamp, wanted = FOLDER / "stamp", told.hexdigest()
    found = read_stamp(stamp).split()
    if found[:1] == [wanted]:
        return float(found[1])
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name, text in files.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(text, encoding="utf-8")
    say("Training the plain Rasa project")
    started, log = time.monotonic(), FOLDER / "train.log"
    with log.open("w") as output:
        command: list[str | Path] = [RASA_PYTHON, "-m", "rasa", "train", "--fixed-model-name", "plain"]
        done = subprocess.run(command, cwd=FOLDER, env=rasa_environment({}), stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise FailureError(f"The plain project's training failed. The end of {log}:\n{tail(log)}")
    seconds = time.monotonic() - started
    stamp.write_text(f"{wanted} {seconds:.1f}")
    return seconds


@contextmanager
def running(*, pinned: bool = False) -> Iterator[Peer]:
    """The plain project, as long as the block runs.

    Args:
        pinned: with our jsonschema.
    """
    rasa, actions = free_port(), free_port()
    (FOLDER / "endpoints.yml").write_text(f"action_endpoint:\n  url: http://127.0.0.1:{actions}/webhook\n")
    environment = rasa_environment({"SANIC_HOST": "127.0.0.1"} if pinned else {"SANIC_HOST": "127.0.0.1", "PYTHONPATH": str(_packages())})
    commands: dict[str, list[str | Path]] = {
        "actions": [RASA_PYTHON, "-m", "rasa_sdk", "--actions", "actions", "--port", str(actions)],
        "rasa": [RASA_PYTHON, "-m", "rasa", "run", "-i", "127.0.0.1", "--port", str(rasa)],
    }
    processes: dict[str, subprocess.Popen[bytes]] = {}
    started = time.monotonic()
    try:
        for name, command in commands.items():
            with (FOLDER / f"{name}.log").open("wb") as log:
                processes[name] = subprocess.Popen(command, cwd=FOLDER, env=environment, stdout=log, stderr=log)
        wait_for(rasa, "/webhooks/rest/", _READY_SECONDS)
        yield Peer(f"http://127.0.0.1:{rasa}", {name: process.pid for name, process in processes.items()}, time.monotonic() - started)
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.wait(30)


def check(peer: Peer, triage: str, faq: str) -> None:
    """See that the messages which are measured do what they are measured for: one runs the action, the other an utter.

    Raises:
        FailureError: they do not.
    """
    for text, expected in ((triage, "call your doctor"), (faq, "read your leaflet")):
        message = {"sender": "check", "message": text}
        answers = httpx.post(f"{peer.url}/webhooks/rest/webhook", json=message, trust_env=False, timeout=_READY_SECONDS).json()
        if expected not in str(answers):
            raise FailureError(f"The plain project answers {text!r} with {answers}, and not with {expected!r}. Choose another message.")


def _packages() -> Path:
    """The folder with the peer's own packages, installed when the lock has changed.

    Raises:
        FailureError: they could not be installed.
    """
    folder = FOLDER / "packages"
    stamp, wanted = folder / "stamp", digest([_LOCK])
    if read_stamp(stamp) != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        where: list[str | Path] = ["--target", folder, "--python", RASA_PYTHON]
        run("Installing the peer's packages", UV, "pip", "install", "--quiet", "--no-deps", "--require-hashes", *where, "-r", _LOCK)
        stamp.write_text(wanted)
    return folder


def wait_for(port: int, path: str, seconds: float) -> None:
    """Wait until a server on this machine answers.

    Raises:
        FailureError: it did not in time.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise FailureError(f"Nothing answers on port {port} after {seconds} seconds.")


def _files() -> dict[str, str]:
    """The project's files by name."""
    examples = _examples()
    actions = {intent: "action_triage" if intent.startswith("report_") else f"utter_{intent}" for intent in examples}
    utters = {
        action: [{"text": f"About {intent}: please read your leaflet."}] for intent, action in actions.items() if action != "action_triage"
    }
    domain = {
        "version": "3.1",
        "intents": list(examples),
        "slots": {"reported": {"type": "text", "influence_conversation": False, "mappings": [{"type": "custom"}]}},
        "responses": utters,
        "actions": ["action_triage"],
        "session_config": {"session_expiration_time": 60, "carry_over_slots_to_new_session": True},
    }
    nlu = [{"intent": intent, "examples": "".join(f"- {text}\n" for text in texts)} for intent, texts in examples.items()]
    rules = [{"rule": intent, "steps": [{"intent": intent}, {"action": action}]} for intent, action in actions.items()]
    names = list(examples)
    stories: list[dict[str, Any]] = []
    for number in range(_STORIES):
        told = [names[(number * 7 + step * 11) % len(names)] for step in range(3)]
        stories.append({"story": f"story {number}", "steps": [each for i in told for each in ({"intent": i}, {"action": actions[i]})]})
    files: dict[str, Any] = {
        "domain.yml": domain,
        "data/nlu.yml": {"version": "3.1", "nlu": nlu},
        "data/rules.yml": {"version": "3.1", "rules": rules},
        "data/stories.yml": {"version": "3.1", "stories": stories},
        "config.yml": {"recipe": "default.v1", "assistant_id": "plain", "language": "en", "pipeline": None, "policies": None},
        "credentials.yml": {"rest": None},
    }
    texts = {name: yaml.safe_dump(content, sort_keys=False, allow_unicode=True) for name, content in files.items()}
    return {**texts, "actions.py": _ACTION}


def _examples() -> dict[str, list[str]]:
    """Our intents, each with its first plain examples."""
    found: dict[str, list[str]] = {}
    for file in sorted((ROOT / "data" / "nlu").glob("*.yml")):
        for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["nlu"]:
            if "intent" in entry:
                lines = (line[2:].strip() for line in entry["examples"].splitlines() if line.startswith("- "))
                plain = (line for line in lines if re.fullmatch(r"[\w ,.'?!%-]+", line))
                found.setdefault(entry["intent"], []).extend(islice(plain, _EXAMPLES))
    return {intent: texts[:_EXAMPLES] for intent, texts in found.items() if texts}
