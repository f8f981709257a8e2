"""Words that sound like a finding and tell of something else: no reader takes them for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.understanding.reading import Opinion, Reading, Status

CONSTIPATED = (
    "tummy is hard as a rock and i cannot go number two",
    "dad hasn't been able to have a bowel movement",
    "no poo for four days now",
    "i strain to poop on the toilet and nothing happens",
    "my bowels have not moved since friday",
    "she can't get any stool out",
    "i'm so constipated that i can't go",
    "cant go poop",
)
NOT_PASSING_URINE = (
    "cant go",
    "can't go pee",
    "neither poop nor pee comes out",
    "i cannot poop and i cannot pee",
    "i am not constipated, i just can't go",
    "i went poop but now i can't go number one",
    "cant go poo and no water comes either",
    "my poop is fine but i can't go since noon",
)


LEAKING_WOUND = (
    "i leaked some drops from the wound today",
    "also leaking a little bit this morning from the needle site",
    "she leaked a little blood last night",
    "the bandage leaked a bit this morning",
)
LEAKING_URINE = (
    "the needle site is sore and i leak when i sneeze",
    "i leaked a little this morning and the needle site hurts",
    "i leak when i cough and the bandage leaks",
    "i leaked blood and wet the bed",
)


def _hears(assistant: Assistant, today: date, text: str) -> Reading:
    """The lexicon's reading, where classifier and sign reader surely hear that no urine comes."""
    heard = Opinion(0, len(text), (("report_urinary_retention", 0.99), ("report_other_symptom", 0.01)), {"urinary_retention": 0.99})
    return replace(assistant.read(text, today), opinions=(heard,))


def _first(assistant: Assistant, today: date, text: str) -> Reply:
    return assistant.respond(Conversation(), _hears(assistant, today, text), today)[1]


@pytest.mark.parametrize("text", CONSTIPATED)
def test_who_cannot_pass_stool_is_told_calmly_to_call_and_asked_about_danger(assistant: Assistant, today: date, text: str) -> None:
    reply = _first(assistant, today, text)
    assert (reply.custom["disposition"], reply.custom["rules"]) == ("call_doctor", ["unknown_symptom"])
    assert "bladder_bowel" in reply.custom["checks"]
    assert [finding["finding"] for finding in reply.custom["findings"]] == ["other_symptom"]


@pytest.mark.parametrize("text", LEAKING_WOUND)
def test_a_wound_that_leaks_is_no_loss_of_control(assistant: Assistant, today: date, text: str) -> None:
    assert "bladder_bowel" not in assistant.read(text, today).with_status(Status.PRESENT)


@pytest.mark.parametrize("text", LEAKING_URINE)
def test_beside_a_wound_a_leak_is_still_heard(assistant: Assistant, today: date, text: str) -> None:
    assert "bladder_bowel" in assistant.read(text, today).with_status(Status.PRESENT)


@pytest.mark.parametrize("text", NOT_PASSING_URINE)
def test_who_cannot_pass_urine_is_still_heard(assistant: Assistant, today: date, text: str) -> None:
    reply = _first(assistant, today, text)
    assert (reply.custom["disposition"], reply.custom["rules"][0]) == ("emergency", "urinary_retention")


def test_another_danger_sign_beside_it_is_heard(assistant: Assistant, today: date) -> None:
    for text in ("i cannot go poop and my crotch is numb", "cant go number two and then i wet the bed"):
        assert _first(assistant, today, text).custom["disposition"] == "emergency"


def test_a_lookalike_takes_the_place_of_what_the_lexicon_reads(assistant: Assistant, today: date) -> None:
    reading = assistant.read("sat on the toilet to poop and nothing came", today)
    assert {(mention.finding, mention.status) for mention in reading.mentions} == {
        ("urinary_retention", Status.NOT_MEANT),
        ("other_symptom", Status.PRESENT),
    }
