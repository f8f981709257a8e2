"""A team at the console of a running gateway."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.console.desk import Desk
from tests.gateway.console.people import Person, desk_of, hired
from tests.gateway.support import Door

Hire = Callable[..., Person]


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
def desk(door: Door) -> Desk:
    return desk_of(door)
