"""A gateway on a database of its own for every test, and a PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import shutil
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import structlog
from limits import parse
from sqlalchemy import Engine
from trapped import TrappedCore

import gateway.app
from aftercare.assistant import Assistant, Assistants
from aftercare.protocol import Library, Protocol, load_protocol
from gateway.records.database import connect, migrate
from gateway.settings import EmbedKey, Settings, from_environment
from readers.pool import Readers
from scripts import postgresql as server_of_postgresql
from scripts.postgresql import create_database
from tests.gateway.support import (
    MASTER_KEY_TEXT,
    OTHER_PAGE,
    PAGE,
    ROOT,
    SECOND,
    SECOND_KEY,
    Clock,
    Door,
    Patient,
    ScriptedRasa,
    make_second,
    opened,
    scripted,
)

_numbers = count(1)
_PLENTY = parse("1000000 per minute")


@pytest.fixture(scope="session", autouse=True)
def own_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AFTERCARE_")]:
            patch.delenv(name)
        yield


def _show_what_was_raised(_: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Print the stack trace that the gateway's log leaves out; pytest shows it when a test fails."""
    if method == "error":
        traceback.print_exc(limit=-4)
    return event


@pytest.fixture(scope="session", autouse=True)
def quiet_log() -> None:
    """What the gateway logs goes where pytest shows it when a test fails."""
    processors: list[structlog.typing.Processor] = [_show_what_was_raised, structlog.processors.KeyValueRenderer()]
    structlog.configure(processors=processors, logger_factory=structlog.stdlib.LoggerFactory())


def _each(library: Library) -> tuple[int, ...]:
    return tuple(map(id, library))


@pytest.fixture(scope="session", autouse=True)
def one_core_per_library() -> Iterator[Callable[[Library], Assistants]]:
    """Making the core takes a second, and it has no state; the core that a gateway takes for a library."""
    made: dict[tuple[int, ...], Assistants] = {}

    def assistants(library: Library) -> Assistants:
        return made.setdefault(_each(library), made.get(_each(library)) or Assistants(library))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateway.app, "Assistants", assistants)
        yield assistants


class _Shared(Readers):
    """Readers that outlive the gateways that use them."""

    def close(self) -> None:
        """Stay."""


@pytest.fixture(scope="session", autouse=True)
def one_pool_of_readers_per_library() -> Iterator[None]:
    """Loading the core in another process takes seconds, and it has no state."""
    made: dict[tuple[int, ...], Readers] = {}

    def readers(library: Library) -> Readers:
        return made.setdefault(_each(library), made.get(_each(library)) or _Shared(library))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateway.app, "Readers", readers)
        yield
    for each in made.values():
        Readers.close(each)


@pytest.fixture(scope="session")
def protocol(own_environment: None) -> Protocol:
    return load_protocol(ROOT / "protocols" / "vertebroplasty")


@pytest.fixture(scope="session")
def library(protocol: Protocol) -> Library:
    """The one protocol alone."""
    return Library([protocol])


@pytest.fixture(scope="session")
def second_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the second protocol."""
    return make_second(tmp_path_factory.mktemp("protocols"))


@pytest.fixture(scope="session")
def second_protocol(own_environment: None, second_folder: Path) -> Protocol:
    """Another procedure's protocol; see SECOND_CHANGES in support.py for how it differs from the first."""
    return load_protocol(second_folder)


@pytest.fixture(scope="session")
def both(protocol: Protocol, second_protocol: Protocol) -> Library:
    """Two protocols side by side; the first is the default."""
    return Library([protocol, second_protocol])


@pytest.fixture(scope="session")
def trapped_readers(library: Library) -> Iterator[Readers]:
    """Readers that certain words hold up, end, or make raise."""
    made = _Shared(library, TrappedCore)
    made.warm()
    yield made
    Readers.close(made)


@pytest.fixture(scope="session")
def clinic_protocol(own_environment: None, tmp_path_factory: pytest.TempPathFactory) -> Protocol:
    """The protocol of a clinic that is not the demo's, with a name that would break a careless page."""
    file = tmp_path_factory.mktemp("clinic") / "clinic.yml"
    file.write_text(
        "mode: clinic\n"
        'name: "O\'Neil & \\"Sons\\" </script><script>alert(1)</script> <!-- Spine"\n'
        "phone: 212-664-7665\nafter_hours_phone: 212-664-7666\nhours: Monday to Friday, 8 am to 5 pm\n"
        'emergency_number: "911"\ncrisis_line: "988"\ntime_zone: America/New_York\nopening: {monday: ["08:00-17:00"]}\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFTERCARE_CLINIC", str(file))
        return load_protocol(ROOT / "protocols" / "vertebroplasty")


@pytest.fixture(scope="session")
def assistant(library: Library, one_core_per_library: Callable[[Library], Assistants]) -> Assistant:
    return one_core_per_library(library).default


@pytest.fixture(scope="session")
def fresh_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with this release's tables and nothing in them."""
    file = tmp_path_factory.mktemp("fresh") / "records.db"
    engine = connect(f"sqlite:///{file}")
    migrate(engine)
    engine.dispose()
    return file


@pytest.fixture
def file(fresh_file: Path, tmp_path: Path) -> Path:
    """A test's own SQLite file."""
    return Path(shutil.copy(fresh_file, tmp_path / "records.db"))


@pytest.fixture
def sqlite_url(file: Path) -> str:
    return f"sqlite:///{file}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rasa(assistant: Assistant) -> ScriptedRasa:
    return ScriptedRasa(assistant)


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    """The demo's settings, with limits that nobody meets and a second clinic page."""
    found = from_environment({"AFTERCARE_MASTER_KEY": MASTER_KEY_TEXT, "AFTERCARE_RECORDS": sqlite_url}, demo=True)
    keys = {"demo": EmbedKey("demo", (PAGE,), "en"), "spine": EmbedKey("spine", (OTHER_PAGE,), "es")}
    return replace(found, embed_keys=keys, limits=dict.fromkeys(found.limits, _PLENTY))


@pytest.fixture
def new_app(settings: Settings, library: Library, rasa: ScriptedRasa, clock: Clock) -> Callable[..., Any]:
    """Make an app, with changes to the settings as keywords; it does not run yet."""

    def make(protocol: Protocol | None = None, readers: Readers | None = None, library: Library = library, **changes: Any) -> Any:
        library = Library([protocol]) if protocol is not None else library
        changes = {"console_origins": changes.get("public_origins", settings.console_origins), **changes}
        return gateway.app.create_app(replace(settings, **changes), library, rasa=scripted(rasa), clock=clock, readers=readers)

    return make


@pytest.fixture
def open_door(
    new_app: Callable[..., Any], settings: Settings, rasa: ScriptedRasa, clock: Clock, file: Path
) -> Iterator[Callable[..., Door]]:
    """Start a gateway, with changes to the settings as keywords; it is stopped after the test."""
    with ExitStack() as stack:

        def start(**changes: Any) -> Door:
            app = new_app(**changes)
            return stack.enter_context(opened(app, app.state.services.settings, rasa, clock, file))

        yield start


@pytest.fixture
def two_keys(settings: Settings) -> dict[str, EmbedKey]:
    """The embed keys of the settings, and one that goes by the second protocol."""
    return {**settings.embed_keys, SECOND_KEY: EmbedKey(SECOND_KEY, (OTHER_PAGE,), "es", protocol=SECOND)}


@pytest.fixture
def two(
    open_door: Callable[..., Door],
    rasa: ScriptedRasa,
    both: Library,
    two_keys: dict[str, EmbedKey],
    one_core_per_library: Callable[[Library], Assistants],
) -> Door:
    """A gateway with two protocols in force, and a Rasa that knows both."""
    rasa.learn(one_core_per_library(both))
    return open_door(library=both, embed_keys=two_keys)


@pytest.fixture
def door(open_door: Callable[..., Door]) -> Door:
    return open_door()


@pytest.fixture
def patient(door: Door) -> Patient:
    return door.patient()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server on a socket of its own, with the name of the database left out."""
    if server_of_postgresql.binaries() is None:
        if os.environ.get("CI"):
            pytest.fail(f"{server_of_postgresql.NOT_INSTALLED}; CI has to test with it")
        pytest.skip(server_of_postgresql.NOT_INSTALLED)
    with server_of_postgresql.server() as address:
        yield address


@pytest.fixture(scope="session")
def fresh_database(postgresql: str) -> str:
    """The name of a PostgreSQL database with this release's tables and nothing in them."""
    create_database(postgresql, "fresh", "template0")
    engine = connect(postgresql.format(database="fresh"))
    migrate(engine)
    engine.dispose()
    return "fresh"


@pytest.fixture
def postgresql_url(postgresql: str, fresh_database: str) -> str:
    """A test's own PostgreSQL database."""
    name = f"test_{next(_numbers)}"
    create_database(postgresql, name, fresh_database)
    return postgresql.format(database=name)


@pytest.fixture(params=["sqlite", "postgresql"])
def records_url(request: pytest.FixtureRequest) -> str:
    """A test's own database, of either sort."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def engine(records_url: str) -> Iterator[Engine]:
    connected = connect(records_url)
    yield connected
    connected.dispose()


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """The address of a database of this sort that has no tables yet."""

    def url(sort: str) -> str:
        if sort == "sqlite":
            return f"sqlite:///{tmp_path / 'deep' / 'down' / 'records.db'}"
        server: str = request.getfixturevalue("postgresql")
        name = f"empty_{next(_numbers)}"
        create_database(server, name, "template0")
        return server.format(database=name)

    return url
