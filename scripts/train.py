"""Trains a model of the protocols in force when it is missing or what it is made of has changed: `python -m scripts.train [FILE]`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from aftercare.protocol import folders_in_force, load_library
from aftercare.protocol.compose import CLINICAL
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
from scripts.rasa_project import shipped, write

FILES = ("config.yml", "domain.yml", "requirements/rasa.txt")
FOLDERS = ("data", "rasa_ext", "encoder")
_ANSWERS = "answers"


def ingredients(folders: Sequence[Path]) -> list[Path]:
    """Return every file that a model is made of.

    Args:
        folders: the protocols that it is to know.

    Raises:
        FailureError: one of the files that must be there is missing.
    """
    files = [ROOT / name for name in FILES]
    for file in files:
        if not file.is_file():
            raise FailureError(f"{file.name} is missing. Restore it with: git checkout -- {file.relative_to(ROOT)}")
    for folder in (*(ROOT / name for name in FOLDERS), CLINICAL / _ANSWERS, *_own(folders)):
        files += (f for f in folder.rglob("*") if f.is_file() and "__pycache__" not in f.parts)
    return files


def _own(folders: Sequence[Path]) -> Iterator[Path]:
    """The folders of what protocols teach; the examples of those that ship stand in data/, too."""
    for folder in folders:
        yield folder.resolve() / _ANSWERS
        if not _is_committed(folders):
            yield folder.resolve() / "nlu"


def _is_committed(folders: Sequence[Path]) -> bool:
    """Whether the committed Rasa project is made of these protocols."""
    return {folder.resolve() for folder in folders} == set(shipped())


def train(model: Path, wanted: str, folders: Sequence[Path]) -> None:
    """Train in a folder of its own, and put the model in place with its stamp only when it is whole.

    Args:
        model: the file to write.
        wanted: the stamp.
        folders: the protocols that it is to know; of others than those that ship, a Rasa project is made first.

    Raises:
        FailureError: the training failed; the former model and its stamp are as they were.
    """
    model.parent.mkdir(parents=True, exist_ok=True)
    log = stamp_of(model).with_suffix(".log")
    with tempfile.TemporaryDirectory(dir=model.parent, prefix=".training-") as place, log.open("w") as output:
        project = ROOT
        if not _is_committed(folders):
            project = Path(place) / "project"
            write(load_library(folders), folders, project)
        cache = ROOT / ".rasa" / stamp_of(model).stem  # two trainings at a time do not wait for each other's
        where = ["--domain", str(project / "domain.yml"), "--data", str(project / "data")]
        done = subprocess.run(
            [RASA_PYTHON, "-m", "rasa", "train", *where, "--fixed-model-name", "trained", "--out", place],
            cwd=ROOT, env=rasa_environment({"RASA_CACHE_DIRECTORY": str(cache)}), stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        trained = Path(place) / "trained.tar.gz"
        if done.returncode or not trained.is_file():
            raise FailureError(
                f"The training failed. The end of {log}:\n{tail(log)}\nThe former model, if there was one, is still in place."
            )
        trained.replace(model)
    stamp_of(model).write_text(wanted)


def stamp_of(model: Path) -> Path:
    """Where the hash of what a model is made of is kept."""
    return model.with_name(model.name.partition(".")[0] + ".sha256")


def provide(model: Path = MODEL) -> None:
    """Train a model if that is needed.

    Raises:
        FailureError: the training failed.
    """
    folders = folders_in_force()
    wanted = digest(ingredients(folders))
    if model.is_file() and read_stamp(stamp_of(model)) == wanted:
        return
    say("Training the model")
    start = time.monotonic()
    train(model, wanted, folders)
    say(f"Trained the model in {time.monotonic() - start:.0f} s")


def main() -> None:
    """Provide the project's model, or the file that is named."""
    provide(*(Path(name).resolve() for name in sys.argv[1:2]))


if __name__ == "__main__":
    run_script(main)
