"""The settings as the gateway works with them, and the limits that no setting changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from limits import RateLimitItem

from gateway.console.policy import Policy
from gateway.records.sealing import Keyring
from vault.day_keys import DayKeys

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
        language: the language of what the widget itself says, such as `en`; the bot speaks it where its protocol does.
        synthetic: its chats are the operator's probes, which no nurse is to see; it has no panel.
        limits: its own, if it has some.
        protocol: the id of the protocol that its chats go by; the default one when empty.
        languages: those that its patients may choose among, its own with them; empty where there is no choice.
    """

    name: str
    origins: tuple[str, ...]
    language: str
    synthetic: bool = False
    limits: OwnLimits | None = None
    protocol: str = ""
    languages: tuple[str, ...] = ()

    @property
    def bound(self) -> tuple[str, str]:
        """What its conversations are to be bound to: the id of a protocol, and the code of a language."""
        return self.bound_in("")

    def bound_in(self, language: str) -> tuple[str, str]:
        """The same where a language is asked for: in that one, if it can be chosen."""
        return self.protocol, language if language in self.languages else self.language

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
