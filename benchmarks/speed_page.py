"""docs/speed.md, from the figures of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_ABOUT = """`plain Rasa` is what `rasa init` gives (DIET,
TED, in-memory store) with our intents, 15 examples each, and one custom action, on the packages of our lock file but for
jsonschema: it has the release that an installer picks, with which Rasa takes far longer to check an action's answer; in a
row of its own it has the one that we pin. `whole` is gateway, Rasa with encoder and custom action, and records in SQLite, asked as
the widget does: a message is posted, its answer comes over a stream. Three rounds in turn; a ratio is the median of the rounds'."""
_COMPARED = """\
Rasa's REST channel, one client, both started together and asked turn by turn. In Rasa's process over in an action server, at the median:
triage {triage:.2f}, FAQ {FAQ:.2f}. Memory is that of Rasa, action server and their readers; the proportional sum counts what forked
readers share once."""
_IN_THE_WAY = """\
Of the CPU that a message costs, sampled: Rasa's check of each action's answer against a schema that never changes 2.2 (0.7 of it the
answer); the encoder 0.7 to 1.4, the lexicon 0.3, the nearest examples 0.2; the graph's scheduler and copies for debug lines that are
not written, about 2; the rule policy 1.4, Rasa's store 1.5, its HTTP server 1. In the gateway the framework around a request 2, the
answer's way over the stream 1.5, sealing and storing three transactions 2.5, asking Rasa and reading its answer 1.5. What is left of
Rasa's is not reached by its extension points.

One worker, gateway and load already keep both cores busy: a second worker has no core of its own to run on here."""


def page(results: Mapping[str, Any]) -> str:
    """The page in Markdown."""
    return "\n".join([*_ratios(results), *_load(results), *_growth(results), *_once(results)])


def _ratios(results: Mapping[str, Any]) -> Iterator[str]:
    """What was compared, and the bars."""
    yield "# Speed, beside a plain Rasa project"
    yield ""
    yield "    make bench"
    yield ""
    yield f"wrote this page, in one run on {results['machine']} that also made the load. {_ABOUT}"
    yield ""
    pinned = results["pinned"]
    yield f"Over the plain project with our jsonschema, at the median: triage {pinned['triage']:.2f}, FAQ {pinned['FAQ']:.2f}."
    yield ""
    yield f"Messages without an answer: {results['silent']}."
    yield ""
    yield from _table(
        ["ratio", "found", "asked for", "met"],
        [[b["name"], f"{b['found']:.2f}{b['unit']}", b["wanted"], "yes" if b["met"] else "**no**"] for b in results["bars"]],
    )
    yield "## What stands in the way of the bars that are not met"
    yield ""
    yield _IN_THE_WAY
    yield ""


def _load(results: Mapping[str, Any]) -> Iterator[str]:
    """What answers take under load, in time and CPU."""
    yield "## Latency and throughput"
    yield ""
    yield from _table(
        ["system, message, clients", "median ms", "95th ms", "99th ms", "messages a second", "unanswered"],
        [[name, *map(str, values)] for name, values in results["latency"].items()],
    )
    yield "## Where the CPU time of a triaged message goes"
    yield ""
    yield "Inside our Rasa (thread CPU, median of 100 messages, no server):"
    yield ""
    yield from _table(["stage", "ms"], [[stage, str(ms)] for stage, ms in results["stages"].items()])
    yield "Processes under load, one client (the gateway's includes sealing and storing):"
    yield ""
    yield from _table(["process", "CPU ms a message"], [[name, str(ms)] for name, ms in results["cpu"].items()])
    yield "## The custom action, in Rasa's process or in an action server"
    yield ""
    yield _COMPARED.format(**results["actions"]["ratios"])
    yield ""
    yield from _actions(results["actions"]["set-ups"])


def _growth(results: Mapping[str, Any]) -> Iterator[str]:
    """What a message costs late in a conversation, beside another, and beside what is stored."""
    growth, at_once = results["growth"], results["at_once"]
    yield "## Growth with the conversation"
    yield ""
    yield from _table(
        ["system", *(f"message {mark}, ms" for mark in growth["whole"])],
        [[name, *(str(marks.get(mark, "")) for mark in growth["whole"])] for name, marks in growth.items()],
    )
    yield (
        f"Two messages of one conversation at once, through the gateway: one alone {at_once['one']} ms, both answered after"
        f" {at_once['both']} ms."
    )
    yield ""
    yield "## Growth with what is stored"
    yield ""
    yield "What a message costs the records, in ms at the median, beside so many stored conversations of a year:"
    yield ""
    for database, marks in results["stored"].items():
        yield from _stored(database, marks)


def _once(results: Mapping[str, Any]) -> Iterator[str]:
    """What a running system costs without a message."""
    yield "## Start, training, memory"
    yield ""
    yield from _table(["", "seconds until ready"], [[name, str(s)] for name, s in results["ready"].items()])
    yield from _table(["", "seconds of training"], [[name, str(s or "not measured")] for name, s in results["training"].items()])
    yield from _table(["process", "resident MiB"], [[name, str(mib)] for name, mib in results["memory"].items()])


def _actions(set_ups: Mapping[str, Mapping[str, float]]) -> list[str]:
    return _table(["", *next(iter(set_ups.values()))], [[place, *map(str, found.values())] for place, found in set_ups.items()])


def _stored(database: str, marks: Mapping[str, Mapping[str, float]]) -> list[str]:
    steps = next(iter(marks.values()))
    return _table([database, *marks], [[step, *(str(found[step]) for found in marks.values())] for step in steps])


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)] + [""]
