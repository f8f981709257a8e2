"""From an accepted disagreement to a case of the evaluation, with what tells who the patient is masked."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator
from sqlalchemy import select, update

from aftercare.protocol import Library, Protocol
from gateway.console.audit.acts import AuditAct
from gateway.console.audit.log import AuditLog
from gateway.console.cases.reviews import ACCEPTED
from gateway.console.redaction.mask import Mask
from gateway.records.database import connect, writing
from gateway.records.store import Event, Records, utc_now
from gateway.records.tables import disagreement, staff, triage_case
from gateway.settings import Settings

_SCHEMA = Path(__file__).resolve().parents[3] / "evaluation" / "schema.json"
_TAGS = ("plain",)
_ENDS = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}
_WRONG_FINDING = "wrong_finding"
PURGED = "the patient's words were deleted"
LATER = "it is about a later message, which cannot be understood without those before it"
NO_OUTCOME = "it does not say what would have been right"
OTHER = "its conversation is bound to another protocol or language"
THERE = "its message is in the file already"

Case = dict[str, Any]


class RegressionsError(ValueError):
    """The cases cannot be written; the message says what to do."""


@dataclass(frozen=True)
class Written:
    """What became of the accepted disagreements.

    Attributes:
        numbers: those that were written.
        left: why others were left out -> how many.
    """

    numbers: tuple[int, ...]
    left: Mapping[str, int]


class Regressions:
    """Writes cases from the accepted disagreements of one database.

    Args:
        records: the gateway's records.
        audit_log: the audit.
        protocol: of whose conversations cases are written; a case names only what it has.
    """

    def __init__(self, records: Records, audit_log: AuditLog, protocol: Protocol) -> None:
        self._records = records
        self._audit_log = audit_log
        self._protocol = protocol

    def write(self, file: Path) -> Written:
        """Add the accepted disagreements that were not written yet to a file of cases; what stands there already counts as written.

        Raises:
            RegressionsError: the file, or the schema of cases, cannot be read or written.
        """
        try:
            definitions = json.loads(_SCHEMA.read_text(encoding="utf-8"))["definitions"] | self._names()
            old = file.read_text(encoding="utf-8") if file.is_file() else ""
            there = {(case := json.loads(line))["text"]: case["accepted"] for line in old.splitlines()}
        except (OSError, ValueError, KeyError):
            raise RegressionsError(f"{file} or {_SCHEMA} cannot be read; run this in the project's folder, with a file of cases.") from None
        validator = Draft7Validator({"$ref": "#/definitions/case", "definitions": definitions})
        lines: list[str] = []
        numbers: list[int] = []
        known: list[int] = []
        left: Counter[str] = Counter()
        for row in self._accepted():
            case = self._case(row)
            if not isinstance(case, str) and case["text"] in there:
                known += [row.id] if there[case["text"]] == case["accepted"] else []
                case = THERE
            if not isinstance(case, str):
                case = next((f"it has no shape of a case ({'/'.join(map(str, e.path))})" for e in validator.iter_errors(case)), case)
            if isinstance(case, str):
                left[case] += 1
                continue
            there[case["text"]] = case["accepted"]
            lines.append(_line(case))
            numbers.append(row.id)
        if lines:
            _replace(file, old + "".join(lines))
        if numbers or known:
            self._mark([*numbers, *known])
        return Written(tuple(numbers), left)

    def _names(self) -> dict[str, Any]:
        """What the schema leaves to the protocol: its codes and topics."""
        codes = {finding.code for finding in self._protocol.findings.values()}
        return {"code": {"enum": sorted(codes)}, "faq": {"enum": [f"faq:{topic}" for topic in self._protocol.topics]}}

    def _accepted(self) -> Sequence[Any]:
        d = disagreement.c
        query = select(disagreement, triage_case.c.conversation_id).join(triage_case, triage_case.c.id == d.case_id)
        with self._records.engine.connect() as connection:
            return connection.execute(query.where(d.verdict == ACCEPTED, d.written_at.is_(None)).order_by(d.id)).all()

    def _case(self, row: Any) -> Case | str:
        """The case of a disagreement, or why there is none."""
        if self._records.bound(row.conversation_id) != self._protocol.key:
            return OTHER
        events = self._records.events(row.conversation_id)
        answer = next((event for event in events if event.seq == row.seq), None)
        messages = [event for event in events if event.kind == "message"]
        message = next((event for event in messages if answer and event.seq == answer.reply_to), None)
        if answer is None or answer.words is None or message is None or message.words is None:
            return PURGED
        if message.seq != messages[0].seq:
            return LATER
        accepted = list(dict.fromkeys(row.accepted)) or ([_outcome(answer)] if row.kind == _WRONG_FINDING else [])
        if not accepted:
            return NO_OUTCOME
        text = str(message.words["text"])
        read = [] if row.kind == _WRONG_FINDING else answer.words["understood"].get("findings", ())
        findings = dict.fromkeys((finding["code"], finding["status"]) for finding in read)
        return {
            "text": Mask.deidentified([*self._staff(), *Mask.find_names(text)])(text),
            "accepted": accepted,
            "findings": [{"code": code, "status": status} for code, status in findings],
            "tags": list(_TAGS),
        }

    def _staff(self) -> list[str]:
        with self._records.engine.connect() as connection:
            return list(connection.scalars(select(staff.c.name)))

    def _mark(self, numbers: Sequence[int]) -> None:
        with writing(self._records.engine) as connection:
            mine = disagreement.c.id.in_(numbers)
            connection.execute(update(disagreement).where(mine).values(written_at=self._records.clock()))
            self._audit_log.record(AuditAct.REGRESSIONS, detail={"disagreements": list(numbers), "by": "command"}, connection=connection)


def write_regressions(settings: Settings, file: Path, library: Library, name: str) -> int:
    """The command: write the cases of a protocol's conversations and tell how many; the exit code is 1 when they could not be.

    Args:
        settings: where the records are.
        file: what they are added to.
        library: the protocols in force.
        name: the protocol's id; the default one when empty.
    """
    protocol = library.find(name)
    if protocol is None:
        known = ", ".join(dict.fromkeys(each.id for each in library))
        print(f"There is no protocol {name!r}; in force are: {known}.", file=sys.stderr)
        return 1
    engine = connect(settings.records_url)
    records = Records(engine, settings.keyring)
    try:
        done = Regressions(records, AuditLog(engine, settings.audit_key, utc_now), protocol).write(file)
    except RegressionsError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(done.numbers)} written to {file}.")
    for reason, count in done.left.items():
        print(f"{count} left out: {reason}.")
    if done.numbers:
        print("Masking misses some names: read the new lines before you commit them.")
    return 0


def _line(case: Case) -> str:
    """A case as one line, also for readers to whom more than a new line ends a line."""
    return json.dumps(case, ensure_ascii=False).translate(_ENDS) + "\n"


def _outcome(answer: Event) -> str:
    """What an answer was, in the terms of the evaluation."""
    if answer.disposition:
        return answer.disposition
    kind, topic = str(answer.facts["type"]), answer.words.get("topic") if answer.words else None
    return {"question": "ask", "faq": f"faq:{topic}"}.get(kind, kind)


def _replace(file: Path, content: str) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as temporary:
                temporary.write(content)
                temporary.flush()
                os.fsync(temporary.fileno())
            os.chmod(name, 0o644)
            os.replace(name, file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RegressionsError(f"{file} cannot be written ({type(error).__name__}); name another file with --write.") from None
