"""`python -m gateway check`: reads the whole set-up, tries every address, and tells in one table what is missing or weak.

It sends no notice and no patient's data: to a mail server it logs in, of a webhook it asks for the headers, of the others whether they
are there.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from smtplib import SMTPException
from ssl import SSLSocket
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from redis import Redis, RedisError
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from aftercare.protocol import Library, ProtocolError
from gateway.console.identity.staff import StaffBook
from gateway.console.notify.delivery import DeliveryError, mail_server
from gateway.records.database import connect, is_current, try_to_write
from gateway.records.store import utc_now
from gateway.settings import Settings, SettingsError, from_environment
from gateway.voice import is_demo
from vault.day_keys import DayKeys
from vault.secret import NAMES, SecretError, with_secrets

_SECONDS = 3.0
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_KEYS_AHEAD = timedelta(days=7)
_CERTIFICATE_AHEAD = timedelta(days=14)
_LOCAL = ("", "127.0.0.1", "::1", "localhost")
_FILES = ("AFTERCARE_CLINIC", "AFTERCARE_EMBED", "AFTERCARE_POLICY", "AFTERCARE_LIMITS")


class State(IntEnum):
    """How a part of the set-up stands, the worst first."""

    MISSING = 0
    WEAK = 1
    OK = 2


@dataclass(frozen=True)
class Found:
    """A line of the table."""

    part: str
    state: State
    said: str


def check(environ: Mapping[str, str], load: Callable[[], Library]) -> int:
    """Print the table of this set-up; the exit code is 1 when something is missing.

    Args:
        environ: the variables that the gateway is told by.
        load: reads the protocols.
    """
    found = sorted(findings(environ, load), key=lambda each: each.state)
    width = max(len(each.part) for each in found)
    for each in found:
        print(f"{each.state.name.lower():8}{each.part:{width}}  {each.said}")
    missing, weak = (sum(each.state == state for each in found) for state in (State.MISSING, State.WEAK))
    print(f"\n{missing} missing, {weak} weak.")
    return int(missing > 0)


def findings(environ: Mapping[str, str], load: Callable[[], Library]) -> list[Found]:
    """Everything that was looked at. Addresses are tried when the settings are right, all at the same time."""
    try:
        library = load()
        demo = is_demo(library)
        settings = from_environment(environ, demo=demo, protocols=[protocol.id for protocol in library])
        told = with_secrets(environ)
    except (ProtocolError, SettingsError, SecretError) as error:
        return [Found("settings", State.MISSING, line) for line in str(error).splitlines()]
    read = [*_protocols(library), *_read(settings, demo), *_secrets(environ, settings, demo), *_files(environ), *_certificate(environ)]
    tries = [
        lambda: _records(settings),
        lambda: _trackers(told),
        lambda: _redis(settings),
        lambda: _mail(settings),
        lambda: _login(settings),
    ]
    tries += [lambda url=url: _rasa(url) for url in settings.rasa_urls]  # type: ignore[misc]
    tries += [lambda name=name: _webhook(name, settings.webhooks[name]) for name in settings.webhooks]  # type: ignore[misc]
    with ThreadPoolExecutor(len(tries)) as pool:
        return [*read, *(each for done in pool.map(lambda attempt: list(attempt()), tries) for each in done)]


def _protocols(library: Library) -> Iterator[Found]:
    """Which are in force, the default first."""
    yield Found("protocols", State.OK, ", ".join(f"{protocol.id} ({protocol.language})" for protocol in library))


def _read(settings: Settings, demo: bool) -> Iterator[Found]:
    """What the settings themselves tell."""
    yield (
        Found("clinic", State.WEAK, "demo mode: an invented clinic; name your own in AFTERCARE_CLINIC")
        if demo
        else Found("clinic", State.OK, "read")
    )
    silent = [step.name for step in settings.policy.rota if not step.email and not step.webhook]
    for name in silent:
        yield Found("rota", State.WEAK, f"the step {name!r} reaches nobody; name an e-mail address or a webhook in AFTERCARE_POLICY")
    if not silent:
        yield Found("rota", State.OK, f"every one of {len(settings.policy.rota)} steps reaches somebody")
    if settings.secure and not settings.trusted_proxies:
        yield Found("proxies", State.WEAK, "AFTERCARE_TRUSTED_PROXIES is not set: behind a proxy all patients share one address's limits")
    if settings.trusted_proxies == "*":
        yield Found("proxies", State.WEAK, "AFTERCARE_TRUSTED_PROXIES is *: anybody is believed about X-Forwarded-For; name the proxies")
    if settings.console_origins == settings.public_origins:
        yield Found("console", State.WEAK, "it is under the public address; give it one of its own, AFTERCARE_CONSOLE_URL")
    if not any(key.synthetic for key in settings.embed_keys.values()):
        yield Found("embed keys", State.WEAK, "none is for the synthetic patient; add one with synthetic: true")
    if settings.maintenance:
        yield Found("maintenance", State.WEAK, "AFTERCARE_MAINTENANCE is on: messages are refused")


def _secrets(environ: Mapping[str, str], settings: Settings, demo: bool) -> Iterator[Found]:
    """Where the secrets and the days' keys are."""
    open_ones = [name for name in NAMES if environ.get(name)]
    if open_ones and not demo:
        said = (
            f"{', '.join(open_ones)}: in the environment, which others may read; put each into a file of mode 0400 and name it in ..._FILE"
        )
        yield Found("secrets", State.WEAK, said)
    last = max(DayKeys(settings.day_keys).names(), default="")[:10]
    if last < (datetime.now(UTC).date() + _KEYS_AHEAD).isoformat():
        yield Found("keys of days", State.WEAK, f"the last is for {last or 'no day'}: a mirror has none ahead; does the nightly purge run?")
    else:
        yield Found("keys of days", State.OK, f"made up to {last}")
    backups = environ.get("AFTERCARE_BACKUPS", "")
    if backups and settings.day_keys.resolve().is_relative_to(Path(backups).resolve()):
        yield Found("keys of days", State.WEAK, f"{settings.day_keys} is among the backups, where no key may be; choose another folder")


def _files(environ: Mapping[str, str]) -> Iterator[Found]:
    for name in _FILES:
        file = Path(environ.get(name) or "/")
        if file.is_file() and file.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            yield Found(name, State.WEAK, f"{file} can be changed by others; run: chmod go-w {file}")


def _certificate(environ: Mapping[str, str]) -> Iterator[Found]:
    """The certificate and the key of nginx, where AFTERCARE_TLS names their folder."""
    if not environ.get("AFTERCARE_TLS"):
        return
    folder = Path(environ["AFTERCARE_TLS"])
    try:
        if (folder / "privkey.pem").stat().st_mode & _OTHERS:
            yield Found("TLS key", State.WEAK, f"{folder / 'privkey.pem'} can be read by others; run: chmod 0600 {folder / 'privkey.pem'}")
        ends = x509.load_pem_x509_certificate((folder / "fullchain.pem").read_bytes()).not_valid_after_utc
    except PermissionError:
        yield Found("TLS", State.OK, f"{folder} is closed to this user, as it should be; its certificate was not looked at")
    except (OSError, ValueError) as error:
        yield Found("TLS", State.MISSING, f"fullchain.pem and privkey.pem in {folder} cannot be used ({type(error).__name__})")
    else:
        state = State.OK if ends > datetime.now(UTC) + _CERTIFICATE_AHEAD else State.WEAK
        yield Found("TLS", state, f"the certificate holds until {ends:%Y-%m-%d}")


def _records(settings: Settings) -> Iterator[Found]:
    url = make_url(settings.records_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        yield Found("records", State.MISSING, "there is no database; make it: python -m gateway migrate")
        return
    engine = connect(settings.records_url)
    try:
        if not is_current(engine):
            yield Found("records", State.MISSING, "the tables are not this release's; run: python -m gateway migrate")
        else:
            try_to_write(engine)
            yield from _accounts(settings, engine)
        if engine.dialect.name == "postgresql":
            with engine.connect() as connection:
                yield from _weak_postgresql("records", connection, url.host or "")
        yield Found("records", State.OK, f"{engine.dialect.name} answers")
    except SQLAlchemyError as error:
        yield Found("records", State.MISSING, f"the database at {url.host or url.database} cannot be used ({_why(error)})")
    finally:
        engine.dispose()


def _accounts(settings: Settings, engine: Engine) -> Iterator[Found]:
    people = StaffBook(engine, settings.keyring, utc_now).everybody()
    if not people:
        yield Found("accounts", State.WEAK, 'nobody can log in at the console; run: python -m gateway staff "Name" --role admin')
    for person in people:
        if person.tampered:
            said = f"{person.name!r} ({person.role}) was changed in the database without the key; see python -m gateway seal-account"
            yield Found("accounts", State.WEAK, said)


def _trackers(told: Mapping[str, str]) -> Iterator[Found]:
    """Rasa's database, where AFTERCARE_TRACKERS names it: what backup and forgetting use."""
    if not told.get("AFTERCARE_TRACKERS", "").startswith("postgresql"):
        return
    url = make_url(told["AFTERCARE_TRACKERS"])
    engine = create_engine(url, hide_parameters=True, connect_args={"connect_timeout": int(_SECONDS)})
    try:
        with engine.connect() as connection:
            yield from _weak_postgresql("trackers", connection, url.host or "")
        yield Found("trackers", State.OK, "postgresql answers")
    except SQLAlchemyError as error:
        yield Found("trackers", State.MISSING, f"the database at {url.host} does not answer ({_why(error)})")
    finally:
        engine.dispose()


def _weak_postgresql(part: str, connection: Connection, host: str) -> Iterator[Found]:
    """Who else could read, and whether a stored message is on the disk."""

    def ask(query: str) -> object:
        return connection.exec_driver_sql(query).scalar_one()

    name = ask("SELECT current_database()")
    if ask("SELECT has_database_privilege('public', current_database(), 'CONNECT')"):
        yield Found(part, State.WEAK, f"every user of the server may connect: REVOKE CONNECT ON DATABASE {name} FROM PUBLIC;")
    if ask("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        yield Found(part, State.WEAK, "the user is a superuser; make one of its own for this database")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        if ask(f"SHOW {setting}") == "off":
            yield Found(part, State.WEAK, f"{setting} is off: a message that was told to be stored can be lost; see deploy/postgresql.conf")
    remote = host not in _LOCAL and not host.startswith("/")
    if remote and not ask("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"):
        yield Found(part, State.WEAK, "the connection is not encrypted; add ?sslmode=verify-full to the address")


def _redis(settings: Settings) -> Iterator[Found]:
    address = settings.limits_storage.removeprefix("async+")
    if not address.startswith("redis"):
        yield Found("limits", State.OK, "each gateway counts for itself; several need Redis")
        return
    where = urlsplit(address)
    try:
        with Redis.from_url(address, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS) as redis:
            redis.ping()
    except (RedisError, ValueError) as error:
        yield Found("limits", State.MISSING, f"Redis at {where.hostname}:{where.port or 6379} does not answer ({type(error).__name__})")
        return
    if where.hostname not in _LOCAL and not where.password:
        yield Found("limits", State.WEAK, "Redis on another machine asks for no password; set requirepass, and put it into the address")
    yield Found("limits", State.OK, "Redis answers")


def _mail(settings: Settings) -> Iterator[Found]:
    if not settings.smtp:
        return
    where = urlsplit(settings.smtp)
    server = f"{where.hostname}{f':{where.port}' if where.port else ''}"
    try:
        with mail_server(settings.smtp) as smtp:
            encrypted = isinstance(smtp.sock, SSLSocket)
    except (DeliveryError, SMTPException, OSError) as error:
        why = str(error) if isinstance(error, DeliveryError) else type(error).__name__
        yield Found("mail", State.MISSING, f"the mail server {server} takes no letters ({why}); see AFTERCARE_SMTP")
        return
    if not encrypted and where.hostname not in _LOCAL:
        yield Found("mail", State.WEAK, f"{server} does not encrypt; use smtps://, or a server that offers STARTTLS")
    yield Found("mail", State.OK, f"{server} answers; no letter was sent")


def _rasa(url: str) -> Iterator[Found]:
    status = _asked("GET", f"{url}/webhooks/rest/")
    if status == "200":
        yield Found("Rasa", State.OK, f"{url} answers")
    else:
        yield Found("Rasa", State.MISSING, f"{url} does not answer as Rasa ({status}); the core answers alone")


def _webhook(name: str, address: str) -> Iterator[Found]:
    """Any answer will do: a webhook need not know how to tell its headers."""
    status = _asked("HEAD", address)
    if status.isdigit():
        yield Found("webhook", State.OK, f"{name} answers ({status}); nothing was sent")
    else:
        yield Found("webhook", State.MISSING, f"{name} does not answer ({status}); see AFTERCARE_WEBHOOKS")


def _login(settings: Settings) -> Iterator[Found]:
    if settings.provider is None:
        return
    status = _asked("GET", f"{settings.provider.issuer}/.well-known/openid-configuration")
    state = State.OK if status == "200" else State.MISSING
    yield Found(
        "hospital's login",
        state,
        f"{settings.provider.issuer} {'answers' if status == '200' else f'does not answer as a provider ({status})'}",
    )


def _asked(method: str, address: str) -> str:
    """The status of an answer, or why there is none."""
    try:
        with httpx.Client(timeout=_SECONDS, trust_env=False, follow_redirects=False) as client:
            return str(client.request(method, address).status_code)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__


def _why(error: SQLAlchemyError) -> str:
    """The driver's kind of error: its text may hold the address with the password."""
    return type(getattr(error, "orig", None) or error).__name__
