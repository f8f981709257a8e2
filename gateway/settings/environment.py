"""The settings from the environment, checked before the gateway starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from gateway.console.policy import DEFAULT, Policy, PolicyError, read_policy
from gateway.settings.addresses import address_problems, console_origins, public_origins
from gateway.settings.delivery import delivery_problems, webhooks
from gateway.settings.embedding import Keys, embed_keys
from gateway.settings.files import ROOT, RUN
from gateway.settings.keys import audit_key, day_keys, master_keys
from gateway.settings.limits import read_limits
from gateway.settings.model import Settings, SettingsError
from gateway.settings.provider import provider
from gateway.settings.variables import VARIABLES
from vault.secret import SecretError, with_secrets

_OFF = ("", "0", "no", "false", "off")


def from_environment(environ: Mapping[str, str], *, demo: bool, protocols: Keys = ()) -> Settings:
    """The settings in these environment variables.

    Args:
        environ: the variables; those in `VARIABLES` count. Secrets may stand in files, see `vault.secret`.
        demo: the clinic is the invented one, so that keys and addresses for this machine may be made up.
        protocols: the protocols in force, each by its id and one of its languages; an embed key can name one of them.

    Raises:
        SettingsError: something is missing or wrong; every mistake is named.
    """
    try:
        known = with_secrets(environ)
    except SecretError as error:
        raise SettingsError(str(error)) from None
    problems: list[str] = []
    settings = _settings({variable.name: known.get(variable.name) or variable.default for variable in VARIABLES}, demo, protocols, problems)
    problems += _contradictions(settings, demo)
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _settings(values: Mapping[str, str], demo: bool, protocols: Keys, problems: list[str]) -> Settings:
    """The settings in these values; where one is wrong, the problem is added to `problems` and something stands in for it."""
    port = _whole_number(values, "AFTERCARE_GATEWAY_PORT", 1, 65_535, problems)
    metrics_port = _whole_number(values, "AFTERCARE_METRICS_PORT", 0, 65_535, problems)
    origins = public_origins(values["AFTERCARE_PUBLIC_URL"], port, demo, problems)
    wrapping = master_keys(values["AFTERCARE_MASTER_KEY"], demo, problems)
    records_url = values["AFTERCARE_RECORDS"] or f"sqlite:///{RUN / 'records.db'}"
    limits, most_open = read_limits(Path(values["AFTERCARE_LIMITS"] or ROOT / "gateway" / "limits.yml"), problems)
    return Settings(
        host=values["AFTERCARE_GATEWAY_HOST"],
        port=port,
        public_origins=origins,
        rasa_urls=tuple(url.strip().rstrip("/") for url in values["AFTERCARE_RASA_URL"].split(",")),
        records_url=records_url,
        master_keys=wrapping,
        day_keys=day_keys(values["AFTERCARE_DAY_KEYS"], records_url, demo, problems),
        embed_keys=embed_keys(values["AFTERCARE_EMBED"], demo, protocols, problems),
        limits=limits,
        most_open=most_open,
        limits_storage=values["AFTERCARE_LIMITS_STORAGE"],
        trusted_proxies=values["AFTERCARE_TRUSTED_PROXIES"],
        metrics_port=metrics_port or None,
        maintenance=values["AFTERCARE_MAINTENANCE"].lower() not in _OFF,
        retention=timedelta(days=_whole_number(values, "AFTERCARE_RETENTION_DAYS", 1, 36_500, problems)),
        widget=ROOT / "widget",
        console_origins=console_origins(values["AFTERCARE_CONSOLE_URL"], origins, demo, problems),
        audit_key=audit_key(values["AFTERCARE_AUDIT_KEY"], wrapping, demo, problems),
        policy=_policy(values["AFTERCARE_POLICY"], problems),
        webhooks=webhooks(values["AFTERCARE_WEBHOOKS"], demo, problems),
        webhook_key=values["AFTERCARE_WEBHOOK_KEY"].encode(),
        smtp=values["AFTERCARE_SMTP"],
        mail_from=values["AFTERCARE_MAIL_FROM"],
        provider=provider(values, demo, problems),
    )


def _whole_number(values: Mapping[str, str], name: str, least: int, most: int, problems: list[str]) -> int:
    value = values[name]
    if value.isascii() and value.isdigit() and least <= int(value) <= most:
        return int(value)
    problems.append(f"{name} is not a whole number from {least} to {most}; set it to one.")
    return least


def _policy(name: str, problems: list[str]) -> Policy:
    try:
        return read_policy(Path(name) if name else DEFAULT)
    except PolicyError as error:
        problems.append(str(error))
        return read_policy()


def _contradictions(settings: Settings, demo: bool) -> Iterator[str]:
    """What is wrong about settings that belong together, and what is missing on this machine."""
    yield from address_problems(settings)
    yield from delivery_problems(settings, demo)
    if not (settings.widget / "dist" / "panel.js").is_file():
        yield "The widget is not built; run: make setup"
