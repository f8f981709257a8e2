from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.protocol import load_protocol
from evaluation import figures, interview
from evaluation.answers import _after_card, _label_of, of_card
from evaluation.bot import Answer
from evaluation.cases import CardAnswer, Patient
from evaluation.changes import CHANGES, of_changes
from tests.wire import Wire

pytestmark = pytest.mark.slow

ROWS = list(Wire.of(load_protocol(Path(__file__).resolve().parents[2] / "protocols" / "vertebroplasty")).rows)
SORE = "a bit sore where the needle went in"
NO_MODEL = Path("no model")  # what would be read with it is made up


class Core:
    """The clinical core by the lexicon alone, asked as the bot is asked; keeps what it was told."""

    def __init__(self, assistant: Assistant, today: date) -> None:
        self._assistant, self._today = assistant, today
        self._conversations: dict[str, Conversation] = {}
        self.told: list[str] = []
        self.tapped: list[dict[str, str]] = []

    def say(self, sender: str, text: str, rows: Mapping[str, str] | None = None) -> Answer:
        before = self._conversations.get(sender, Conversation())
        assert self._assistant.refused_rows(before, rows or {}) == ""
        self.told.append(text)
        self.tapped.append(dict(rows or {}))
        reading = self._assistant.read(text, self._today)
        self._conversations[sender], reply = self._assistant.respond(before, reading, self._today, answers=rows)
        return Answer(reply.wire, 0.0)


class AsksForever:
    """Shows the danger check whatever it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def say(self, sender: str, text: str, rows: Mapping[str, str] | None = None) -> Answer:
        self.told.append(text)
        return Answer({"type": "question", "about": "danger_check", "checks": ROWS}, 0.0)


@pytest.fixture
def core(assistant: Assistant, today: date) -> Core:
    return Core(assistant, today)


def patient(opening: str = SORE, facts: Mapping[str, str] | None = None, **rows: str) -> Patient:
    return Patient(opening, facts or {}, ("emergency",), dict.fromkeys(ROWS, "no") | rows, "none of these", "no", "hidden")


def test_by_rows_the_first_yes_is_sent_at_once(core: Core) -> None:
    ended = interview.by_rows(core, patient(bladder_bowel="yes", bleeding="yes"))
    assert figures.standing(ended) == "emergency"
    assert core.tapped[1] == {"chest_pain": "no", "breathing": "no", "bladder_bowel": "yes"}
    assert core.told[1] == ""


def test_by_rows_a_patient_without_a_sign_gets_what_was_waiting(core: Core) -> None:
    ended = interview.by_rows(core, patient())
    assert [answer.outcome for answer in ended] == ["ask", "self_care"]


def test_not_sure_is_tapped_as_such(core: Core) -> None:
    assert figures.standing(interview.by_rows(core, patient(walking="unsure"))) == "emergency"
    assert core.tapped[1]["walking"] == "unsure"
    assert core.tapped[1]["pain_severity"] == "no"


@pytest.mark.parametrize(("opening", "told"), [(SORE, "I am leaking pee all the time"), (SORE + ".", "3")])
def test_by_words_a_sign_is_told_in_words_or_by_its_number(core: Core, opening: str, told: str) -> None:
    facts = {"bladder_bowel": "I am leaking pee all the time"}
    assert figures.standing(interview.by_words(core, patient(opening, facts, bladder_bowel="yes"))) == "emergency"
    assert core.told == [opening, told]


def test_by_words_a_doubt_is_told_as_one_and_nothing_is_said_twice() -> None:
    bot = AsksForever()
    interview.by_words(bot, patient(SORE + ".", {"bladder_bowel": "hard to say"}, bladder_bowel="unsure"))
    assert bot.told[1:5] == ["not sure about 3", "hard to say", "no", "no"]


def test_by_words_a_list_of_which_nothing_is_so_is_none(core: Core) -> None:
    assert figures.standing(interview.by_words(core, patient())) == "self_care"
    assert core.told == [SORE, "none of these"]


def test_who_was_written_to_tell_all_answers_row_by_row(core: Core) -> None:
    facts = dict.fromkeys(ROWS, "all fine there") | {"chest_pain": "my chest is fine", "breathing": "I breathe well"}
    facts["other_symptoms"] = "my neighbour has a dog"
    talker = Patient(SORE, facts, ("self_care",), {}, facts["other_symptoms"], facts["other_symptoms"], "")
    interview.by_words(core, talker)
    assert core.told[1] == "my neighbour has a dog"
    assert len(core.told) > 2


def test_an_interview_ends_however_often_the_bot_asks() -> None:
    assert len(interview.by_words(AsksForever(), patient())) == 20


def test_a_change_changes_what_it_says() -> None:
    found = Answer({"type": "triage", "findings": [{"status": "present", "span": [0, 13]}]}, 0.0)
    changed = {name: change("I can't breathe, temp 101.5.", found) for name, change in CHANGES.items()}
    assert changed["a typo in a key word"].startswith("I can't b") is True
    assert changed["a typo in a key word"] != "I can't breathe, temp 101.5."
    assert changed["capitals"] == "I CAN'T BREATHE, TEMP 101.5."
    assert changed["no punctuation"] == "I can't breathe temp 101.5"
    assert all("101.5" in text for text in changed.values())
    assert len(set(changed.values())) == 7


def test_changes_are_counted_by_what_became_of_the_answers() -> None:
    emergency, asks, chat = (
        Answer(custom, 0.0) for custom in ({"type": "triage", "disposition": "emergency"}, {"type": "question"}, {"type": "chat"})
    )
    found = of_changes([emergency, emergency, asks], {"one": [emergency, chat, asks], "two": [asks, emergency, chat]})
    assert found == {"unchanged": [3, 6], "lost": [1, 4], "by_change": {"one": [2, 3], "two": [1, 3]}}


@pytest.mark.parametrize(
    ("text", "key", "found"),
    [
        ("3", "dangerous_heard", [1, 1]),
        ("none of these", "dangerous_taken_as_no", [1, 1]),
        ("hold on, I need my glasses", "dangerous_taken_as_no", [0, 1]),
    ],
)
def test_the_rows_that_words_settle_are_counted(
    assistant: Assistant, today: date, monkeypatch: pytest.MonkeyPatch, text: str, key: str, found: list[int]
) -> None:
    monkeypatch.setattr("evaluation.nlu.read", lambda _, texts: [assistant.read(each, today) for each in texts])
    assert of_card([CardAnswer(text, (3,), (), ())], model=NO_MODEL)[key] == found


def test_none_of_these_is_understood_and_an_aside_settles_nothing(
    assistant: Assistant, today: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evaluation.nlu.read", lambda _, texts: [assistant.read(each, today) for each in texts])
    given = [CardAnswer("none of these", (), ("rest",), ()), CardAnswer("hold on, I need my glasses", (), (), ())]
    found = of_card(given, model=NO_MODEL)
    assert (found["all_no_understood"], found["asides_settle"]) == ([1, 1], [0, 1])
    assert of_card([CardAnswer("none of these", (), (), ())], model=NO_MODEL)["asides_settle"] == [1, 1]


def test_the_rest_is_every_row_that_is_not_named() -> None:
    answer = CardAnswer("none except 4", (4,), ("rest",), ())
    assert [_label_of(answer, number) for number in (3, 4, 5)] == ["no", "yes", "no"]
    assert _label_of(CardAnswer("3", (3,), (), ()), 4) == ""


def test_every_row_is_shown_before_the_words_are_read(assistant: Assistant, today: date) -> None:
    after, _ = _after_card(assistant, assistant.read("3", today))
    assert after.rows == {"bladder_bowel": "yes"}
