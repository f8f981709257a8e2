from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from aftercare.assistant import Assistant
from aftercare.protocol import Protocol, load_protocol

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def today() -> date:
    return date(2024, 5, 15)


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AFTERCARE_CLINIC", raising=False)
        return load_protocol(ROOT / "protocols" / "vertebroplasty")


@pytest.fixture(scope="session")
def assistant(protocol: Protocol) -> Assistant:
    return Assistant(protocol)
