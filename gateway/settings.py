"""What the gateway is told by its environment, checked before it starts."""

from __future__ import annotations

import base64
import os
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

import yaml
from limits import RateLimitItem, parse
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from gateway.console.identity.rights import ROLES
from gateway.console.policy import DEFAULT, Policy, PolicyError, read_policy
from gateway.records.sealing import Keyring
from vault.day_keys import DayKeys, FolderError
from vault.secret import SecretError, with_secrets

_ROOT = Path(__file__).resolve().parents[1]
_RUN = _ROOT / ".run"
_KEY_BYTES = 32
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")
_HTTP = re.compile(r"https?://[^\s/?#@]+")
_WEBHOOK = re.compile(r"(?P<scheme>https?)://[^\s/?#@]+(?:[/?][^\s#]*)?")
_ISSUER = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?")
_SMTP = re.compile(r"smtps?://(?:[^\s/@]+@)?[^\s/@:]+(?::(?P<port>[0-9]{1,5}))?")
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STORAGES = ("async+memory://", "async+redis://", "async+rediss://")
_LANGUAGES = ("en", "es")
_OWN_COUNTED = {"start": ("address", "key"), "message": ("address",)}
_MOST_OPEN = 300
_COUNTED = {"start": ("address", "key"), "message": ("session", "address"), "read": ("session",), "refused": ("address",)}

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=4)
LONGEST_TEXT = 4_000
LARGEST_BODY = 64_000
ANSWER_SECONDS = 4.0


class SettingsError(ValueError):
    """The gateway cannot start; the message names every mistake and its remedy."""


@dataclass(frozen=True)
class OwnLimits:
    """Limits of one embed key in the place of the general ones, as for a hospital whose patients share one address.

    Attributes:
        networks: where they hold; a key is no secret, and elsewhere the general ones do.
        rates: how often one may ask, by what is counted and for whom.
        most_open: open streams and waiting requests of one address; None when it has no limit of its own.
    """

    networks: tuple[IPv4Network | IPv6Network, ...]
    rates: Mapping[tuple[str, str], RateLimitItem]
    most_open: int | None


@dataclass(frozen=True)
class EmbedKey:
    """A clinic page's right to show the chat.

    Attributes:
        origins: the origins of the pages, as a browser sends them.
        language: the language of what the widget itself says, `en` or `es`; the bot speaks it where its protocol does.
        synthetic: its chats are the operator's probes, which no nurse is to see; it has no panel.
        limits: its own, if it has some.
        protocol: the id of the protocol that its chats go by; the default one when empty.
    """

    name: str
    origins: tuple[str, ...]
    language: str
    synthetic: bool = False
    limits: OwnLimits | None = None
    protocol: str = ""

    @property
    def bound(self) -> tuple[str, str]:
        """What its conversations are to be bound to: the id of a protocol, and the code of a language."""
        return self.protocol, self.language

    def own_limits(self, address: str) -> OwnLimits | None:
        """Its own limits, where they hold for an address, or for the /64 that stands for one."""
        if self.limits is None:
            return None
        try:
            where = ip_network(address)
        except ValueError:
            return None
        return self.limits if any(_holds(network, where) for network in self.limits.networks) else None


def _holds(network: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    return network.version == other.version and other.network_address in network


@dataclass(frozen=True)
class Provider:
    """The hospital's OpenID provider, which vouches for its staff.

    Attributes:
        roles: the provider's group -> the role here.
        claim: the claim that lists the groups.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    roles: Mapping[str, str]
    claim: str


@dataclass(frozen=True)
class Settings:
    """The gateway's settings.

    Attributes:
        public_origins: the gateway's own origins, the first as patients know it.
        rasa_urls: where Rasa's workers listen.
        master_keys: 32-byte keys that wrap the conversations' keys; the first wraps, every one unwraps.
        day_keys: the folder of the days' keys.
        most_open: how many streams and waiting requests one address may have open at this gateway.
        retention: how long the words of a conversation are kept.
        metrics_port: where the figures are served, on the loopback interface only; None when nowhere.
        maintenance: messages are refused, except those with a red flag.
        console_origins: the console's own origins; the public ones where it has none of its own.
        audit_key: 32 bytes that seal the audit; not to be known to whoever keeps the database.
        policy: the clinic's policy for its nurses.
        webhooks: names of webhooks with their addresses.
        webhook_key: signs what is sent to webhooks.
        smtp: where e-mails are handed over, smtp://host:port or smtps://user:password@host; empty when nowhere.
        provider: the hospital's OpenID provider, if it has one.
    """

    host: str
    port: int
    public_origins: tuple[str, ...]
    rasa_urls: tuple[str, ...]
    records_url: str = field(repr=False)
    master_keys: tuple[bytes, ...] = field(repr=False)
    day_keys: Path
    embed_keys: Mapping[str, EmbedKey]
    limits: Mapping[tuple[str, str], RateLimitItem]
    most_open: int
    limits_storage: str = field(repr=False)
    trusted_proxies: str
    metrics_port: int | None
    maintenance: bool
    retention: timedelta
    widget: Path
    console_origins: tuple[str, ...]
    audit_key: bytes = field(repr=False)
    policy: Policy
    webhooks: Mapping[str, str] = field(repr=False)
    webhook_key: bytes = field(repr=False)
    smtp: str = field(repr=False)
    mail_from: str
    provider: Provider | None

    @property
    def secure(self) -> bool:
        """Whether patients reach the gateway by HTTPS."""
        return self.public_origins[0].startswith("https:")

    @property
    def keyring(self) -> Keyring:
        """What seals and opens the records."""
        return Keyring(self.master_keys, DayKeys(self.day_keys))


def from_environment(environ: Mapping[str, str], *, demo: bool, protocols: Collection[str] = ()) -> Settings:
    """The settings in these environment variables.

    Args:
        environ: the variables; those of the README's table count. Secrets may stand in files, see `vault.secret`.
        demo: the clinic is the invented one, so that keys and addresses for this machine may be made up.
        protocols: the ids of the protocols in force; an embed key can name one of them.

    Raises:
        SettingsError: something is missing or wrong.
    """
    problems: list[str] = []
    try:
        environ = with_secrets(environ)
    except SecretError as error:
        raise SettingsError(str(error)) from None

    def number(name: str, default: int, least: int, most: int) -> int:
        value = environ.get(name) or str(default)
        if value.isascii() and value.isdigit() and least <= int(value) <= most:
            return int(value)
        problems.append(f"{name} is not a whole number from {least} to {most}; set it to one.")
        return default

    port = number("AFTERCARE_GATEWAY_PORT", 8080, 1, 65_535)
    metrics_port = number("AFTERCARE_METRICS_PORT", 0, 0, 65_535)
    public = environ.get("AFTERCARE_PUBLIC_URL", "").rstrip("/")
    origins = (public,) if public else (f"http://127.0.0.1:{port}", f"http://localhost:{port}")
    if not demo and not public:
        problems.append("AFTERCARE_PUBLIC_URL is not set; set it to the address that patients' browsers use, https://...")
    problems += [_origin_problem("AFTERCARE_PUBLIC_URL", each, demo) for each in origins if _origin_problem("", each, demo)]
    limits_file = Path(environ.get("AFTERCARE_LIMITS") or Path(__file__).with_name("limits.yml"))
    master_keys = _master_keys(environ.get("AFTERCARE_MASTER_KEY", ""), demo, problems)
    records_url = environ.get("AFTERCARE_RECORDS") or f"sqlite:///{_RUN / 'records.db'}"
    settings = Settings(
        host=environ.get("AFTERCARE_GATEWAY_HOST") or "127.0.0.1",
        port=port,
        public_origins=origins,
        rasa_urls=tuple(url.strip().rstrip("/") for url in (environ.get("AFTERCARE_RASA_URL") or "http://127.0.0.1:5005").split(",")),
        records_url=records_url,
        master_keys=master_keys,
        day_keys=_day_keys(environ.get("AFTERCARE_DAY_KEYS", ""), records_url, demo, problems),
        embed_keys=_embed_keys(environ.get("AFTERCARE_EMBED", ""), demo, protocols, problems),
        limits=_limits(limits_file, problems),
        most_open=_most_open(limits_file, _read(limits_file, []).get("open"), problems) or _MOST_OPEN,
        limits_storage=environ.get("AFTERCARE_LIMITS_STORAGE") or "async+memory://",
        trusted_proxies=environ.get("AFTERCARE_TRUSTED_PROXIES", ""),
        metrics_port=metrics_port or None,
        maintenance=environ.get("AFTERCARE_MAINTENANCE", "").lower() not in ("", "0", "no", "false", "off"),
        retention=timedelta(days=number("AFTERCARE_RETENTION_DAYS", 365, 1, 36_500)),
        widget=_ROOT / "widget",
        console_origins=_console_origins(environ.get("AFTERCARE_CONSOLE_URL", "").rstrip("/"), origins, demo, problems),
        audit_key=_audit_key(environ.get("AFTERCARE_AUDIT_KEY", ""), master_keys, demo, problems),
        policy=_policy(environ.get("AFTERCARE_POLICY", ""), problems),
        webhooks=_webhooks(environ.get("AFTERCARE_WEBHOOKS", ""), demo, problems),
        webhook_key=environ.get("AFTERCARE_WEBHOOK_KEY", "").encode(),
        smtp=environ.get("AFTERCARE_SMTP", ""),
        mail_from=environ.get("AFTERCARE_MAIL_FROM", ""),
        provider=_provider(environ, demo, problems),
    )
    problems += _address_problems(settings)
    problems += _delivery_problems(settings)
    if not demo and not any(step.email or step.webhook for step in settings.policy.rota):
        problems.append(
            "The policy's rota reaches nobody: no one would be told of an emergency that no nurse acknowledges; copy "
            "gateway/console/policy.yml, write e-mail addresses or names of webhooks into it, and name the copy in AFTERCARE_POLICY."
        )
    if not (settings.widget / "dist" / "panel.js").is_file():
        problems.append("The widget is not built; run: make setup")
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _address_problems(settings: Settings) -> Iterator[str]:
    try:
        backend = make_url(settings.records_url).get_backend_name()
    except ArgumentError:
        backend = ""
    if backend not in ("sqlite", "postgresql"):
        yield "AFTERCARE_RECORDS is no address of a database; write sqlite:////folder/records.db or postgresql+psycopg://user:password@host/name"
    if not all(map(_HTTP.fullmatch, settings.rasa_urls)):
        yield "AFTERCARE_RASA_URL is no address; write http://host:port, and several with commas between them"
    elif len(set(settings.rasa_urls)) < len(settings.rasa_urls):
        yield "AFTERCARE_RASA_URL names a worker twice; write each address once"
    if not settings.limits_storage.startswith(_STORAGES):
        yield f"AFTERCARE_LIMITS_STORAGE must begin with one of {', '.join(_STORAGES)}"


def _origin_problem(where: str, origin: str, demo: bool) -> str:
    parts = _ORIGIN.fullmatch(origin)
    if parts is None:
        return f"{where}: {origin!r} is no origin; write scheme, host in small letters and, if unusual, port: https://www.example.org"
    if parts["scheme"] == "http" and not demo and parts["host"] not in ("127.0.0.1", "localhost"):
        return f"{where}: {origin!r} is not encrypted; use https"
    return ""


def _master_keys(value: str, demo: bool, problems: list[str]) -> tuple[bytes, ...]:
    if not value and demo:
        return (_demo_key(),)
    keys = []
    for part in filter(None, value.split(",")):
        try:
            keys.append(base64.b64decode(part.strip(), validate=True))
        except ValueError:
            keys.append(b"")
    if not keys or any(len(key) != _KEY_BYTES or len(set(key)) < _KEY_BYTES // 4 for key in keys):
        problems.append(
            "AFTERCARE_MASTER_KEY must be one or more random keys of 32 bytes in base64, separated by commas; "
            "make one with: python -m gateway new-key"
        )
    return tuple(keys)


def _day_keys(name: str, records_url: str, demo: bool, problems: list[str]) -> Path:
    """The folder of the days' keys; the demo's is made when it is needed, beside its SQLite file if it has one."""
    if not name and demo:
        beside = records_url.startswith("sqlite:///")
        return Path(records_url.removeprefix("sqlite:///")).with_name("day-keys") if beside else _RUN / "day-keys"
    if not name:
        problems.append("AFTERCARE_DAY_KEYS is not set; make a folder that is in no backup, with install -d -m 0700, and set it to that.")
        return Path()
    try:
        DayKeys(Path(name)).check()
    except FolderError as error:
        problems.append(f"AFTERCARE_DAY_KEYS: {error}")
    return Path(name)


def _console_origins(url: str, public: tuple[str, ...], demo: bool, problems: list[str]) -> tuple[str, ...]:
    if not url:
        return public
    problems += filter(None, [_origin_problem("AFTERCARE_CONSOLE_URL", url, demo)])
    return (url,)


def _audit_key(value: str, master_keys: tuple[bytes, ...], demo: bool, problems: list[str]) -> bytes:
    if not value and demo:
        return _demo_key("demo-audit.key")
    try:
        key = base64.b64decode(value.strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES or len(set(key)) < _KEY_BYTES // 4:
        problems.append("AFTERCARE_AUDIT_KEY must be a random key of 32 bytes in base64; make one with: python -m gateway new-key")
    elif key in master_keys:
        problems.append(
            "AFTERCARE_AUDIT_KEY is one of the master keys; who keeps these must not be able to change the audit: "
            "make another with: python -m gateway new-key"
        )
    return key


def _policy(name: str, problems: list[str]) -> Policy:
    try:
        return read_policy(Path(name) if name else DEFAULT)
    except PolicyError as error:
        problems.append(str(error))
        return read_policy()


def _webhooks(value: str, demo: bool, problems: list[str]) -> dict[str, str]:
    """`name=https://...` entries, separated by blanks."""
    found: dict[str, str] = {}
    for place, entry in enumerate(value.split(), 1):
        name, _, address = entry.partition("=")
        parts = _WEBHOOK.fullmatch(address)
        if not _NAME.fullmatch(name) or parts is None:
            problems.append(f"AFTERCARE_WEBHOOKS: entry {place} is no name with an address; write name=https://...")
        elif parts["scheme"] == "http" and not demo:
            problems.append(f"AFTERCARE_WEBHOOKS: {name} is not encrypted; use https")
        elif name in found:
            problems.append(f"AFTERCARE_WEBHOOKS: {name} has two addresses; give each its own name")
        found[name] = address
    return found


def _provider(environ: Mapping[str, str], demo: bool, problems: list[str]) -> Provider | None:
    issuer = environ.get("AFTERCARE_OIDC_ISSUER", "").rstrip("/")
    if not issuer:
        if environ.get("AFTERCARE_OIDC_CLIENT"):
            problems.append("AFTERCARE_OIDC_CLIENT is set, and AFTERCARE_OIDC_ISSUER is not; set it to the provider's address, https://...")
        return None
    entries = [entry.rpartition("=")[::2] for entry in environ.get("AFTERCARE_OIDC_ROLES", "").split()]
    roles = dict(entries)
    found = Provider(
        issuer=issuer,
        client_id=environ.get("AFTERCARE_OIDC_CLIENT", ""),
        client_secret=environ.get("AFTERCARE_OIDC_SECRET", ""),
        roles=roles,
        claim=environ.get("AFTERCARE_OIDC_CLAIM") or "groups",
    )
    if not _ISSUER.fullmatch(issuer):
        problems.append("AFTERCARE_OIDC_ISSUER is no address; write https://...")
    elif issuer.startswith("http:") and not demo:
        problems.append("AFTERCARE_OIDC_ISSUER is not encrypted; use https")
    if not found.client_id or not found.client_secret:
        problems.append("AFTERCARE_OIDC_CLIENT and AFTERCARE_OIDC_SECRET are not set; the provider gives them")
    if not roles or len(roles) < len(entries) or "" in roles or any(role not in ROLES for role in roles.values()):
        problems.append(f"AFTERCARE_OIDC_ROLES must map each group to one role ({', '.join(ROLES)}): group=nurse other-group=lead")
    return found


def _delivery_problems(settings: Settings) -> Iterator[str]:
    named = {name for step in settings.policy.rota for name in step.webhook}
    missing = sorted(named - set(settings.webhooks))
    if missing:
        yield f"The policy names webhooks without an address: {', '.join(missing)}; set AFTERCARE_WEBHOOKS to name=https://..."
    if settings.webhooks and len(settings.webhook_key) < _KEY_BYTES:
        yield f"AFTERCARE_WEBHOOK_KEY must have {_KEY_BYTES} characters or more; it signs what is sent to webhooks"
    server = _SMTP.fullmatch(settings.smtp)
    if settings.smtp and (server is None or int(server["port"] or 1) not in range(1, 65_536)):
        yield (
            "AFTERCARE_SMTP is no address of a mail server; write smtp://host:port or smtps://user:password@host, "
            "with %40 for an @ and %2F for a / in the password"
        )
    if settings.smtp and not _MAIL.fullmatch(settings.mail_from):
        yield "AFTERCARE_MAIL_FROM is not set; set it to the address that e-mails come from"
    wrong = [address for step in settings.policy.rota for address in step.email if not _MAIL.fullmatch(address)]
    if wrong:
        yield f"The policy's rota has e-mail addresses that are none: {', '.join(wrong)}; write team@example.org"
    if any(step.email for step in settings.policy.rota) and not settings.smtp:
        yield "The policy names e-mail addresses, and AFTERCARE_SMTP is not set; set it to the mail server, smtp://host:port"


def _demo_key(name: str = "demo-master.key") -> bytes:
    file = _RUN / name
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as new:
            new.write(secrets.token_bytes(_KEY_BYTES))
    return file.read_bytes()


def _read(file: Path, problems: list[str]) -> dict[str, object]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        problems.append(f"{file} cannot be read ({type(error).__name__}); correct the file or its name.")
        return {}
    return content if isinstance(content, dict) else {}


def _embed_keys(name: str, demo: bool, protocols: Collection[str], problems: list[str]) -> dict[str, EmbedKey]:
    if not name and not demo:
        problems.append("AFTERCARE_EMBED is not set; copy gateway/embed.yml, write the clinic's pages into it, and name the copy.")
        return {}
    file = Path(name) if name else Path(__file__).with_name("embed.yml")
    entries = _read(file, problems).get("keys")
    keys = {}
    for key, entry in entries.items() if isinstance(entries, dict) else ():
        listed = entry.get("origins") if isinstance(entry, dict) else None
        origins = tuple(map(str, listed)) if isinstance(listed, list) else ()
        language = entry.get("language", "en") if isinstance(entry, dict) else ""
        wrong = [problem for origin in origins if (problem := _origin_problem(f"{file}, key {key}", origin, demo))]
        if not isinstance(listed, list):
            wrong.append(f"{file}, key {key}: origins must be a list; an empty one, [], is for the gateway's own pages only")
        if language not in _LANGUAGES:
            wrong.append(f"{file}, key {key}: language must be one of {', '.join(_LANGUAGES)}")
        synthetic = entry.get("synthetic", False) if isinstance(entry, dict) else False
        if not isinstance(synthetic, bool):
            wrong.append(f"{file}, key {key}: synthetic must be true or false")
        if synthetic and origins:
            wrong.append(f"{file}, key {key}: a synthetic key is for no page; write origins: []")
        protocol = entry.get("protocol") if isinstance(entry, dict) else None
        if protocol is not None and protocol not in protocols:
            known = ", ".join(dict.fromkeys(protocols)) or "none"
            wrong.append(f"{file}, key {key}: there is no protocol {protocol!r}; in force by AFTERCARE_PROTOCOL: {known}")
        limits = _own_limits(f"{file}, key {key}", entry["limits"], wrong) if isinstance(entry, dict) and "limits" in entry else None
        if not str(key).replace("-", "").replace("_", "").isalnum():
            wrong.append(f"{file}, key {key}: a key has letters, digits, - and _ only")
        problems += wrong
        keys[str(key)] = EmbedKey(str(key), origins, language, synthetic, limits, str(protocol or ""))
    if not keys:
        problems.append(f"{file} has no keys; see gateway/embed.yml.")
    return keys


def _own_limits(where: str, content: object, problems: list[str]) -> OwnLimits | None:
    """An embed key's own limits, shaped as in limits.yml, with the networks where they hold."""
    whole = content if isinstance(content, dict) else {}
    networks, rates = [], {}
    for each in whole["networks"] if isinstance(whole.get("networks"), list) else ():
        try:
            found = ip_network(str(each))
        except ValueError:
            problems.append(f"{where}: {each!r} is no network; write 203.0.113.0/24 or 2001:db8:7::/48")
            continue
        if found.version == 6 and found.prefixlen > 64:
            problems.append(
                f"{where}: {each!r} is less than a /64, by which addresses of IPv6 are counted; write {found.supernet(new_prefix=64)}"
            )
        networks.append(found)
    if not networks:
        problems.append(
            f"{where}: limits need networks, the addresses of the hospital for which they hold, such as [203.0.113.0/24]; "
            "a key is no secret, so that anyone else would have them too"
        )
    for what, entry in whole.items():
        if what in ("networks", "open"):
            continue
        for whom, value in entry.items() if isinstance(entry, dict) else (("", ""),):
            if whom not in _OWN_COUNTED.get(str(what), ()):
                allowed = "; ".join(f"{what} for {' and '.join(whom)}" for what, whom in _OWN_COUNTED.items())
                problems.append(
                    f"{where}: limits has {what} for {whom or 'nobody'}; a key can have its own for {allowed}; open for address"
                )
                continue
            try:
                rates[str(what), str(whom)] = parse(str(value))
            except ValueError:
                problems.append(f"{where}: limits, {what}, {whom}: {value!r} is no limit; write 600 per 10 minutes")
    return OwnLimits(tuple(networks), rates, _most_open(where, whole.get("open"), problems))


def _most_open(where: object, content: object, problems: list[str]) -> int | None:
    """How many streams one address may have open, by `open: {address: 300}`; None when nothing is said of it."""
    if content is None:
        return None
    most = content.get("address") if isinstance(content, dict) and set(content) == {"address"} else None
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        problems.append(f"{where}: open needs a whole number for address, such as: {{address: {_MOST_OPEN}}}")
        return None
    return most


def _limits(file: Path, problems: list[str]) -> dict[tuple[str, str], RateLimitItem]:
    content = _read(file, problems)
    limits = {}
    for what, whom in ((what, whom) for what, all_whom in _COUNTED.items() for whom in all_whom):
        entry = content.get(what)
        try:
            limits[what, whom] = parse(str(entry[whom]) if isinstance(entry, dict) else "")
        except (KeyError, ValueError):
            problems.append(f"{file}: {what} needs a limit for {whom}, such as: 20 per minute")
    return limits
