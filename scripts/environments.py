"""The environments that the project runs in: what each holds, and the Pythons that may carry it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scripts.common import ROOT

REQUIREMENTS = ROOT / "requirements"


@dataclass(frozen=True)
class Environment:
    """One environment: its folder, its lock files, and the Pythons that may carry it, the best first."""

    folder: Path
    lock: Path
    versions: tuple[str, ...]
    variable: str
    size: str

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """The file that holds the hash of the lock files last installed."""
        return self.folder / ".aftercare-lock"


RASA = Environment(
    folder=ROOT / ".venv-rasa",
    lock=REQUIREMENTS / "rasa.txt",
    versions=("3.10",),
    variable="AFTERCARE_PYTHON310",
    size="Rasa, about 2.7 GB",
)
GATEWAY = Environment(
    folder=ROOT / ".venv-gateway",
    lock=REQUIREMENTS / "gateway.txt",
    versions=("3.12", "3.11", "3.13"),
    variable="AFTERCARE_PYTHON",
    size="the gateway, about 0.3 GB",
)
TOOLS = Environment(
    folder=ROOT / ".venv",
    lock=REQUIREMENTS / "tools.txt",
    versions=GATEWAY.versions,
    variable=GATEWAY.variable,
    size="scripts and checks, about 0.7 GB",
)
UNIT = Environment(
    folder=ROOT / ".venv-unit",
    lock=REQUIREMENTS / "unit.txt",
    versions=GATEWAY.versions,
    variable=GATEWAY.variable,
    size="the fast tests, about 0.5 GB",
)
PEERS = Environment(
    folder=ROOT / ".venv-peers",
    lock=REQUIREMENTS / "peers.txt",
    versions=("3.11", "3.12"),
    variable=GATEWAY.variable,
    size="a library that the benchmark compares with, about 0.3 GB",
)
