"""Two procedures side by side: the shipped one and the fixture, in one model and in the same processes.

`python -m tests.procedures` trains that model beforehand.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from aftercare.protocol.load import PROTOCOL_VARIABLE
from scripts.common import ROOT, run_script
from scripts.train import provide

FIRST, SECOND = ROOT / "protocols" / "vertebroplasty", ROOT / "tests" / "fixtures" / "protocols" / "colonoscopy"
BOTH = f"{FIRST},{SECOND}"
MODEL = ROOT / "models" / "two_protocols.tar.gz"
BACK, BOWEL = "back", "bowel"


def model_of_both() -> Path:
    """A model that knows both; trained when it is missing or out of date."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PROTOCOL_VARIABLE, BOTH)
        provide(MODEL)
    return MODEL


def environment_of_both(folder: Path, origins: list[str]) -> dict[str, str]:
    """The servers' environment with both in force, and an embed key for each, as written into a folder."""
    keys = {
        BACK: {"origins": origins, "language": "en"},
        BOWEL: {"origins": origins, "language": "en", "protocol": SECOND.name},
    }
    embed = folder / "embed.yml"
    embed.write_text(yaml.safe_dump({"keys": keys}), encoding="utf-8")
    return {PROTOCOL_VARIABLE: BOTH, "AFTERCARE_EMBED": str(embed), "PYTHONPATH": os.environ.get("PYTHONPATH", "")}


def main() -> None:
    """Provide the model of both."""
    model_of_both()


if __name__ == "__main__":
    run_script(main)
