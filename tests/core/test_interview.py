from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.answers import settle
from aftercare.decision.interview import confirming, next_question
from aftercare.decision.reply import Reply
from aftercare.decision.rules import disposition
from aftercare.protocol import Disposition, Protocol
from aftercare.protocol.model import Question
from aftercare.understanding.reading import Opinion, Reading
from tests.core.conftest import CheckReply, Talk

STARTS = [
    "my back hurts",
    "my leg is weak",
    "my leg is numb",
    "I have a rash",
    "the needle site is bleeding",
    "my calf hurts",
    "I fell",
    "my temp is 99.5",
    "a mild increase in back pain",
    "the site is sore",
    "I have a fever",
    "my pain is 5/10",
]


def told(*present: str, **rest: Any) -> Conversation:
    return Conversation(findings=dict.fromkeys(present, "present"), evidence=dict.fromkeys(present, "my words"), **rest)


def waiting(question: str, *present: str) -> Conversation:
    return told(*present, pending=question, asked=[question])


def effects(question: Question) -> list[set[str]]:
    """What each answer to a question makes present."""
    return [set(question.covers[:1]), *(set(button.present) for button in question.buttons), *({each} for each in question.covers)]


def worst(protocol: Protocol, question: Question, present: set[str]) -> Disposition | None:
    return max((disposition(protocol, present | effect) for effect in effects(question)), key=lambda found: found or 0)


def interview(talk: Talk, first: str, answer: str) -> tuple[Conversation, list[Reply]]:
    conversation, replies = talk(first)
    while replies[-1].custom["type"] == "question" and len(replies) < 12:
        conversation, more = talk(answer, conversation=conversation)
        replies += more
    return conversation, replies


@pytest.mark.parametrize("answer", ["no", "No", "yes", "not sure", "gluten", "purple", "8", "2"])
@pytest.mark.parametrize("first", STARTS)
def test_an_interview_ends_with_triage_after_at_most_five_questions(protocol: Protocol, talk: Talk, first: str, answer: str) -> None:
    _, replies = interview(talk, first, answer)
    assert replies[-1].custom["type"] == "triage"
    asked = {reply.custom["about"] for reply in replies if reply.custom["type"] == "question"}
    assert len(asked) <= protocol.max_questions <= 5


def test_never_more_than_the_limit_of_questions(protocol: Protocol, assistant: Assistant) -> None:
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        conversation = told(
            *data.draw(st.sets(st.sampled_from(sorted(set(protocol.findings) - protocol.red_flags)), min_size=1, max_size=3))
        )
        today = date(2024, 5, 15)
        first = next_question(protocol, conversation)
        asked: list[str] = []
        while first is not None and len(asked) < 10:
            asked.append(first.id)
            conversation.asked.append(first.id)
            answer = data.draw(st.sampled_from(["no", "yes", "not sure", *(button.title for button in first.buttons)]))
            settle(protocol, first, conversation, assistant.read(answer, today))
            first = next_question(protocol, conversation)
        assert len(asked) <= protocol.max_questions
        assert len(set(asked)) == len(asked)

    holds()


def test_no_question_that_cannot_change_the_disposition(protocol: Protocol) -> None:
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        names = sorted(protocol.findings)
        present = data.draw(st.sets(st.sampled_from(names), max_size=4))
        absent = data.draw(st.sets(st.sampled_from(names), max_size=10)) - present
        conversation = told(*present)
        conversation.findings |= dict.fromkeys(absent, "absent")
        question = next_question(protocol, conversation)
        if question is not None:
            current = disposition(protocol, present)
            assert current is not None
            reached = worst(protocol, question, present)
            assert reached is not None
            assert reached > current

    holds()


def test_nothing_is_asked_once_the_emergency_is_plain(protocol: Protocol, talk: Talk) -> None:
    for flag in protocol.red_flags:
        assert next_question(protocol, told(flag, "leg_weakness", "back_pain", "bleeding", "fever")) is None
    _, (reply,) = talk("My leg is weak and I have lost control of my bladder")
    assert reply.custom["disposition"] == "emergency"


@pytest.mark.parametrize(
    "first", ["my back hurts", "my temp is 99.5", "a mild increase in back pain", "the site is sore", "my pain is 5/10"]
)
def test_the_danger_check_comes_before_every_other_question(talk: Talk, first: str) -> None:
    _, (reply,) = talk(first)
    assert reply.custom["type"] == "question"
    assert reply.custom["about"] == "danger_check"


@pytest.mark.parametrize("present", ["leg_weakness", "leg_numbness", "calf_pain", "allergy_mild", "bleeding", "fever"])
def test_what_the_danger_check_asks_is_asked_by_no_question_of_its_own(protocol: Protocol, present: str) -> None:
    assert next_question(protocol, told(present)) is None


def test_both_legs_are_asked_about_before_the_doctor_is_named(protocol: Protocol) -> None:
    question = next_question(protocol, told("leg_weakness", "both_legs"))
    assert question is not None
    assert worst(protocol, question, {"leg_weakness", "both_legs"}) is Disposition.EMERGENCY


def test_not_sure_counts_as_the_dangerous_answer(protocol: Protocol, talk: Talk) -> None:
    for question in protocol.questions.values():
        conversation, _ = talk("not sure", conversation=waiting(question.id, "back_pain"))
        assert conversation.has("present") >= set(question.covers[:1]), question.id


@pytest.mark.parametrize(
    "unsure", ["not sure", "I'm not sure", "maybe", "I don't know", "dunno", "hard to say", "idk", "Not sure", "no clue", "rather not say"]
)
def test_ways_to_be_unsure(talk: Talk, unsure: str) -> None:
    _, (reply,) = talk(unsure, conversation=waiting("bladder_control", "leg_weakness"))
    assert reply.custom["disposition"] == "emergency"


def test_yes_is_always_the_dangerous_answer(protocol: Protocol, talk: Talk) -> None:
    for question in protocol.questions.values():
        if question.scale:
            continue
        yes, _ = talk("yes", conversation=waiting(question.id, "back_pain"))
        no, _ = talk("no", conversation=waiting(question.id, "back_pain"))
        assert yes.has("present") >= set(question.covers[:1]), question.id
        assert no.has("absent") >= set(question.covers), question.id
        assert not no.has("present") & set(question.covers), question.id


def test_every_button_settles_what_it_says(protocol: Protocol, assistant: Assistant, today: date) -> None:
    for question in protocol.questions.values():
        for button in question.buttons:
            for typed in (button.title, button.title.upper(), f" {button.title}. "):
                conversation = waiting(question.id)
                assert settle(protocol, question, conversation, assistant.read(typed, today)).value, (question.id, typed)
                assert conversation.has("present") >= set(button.present), (question.id, typed)
                assert conversation.has("absent") >= set(button.absent), (question.id, typed)


def test_a_button_through_a_whole_turn_does_what_it_says(protocol: Protocol, talk: Talk) -> None:
    for question in protocol.questions.values():
        for button in question.buttons:
            conversation, _ = talk(button.title, conversation=waiting(question.id, "back_pain"))
            assert conversation.has("present") >= set(button.present), (question.id, button.title)
            assert not conversation.has("present") & set(button.absent), (question.id, button.title)


@pytest.mark.parametrize(
    ("typed", "late"),
    [
        ("1", False),
        ("2", False),
        ("two", False),
        ("3", True),
        ("10 days", True),
        ("a week ago", True),
        ("yesterday", False),
        ("today", False),
        ("2 days ago", False),
        ("3 days or more", True),
        ("not sure", True),
        ("about 4 I think", True),
        ("2 weeks", True),
        ("12 hours", False),
        ("monday", False),
        ("last friday", True),
    ],
)
def test_numbers_for_days(talk: Talk, typed: str, late: bool) -> None:
    conversation, _ = talk(typed, conversation=waiting("days_since_procedure", "mild_pain"))
    assert conversation.findings.get("beyond_48_hours") == ("present" if late else "absent")


def test_the_day_of_the_procedure_is_remembered_and_grows_late(assistant: Assistant, today: date) -> None:
    conversation, _ = assistant.respond(Conversation(), assistant.read("The procedure was yesterday", today), today)
    assert conversation.procedure_day == "2024-05-14"
    later = date(2024, 5, 20)
    conversation, _ = assistant.respond(conversation, assistant.read("mild back pain", later), later)
    assert conversation.findings["beyond_48_hours"] == "present"


@pytest.mark.parametrize(
    ("first", "then"),
    [("I have a fever", "no fever"), ("I have chills", "I do not have chills"), ("my leg is weak", "my leg is not weak")],
)
def test_a_contradiction_is_settled_to_the_more_urgent(talk: Talk, first: str, then: str) -> None:
    conversation, _ = talk(first)
    before = conversation.has("present")
    conversation, _ = talk(then, conversation=conversation)
    assert conversation.has("present") >= before


def test_denied_first_and_then_reported_is_present(talk: Talk) -> None:
    conversation, replies = talk("no chest pain, my back hurts", "actually I have chest pain")
    assert conversation.findings["chest_pain"] == "present"
    assert replies[-1].custom["disposition"] == "emergency"


@pytest.mark.parametrize("text", ["It has begun, as I write this.", "that is exactly me at the minute"])
def test_a_plain_claim_answers_a_question_with_yes(talk: Talk, text: str) -> None:
    conversation, (reply,) = talk(text, conversation=waiting("chest"))
    assert conversation.findings["chest_pain"] == "present"
    assert reply.custom["disposition"] == "emergency"


def test_gone_does_not_become_denied_but_may_come_back() -> None:
    conversation = Conversation()
    conversation.record("fever", "resolved", "my fever went away")
    conversation.record("fever", "absent", "no")
    assert conversation.findings["fever"] == "resolved"
    conversation.record("fever", "present", "fever is back")
    assert conversation.findings["fever"] == "present"


@pytest.mark.parametrize(
    "answer",
    [
        "No, but I have chest pain",
        "no. I can't breathe",
        "No, I wet the bed last night",
        "no but I passed out this morning",
        "8, and my groin is numb",
        "2 days ago. I have lost control of my bowels",
        "I can't pee",
        "none of these but I want to die",
        "what? I can't breathe",
    ],
)
@pytest.mark.parametrize("question", ["days_since_procedure", "legs_worse", "throat", "breath"])
def test_a_red_flag_in_an_answer_ends_the_interview_at_once(talk: Talk, question: str, answer: str) -> None:
    conversation, (reply,) = talk(answer, conversation=waiting(question, "back_pain"))
    assert reply.custom["type"] == "triage"
    assert reply.custom["disposition"] == "emergency"
    assert conversation.pending == ""


def test_an_answer_that_holds_a_new_finding_counts_for_both(talk: Talk) -> None:
    conversation, _ = talk("No. I have a rash", conversation=waiting("bladder_control", "leg_weakness"))
    assert conversation.findings["allergy_mild"] == "present"


def test_a_no_with_something_behind_it_that_was_not_heard_is_no_denial(talk: Talk) -> None:
    conversation, (reply,) = talk("no but the pad gets a bit yellow", conversation=waiting("bladder_control", "leg_weakness"))
    assert conversation.findings.get("bladder_bowel") != "absent"
    assert conversation.pending == "bladder_control"
    assert reply.custom["type"] == "question"


def asked(text: str, intent: str, probability: float = 0.9) -> Reading:
    rest = (("out_of_scope", round((1 - probability) / 2, 3)), ("greet", round((1 - probability) / 2, 3)))
    return Reading(text=text, opinions=(Opinion(0, len(text), ((intent, probability), *rest)),))


@pytest.mark.parametrize(
    ("text", "intent", "kind"),
    [
        ("can I use an ice pack on it?", "ask_ice", "faq"),
        ("when may I walk and bend again?", "ask_activity", "faq"),
        ("may I take a hot shower today?", "ask_not_in_leaflet", "not_in_leaflet"),
        ("what illness do you think it is?", "ask_diagnosis", "not_in_leaflet"),
    ],
)
def test_a_question_during_an_interview_keeps_the_pending_one(
    protocol: Protocol, assistant: Assistant, check_reply: CheckReply, today: date, text: str, intent: str, kind: str
) -> None:
    before = waiting("bladder_control", "leg_weakness")
    after, reply = assistant.respond(before, asked(text, intent), today)
    check_reply(reply)
    question = protocol.questions["bladder_control"]
    assert reply.custom["type"] == kind
    assert reply.text.endswith(question.text)
    assert reply.custom["about"] == question.about
    assert after.pending == "bladder_control"
    assert not after.repeated
    assert after.asked == before.asked
    _, reply = assistant.respond(after, assistant.read("yes", today), today)
    assert reply.custom["disposition"] == "emergency"


def test_a_question_of_the_patients_own_may_be_put_many_times(assistant: Assistant, today: date) -> None:
    conversation = waiting("bladder_control", "leg_weakness")
    for _ in range(4):
        conversation, reply = assistant.respond(conversation, asked("can I use an ice pack on it?", "ask_ice"), today)
        assert reply.custom["type"] == "faq"
    assert conversation.pending == "bladder_control"


def test_a_topic_behind_an_answer_is_answered_too(assistant: Assistant, today: date) -> None:
    text = "No. Can I use an ice pack on it?"
    opinions = (Opinion(0, len(text), (("ask_ice", 0.8), ("greet", 0.2))),)
    reading = replace(assistant.read(text, today), opinions=opinions)
    after, reply = assistant.respond(waiting("bladder_control", "leg_weakness"), reading, today)
    assert after.findings["bladder_bowel"] == "absent"
    assert "ice pack on the needle site" in reply.text


def test_what_is_not_understood_is_asked_in_other_words_then_by_buttons_and_then_counts_as_dangerous(
    protocol: Protocol, talk: Talk
) -> None:
    for question in protocol.questions.values():
        conversation, (first,) = talk("purple elephants", conversation=waiting(question.id, "leg_weakness"))
        assert first.text.endswith(question.again), question.id
        conversation, (second,) = talk("green elephants", conversation=conversation)
        assert second.custom["about"] == question.about, question.id
        assert second.buttons, question.id
        assert ", ".join(button["title"] for button in second.buttons) in second.text, question.id
        conversation, _ = talk("blue elephants", conversation=conversation)
        assert conversation.has("present") >= set(question.covers[:1]), question.id


@pytest.mark.parametrize("aside", ["hold on a sec", "hello?", "...", "who reads this?", "what does that mean?", "the phone is ringing"])
def test_an_aside_is_no_failed_answer_however_often(talk: Talk, aside: str) -> None:
    conversation, replies = talk(*[aside] * 5, conversation=waiting("bladder_control", "leg_weakness"))
    assert conversation.pending == "bladder_control"
    assert conversation.repeated == 0
    assert all(reply.custom["about"] == "bladder_bowel" and reply.disposition is None for reply in replies)


def test_a_sign_that_was_denied_is_not_asked_about(talk: Talk) -> None:
    _, (reply,) = talk("My leg is weak. I have no chest pain and no numbness in my groin, my breathing is fine.")
    assert reply.custom["disposition"] == "call_doctor"
    assert not {"chest_pain", "breathing", "saddle_numbness"} & set(reply.custom["checks"])
    assert {"bladder_bowel", "walking"} <= set(reply.custom["checks"])


def test_asking_again_starts_from_nothing_after_the_triage(talk: Talk) -> None:
    conversation, replies = interview(talk, "my back hurts", "no")
    assert replies[-1].custom["type"] == "triage"
    assert conversation.asked == []
    assert conversation.pending == ""


def test_every_red_flag_can_be_confirmed(protocol: Protocol) -> None:
    rows = {row.yes for row in protocol.danger_check.rows}
    for flag in protocol.red_flags:
        question = confirming(protocol, flag)
        assert flag in (question.covers if question else rows)


def test_a_doubt_is_asked_about_before_anything_else(assistant: Assistant, protocol: Protocol, today: date) -> None:
    text = "there is something odd in my chest today"
    reading = Reading(text, opinions=(Opinion(0, len(text), (("out_of_scope", 0.6), ("report_chest_pain", 0.4))),))
    conversation, reply = assistant.respond(Conversation(), reading, today)
    assert reply.custom["type"] == "question"
    assert "chest_pain" in protocol.questions[conversation.pending].covers
    _, reply = assistant.respond(conversation, assistant.read("yes", today), today)
    assert reply.custom["disposition"] == "emergency"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("I do", "yes"),
        ("I do not", "no"),
        ("I don't", "no"),
        ("She isn't", "no"),
        ("she has not", "no"),
        ("denies", "no"),
        ("all normal there", "normal"),
        ("no, everything is fine", "normal"),
        ("same as always", "normal"),
        ("nothing new", "normal"),
        ("not normal", "no"),
        ("legs are fine but the left foot drags", ""),
        ("everything is not fine", ""),
    ],
)
def test_what_a_short_answer_says(assistant: Assistant, today: date, text: str, answer: str) -> None:
    assert assistant.read(text, today).answer == answer


def test_the_denial_of_one_sign_leaves_the_row_open_for_the_others(talk: Talk) -> None:
    conversation, replies = talk("My leg is weak, but I have not lost control of my bladder")
    assert conversation.findings["bladder_bowel"] == "absent"
    assert "bladder_bowel" in replies[-1].custom["checks"]
    _, replies = talk("I can not pee", conversation=conversation)
    assert replies[-1].custom["disposition"] == "emergency"
