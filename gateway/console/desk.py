"""The console's parts, made once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from aftercare.protocol import Protocol
from gateway.console.audit import Trail
from gateway.console.oidc import Vouching
from gateway.console.once import Once
from gateway.console.policy import Policy
from gateway.console.rendering import Renderer
from gateway.console.sessions import Sessions
from gateway.console.staff import StaffBook
from gateway.console.tries import Tries
from gateway.records.store import Records
from gateway.settings import Settings

_HEAVY, _HASHING = 2, 2
_LOOKED = timedelta(minutes=10)


@dataclass(frozen=True)
class Desk:
    """What the console's pages work with.

    Attributes:
        vouching: None without a provider.
        looked: who goes on looking at which part of the queue; that is on record every ten minutes, not each second.
        hashing: how many passwords are tried at once; the others wait, and those who tried too often by then are refused.
        heavy: how many searches, exports and figures are made at once; the others wait, so that the threads are left to patients.
    """

    settings: Settings
    protocol: Protocol
    records: Records
    policy: Policy
    trail: Trail
    book: StaffBook
    sessions: Sessions
    renderer: Renderer
    tries: Tries
    vouching: Vouching | None
    looked: Once
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_HASHING))
    heavy: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_HEAVY))


def make_desk(settings: Settings, protocol: Protocol, records: Records) -> Desk:
    """The console's parts over the gateway's records."""
    clock, policy = records.clock, settings.policy
    book = StaffBook(records.engine, records.keyring, clock)
    return Desk(
        settings=settings,
        protocol=protocol,
        records=records,
        policy=policy,
        trail=Trail(records.engine, settings.audit_key, clock),
        book=book,
        sessions=Sessions(records.engine, book, policy, clock),
        renderer=Renderer(settings, protocol, clock),
        tries=Tries(),
        vouching=Vouching(settings.provider, records.keyring, clock) if settings.provider else None,
        looked=Once(_LOOKED, clock),
    )
