"""The figures of a run, and docs/reliability.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from benchmarks.soak.faults import Fault
from benchmarks.soak.judge import Verdict
from benchmarks.soak.patients import PATIENCE_SECONDS, RED_FLAG_SHARE, Ledger

AFTER_SECONDS = 5.0
_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "longest": 1.0}
_KINDS_OF_ANSWERS = {
    "rasa": "Rasa, checked by the clinical core",
    "core": "the clinical core alone",
    "recovered": "the clinical core, after the process that took the message had died or could not store the answer",
    "card": "the card that says whom to call",
}


@dataclass(frozen=True)
class Latency:
    """How long answers took in seconds, from the first try to send to the answer, with all tries between."""

    number: int
    p50: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True)
class Outcome:
    """A run.

    Attributes:
        number: how many patients there were.
        at_once: how many of them at the same time.
        seconds: from the first message to the last answer.
        accounts: console accounts made meanwhile, each an entry in the audit.
        audit: what the command that verifies the audit said.
        wrong: every violation.
        action_server: the custom action had a server of its own.
    """

    number: int
    at_once: int
    seed: int
    day: datetime
    seconds: float
    ledger: Ledger
    faults: Sequence[Fault]
    skipped: Sequence[str]
    verdict: Verdict
    accounts: int
    audit: str
    wrong: Sequence[str]
    action_server: bool = False

    @property
    def command(self) -> str:
        """What makes this run again."""
        return f"make soak N={self.number} SEED={self.seed}{' ACTION_SERVER=1' if self.action_server else ''}"


def latency(seconds: Iterable[float]) -> Latency | None:
    """The quantiles; None of nothing."""
    found = sorted(seconds)
    if not found:
        return None
    values = {name: round(found[min(len(found) - 1, int(share * len(found)))], 3) for name, share in _SHARES.items()}
    return Latency(len(found), **values)


def is_within(began: float, ended: float, faults: Sequence[Fault]) -> bool:
    """Whether something failed during a time, or shortly before it."""
    return any(fault.began < ended and began < fault.ended + AFTER_SECONDS for fault in faults)


def by_faults(ledger: Ledger, faults: Sequence[Fault]) -> dict[str, Latency | None]:
    """The latencies of messages without and within faults."""
    split: dict[bool, list[float]] = {False: [], True: []}
    for sent in ledger.sent.values():
        if sent.answered:
            split[is_within(sent.began, sent.answered, faults)].append(sent.answered - sent.began)
    return {"without faults": latency(split[False]), "within faults": latency(split[True])}


def fault_table(ledger: Ledger, faults: Sequence[Fault]) -> dict[str, dict[str, float]]:
    """By kind: how often, how long in seconds on average, and how many requests failed meanwhile."""
    found: dict[str, dict[str, float]] = {}
    for kind in sorted({fault.kind for fault in faults}):
        mine = [fault for fault in faults if fault.kind == kind]
        failed = sum(fault.began <= at <= fault.ended for at in ledger.refused for fault in mine)
        lasted = round(sum(fault.ended - fault.began for fault in mine) / len(mine), 1)
        found[kind] = {"times": len(mine), "seconds": lasted, "failed_requests": failed}
    return found


def figures(outcome: Outcome) -> dict[str, Any]:
    """Everything as plain data."""
    verdict, ledger = outcome.verdict, outcome.ledger
    return {
        "command": outcome.command,
        "day": outcome.day.date().isoformat(),
        "seed": outcome.seed,
        "machine": f"{len(os.sched_getaffinity(0))} processor cores, {platform.system()}, Python {platform.python_version()}",
        "patients": outcome.number,
        "at_once": outcome.at_once,
        "seconds": round(outcome.seconds),
        "conversations_per_second": round(ledger.counts["conversations"] / outcome.seconds, 1),
        "messages": {"sent": len(ledger.sent), "taken": verdict.taken, "stored": verdict.messages, "red_flags_taken": verdict.red_flags},
        "seen": dict(sorted(ledger.counts.items())),
        "answered_by": {name: verdict.by[name] for name in _KINDS_OF_ANSWERS},
        "without_rasa_because": dict(verdict.causes.most_common()),
        "latency": {name: asdict(each) if each else None for name, each in by_faults(ledger, outcome.faults).items()},
        "faults": fault_table(ledger, outcome.faults),
        "skipped": list(outcome.skipped),
        "audit": {"accounts_made_meanwhile": outcome.accounts, "verified": outcome.audit},
        "violations": list(outcome.wrong),
    }


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    ruler = ["---", *["---:"] * (len(head) - 1)]
    return ["| " + " | ".join(map(str, row)) + " |" for row in (head, ruler, *rows)] + [""]


def written(found: Mapping[str, Any]) -> str:
    """The report in Markdown."""
    return "\n".join([*_run(found), *_messages(found), *_latency(found), *_faults(found), *_audit(found)])


def _run(found: Mapping[str, Any]) -> Iterator[str]:
    """How the run was made, and whether it found a violation."""
    violations = found["violations"]
    verdict = "No violation was found." if not violations else f"**Violations: {len(violations)}.**"
    yield "# Reliability"
    yield ""
    yield "Simulated patients chat with the running bot while its parts are made to fail. Made by"
    yield ""
    yield "```"
    yield found["command"]
    yield "```"
    yield ""
    yield (
        f"on {found['day']}, seed {found['seed']}, on a machine with {found['machine']}. {found['patients']:,} patients, "
        f"{found['at_once']} at once, in {found['seconds']:,} s: {found['conversations_per_second']} conversations a second. "
        f"{RED_FLAG_SHARE:.0%} of them begin with a red flag. The same seed gives the same patients and the same order of faults; "
        "the moments differ. The command fails when there is a violation."
    )
    yield ""
    yield (
        f"{verdict} From the records' database, when all was over: each message that the gateway said it had taken is stored once, with "
        "the words that were sent, and has one answer with words, the one that the patient saw; each red flag that was taken is answered "
        "as an emergency, and its case is one in the nurses' queue; the audit's chain holds. From what patients saw: each request that "
        f"failed showed the safety card, or no connection, for which the widget has its own; each answer came within "
        f"{PATIENCE_SECONDS:.0f} s."
    )
    yield ""
    if violations:
        yield from (f"- {each}" for each in violations)
        yield ""


def _messages(found: Mapping[str, Any]) -> Iterator[str]:
    """How many messages there were, and who answered them."""
    answered = [(_KINDS_OF_ANSWERS[name], f"{number:,}") for name, number in found["answered_by"].items()]
    yield "## Messages"
    yield ""
    yield from _table(("", "messages"), [(name.replace("_", " "), f"{number:,}") for name, number in found["messages"].items()])
    yield from _table(("what patients did and saw", "times"), [(name, f"{number:,}") for name, number in found["seen"].items()])
    yield from _table(("answered by", "messages"), answered)
    yield from _table(("why without Rasa", "messages"), [(name, f"{number:,}") for name, number in found["without_rasa_because"].items()])


def _latency(found: Mapping[str, Any]) -> Iterator[str]:
    taking = [
        (name, *(f"{each[key]:.2f} s" for key in _SHARES), f"{each['number']:,}") if each else (name, *["-"] * len(_SHARES), 0)
        for name, each in found["latency"].items()
    ]
    yield "## Latency"
    yield ""
    yield (
        f"From the first try to send until the answer is there. Within faults: while something failed, or in the {AFTER_SECONDS:.0f} s "
        "behind. Patients write without a pause, so the machine is busy all the time."
    )
    yield ""
    yield from _table(("", *_SHARES, "messages"), taking)


def _faults(found: Mapping[str, Any]) -> Iterator[str]:
    """What failed, and which kinds of faults did not come."""
    yield "## Faults"
    yield ""
    yield "A fault lasts until all answer again. Failed requests are those during it; patients then try again."
    yield ""
    yield from _table(
        ("fault", "times", "seconds on average", "failed requests"),
        [(kind, each["times"], each["seconds"], each["failed_requests"]) for kind, each in found["faults"].items()],
    )
    yield (
        "Besides: some messages are sent twice, at once or later; some come in another order than they were written; sending is tried "
        "again after each failure. The clock that jumps is the gateway's. "
        + (f"Not covered in this run: {', '.join(found['skipped'])}." if found["skipped"] else "Every kind of fault came.")
    )
    yield ""


def _audit(found: Mapping[str, Any]) -> Iterator[str]:
    yield "## Audit"
    yield ""
    yield (
        f"{found['audit']['accounts_made_meanwhile']} accounts for the console were made meanwhile, each with its entry in the audit, "
        "beside those that the gateway itself writes. "
        f"`python -m gateway verify-audit`: {found['audit']['verified']}"
    )
    yield ""
