"""Pain that keeps somebody from sleeping is pain, and not a symptom that the protocol does not know."""

from __future__ import annotations

import pytest

from tests.core.conftest import Talk


@pytest.mark.parametrize(
    "message",
    [
        "i can't get to sleep because of the ache",
        "no sleep at all from this pain",
        "the pain keeps waking me",
        "wide awake at 4 with back pain",
        "it hurts too badly to sleep",
        "dad has not slept since sunday because his back hurts",
        "in too much pain to sleep",
    ],
)
def test_pain_that_keeps_from_sleeping_is_severe(talk: Talk, message: str) -> None:
    _, (reply,) = talk(message)
    assert (reply.custom["disposition"], reply.custom["rules"][0]) == ("call_doctor", "severe_pain")
    assert "other_symptom" not in [finding["finding"] for finding in reply.custom["findings"]]


@pytest.mark.parametrize(
    "message",
    ["i cannot sleep in this heat", "i sleep well and have no pain", "the neighbours keep me awake", "i can't sleep but there is no pain"],
)
def test_sleep_without_pain_is_none(talk: Talk, message: str) -> None:
    conversation, _ = talk(message)
    assert "severe_pain" not in conversation.has("present")
