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

from gateway.records.tier import TIERS

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
class Policy:
    """The clinic's policy.

    Attributes:
        limits: tier -> how long a case may wait for its acknowledgement.
        flood: how many emergencies from one address are taken singly, and after how long the rota is notified again of the others.
        silence: how long without any conversation is worth telling, and between which times of the clinic's day.
    """

    limits: Mapping[int, timedelta]
    rota: tuple[Step, ...]
    retries: tuple[timedelta, ...]
    silence: tuple[timedelta, time, time]
    flood: tuple[int, timedelta]
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
    if problems:
        raise PolicyError("\n".join(problems))
    sessions, silence = content["sessions"], content["silence"]
    return Policy(
        limits={TIERS[name]: _span(value) for name, value in content["limits"].items()},
        rota=tuple(Step(step["step"], tuple(step["email"]), tuple(step["webhook"])) for step in content["rota"]),
        retries=tuple(map(_span, content["retries"])),
        silence=(_span(silence["after"]), time.fromisoformat(silence["from"]), time.fromisoformat(silence["to"])),
        flood=(content["flood"]["emergencies"], _span(content["flood"]["again"])),
        lock_after=_span(sessions["lock_after"]),
        longest=_span(sessions["longest"]),
        break_glass=_span(sessions["break_glass"]),
        outcomes=content["outcomes"],
        reasons=content["reasons"],
    )


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    assert found is not None
    return timedelta(**{f"{found[2]}s": int(found[1])})
