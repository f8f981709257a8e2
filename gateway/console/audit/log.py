"""The audit: who saw and did what, when. Each entry seals the one before it, so that no change goes unseen. Never a patient's word."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, func, insert, select, text, update

from gateway.console.audit.acts import AuditAct
from gateway.records.database import writing
from gateway.records.store import Clock
from gateway.records.tables import audit, audit_head, staff

_FIRST = b"\0" * 32
_HEAD = 1
_LOCK = 0x61756469
_BATCH = 1_000
_WHOLE = re.compile(r"[0-9]{1,9}")
PAGE = 100


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


@dataclass(frozen=True)
class Wanted:
    """Which entries: of this account, act, case and day of a time zone; each None or empty for all."""

    person: int | None = None
    act: str = ""
    case: int | None = None
    day: date | None = None
    zone: tzinfo = UTC

    @classmethod
    def parse(cls, given: Mapping[str, str], zone: tzinfo) -> Wanted:
        """The filter in these parameters, with days of a time zone; what does not count is left out."""
        whole = {name: int(given[name]) for name in ("person", "case") if _WHOLE.fullmatch(given.get(name, "").strip())}
        try:
            day = date.fromisoformat(given.get("day", ""))
        except ValueError:
            day = None
        if day in (date.min, date.max):  # a part of it lies outside of what UTC can express
            day = None
        return cls(whole.get("person"), given.get("act", "")[:32], whole.get("case"), day, zone)

    def as_query(self) -> dict[str, str]:
        """The filter as the parameters of an address."""
        return {name: str(value) for name, value in vars(self).items() if name != "zone" and value not in (None, "")}

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter as conditions on entries."""
        found: list[ColumnElement[bool]] = []
        if self.person is not None:
            found.append(audit.c.staff_id == self.person)
        if self.act:
            found.append(audit.c.act == self.act)
        if self.case is not None:
            found.append(audit.c.case_id == self.case)
        if self.day is not None:
            begins, ends = (datetime.combine(self.day, clock, self.zone) for clock in (time.min, time.max.replace(fold=1)))
            found += [audit.c.at >= begins, audit.c.at <= ends]
        return found


@dataclass(frozen=True)
class Entry:
    """One entry; `person` is the account's name, or None for nobody who is known."""

    seq: int
    at: datetime
    person: str | None
    act: str
    case: int | None
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """A page of entries, and behind which number the next one begins, if there is one."""

    entries: tuple[Entry, ...]
    next: int | None


class AuditLog:
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

    def record(
        self,
        act: AuditAct,
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

        Where entries at the end were taken away, the numbers go on behind them, so that the gap stays.
        """
        if connection is None:
            with writing(self._engine) as own:
                self.record(act, staff=staff, case=case, detail=detail, connection=own)
            return
        self.record_all(act, [(case, detail or {})], connection, staff=staff)

    def record_all(
        self, act: AuditAct, entries: Iterable[tuple[int | None, Mapping[str, Any]]], connection: Connection, *, staff: int | None = None
    ) -> None:
        """Add an entry for each of several cases to which the same was done at once, in a few statements however many they are.

        Args:
            act: what was done.
            entries: which case each is about, and its detail.
            connection: the transaction that writes what the entries are about.
            staff: who did it; None for nobody who is known.
        """
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        last = stored_head(connection)
        sealed = connection.scalar(select(audit_head.c.seq).where(audit_head.c.id == _HEAD)) or 0
        mac, at, rows = last.mac, self._clock(), list[dict[str, Any]]()
        for seq, (case, detail) in enumerate(entries, max(last.seq, sealed) + 1):
            row = {"seq": seq, "at": at, "staff_id": staff, "act": str(act), "case_id": case, "detail": dict(detail)}
            mac = self._mac(mac, row)
            rows.append({**row, "mac": mac})
        if not rows:
            return
        connection.execute(insert(audit), rows)
        head = {"seq": rows[-1]["seq"], "mac": self._seal(rows[-1]["seq"], mac)}
        if last.seq:
            connection.execute(update(audit_head).where(audit_head.c.id == _HEAD).values(**head))
        else:
            connection.execute(insert(audit_head).values(id=_HEAD, **head))

    def head(self) -> Head:
        """The end of the chain, to be kept where the database's keeper cannot change it."""
        with self._engine.connect() as connection:
            return stored_head(connection)

    def verify(self, anchors: Iterable[Head] = ()) -> Verdict:
        """Check every entry.

        Args:
            anchors: heads that were kept elsewhere, or in seals; the chain must still hold each of them.
        """
        known: dict[int, set[bytes]] = {}
        for anchor in anchors:
            if anchor.seq:
                known.setdefault(anchor.seq, set()).add(anchor.mac)
        seq, mac = 0, _FIRST
        with self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            for row in connection.execution_options(yield_per=_BATCH).execute(select(audit).order_by(audit.c.seq)):
                if row.seq != seq + 1:
                    return Verdict(seq, f"entry {seq + 1} is missing")
                entry = {name: getattr(row, name) for name in ("seq", "at", "staff_id", "act", "case_id", "detail")}
                if not hmac.compare_digest(self._mac(mac, entry), row.mac):
                    return Verdict(seq, f"entry {row.seq} is not what was written, or not where it was written")
                seq, mac = row.seq, row.mac
                if known.pop(seq, {mac}) != {mac}:
                    return Verdict(seq, f"entry {seq} is another than the head that was kept elsewhere")
            head = connection.execute(select(audit_head.c.seq, audit_head.c.mac).where(audit_head.c.id == _HEAD)).one_or_none()
        if (seq or head) and (head is None or head.seq != seq or not hmac.compare_digest(head.mac, self._seal(seq, mac))):
            return Verdict(seq, f"entries behind entry {seq} are missing, or were added by somebody without the key")
        if known:
            return Verdict(seq, f"entries up to {max(known)} were kept elsewhere and are missing here")
        return Verdict(seq, "")

    def read(self, wanted: Wanted, after: int | None = None, size: int = PAGE) -> Page:
        """A page of entries, the newest first.

        Args:
            wanted: which entries.
            after: the number of the last entry of the page before.
            size: the most entries.
        """
        conditions = [*wanted.conditions(), *([audit.c.seq < after] if after is not None else [])]
        query = (
            select(audit.c.seq, audit.c.at, audit.c.staff_id, audit.c.act, audit.c.case_id, audit.c.detail, staff.c.name)
            .outerjoin(staff, staff.c.id == audit.c.staff_id)
            .where(*conditions)
            .order_by(audit.c.seq.desc())
            .limit(size + 1)
        )
        with self._engine.connect() as connection:
            found = connection.execute(query).all()
        entries = tuple(Entry(row.seq, row.at, row.name, row.act, row.case_id, row.detail) for row in found[:size])
        return Page(entries, entries[-1].seq if len(found) > size else None)

    def acts(self) -> list[str]:
        """Every sort of act that is on record, each found by one step along the index."""
        acts: list[str] = []
        with self._engine.connect() as connection:
            while (act := connection.scalar(select(func.min(audit.c.act)).where(audit.c.act > (acts[-1] if acts else "")))) is not None:
                acts.append(act)
        return acts

    def _mac(self, before: bytes, row: Mapping[str, Any]) -> bytes:
        at: datetime = row["at"]
        entry = {**row, "at": at.isoformat()}
        canonical = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hmac.new(self._key, before + canonical.encode(), hashlib.sha256).digest()

    def _seal(self, seq: int, mac: bytes) -> bytes:
        return hmac.new(self._key, b"head" + str(seq).encode() + mac, hashlib.sha256).digest()


def stored_head(connection: Connection) -> Head:
    """The end of the chain as it is stored."""
    row = connection.execute(select(audit.c.seq, audit.c.mac).order_by(audit.c.seq.desc()).limit(1)).one_or_none()
    return Head(row.seq, row.mac) if row else Head(0, _FIRST)
