from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision import danger_check
from aftercare.decision.danger_check import RowReader
from aftercare.decision.reply import Reply
from aftercare.decision.rules import disposition
from aftercare.protocol import Disposition, Protocol
from aftercare.understanding.reader import Reader
from aftercare.understanding.reading import Status
from tests.core.conftest import CheckReply
from tests.wire import Wire

TODAY = date(2024, 5, 15)
NOON = datetime(2024, 5, 15, 12, tzinfo=timezone.utc)
SORE = "a bit sore where the needle went in"


class Chat:
    """A conversation with the core, by words and taps, on a clock of its own."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant
        self.conversation = Conversation()
        self.now = NOON

    def say(self, text: str = "", **answers: str) -> Reply:
        reading = self.assistant.read(text, TODAY)
        self.conversation, reply = self.assistant.respond(self.conversation, reading, TODAY, at=self.now, answers=answers)
        return reply

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)

    def tap_all(self, answer: str) -> Reply:
        return self.say(**dict.fromkeys(self.conversation.checks, answer))


@pytest.fixture
def chat(assistant: Assistant) -> Chat:
    return Chat(assistant)


def emergency_rows(protocol: Protocol) -> list[str]:
    return [row.fact for row in protocol.danger_check.rows if row.tier is Disposition.EMERGENCY]


@pytest.mark.parametrize("text", [SORE, "I have a fever of 101"])
def test_who_writes_for_somebody_else_reads_whom_the_rows_are_about(chat: Chat, protocol: Protocol, text: str) -> None:
    about = protocol.say("about_patient")
    assert about not in chat.say(text).text
    other = Chat(chat.assistant)
    other.conversation.writer = "helper"
    assert other.say(text).blocks[-1].text.startswith(about)


def test_a_bleeding_that_is_not_heavy_leaves_blood_inside_unsettled(protocol: Protocol) -> None:
    assert protocol.questions["heavy_bleeding"].covers == ("severe_bleeding",)


def test_every_row_stands_before_self_care(chat: Chat, protocol: Protocol, wire: Wire, check_reply: CheckReply) -> None:
    reply = chat.say(SORE)
    check_reply(reply)
    assert (reply.custom["type"], reply.custom["about"]) == ("question", "danger_check")
    assert tuple(reply.custom["checks"]) == wire.rows


def test_all_no_gives_the_answer_that_was_waiting(chat: Chat) -> None:
    chat.say(SORE)
    assert chat.tap_all("no").custom["disposition"] == "self_care"
    assert chat.conversation.checks == []


@pytest.mark.parametrize("answer", ["yes", "unsure"])
def test_yes_and_not_sure_are_the_finding(assistant: Assistant, protocol: Protocol, answer: str) -> None:
    for row in protocol.danger_check.rows:
        chat = Chat(assistant)
        chat.say(SORE)
        reply = chat.say(**{row.fact: answer})
        assert reply.disposition is row.tier, row.fact
        assert chat.conversation.findings[row.yes] == "present"
        if row.tier is Disposition.EMERGENCY:
            assert "about" not in reply.custom
            assert row.text in reply.text or protocol.findings[row.yes].label in reply.text


def test_partial_answers_are_kept_and_the_others_asked(chat: Chat) -> None:
    chat.say(SORE)
    reply = chat.say(chest_pain="no", breathing="no")
    assert reply.custom["type"] == "question"
    assert not {"chest_pain", "breathing"} & set(reply.custom["checks"])
    assert chat.conversation.rows == {"chest_pain": "no", "breathing": "no"}


def test_call_doctor_never_waits_and_the_check_comes_behind(chat: Chat, protocol: Protocol) -> None:
    reply = chat.say("I have a fever of 102")
    assert reply.custom["disposition"] == "call_doctor"
    assert reply.custom["checks"] == emergency_rows(protocol)


def test_an_emergency_comes_with_no_check(chat: Chat) -> None:
    assert "about" not in chat.say("I have chest pain").custom


@pytest.mark.parametrize("text", ["asdf", "lol", "", "😀"])
def test_words_that_report_nothing_bring_no_check_however_often(chat: Chat, text: str) -> None:
    for _ in range(4):
        reply = chat.say(text)
        assert reply.custom["type"] == "chat"
        assert "about" not in reply.custom


def test_what_the_words_settled_is_not_shown(chat: Chat) -> None:
    shown = chat.say(f"{SORE}, no chest pain, walking fine, breathing is fine").custom["checks"]
    assert not {"chest_pain", "walking", "breathing"} & set(shown)
    assert {"bladder_bowel", "saddle_numbness", "chills"} <= set(shown)


def test_nothing_is_asked_twice(chat: Chat) -> None:
    chat.say(SORE)
    chat.tap_all("no")
    again = chat.say("it is still a bit sore")
    assert again.custom["disposition"] == "self_care"
    assert "about" not in again.custom


def test_it_holds_for_four_hours(chat: Chat) -> None:
    chat.say(SORE)
    chat.tap_all("no")
    chat.wait(hours=3, minutes=59)
    assert "about" not in chat.say("the spot is sore").custom
    chat.wait(hours=4)
    assert chat.say("the spot is sore").custom["about"] == "danger_check"


def test_a_new_symptom_opens_its_own_rows(chat: Chat) -> None:
    chat.say(SORE)
    chat.tap_all("no")
    reply = chat.say("my left leg is weak")
    assert reply.custom["disposition"] == "call_doctor"
    assert set(reply.custom["checks"]) == {"bladder_bowel", "saddle_numbness", "walking"}


def test_asides_leave_the_check_as_it_is(chat: Chat) -> None:
    before = chat.say(SORE).custom["checks"]
    for aside in ("hold on a sec", "hello?", "who reads this?", "what does that mean?", "the phone is ringing", "..."):
        reply = chat.say(aside)
        assert (reply.custom["about"], reply.custom["checks"]) == ("danger_check", before)
        assert reply.disposition is None
    assert chat.conversation.repeated == 0


def test_what_is_not_understood_counts_as_dangerous_in_the_end(chat: Chat) -> None:
    chat.say(SORE)
    kinds = [chat.say("purple elephants dance").disposition for _ in range(3)]
    assert kinds == [None, None, Disposition.EMERGENCY]


def test_a_plain_yes_is_asked_for_its_row_and_never_lost(chat: Chat) -> None:
    chat.say(SORE)
    assert chat.say("yes").custom["about"] == "danger_check"
    assert chat.say("I told you").disposition is Disposition.EMERGENCY


def test_behind_an_answer_the_check_may_be_passed_over_and_stays_open(chat: Chat, assistant: Assistant) -> None:
    chat.say("I have a fever of 102")
    reply = chat.say("thanks")
    assert reply.custom["about"] == "danger_check"
    assert assistant.broken_off(chat.conversation) is None


def test_left_before_self_care_nothing_is_reassured(chat: Chat, assistant: Assistant) -> None:
    chat.say(SORE)
    left = assistant.broken_off(chat.conversation)
    assert left is not None
    after, reply = left
    assert after.unfinished
    assert reply.custom["type"] == "chat"
    assert reply.custom["unfinished"] is True
    assert "care for this at home" not in reply.text
    assert "911" in reply.text
    assert assistant.broken_off(after) is None
    chat.conversation = after
    assert chat.say("none of these").custom["disposition"] == "self_care"


def test_advice_that_was_given_stands_when_a_sign_is_denied(chat: Chat) -> None:
    chat.say("fever 102")
    for denial in ("no chest pain", "breathing is fine", "I feel no numbness anywhere", "none of these"):
        reply = chat.say(denial)
        assert reply.custom["disposition"] == "call_doctor"
        assert "none of that" not in reply.text


@pytest.mark.parametrize(
    "text", ["I tapped that by mistake", "oops wrong button", "sorry, I hit yes by accident", "I did not mean to press that"]
)
def test_a_tap_can_be_taken_back_for_a_minute(chat: Chat, text: str) -> None:
    chat.say(SORE)
    assert chat.say(walking="yes").disposition is Disposition.EMERGENCY
    chat.wait(seconds=50)
    reply = chat.say(text)
    assert reply.custom["about"] == "danger_check"
    assert "walking" in reply.custom["checks"]
    assert "cannot_walk" not in chat.conversation.has("present")
    assert chat.tap_all("no").custom["disposition"] == "self_care"


@pytest.mark.parametrize("text", ["clumsy fingers since this morning", "shaky fingers too", "my hand slipped off the cup"])
def test_a_sign_of_the_hands_takes_no_tap_back(chat: Chat, text: str) -> None:
    chat.say(SORE)
    chat.say(other_symptoms="yes")
    chat.wait(seconds=10)
    assert chat.say(text).disposition is Disposition.EMERGENCY


def test_a_tap_stands_after_a_minute(chat: Chat) -> None:
    chat.say(SORE)
    chat.say(walking="yes")
    chat.wait(seconds=61)
    assert chat.say("I tapped that by mistake").disposition is Disposition.EMERGENCY


def test_what_was_said_in_words_is_not_taken_back_by_a_tap(chat: Chat) -> None:
    chat.say(SORE)
    chat.say(walking="yes")
    chat.say("I can not stand or walk")
    assert chat.say("I tapped that by mistake").disposition is Disposition.EMERGENCY


def test_rows_that_do_not_wait_are_refused(chat: Chat, assistant: Assistant) -> None:
    assert assistant.refused_rows(chat.conversation, {"chest_pain": "no"})
    chat.say(SORE)
    assert not assistant.refused_rows(chat.conversation, {"chest_pain": "no", "walking": "unsure"})
    assert assistant.refused_rows(chat.conversation, {"chest_pain": "maybe"})
    assert assistant.refused_rows(chat.conversation, {"nonsense": "no"})


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ("none of these", "", "all"),
        ("nope, none", "", "all"),
        ("no to all", "", "all"),
        ("none of those thank god", "", "all"),
        ("everything no", "", "all"),
        ("none of that, i walk fine and pee normally", "", "all"),
        ("none, no fever", "", "all"),
        ("none, no fever, maybe", "", ""),
        ("none of those, but my toe is purple, no fever", "", ""),
        ("none of those, no fever and my toe is purple", "", ""),
        ("3 and 5", "3 5", ""),
        ("#2", "2", ""),
        ("the third one", "3", ""),
        ("yes to 4", "4", ""),
        ("1 no 2 no 3 yes", "3", "1 2"),
        ("1-8 no", "", "1 2 3 4 5 6 7 8"),
        ("none except 4", "4", "rest"),
        ("all no besides 10", "10", "rest"),
        ("no, number 3", "3", ""),
        ("only the breathing", "2", "rest"),
        ("yes to the bladder one, no to the rest", "3", "rest"),
        ("no no no no no no yes no", "7", "1 2 3 4 5 6 8"),
        ("n n n y n n n n n n n n", "4", "rest"),
        ("5 yes, the others no", "5", "rest"),
        ("hmm", "", ""),
        ("why do you ask", "", ""),
        ("no but my toe is purple", "", ""),
    ],
)
def test_answers_to_the_whole_list(assistant: Assistant, protocol: Protocol, text: str, yes: str, no: str) -> None:
    facts = [row.fact for row in protocol.danger_check.rows]
    reader = RowReader(protocol.danger_check, protocol.grammar.answers, Reader(protocol).acts)
    told = reader.read(facts, assistant.read(text, TODAY), quiet=True)
    rows = told.rows or (dict.fromkeys(facts, "no") if told.all_of_them == "no" else {})
    expected_yes = {facts[int(number) - 1] for number in yes.split()}
    denied = set(facts) - expected_yes if no in ("all", "rest") else {facts[int(number) - 1] for number in no.split()}
    assert {fact for fact, answer in rows.items() if answer == "yes"} == expected_yes
    assert {fact for fact, answer in rows.items() if answer == "no"} == denied


@pytest.mark.parametrize("text", ["peeing fine, walking fine", "bathroom is normal and I walk around", "no trouble peeing, legs ok"])
def test_rows_that_words_have_settled_are_not_shown(chat: Chat, text: str) -> None:
    shown = chat.say(f"just sore where the needle went, {text}").custom["checks"]
    assert not {"bladder_bowel", "walking"} & set(shown)
    assert "saddle_numbness" in shown


@pytest.mark.parametrize(
    "text",
    [
        "no fever at all",
        "no redness at all",
        "no signs of stroke",
        "no signs of infection at the site",
        "I do not have any trouble breathing",
        "chest pain: none",
        "fever none",
        "bleeding none, thanks",
    ],
)
def test_a_sign_that_is_denied_denies_no_other(chat: Chat, text: str) -> None:
    shown = chat.say(SORE).custom["checks"]
    assert len(chat.say(text).custom["checks"]) >= len(shown) - 2


@pytest.mark.parametrize(
    "text",
    [
        "my bladder stopped working",
        "bladder barely works",
        "lost normal bladder control",
        "bladder far from normal",
        "need a catheter to pee normally",
        "is my pee normal",
        "I used to pee normally",
        "no problems other than peeing",
        "hope my bladder is ok",
        "bladder is normally ok but now nothing comes out",
    ],
)
def test_words_that_call_the_bladder_normal_and_do_not_mean_it_leave_its_row_open(assistant: Assistant, text: str) -> None:
    reading = assistant.read(text, TODAY)
    assert not {"bladder_bowel", "urinary_retention"} <= {
        mention.finding for mention in reading.mentions if mention.status is Status.ABSENT
    }


@pytest.mark.parametrize("text", ["is my chest ok", "hope my chest ok", "chest good only when I lie still", "chest normal before"])
def test_words_that_call_the_chest_normal_and_do_not_mean_it_leave_its_row_open(assistant: Assistant, text: str) -> None:
    assert not assistant.read(text, TODAY).mentions


@pytest.mark.parametrize("text", ["no accidents", "I can pee"])
def test_half_of_a_row_that_is_denied_leaves_it_open(chat: Chat, text: str) -> None:
    assert "bladder_bowel" in chat.say(f"just sore where the needle went, {text}").custom["checks"]


def test_an_exception_behind_a_denial_is_never_a_denial_of_all(chat: Chat) -> None:
    chat.say(SORE)
    reply = chat.say("no fever but my shin is numb")
    assert reply.disposition is Disposition.CALL_DOCTOR
    assert not chat.conversation.settled.keys() & {"chest_pain", "walking"}


WORDS = [
    "no",
    "yes",
    "not sure",
    "none of these",
    "3",
    "2 and 4",
    "only the breathing",
    "hold on",
    "hello",
    "lol",
    "thanks",
    "my leg is weak",
    "I have a fever",
    "no chest pain",
    "walking fine",
    "it is sore",
    "my back hurts",
    "2 days ago",
    "Yesterday",
    "what if I get chest pain?",
    "I have it now",
    "I tapped that by mistake",
    "purple elephants",
    "can not say",
    "the rash is gone",
    "my old pain is gone",
    "nobody answers",
    "can it wait until tomorrow?",
]


def moves(protocol: Protocol) -> st.SearchStrategy[list[tuple[str, str, str]]]:
    facts = [row.fact for row in protocol.danger_check.rows]
    tap = st.tuples(st.just(""), st.sampled_from(facts), st.sampled_from(["yes", "no", "no", "no", "unsure"]))
    word = st.tuples(st.sampled_from(WORDS), st.just(""), st.just(""))
    everything = st.tuples(st.just(""), st.just("all"), st.just("no"))
    return st.lists(tap | word | everything, min_size=1, max_size=9)


def test_no_path_reassures_with_a_row_open_and_no_yes_is_lost(assistant: Assistant, protocol: Protocol, check_reply: CheckReply) -> None:
    check = protocol.danger_check

    @given(moves(protocol))
    @settings(max_examples=120)
    def holds(steps: list[tuple[str, str, str]]) -> None:
        chat = Chat(assistant)
        chat.say(SORE)
        for text, fact, answer in steps:
            before = chat.conversation.copy()
            facts = before.checks if fact == "all" else [fact] if fact in before.checks else []
            reply = chat.say(text, **dict.fromkeys(facts, answer))
            check_reply(reply)
            after = chat.conversation
            if reply.disposition is Disposition.SELF_CARE:
                assert not danger_check.open_rows(check, after, Disposition.CALL_DOCTOR)
            if answer in ("yes", "unsure") and facts:
                assert check.row(fact).yes in after.has("present")
            if "mistake" not in text:
                assert before.has("present") - {"beyond_48_hours"} <= after.has("present")
                urgency = disposition(protocol, before.has("present")) or 0
                assert (disposition(protocol, after.has("present")) or 0) >= urgency

    holds()


def test_one_more_yes_never_lowers_anything(assistant: Assistant, protocol: Protocol) -> None:
    facts = [row.fact for row in protocol.danger_check.rows]

    @given(st.dictionaries(st.sampled_from(facts), st.sampled_from(["yes", "no", "unsure"])), st.sampled_from(facts))
    @settings(max_examples=80)
    def holds(answers: dict[str, str], more: str) -> None:
        urgencies = []
        for given_answers in (answers, {**answers, more: "yes"}):
            chat = Chat(assistant)
            chat.say(SORE)
            urgencies.append(chat.say(**given_answers).disposition or 0)
        assert urgencies[1] >= urgencies[0] or answers.get(more) == "unsure"

    holds()


@pytest.mark.parametrize(
    "text", ["no chest pain", "not numb", "no fever", "no numbness between my legs", "I have no rash", "my breathing is fine"]
)
@pytest.mark.parametrize("first", [SORE, "I have a fever of 102"])
def test_the_denial_of_one_sign_closes_no_other_row(chat: Chat, first: str, text: str) -> None:
    chat.say(first)
    reply = chat.say(text)
    assert reply.disposition is not Disposition.SELF_CARE
    assert {"bladder_bowel", "other_symptoms", "walking"} <= set(reply.custom["checks"])


@pytest.mark.parametrize("text", ["hola no hablo ingles", "no entiendo nada, por favor", "nein ich habe nicht verstanden"])
def test_words_of_another_language_deny_nothing(assistant: Assistant, chat: Chat, protocol: Protocol, text: str) -> None:
    chat.say(SORE)
    shares = dict.fromkeys(("danger_check", *(question.heard_as for question in protocol.questions.values())), (("no", 0.99),))
    reading = replace(assistant.read(text, TODAY), replies=shares)
    after, reply = assistant.respond(chat.conversation, reading, TODAY, at=NOON)
    assert after.checks == chat.conversation.checks
    assert reply.custom["about"] == "danger_check"
    asked = Conversation(pending="chest", asked=["chest"])
    after, _ = assistant.respond(asked, reading, TODAY, at=NOON)
    assert not after.has("absent")


def test_only_a_sure_no_by_the_answer_reader_denies_the_whole_list(assistant: Assistant, protocol: Protocol) -> None:
    for share, closed in ((0.97, True), (0.9, False)):
        chat = Chat(assistant)
        chat.say(SORE)
        reading = replace(assistant.read("the lady is right as she ever was", TODAY), replies={"danger_check": (("no", share),)})
        after, _ = assistant.respond(chat.conversation, reading, TODAY, at=NOON)
        assert (not after.checks) is closed
