"""What is found by trying: the databases, Redis, the mail server, Rasa, the webhooks, the hospital's log-in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from smtplib import SMTPException
from ssl import SSLSocket
from urllib.parse import urlsplit

import httpx
from redis import Redis, RedisError
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from gateway.check.found import Found, State
from gateway.console.identity.staff import StaffBook
from gateway.console.notify.delivery import DeliveryError, mail_server
from gateway.records.database import connect, is_current, try_to_write
from gateway.records.store import utc_now
from gateway.settings import Settings

_SECONDS = 3.0
_LOCAL = ("", "127.0.0.1", "::1", "localhost")


def records(settings: Settings) -> Iterator[Found]:
    """The records: whether the database answers, and is this release's."""
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


def trackers(environ: Mapping[str, str]) -> Iterator[Found]:
    """Rasa's database, where AFTERCARE_TRACKERS names it: what backup and forgetting use."""
    if not environ.get("AFTERCARE_TRACKERS", "").startswith("postgresql"):
        return
    url = make_url(environ["AFTERCARE_TRACKERS"])
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
            yield Found(part, State.WEAK, f"{setting} is off: a confirmed message can be lost; see deploy/postgresql.conf")
    remote = host not in _LOCAL and not host.startswith("/")
    if remote and not ask("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"):
        yield Found(part, State.WEAK, "the connection is not encrypted; add ?sslmode=verify-full to the address")


def limits_storage(settings: Settings) -> Iterator[Found]:
    """Redis, where requests are counted in it."""
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


def mail(settings: Settings) -> Iterator[Found]:
    """The mail server, by a log-in."""
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


def rasa(url: str) -> Iterator[Found]:
    """One of Rasa's workers."""
    status = _asked("GET", f"{url}/webhooks/rest/")
    if status == "200":
        yield Found("Rasa", State.OK, f"{url} answers")
    else:
        yield Found("Rasa", State.MISSING, f"{url} does not answer as Rasa ({status}); the core answers alone")


def webhook(name: str, address: str) -> Iterator[Found]:
    """Any answer will do: a webhook need not know how to tell its headers."""
    status = _asked("HEAD", address)
    if status.isdigit():
        yield Found("webhook", State.OK, f"{name} answers ({status}); nothing was sent")
    else:
        yield Found("webhook", State.MISSING, f"{name} does not answer ({status}); see AFTERCARE_WEBHOOKS")


def login(settings: Settings) -> Iterator[Found]:
    """The hospital's OpenID provider."""
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
