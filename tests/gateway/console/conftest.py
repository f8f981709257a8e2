"""A team at the console of a running gateway."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from argon2 import PasswordHasher

import gateway.console.identity.passwords
import gateway.console.identity.recovery_codes
from gateway.console.services import ConsoleServices
from tests.gateway.console.people import Person, case_of, hired, services_of
from tests.gateway.support import RED_FLAG, Door, Patient

Hire = Callable[..., Person]


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Hashing a password is slow on purpose; a team logs in for every test."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateway.console.identity.passwords, "_HASHER", quick)
        patch.setattr(gateway.console.identity.passwords, "NOBODY", quick.hash("nobody"))
        patch.setattr(gateway.console.identity.recovery_codes, "_HASHER", quick)
        patch.setattr(gateway.console.identity.recovery_codes, "NO_CODE", quick.hash("nobody"))
        yield


@pytest.fixture
def hire(door: Door) -> Hire:
    """Make somebody of a role, logged in."""
    return lambda role="nurse", name="": hired(door, name or f"{role.title()} Example", role)


@pytest.fixture
def nurse(hire: Hire) -> Person:
    return hire("nurse")


@pytest.fixture
def lead(hire: Hire) -> Person:
    return hire("lead")


@pytest.fixture
def auditor(hire: Hire) -> Person:
    return hire("auditor")


@pytest.fixture
def admin(hire: Hire) -> Person:
    return hire("admin")


@pytest.fixture
def services(door: Door) -> ConsoleServices:
    return services_of(door)


@pytest.fixture
def red(door: Door) -> Patient:
    """A patient whose chat is an emergency."""
    patient = door.patient()
    patient.say(RED_FLAG)
    return patient


@pytest.fixture
def number(door: Door, red: Patient) -> int:
    """The case of that patient."""
    return case_of(door, red)
