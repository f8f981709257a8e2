"""The clinic's policy for its nurses, read from policy.yml and checked at the start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator

from gateway.records.signals import DEFAULT as SIGNALS
from gateway.records.signals import FIXED, Signal, Signals
from gateway.records.tier import TIERS, Rank

DEFAULT = Path(__file__).with_name("policy.yml")
_SPAN = re.compile(r"([1-9]\d{0,4}) (second|minute|hour)s?")
_SPAN_SCHEMA = {"type": "string", "pattern": r"^[1-9]\d{0,4} (second|minute|hour)s?\Z"}
_LABELS = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"pattern": "^[a-z0-9_]{1,32}$"},
    "additionalProperties": {"type": "string"},
}
_NAMES = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 320}}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}


_QUEUES = {"red": Rank.RED, "call": Rank.CALL, "list": Rank.UNFINISHED, "none": Rank.REST}
_BY_TIER = _object(emergency=_SPAN_SCHEMA, call_doctor=_SPAN_SCHEMA)
_TEXT = {"type": "string", "minLength": 1, "maxLength": 500}
_TEXTS = {**_LABELS, "additionalProperties": _TEXT}


def _queues(signal: Signal) -> list[str]:
    """How far up a clinic may put what a signal brings: only what left the danger check has a list of its own."""
    if signal in FIXED:
        return [name for name, rank in _QUEUES.items() if rank == FIXED[signal]]
    return ["call", "list", "none"] if signal is Signal.UNFINISHED else ["call", "none"]


_CLOCK = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
_SCHEMA = _object(
    limits=_object(emergency=_SPAN_SCHEMA, call_doctor=_SPAN_SCHEMA),
    rota={
        "type": "array",
        "minItems": 1,
        "items": _object(step={"type": "string", "minLength": 1}, email=_NAMES, webhook=_NAMES),
    },
    retries={"type": "array", "minItems": 1, "items": _SPAN_SCHEMA},
    silence=_object(after=_SPAN_SCHEMA, **{"from": _CLOCK, "to": _CLOCK}),
    flood=_object(emergencies={"type": "integer", "minimum": 2, "maximum": 1_000}, again=_SPAN_SCHEMA),
    signals=_object(**{signal: _object(queue={"enum": _queues(signal)}, reason=_TEXT) for signal in Signal}),
    contact=_object(
        region={"type": "string", "pattern": "^[A-Z]{2}$"},
        callback=_SPAN_SCHEMA,
        follow_up=_BY_TIER,
        hold=_SPAN_SCHEMA,
        signature={"enum": ["role_and_first_name", "role"]},
        roles=_object(nurse=_TEXT, lead=_TEXT),
        templates=_TEXTS,
    ),
    acts=_object(
        undo=_SPAN_SCHEMA,
        next_attempt=_BY_TIER,
        snooze_emergency=_SPAN_SCHEMA,
        unreached={"type": "array", "items": {"type": "string"}},
        attempts={"type": "integer", "minimum": 1, "maximum": 10},
    ),
    sessions=_object(lock_after=_SPAN_SCHEMA, longest=_SPAN_SCHEMA, break_glass=_SPAN_SCHEMA),
    outcomes=_LABELS,
    reasons=_LABELS,
)


class PolicyError(ValueError):
    """The policy file is not in order; the message names each mistake."""


@dataclass(frozen=True)
class Step:
    """A step of the rota: whom to tell, by e-mail address and by name of webhook."""

    name: str
    email: tuple[str, ...]
    webhook: tuple[str, ...]


@dataclass(frozen=True)
class Contact:
    """How patient and nurse reach each other.

    Attributes:
        region: the country of telephone numbers without a country code, by its two letters.
        callback: how long a request for a call may wait, in the clinic's hours.
        follow_up: tier -> how long after the advice the patient is asked whether they reached somebody.
        hold: how long after a nurse's last act the assistant answers again.
        names: a patient sees a nurse's first name beside the role.
        roles: role -> its word for patients.
        templates: texts that a nurse can begin with.
    """

    region: str
    callback: timedelta
    follow_up: Mapping[int, timedelta]
    hold: timedelta
    names: bool
    roles: Mapping[str, str]
    templates: Mapping[str, str]


@dataclass(frozen=True)
class ActLimits:
    """What holds for nurses' acts.

    Attributes:
        undo: how long an acknowledgement can be taken back.
        next_attempt: tier -> when the next try to reach the patient is due.
        snooze_emergency: how long an emergency can be snoozed.
        unreached: outcomes that say that nobody was reached.
        attempts: how many tries an emergency needs before it is closed with one of these.
    """

    undo: timedelta
    next_attempt: Mapping[int, timedelta]
    snooze_emergency: timedelta
    unreached: tuple[str, ...]
    attempts: int


@dataclass(frozen=True)
class Policy:
    """The clinic's policy.

    Attributes:
        limits: tier -> how long a case may wait for its acknowledgement.
        flood: how many emergencies from one address are taken singly, and after how long the rota is notified again of the others.
        signals: how far up in the queue each signal brings a case; `signal_reasons`: why.
        silence: how long without any conversation is worth telling, and between which times of the clinic's day.
    """

    limits: Mapping[int, timedelta]
    rota: tuple[Step, ...]
    retries: tuple[timedelta, ...]
    silence: tuple[timedelta, time, time]
    flood: tuple[int, timedelta]
    signals: Signals
    signal_reasons: Mapping[Signal, str]
    contact: Contact
    acts: ActLimits
    lock_after: timedelta
    longest: timedelta
    break_glass: timedelta
    outcomes: Mapping[str, str]
    reasons: Mapping[str, str]


def read_policy(file: Path = DEFAULT) -> Policy:
    """Read a policy file.

    Raises:
        PolicyError: it cannot be read, or does not have the shape of gateway/console/policy.yml.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise PolicyError(f"{file} cannot be read ({type(error).__name__}); correct the file or its name.") from None
    problems = [
        f"{file}, {'/'.join(map(str, error.path)) or 'top'}: {error.message}; see gateway/console/policy.yml"
        for error in Draft7Validator(_SCHEMA).iter_errors(content)
    ]
    if not problems:
        problems = [
            f"{file}, acts/unreached: '{name}' is no outcome; write it under `outcomes` too"
            for name in content["acts"]["unreached"]
            if name not in content["outcomes"]
        ]
    if problems:
        raise PolicyError("\n".join(problems))
    sessions, silence = content["sessions"], content["silence"]
    return Policy(
        limits=_by_tier(content["limits"]),
        rota=tuple(Step(step["step"], tuple(step["email"]), tuple(step["webhook"])) for step in content["rota"]),
        retries=tuple(map(_span, content["retries"])),
        silence=(_span(silence["after"]), time.fromisoformat(silence["from"]), time.fromisoformat(silence["to"])),
        flood=(content["flood"]["emergencies"], _span(content["flood"]["again"])),
        signals={signal: _QUEUES[content["signals"][signal]["queue"]] for signal in SIGNALS},
        signal_reasons={signal: content["signals"][signal]["reason"] for signal in SIGNALS},
        contact=_contact(content["contact"]),
        acts=_acts(content["acts"]),
        lock_after=_span(sessions["lock_after"]),
        longest=_span(sessions["longest"]),
        break_glass=_span(sessions["break_glass"]),
        outcomes=content["outcomes"],
        reasons=content["reasons"],
    )


def _contact(given: Mapping[str, Any]) -> Contact:
    return Contact(
        region=given["region"],
        callback=_span(given["callback"]),
        follow_up=_by_tier(given["follow_up"]),
        hold=_span(given["hold"]),
        names=given["signature"] == "role_and_first_name",
        roles=given["roles"],
        templates=given["templates"],
    )


def _acts(given: Mapping[str, Any]) -> ActLimits:
    return ActLimits(
        undo=_span(given["undo"]),
        next_attempt=_by_tier(given["next_attempt"]),
        snooze_emergency=_span(given["snooze_emergency"]),
        unreached=tuple(given["unreached"]),
        attempts=given["attempts"],
    )


def _by_tier(given: Mapping[str, str]) -> dict[int, timedelta]:
    return {TIERS[name]: _span(value) for name, value in given.items()}


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    assert found is not None
    return timedelta(**{f"{found[2]}s": int(found[1])})
