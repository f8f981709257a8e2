"""What is found on this machine: the settings, the secrets, the files, the certificate."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from aftercare.protocol import Library
from gateway.check.found import Found, State
from gateway.settings import Settings
from vault.day_keys import DayKeys
from vault.secret import NAMES

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_KEYS_AHEAD = timedelta(days=7)
_CERTIFICATE_AHEAD = timedelta(days=14)
_FILES = ("AFTERCARE_CLINIC", "AFTERCARE_EMBED", "AFTERCARE_POLICY", "AFTERCARE_LIMITS")


def protocols(library: Library) -> Iterator[Found]:
    """Which are in force, the default first."""
    yield Found("protocols", State.OK, ", ".join(f"{protocol.id} ({protocol.language})" for protocol in library))


def told_by_settings(settings: Settings, demo: bool) -> Iterator[Found]:
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


def embed_keys(settings: Settings, default: str) -> Iterator[Found]:
    """Each key that is for pages: which may show its chat, in which languages, and by which protocol, `default` where it names none."""
    for key in settings.embed_keys.values():
        if key.synthetic:
            continue
        languages = "/".join(dict.fromkeys((key.language, *key.languages)))
        terms = f"{key.name} ({languages}, {key.protocol or default})"
        if not key.origins:
            yield Found("embed keys", State.WEAK, f"{terms} lists no page; write the origins of the clinic's pages into it")
            continue
        yield Found("embed keys", State.OK, f"{terms}: {', '.join(key.origins)}")


def secrets(environ: Mapping[str, str], settings: Settings, demo: bool) -> Iterator[Found]:
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


def files(environ: Mapping[str, str]) -> Iterator[Found]:
    """Which of the clinic's files others can change."""
    for name in _FILES:
        file = Path(environ.get(name) or "/")
        if file.is_file() and file.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            yield Found(name, State.WEAK, f"{file} can be changed by others; run: chmod go-w {file}")


def certificate(environ: Mapping[str, str]) -> Iterator[Found]:
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
