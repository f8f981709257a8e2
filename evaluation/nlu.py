"""A trained Rasa model's NLU alone, in a process of its own: intents, and the CPU time of a turn."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.common import RASA_PYTHON, ROOT, FailureError, rasa_environment


def parse(model: Path, texts: Sequence[str]) -> tuple[list[str], list[float]]:
    """The intent of each text, and the seconds of CPU that it took.

    Raises:
        FailureError: the model could not be loaded, or a text not be parsed.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, taken = Path(folder) / "texts.jsonl", Path(folder) / "result.json"
        given.write_text("\n".join(json.dumps(text) for text in texts), encoding="utf-8")
        done = subprocess.run(
            [RASA_PYTHON, Path(__file__).with_name("parse.py"), model, given, taken],
            cwd=ROOT, env=rasa_environment({}), capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise FailureError(f"{model.name} could not parse the cases:\n" + done.stderr.decode(errors="replace")[-2000:])
        results = json.loads(taken.read_text(encoding="utf-8"))
    return [intent for intent, _ in results], [seconds for _, seconds in results]
