"""Whatever a patient types is kept and given back as it was typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.gateway.support import Door, Patient, new_id, stored

_bounded = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_characters = st.characters(exclude_categories=())
_odd = st.sampled_from(
    [
        "\0",
        "\ud800",
        "\udfff",
        "👩🏽‍⚕️",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "\u202e",
        "\ufeff",
        "\u200b",
        "\r\n",
        "\x1b[31m",
        "e\u0301",
        "/restart",
        "{text}",
        "%s",
        "</script>",
        "'; --",
        "\\",
        '"',
    ]
)
TEXTS = st.text(_characters, min_size=1, max_size=120) | st.lists(_odd | st.text(_characters, max_size=5), min_size=1, max_size=12).map(
    "".join
)


def as_kept(text: str) -> str:
    """A lone surrogate cannot be stored, nor a NUL; a pair of surrogates is, in JSON, one character."""
    received: str = json.loads(json.dumps(text))
    return received.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")


@_bounded
@given(text=TEXTS.filter(bool))
@example(text="\0")
@example(text="\ud800")
@example(text="\ud83d\ude00 is one character and \ude00\ud83d are none")
@example(text="🧑‍🤝‍🧑" * 400)
@example(text=" \n\t ")
@example(text='/report_fever{"fever": "present"}')
@example(text="/restart")
@example(text="a" * 4_000)
@example(text="\U0010ffff" * 4_000)
def test_any_text_is_kept_and_given_back_as_typed(text: str, door: Door) -> None:
    patient = door.patient()
    seq = stored(patient.send(text))
    answer = patient.answer_to(seq)
    assert answer["blocks"][0]["text"].strip()
    assert patient.texts() == [as_kept(text)]
    assert patient.ask("GET", "/summary").json()["items"][0]["blocks"] == [{"kind": "say", "text": as_kept(text)}]
    assert door.rasa.heard[-1]["message"] == as_kept(text)


@_bounded
@given(text=TEXTS.filter(bool))
def test_any_text_sent_again_is_the_same_message(text: str, patient: Patient) -> None:
    client_id = new_id()
    first = patient.send(text, client_id)
    again = patient.send(text, client_id)
    assert (first.status_code, again.status_code) == (202, 200)
    assert stored(first) == stored(again)


@pytest.fixture
def on_postgresql(open_door: Callable[..., Door], postgresql_url: str) -> Door:
    return open_door(records_url=postgresql_url)


@settings(_bounded, max_examples=25)
@given(text=TEXTS.filter(bool))
def test_any_text_is_kept_by_postgresql_too(text: str, on_postgresql: Door) -> None:
    patient: Any = on_postgresql.patient()
    patient.answer_to(stored(patient.send(text)))
    assert patient.texts() == [as_kept(text)]
