"""The audit: who saw and did what, when. Each entry seals the one before it, so that no change goes unseen. Never a patient's word."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, text, update

from gateway.records.database import writing
from gateway.records.store import Clock
from gateway.records.tables import audit, audit_head

_FIRST = b"\0" * 32
_HEAD = 1
_LOCK = 0x61756469
_BATCH = 1_000


@dataclass(frozen=True)
class Head:
    """The end of the chain: how many entries there are, and the seal of the last."""

    seq: int
    mac: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.mac.hex()}"

    @classmethod
    def parse(cls, written: str) -> Head:
        """A head as it was printed.

        Raises:
            ValueError: it is none.
        """
        seq, _, mac = written.strip().partition(":")
        return cls(int(seq), bytes.fromhex(mac))


@dataclass(frozen=True)
class Verdict:
    """What a look at the whole chain found: how many entries hold, and what is wrong at the first that does not, or nothing."""

    entries: int
    problem: str


class Trail:
    """The audit of one database.

    Args:
        engine: the records' database.
        key: 32 bytes that the database does not know.
        clock: tells the time.
    """

    def __init__(self, engine: Engine, key: bytes, clock: Clock) -> None:
        self._engine = engine
        self._key = key
        self._clock = clock

    def note(
        self,
        act: str,
        *,
        staff: int | None = None,
        case: int | None = None,
        detail: Mapping[str, Any] | None = None,
        connection: Connection | None = None,
    ) -> None:
        """Add an entry.

        Args:
            act: what was done.
            staff: who did it; None for nobody who is known.
            case: which case it was about.
            detail: ids, counts and chosen words; never what somebody typed about a patient.
            connection: the transaction that writes what the entry is about, so that neither is without the other.
        """
        if connection is None:
            with writing(self._engine) as own:
                self.note(act, staff=staff, case=case, detail=detail, connection=own)
            return
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        last = self._stored_head(connection)
        seq = last.seq + 1
        row = {"seq": seq, "at": self._clock(), "staff_id": staff, "act": act, "case_id": case, "detail": dict(detail or {})}
        mac = self._mac(last.mac, row)
        connection.execute(insert(audit).values(**row, mac=mac))
        head = {"seq": seq, "mac": self._seal(seq, mac)}
        if last.seq:
            connection.execute(update(audit_head).where(audit_head.c.id == _HEAD).values(**head))
        else:
            connection.execute(insert(audit_head).values(id=_HEAD, **head))

    def head(self) -> Head:
        """The end of the chain, to be kept where the database's keeper cannot change it."""
        with self._engine.connect() as connection:
            return self._stored_head(connection)

    def verify(self, anchors: Iterator[Head] | tuple[Head, ...] = ()) -> Verdict:
        """Check every entry.

        Args:
            anchors: heads that were kept elsewhere; the chain must still hold each of them.
        """
        known = {head.seq: head.mac for head in anchors}
        seq, mac = 0, _FIRST
        with self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=_BATCH).execute(select(audit).order_by(audit.c.seq)):
                if row.seq != seq + 1:
                    return Verdict(seq, f"entry {seq + 1} is missing")
                entry = {name: getattr(row, name) for name in ("seq", "at", "staff_id", "act", "case_id", "detail")}
                if not hmac.compare_digest(self._mac(mac, entry), row.mac):
                    return Verdict(seq, f"entry {row.seq} is not what was written, or not where it was written")
                seq, mac = row.seq, row.mac
                if known.pop(seq, mac) != mac:
                    return Verdict(seq, f"entry {seq} is another than the head that was kept elsewhere")
            head = connection.execute(select(audit_head.c.seq, audit_head.c.mac).where(audit_head.c.id == _HEAD)).one_or_none()
        if (seq or head) and (head is None or head.seq != seq or not hmac.compare_digest(head.mac, self._seal(seq, mac))):
            return Verdict(seq, f"entries behind entry {seq} are missing, or were added by somebody without the key")
        if known:
            return Verdict(seq, f"entries up to {max(known)} were kept elsewhere and are missing here")
        return Verdict(seq, "")

    def _stored_head(self, connection: Connection) -> Head:
        row = connection.execute(select(audit.c.seq, audit.c.mac).order_by(audit.c.seq.desc()).limit(1)).one_or_none()
        return Head(row.seq, row.mac) if row else Head(0, _FIRST)

    def _mac(self, before: bytes, row: Mapping[str, Any]) -> bytes:
        at: datetime = row["at"]
        entry = {**row, "at": at.isoformat()}
        canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hmac.new(self._key, before + canonical.encode(), hashlib.sha256).digest()

    def _seal(self, seq: int, mac: bytes) -> bytes:
        return hmac.new(self._key, b"head" + str(seq).encode() + mac, hashlib.sha256).digest()
