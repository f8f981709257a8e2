"""The table of steps by which a message is understood: no step is there for nothing, and each is told on the wire by its id."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.protocol import Protocol
from aftercare.understanding import disagreement, fusion, steps
from aftercare.understanding.clauses import Clauses
from aftercare.understanding.fusion import Fusion
from aftercare.understanding.reading import Mention, Opinion, Reading, Status
from aftercare.understanding.steps import STEPS
from aftercare.understanding.understood import Understood

TODAY = date(2024, 5, 15)
Shares = Mapping[str, float]


def _said(text: str, *mentions: tuple[str, Status, str], whole: Shares | None = None, parts: tuple[Shares, ...] = ()) -> Reading:
    """A reading by hand: findings with status and words, and what the classifier thinks of the message and of its clauses."""
    found = tuple(Mention(finding, status, text.index(words), text.index(words) + len(words)) for finding, status, words in mentions)
    ends = [0, *(place + 1 for place, sign in enumerate(text) if sign == "."), len(text)]
    places = [(0, len(text)), *pairwise(ends)] if parts else [(0, len(text))]
    shares = [whole, *parts] if whole else []
    opinions = tuple(Opinion(*place, tuple(each.items())) for place, each in zip(places, shares, strict=False))
    return Reading(text=text, mentions=found, opinions=opinions)


def _heard(text: str, signs: Shares, *, intent: str = "greet", treated: bool = False) -> Reading:
    """A reading by hand of a message in which the sign reader hears something, and nobody else."""
    return Reading(text=text, treated=treated, opinions=(Opinion(0, len(text), ((intent, 0.6),), signs),))


# For each step a message in which it counts.
COUNTS: dict[str, Reading] = {
    "lexicon_list": _said("no fever, chills then", ("chills", Status.DOUBTFUL, "chills")),
    "lexicon": _said("chest pain since noon", ("chest_pain", Status.PRESENT, "chest pain")),
    "persists": _said("I fainted and it is over", ("syncope", Status.RESOLVED, "fainted")),
    "doubt_in_list": _said("no fever, chest pain then", ("chest_pain", Status.DOUBTFUL, "chest pain")),
    "classifier_meaning": _said(
        "chest pain, that one for the list", ("chest_pain", Status.PRESENT, "chest pain"), whole={"ask_hypothetical": 0.95}
    ),
    "classifier_against_lexicon": _said(
        "ha ha I have chest pain again", ("chest_pain", Status.PRESENT, "chest pain"), whole={"report_history": 0.99}
    ),
    "classifier_message": _said("an elephant sits upon my ribs", whole={"report_chest_pain": 0.97}),
    "classifier_clause": _said(
        "I took a walk today. an elephant sits upon my ribs.",
        whole={"report_soreness": 0.7, "report_chest_pain": 0.1},
        parts=({"greet": 0.99}, {"report_chest_pain": 0.95}),
    ),
    "classifier_finding": _said("the little hole is angry with me", whole={"report_soreness": 0.9}),
    "sign_reader": _heard("the little hole is angry with me", {"allergy_mild": 0.99}),
    "doubt_treated": _heard("his mouth is a balloon", {"allergy_severe": 0.7}, intent="report_other_person", treated=True),
    "question": _said("would something cold be allowed there", whole={"ask_ice": 0.9}),
    "request": _said("a voice would do me good", whole={"call_me": 0.9}),
    "sure_question": _said("would something cold be allowed there", whole={"ask_ice": 0.98}),
    "refined": _said(
        "my back hurts, a little", ("back_pain", Status.PRESENT, "back hurts"), ("mild_pain", Status.PRESENT, "hurts, a little")
    ),
}
# The steps that decide a finding's status, and so stand on the wire as `because`; the others ask, answer or drop.
ON_THE_WIRE = {
    *("lexicon_list", "lexicon", "persists", "classifier_meaning", "classifier_against_lexicon"),
    *("classifier_message", "classifier_clause", "classifier_finding", "sign_reader"),
}


@pytest.fixture
def understand(protocol: Protocol) -> Callable[[Reading], Understood]:
    def read(reading: Reading) -> Understood:
        return Fusion(protocol).understand(reading, answering=False)

    return read


def _without(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(fusion, "STEPS", tuple(step for step in STEPS if step.id != name))


def test_each_step_has_an_id_of_its_own_and_a_reason() -> None:
    assert [name for name, count in Counter(step.id for step in STEPS).items() if count > 1] == []
    assert len({step.reason for step in STEPS}) == len(STEPS)
    for step in STEPS:
        assert step.id == step.id.lower().strip()
        assert step.id.replace("_", "").isalpha(), step.id
        assert len(step.reason.split()) >= 4, step.id
        assert step.reason.endswith("."), step.id


def test_every_step_has_a_message_in_which_it_counts() -> None:
    assert list(COUNTS) == [step.id for step in STEPS]


@pytest.mark.parametrize("name", COUNTS)
def test_a_step_that_is_taken_out_is_missed(
    understand: Callable[[Reading], Understood], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    whole = understand(COUNTS[name])
    _without(monkeypatch, name)
    assert understand(COUNTS[name]) != whole


@pytest.mark.parametrize("name", sorted(ON_THE_WIRE))
def test_a_finding_names_the_step_that_decided_it(understand: Callable[[Reading], Understood], name: str) -> None:
    understood = understand(COUNTS[name])
    assert name in {because for _, _, because in understood.places.values()}


def test_every_reason_on_the_wire_is_a_step(understand: Callable[[Reading], Understood]) -> None:
    told = {because for reading in COUNTS.values() for _, _, because in understand(reading).places.values()}
    assert told == ON_THE_WIRE
    assert {step.id for step in STEPS} >= ON_THE_WIRE


def test_every_reason_that_the_code_can_write_is_a_step() -> None:
    """`put` is called with the id written out; no other code names a step."""
    written = {call.args[-1] for module in (steps, disagreement, fusion) for call in _calls_of(module, "put")}
    assert all(isinstance(reason, ast.Constant) for reason in written)
    assert {reason.value for reason in written if isinstance(reason, ast.Constant)} == ON_THE_WIRE


def _calls_of(module: Any, name: str) -> list[ast.Call]:
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == name]


@pytest.mark.parametrize("name", sorted(ON_THE_WIRE))
def test_the_reason_reaches_the_wire(assistant: Assistant, name: str) -> None:
    _, reply = assistant.respond(Conversation(), COUNTS[name], TODAY)
    assert {each["because"] for each in reply.custom["understood"]["findings"]} >= {name}


@pytest.mark.parametrize("status", [Status.HISTORICAL, Status.OTHER_PERSON])
def test_what_is_told_of_another_or_of_the_past_is_by_the_lexicon(assistant: Assistant, status: Status) -> None:
    _, reply = assistant.respond(Conversation(), _said("fever back then", ("fever", status, "fever")), TODAY)
    (told,) = reply.custom["understood"]["findings"]
    assert (told["status"], told["because"], told["span"]) == (status.value, "lexicon", [0, 5])


def test_a_step_that_does_not_apply_changes_nothing(protocol: Protocol) -> None:
    """Without opinions the classifier's steps find nothing to do."""
    reading = replace(COUNTS["classifier_message"], opinions=())
    assert Fusion(protocol).understand(reading, answering=False) == Understood()


def test_messages_by_hand_have_the_clauses_that_the_language_cuts(clauses: Clauses) -> None:
    for reading in COUNTS.values():
        parts = [(opinion.start, opinion.end) for opinion in reading.opinions[1:]]
        assert parts == [] or [reading.text[slice(*place)].strip() for place in parts] == [
            reading.text[slice(*place)].strip() for place in clauses.pieces(reading.text)
        ]
