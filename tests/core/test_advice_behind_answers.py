"""The advice to call the doctor stands behind every answer of another kind, once; words that are no report are not answered twice alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.danger_check import NAME
from aftercare.decision.reply import Reply
from aftercare.protocol import Protocol
from aftercare.understanding.reading import Opinion
from tests.core.conftest import CheckReply, Talk

FEVER = "I have a fever of 101.5"
# What is said, and what the classifier takes it for.
ANSWERED = (
    ("is a hot bath allowed", "ask_not_in_leaflet", "not_in_leaflet"),
    ("so what is wrong with me", "ask_diagnosis", "not_in_leaflet"),
    ("how is the cement made", "ask_cement", "faq"),
    ("what about the baseball game", "out_of_scope", "out_of_scope"),
    ("bless you for helping", "thank", "chat"),
    ("good night then and so long everybody", "goodbye", "chat"),
    ("the man next door has gout", "report_other_person", "out_of_scope"),
)
SAID_BESIDE = (
    "who reads this",
    "do you save this chat",
    "have a nurse call me",
    "my number is 312 555 0148",
    "lol",
    "hold on",
)


def _after_advice(assistant: Assistant, today: date, text: str, intent: str, told: str = FEVER) -> Reply:
    conversation, _ = assistant.respond(Conversation(), assistant.read(told, today), today)
    heard = replace(assistant.read(text, today), opinions=(Opinion(0, len(text), ((intent, 0.99),)),))
    return assistant.respond(conversation, heard, today)[1]


def _standing(protocol: Protocol, reply: Reply) -> int:
    """Where the advice stands: how many blocks come behind it; fails where it does not stand once."""
    texts = [block.text for block in reply.blocks]
    assert texts.count(protocol.say("stands")) == 1
    place = texts.index(protocol.say("stands"))
    assert texts[place + 1] == protocol.say("advice.call_clinic").partition("\n")[0]
    return len(texts) - place - 2


@pytest.mark.parametrize(("text", "intent", "kind"), ANSWERED)
def test_the_advice_stands_behind_what_is_answered(
    assistant: Assistant, today: date, protocol: Protocol, check_reply: CheckReply, text: str, intent: str, kind: str
) -> None:
    reply = _after_advice(assistant, today, text, intent)
    check_reply(reply)
    assert (reply.custom["type"], reply.custom["about"], _standing(protocol, reply)) == (kind, NAME, 1)


@pytest.mark.parametrize("text", SAID_BESIDE)
def test_the_advice_stands_behind_what_is_said_beside_it(talk: Talk, protocol: Protocol, check_reply: CheckReply, text: str) -> None:
    _, (_, reply) = talk(FEVER, text)
    check_reply(reply)
    assert (reply.custom["type"] != "triage", _standing(protocol, reply)) == (True, 1)


def test_without_advice_nothing_stands(assistant: Assistant, today: date, protocol: Protocol) -> None:
    for told in ("hello", "the needle site is sore"):
        for text, intent, _ in ANSWERED:
            assert protocol.say("stands") not in _after_advice(assistant, today, text, intent, told).text


def test_advice_that_was_not_given_yet_does_not_stand(talk: Talk, protocol: Protocol) -> None:
    conversation, (_, reply) = talk("both my legs are numb", "who reads this")
    assert (conversation.pending, conversation.disposition) == ("legs_worse", "")
    assert protocol.say("stands") not in reply.text


def test_what_is_no_report_is_answered_in_other_words_the_second_time(assistant: Assistant, today: date, check_reply: CheckReply) -> None:
    heard = replace(assistant.read("idk", today), opinions=(Opinion(0, 3, (("unsure", 0.96),)),))
    conversation, first = assistant.respond(Conversation(), heard, today)
    replies = []
    for _ in range(5):
        conversation, reply = assistant.respond(conversation, heard, today)
        check_reply(reply)
        replies.append(reply)
    details = assistant.protocol.clinic.details
    assert all(reply.text != first.text and reply.custom["offers"] == ["callback"] for reply in replies)
    assert all(details[name] in replies[0].text for name in ("phone", "after_hours_phone", "emergency_number"))
    assert conversation.findings == {}


def test_what_was_no_report_costs_the_danger_check_no_try(assistant: Assistant, today: date) -> None:
    heard = replace(assistant.read("idk", today), opinions=(Opinion(0, 3, (("unsure", 0.96),)),))
    conversation, _ = assistant.respond(Conversation(), heard, today)
    conversation, _ = assistant.respond(conversation, assistant.read("can I use ice", today), today)
    asked = replace(assistant.read("is a bath ok", today), opinions=(Opinion(0, 12, (("ask_not_in_leaflet", 0.99),)),))
    conversation, reply = assistant.respond(conversation, asked, today)
    assert reply.custom["about"] == NAME
    assert conversation.repeated == 0


def test_words_about_advice_that_nobody_gave_are_no_answer_to_the_question_that_waits(assistant: Assistant, today: date) -> None:
    heard = replace(assistant.read("i will call now", today), opinions=(Opinion(0, 15, (("affirm", 0.4),)),))
    conversation = Conversation(pending="fainted", asked=["fainted"])
    for tries in (1, 2):
        conversation, reply = assistant.respond(conversation, heard, today)
        assert (conversation.pending, conversation.repeated) == ("fainted", tries)
        assert assistant.protocol.say("greeting") not in reply.text
    _, reply = assistant.respond(conversation, heard, today)
    assert reply.custom["disposition"] == "emergency"
