"""The peer that a Rasa user would build first: `rasa init`'s pipeline (DIET), trained on our data; each intent answers by its outcome."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from aftercare.decision.rules import disposition
from aftercare.protocol import load_protocol
from evaluation import nlu
from scripts.common import RASA_PYTHON, ROOT, FailureError, digest, rasa_environment, read_stamp, say, tail

_FOLDER = Path(__file__).parent
_MODEL = ROOT / "models" / "plain.tar.gz"
_STAMP = _MODEL.with_name("plain.sha256")


def outcomes(texts: Sequence[str]) -> list[str]:
    """The outcome of each text in the cases' terms; a fallback is `out_of_scope`, as a default project answers it.

    Raises:
        FailureError: the training or the parsing failed.
    """
    _train()
    by_intent = _outcome_by_intent()
    intents, _ = nlu.parse(_MODEL, texts)
    return [by_intent.get(intent, "out_of_scope") for intent in intents]


def _outcome_by_intent() -> dict[str, str]:
    protocol = load_protocol()
    found = {f"ask_{topic}": f"faq:{topic}" for topic in protocol.topics}
    found |= dict.fromkeys(("greet", "thank", "goodbye", "bot_challenge", "upset", "deny_symptoms", "affirm", "deny", "unsure"), "chat")
    found |= {"ask_not_in_leaflet": "not_in_leaflet", "ask_diagnosis": "not_in_leaflet", "ask_hypothetical": "faq:when_to_call"}
    for finding in protocol.findings.values():
        urgency = disposition(protocol, {finding.id})
        for intent in finding.intents:
            found[intent] = urgency.wire if urgency else "out_of_scope"
    return found


def _train() -> None:
    files = [_FOLDER / "config.yml", ROOT / "domain.yml", ROOT / "requirements" / "rasa.txt", *(ROOT / "data" / "nlu").glob("*.yml")]
    wanted = digest(files)
    if _MODEL.is_file() and read_stamp(_STAMP) == wanted:
        return
    say("Training the peer (plain Rasa); this takes long the first time")
    _MODEL.parent.mkdir(exist_ok=True)
    log = _MODEL.with_name("plain.log")
    command: list[str | Path] = [
        RASA_PYTHON,
        "-m",
        "rasa",
        "train",
        "nlu",
        "--config",
        _FOLDER / "config.yml",
        "--nlu",
        ROOT / "data" / "nlu",
    ]
    command += ["--domain", ROOT / "domain.yml", "--out", _MODEL.parent, "--fixed-model-name", "plain"]
    with log.open("w") as output:
        done = subprocess.run(command, cwd=ROOT, env=rasa_environment({}), stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise FailureError(f"The peer's training failed. The end of {log.relative_to(ROOT)}:\n{tail(log)}")
    _STAMP.write_text(wanted)
