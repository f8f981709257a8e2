"""What the sign reader adds to lexicon and classifier."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.protocol import Protocol
from aftercare.understanding.fusion import Fusion
from aftercare.understanding.reading import Mention, Opinion, Reading, Status
from aftercare.understanding.understood import Understood

TODAY = date(2024, 5, 15)
Shares = Mapping[str, float]
WORDLESS = "the old song about the river and the mill"


class Read(typing.Protocol):
    """A text read, with the classifier's opinion of it and the signs that are heard."""

    def __call__(self, text: str, whole: Shares, signs: Shares | None = None) -> Reading: ...


class Understand(typing.Protocol):
    """A text understood, with the classifier's opinion of it and the signs that are heard."""

    def __call__(self, text: str, whole: Shares, signs: Shares | None = None) -> Understood: ...


@pytest.fixture
def read(assistant: Assistant, protocol: Protocol) -> Read:
    """A message read by the lexicon, with the classifier's opinion of it and the signs that are heard; of all others nothing is heard."""
    nothing = dict.fromkeys((finding for finding in protocol.findings if protocol.findings[finding].heard_as == finding), 0.0)

    def read(text: str, whole: Shares, signs: Shares | None = None) -> Reading:
        heard = {} if signs is None else {**nothing, **signs}
        return replace(assistant.read(text, TODAY), opinions=(Opinion(0, len(text), tuple(whole.items()), heard),))

    return read


@pytest.fixture
def understand(read: Read, protocol: Protocol) -> Understand:
    def understand(text: str, whole: Shares, signs: Shares | None = None) -> Understood:
        return Fusion(protocol).understand(read(text, whole, signs), answering=False)

    return understand


def present(understood: Understood) -> set[str]:
    return understood.with_status(Status.PRESENT)


@pytest.mark.parametrize(
    ("sure", "said", "found", "asked"),
    [
        (0.6, None, True, False),  # it does not know the sign
        (0.6, 0.8, True, False),
        (0.6, 0.2, False, True),
        (0.6, 0.0, False, False),
        (0.98, 0.0, False, True),
        (0.3, 0.2, False, True),
        (0.3, 0.0, False, False),
    ],
)
def test_what_the_classifier_alone_hears_is_weighed(
    understand: Understand, sure: float, said: float | None, found: bool, asked: bool
) -> None:
    understood = understand(WORDLESS, {"report_stroke": sure, "idiom": 1 - sure}, None if said is None else {"stroke": said})
    assert ("stroke" in present(understood), bool(understood.doubt)) == (found, asked)


@pytest.mark.parametrize("meaning", ["idiom", "report_history", "report_other_person", "out_of_scope"])
def test_a_red_flag_of_which_neither_hears_anything_is_not_asked_about(assistant: Assistant, read: Read, meaning: str) -> None:
    message = read("ha ha I have chest pain", {meaning: 0.99}, {})
    _, reply = assistant.respond(Conversation(), message, TODAY)
    assert "disposition" not in reply.custom
    assert reply.custom.get("about", "danger_check") == "danger_check"
    assert not assistant.understates(reply, replace(message, opinions=()))
    (told,) = reply.custom["understood"]["findings"]
    assert told["status"] in {"not_meant", "historical", "other_person"}
    assert told["because"] == "classifier_against_lexicon"


@pytest.mark.parametrize(
    ("text", "checked"), [("thank you, that chest pain of a form is done", True), ("thank you, that form is done", False)]
)
def test_thanks_that_name_a_sign_come_with_the_danger_check(assistant: Assistant, read: Read, text: str, checked: bool) -> None:
    _, reply = assistant.respond(Conversation(), read(text, {"thank": 0.95}, {}), TODAY)
    assert reply.custom["type"] == "chat"
    assert (reply.custom.get("about") == "danger_check") is checked


@pytest.mark.parametrize(("sure", "said"), [(0.85, 0.0), (0.99, 0.3)])
def test_it_is_asked_about_where_one_of_them_is_less_sure(understand: Understand, sure: float, said: float) -> None:
    understood = understand("ha ha I have chest pain", {"idiom": sure, "report_chest_pain": 1 - sure}, {"chest_pain": said})
    assert "chest_pain" not in present(understood)
    assert understood.doubt == "chest_pain"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("I fainted years ago, this is different, I fainted", "report_history"),
        ("my roommate had the cement on monday and she fainted", "report_other_person"),
    ],
)
def test_a_word_of_now_and_one_of_the_procedure_are_asked_about(understand: Understand, text: str, meaning: str) -> None:
    understood = understand(text, {meaning: 0.99}, {})
    assert "syncope" in present(understood) or understood.doubt == "syncope"
    without = "years ago I fainted in church" if meaning == "report_history" else "my roommate fainted"
    assert not understand(without, {meaning: 0.99}, {}).doubt


@pytest.mark.parametrize(("said", "expected"), [(0.0, True), (0.2, False)])
def test_a_red_flag_beside_a_sure_report_of_something_else_is_asked_about(understand: Understand, said: float, expected: bool) -> None:
    understood = understand("sore where the needle was, chest pain is what I have", {"report_soreness": 1.0}, {"chest_pain": said})
    assert (understood.doubt == "chest_pain") is expected
    assert ("chest_pain" in present(understood)) is not expected


def test_misspelt_words_stand_though_it_can_not_know_them(understand: Understand) -> None:
    assert "chest_pain" in present(understand("c h e s t  p a i n", {"idiom": 0.99}, {}))


def test_it_alone_asks_about_a_red_flag_and_reports_what_is_none(understand: Understand) -> None:
    assert understand(WORDLESS, {"greet": 0.6}, {"stroke": 0.99}).doubt == "stroke"
    assert not understand(WORDLESS, {"greet": 0.6}, {"stroke": 0.9}).doubt
    understood = understand(WORDLESS, {"greet": 0.6}, {"allergy_mild": 0.99})
    assert present(understood) == {"allergy_mild"}
    assert understood.places["allergy_mild"][2] == "sign_reader"


def test_a_milder_sign_that_stands_explains_what_it_alone_hears(understand: Understand) -> None:
    understood = understand("my right leg is weak", {"report_leg_weakness": 0.97}, {"leg_weakness": 1.0, "paralysis": 0.99})
    assert (present(understood), understood.doubt) == ({"leg_weakness"}, "")


@pytest.mark.parametrize(
    ("text", "said", "asked"),
    [
        ("a friend who got your procedure is here, his mouth is ballooning", 0.6, "allergy_severe"),
        ("a friend who got your procedure is here, his mouth is ballooning", 0.4, ""),
        ("a friend of mine is here, his mouth is ballooning", 0.6, ""),
    ],
)
def test_a_sign_of_another_who_was_treated_is_asked_about(understand: Understand, text: str, said: float, asked: str) -> None:
    assert understand(text, {"report_other_person": 0.99}, {"allergy_severe": said}).doubt == asked


def test_a_red_flag_stands_where_the_classifier_hears_another_one(understand: Understand) -> None:
    shares = {"report_overdose": 0.6, "report_soreness": 0.4}
    assert "chest_pain" in present(understand("sore where the needle was, chest pain is what I have", shares, {}))


def test_a_piece_of_what_the_lexicon_reads_as_one_complaint_is_no_other(protocol: Protocol) -> None:
    text = "a burning pain shoots from my seat down to the toes"
    place = text.index("my seat")
    whole = Opinion(0, len(text), (("report_leg_numbness", 0.6), ("report_saddle_numbness", 0.3)))
    piece = Opinion(place, len(text), (("report_saddle_numbness", 0.93),))
    reading = Reading(text, mentions=(Mention("nerve_pain", Status.PRESENT, 0, len(text)),), opinions=(whole, piece))
    understood = Fusion(protocol).understand(reading, answering=False)
    assert (present(understood), understood.doubt) == ({"nerve_pain"}, "saddle_numbness")


def test_both_together_name_the_sign(understand: Understand) -> None:
    shares = {"report_saddle_numbness": 0.5, "report_bladder_bowel": 0.4}
    assert present(understand(WORDLESS, shares, {"saddle_numbness": 0.1, "bladder_bowel": 0.95})) == {"bladder_bowel"}
    assert present(understand(WORDLESS, shares)) == {"saddle_numbness"}


def test_a_doctors_sign_that_it_does_not_hear_is_none(understand: Understand) -> None:
    assert present(understand(WORDLESS, {"report_fever": 0.9}, {"fever": 0.9})) == {"fever"}
    assert present(understand(WORDLESS, {"report_fever": 0.9}, {"fever": 0.0})) == set()


def test_the_signs_travel_with_the_reading(read: Read) -> None:
    message = read(WORDLESS, {"greet": 0.6}, {"stroke": 0.25})
    assert Reading.from_entities(message.text, message.to_entities()) == message
