"""Trains the model into `models/aftercare.tar.gz` when it is missing or what it is made of has changed."""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from scripts.common import (
    MODEL,
    RASA_PYTHON,
    ROOT,
    FailureError,
    digest,
    rasa_environment,
    read_stamp,
    run_script,
    say,
    tail,
)

FILES = ("config.yml", "domain.yml", "requirements/rasa.txt")
FOLDERS = ("data", "languages", "clinical", "protocols", "rasa_ext", "aftercare", "encoder")
STAMP = MODEL.with_name("aftercare.sha256")


def ingredients() -> list[Path]:
    """Return every file that the model is made of.

    Raises:
        FailureError: one of the files that must be there is missing.
    """
    files = [ROOT / name for name in FILES]
    for file in files:
        if not file.is_file():
            raise FailureError(f"{file.name} is missing. Restore it with: git checkout -- {file.relative_to(ROOT)}")
    for folder in FOLDERS:
        files += (f for f in (ROOT / folder).rglob("*") if f.is_file() and "__pycache__" not in f.parts)
    return files


def train(wanted: str) -> None:
    """Train the model in a folder of its own, and put it in place with its stamp only when it is whole.

    Raises:
        FailureError: the training failed; the former model and its stamp are as they were.
    """
    MODEL.parent.mkdir(exist_ok=True)
    log = MODEL.with_name("train.log")
    with tempfile.TemporaryDirectory(dir=MODEL.parent, prefix=".training-") as out, log.open("w") as output:
        done = subprocess.run(
            [RASA_PYTHON, "-m", "rasa", "train", "--fixed-model-name", "aftercare", "--out", out],
            cwd=ROOT, env=rasa_environment({}), stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        trained = Path(out) / MODEL.name
        if done.returncode or not trained.is_file():
            raise FailureError(
                f"The training failed. The end of {log.relative_to(ROOT)}:\n{tail(log)}\n"
                f"The former model, if there was one, is still in place."
            )
        trained.replace(MODEL)
    STAMP.write_text(wanted)


def main() -> None:
    """Train the model if that is needed.

    Raises:
        FailureError: the training failed.
    """
    wanted = digest(ingredients())
    if MODEL.is_file() and read_stamp(STAMP) == wanted:
        return
    say("Training the model")
    start = time.monotonic()
    train(wanted)
    say(f"Trained the model in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    run_script(main)
