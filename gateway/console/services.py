"""The console's parts, made once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from aftercare.protocol import Library
from aftercare.protocol.clinic import Clinic
from gateway.console.audit.log import AuditLog
from gateway.console.cases.transactions import CaseActs
from gateway.console.cases.whys import Whys
from gateway.console.identity.newcomers import Newcomers
from gateway.console.identity.oidc import OidcClient
from gateway.console.identity.seals import Tampering
from gateway.console.identity.sessions import Sessions
from gateway.console.identity.staff import StaffBook
from gateway.console.identity.tries import Tries
from gateway.console.once import Once
from gateway.console.policy import Policy
from gateway.console.rendering import Renderer
from gateway.ports import Outbound
from gateway.records.store import Records
from gateway.settings import Settings

_HEAVY, _HASHING, _STRANGERS = 2, 2, 1
_LOOKED = timedelta(minutes=10)
_Acts = TypeVar("_Acts", bound=CaseActs)


@dataclass(frozen=True)
class ConsoleServices:
    """What the console's pages work with.

    Attributes:
        library: the protocols in force.
        clinic: whose time zone the pages go by; the default protocol's.
        oidc: None without a provider.
        outbound: is notified of what patients are to see.
        whys: opens the words that the queue shows, and keeps them in memory.
        looked: who goes on looking at which part of the queue; that is on record every ten minutes, not each second.
        newcomers: tells the leads of accounts that came to patients' words.
        hashing: how many passwords are tried at once; the others wait, and those who tried too often by then are refused.
        strangers: the same, of addresses without a successful login, so that they keep none of the others waiting.
        heavy: how many searches, exports and figures are made at once; the others wait, so that the threads are left to patients.
    """

    settings: Settings
    library: Library
    clinic: Clinic
    records: Records
    policy: Policy
    audit_log: AuditLog
    book: StaffBook
    sessions: Sessions
    renderer: Renderer
    tries: Tries
    oidc: OidcClient | None
    newcomers: Newcomers
    whys: Whys
    looked: Once
    outbound: Outbound
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_HASHING))
    strangers: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_STRANGERS))
    heavy: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_HEAVY))

    def acts(self, kind: type[_Acts]) -> _Acts:
        """What nurses can do with cases, of one kind."""
        return kind(self.records, self.policy, self.audit_log, self.library)


def make_console_services(settings: Settings, library: Library, records: Records, outbound: Outbound) -> ConsoleServices:
    """The console's parts over the gateway's records."""
    clock, policy = records.clock, settings.policy
    audit_log = AuditLog(records.engine, settings.audit_key, clock)
    tell = Tampering(audit_log, clock).tell
    book = StaffBook(records.engine, records.keyring, clock, tell)
    return ConsoleServices(
        settings=settings,
        library=library,
        clinic=library.default.clinic,
        records=records,
        policy=policy,
        audit_log=audit_log,
        book=book,
        sessions=Sessions(records.engine, book, policy, clock, tell),
        renderer=Renderer(settings, library, clock),
        tries=Tries(records.engine, clock),
        newcomers=Newcomers(records.engine, book, clock, f"{settings.console_origins[0]}/console"),
        oidc=OidcClient(settings.provider, records.keyring, clock) if settings.provider else None,
        whys=Whys(records, library),
        looked=Once(_LOOKED, clock),
        outbound=outbound,
    )
