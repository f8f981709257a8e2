"""A trained Rasa model's NLU alone, in a process of its own: intents, and the CPU time of a turn."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aftercare.understanding.reading import Reading
from scripts.common import RASA_PYTHON, ROOT, FailureError, rasa_environment


def parse(model: Path, texts: Sequence[str]) -> tuple[list[str], list[float]]:
    """The intent of each text, and the seconds of CPU that it took.

    Raises:
        FailureError: the model could not be loaded, or a text not be parsed.
    """
    results = _parsed(model, texts)
    return [intent for intent, _, _ in results], [seconds for _, seconds, _ in results]


def read(model: Path, texts: Sequence[str]) -> list[Reading]:
    """What our model reads in each text; raises as `parse` does, and where the model is a peer's."""
    readings = [Reading.from_entities(text, entities) for text, (_, _, entities) in zip(texts, _parsed(model, texts), strict=True)]
    found = [reading for reading in readings if reading is not None]
    if len(found) < len(texts):
        raise FailureError(f"{model.name} gives no readings. Train it with: make train")
    return found


def _parsed(model: Path, texts: Sequence[str]) -> list[Any]:
    """Intent, seconds and entities of each text."""
    with tempfile.TemporaryDirectory() as folder:
        given, taken = Path(folder) / "texts.jsonl", Path(folder) / "result.json"
        given.write_text("\n".join(json.dumps(text) for text in texts), encoding="utf-8")
        done = subprocess.run(
            [RASA_PYTHON, Path(__file__).with_name("parse.py"), model, given, taken],
            cwd=ROOT, env=rasa_environment({}), capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise FailureError(f"{model.name} could not parse the cases:\n" + done.stderr.decode(errors="replace")[-2000:])
        return list(json.loads(taken.read_text(encoding="utf-8")))
