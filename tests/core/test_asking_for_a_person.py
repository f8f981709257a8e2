"""Who asks for a person or a call reads whom to call, and may be offered a call back; who only speaks of one is answered as ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from aftercare import wire
from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.danger_check import NAME
from aftercare.decision.reply import Reply
from aftercare.protocol import Protocol
from aftercare.understanding.reading import Opinion, Reading
from tests.core.conftest import CheckReply, Talk

OFFER = ["callback"]
Shares = dict[str, float]

REQUESTS = (
    "have someone call me",
    "can a nurse call my daughter at (708) 555-0123",
    "i want to talk to a real nurse",
    "call me back please 312 555 0177",
    "is there somebody i can speak to",
    "please have a nurse call me back at (312) 555-0177",
    "you are useless, let me talk to a human",
    "Are you a real person? Let me speak to somebody.",
    "I do not want to talk to a robot, let me talk to a nurse",
    "call me",
    "live agent please",
    "nobody reads this. could somebody give mom a call, 708 555 0133",
)
NO_REQUESTS = (
    "the nurse called me back and said it is fine",
    "should I call the doctor?",
    "when should I call",
    "I called and nobody answers",
    "call 911?",
    "my nurse told me to call",
    "they said they would call me today",
    "please do not call me back",
    "no need to call me",
    "I do not want to talk to a nurse",
    "can you call me a taxi",
    "do I need a nurse at home after this",
    "I'll talk to my doctor tomorrow",
    "can I call you at night",
    "does the nurse phone me when she is ready",
    "are you a real person",
    "is this answered by a nurse or a robot",
    "this chat is useless",
    "do not call me",
)


def _hears(assistant: Assistant, today: date, text: str, whole: Shares, *clauses: tuple[str, Shares]) -> Reading:
    """The lexicon's reading, with what the classifier thinks of the message and of clauses of it."""
    opinions = [Opinion(0, len(text), tuple(whole.items()))]
    opinions += [Opinion(text.index(words), text.index(words) + len(words), tuple(shares.items())) for words, shares in clauses]
    return replace(assistant.read(text, today), opinions=tuple(opinions))


def _first(assistant: Assistant, today: date, text: str, whole: Shares, *clauses: tuple[str, Shares]) -> Reply:
    return assistant.respond(Conversation(), _hears(assistant, today, text, whole, *clauses), today)[1]


@pytest.fixture
def whom_to_call(protocol: Protocol) -> str:
    return protocol.say("about_chat.wants_person")


@pytest.mark.parametrize("message", REQUESTS)
def test_a_request_is_answered_with_whom_to_call(talk: Talk, check_reply: CheckReply, whom_to_call: str, message: str) -> None:
    conversation, (reply,) = talk(message)
    check_reply(reply)
    assert (reply.custom["type"], reply.custom["offers"], reply.text) == ("chat", OFFER, whom_to_call)
    assert conversation.findings == {}


@pytest.mark.parametrize("message", NO_REQUESTS)
def test_what_only_speaks_of_a_call_is_no_request(talk: Talk, whom_to_call: str, message: str) -> None:
    _, (reply,) = talk(message)
    assert "offers" not in reply.custom
    assert whom_to_call not in reply.text


def test_the_answer_names_every_number_and_promises_no_call(protocol: Protocol, whom_to_call: str) -> None:
    details = protocol.clinic.details
    assert all(details[name] in whom_to_call for name in ("phone", "hours", "after_hours_phone", "emergency_number"))
    assert "computer program" in whom_to_call
    assert "will call" not in whom_to_call


def test_an_offer_survives_the_wire(talk: Talk) -> None:
    _, (reply,) = talk("have someone call me")
    assert wire.parse([{"text": reply.text, "custom": reply.wire}]) == reply
    with pytest.raises(wire.WireError, match="offers"):
        wire.parse([{"text": reply.text, "custom": {**reply.wire, "offers": "callback"}}])


def test_who_asks_what_answers_here_reads_that_it_is_a_program(talk: Talk, protocol: Protocol) -> None:
    for message in ("are you a real person", "am I talking to a nurse"):
        _, (reply,) = talk(message)
        assert reply.text == protocol.say("about_chat.real_person")


def test_a_symptom_goes_first(talk: Talk, whom_to_call: str) -> None:
    _, (reply,) = talk("my leg is numb, have a nurse call me")
    assert (reply.custom["disposition"], reply.custom["offers"]) == ("call_doctor", OFFER)
    assert whom_to_call not in reply.text
    _, (reply,) = talk("I have chest pain, please call me at 312 555 0100")
    assert (reply.custom["disposition"], reply.custom["offers"]) == ("emergency", OFFER)
    assert reply.text.startswith("This is an emergency.")


def test_where_the_answer_waits_for_the_danger_check_whom_to_call_is_said_at_once(talk: Talk, check_reply: CheckReply) -> None:
    _, (reply,) = talk("the needle site is a little sore, have a nurse call me")
    check_reply(reply)
    assert (reply.custom["type"], reply.custom["about"], reply.custom["offers"]) == ("question", NAME, OFFER)
    assert [block.kind for block in reply.blocks] == ["say", "check"]


def test_an_emergency_that_stands_is_said_again(talk: Talk, protocol: Protocol) -> None:
    _, (_, reply) = talk("I have chest pain", "have someone call me")
    assert (reply.custom["disposition"], reply.custom["offers"]) == ("emergency", OFFER)
    assert protocol.say("emergency_stands") in reply.text


def test_nobody_answers_is_answered_beside_the_advice_that_stands(talk: Talk) -> None:
    _, (_, reply) = talk("I have a fever of 101.5", "I called and nobody answers")
    assert "If nobody answers there either, go to the ER." in reply.text
    assert "offers" not in reply.custom


@pytest.mark.parametrize("message", ["call me", "have a nurse call me at +1 312 555 0177", "can I talk to a person, 1-312-555-0104"])
def test_what_waits_for_an_answer_goes_on_waiting(protocol: Protocol, talk: Talk, check_reply: CheckReply, message: str) -> None:
    rows = [row.fact for row in protocol.danger_check.rows]
    waiting = [Conversation(pending=name, asked=[name]) for name in protocol.questions]
    waiting += [Conversation(pending=NAME, asked=[NAME], checks=rows), Conversation(checks=rows[:6])]
    for before in waiting:
        after, (reply,) = talk(message, conversation=before)
        check_reply(reply)
        assert (after.pending, after.checks, after.findings, after.repeated) == (before.pending, before.checks, {}, 0), before
        assert (reply.custom["type"], reply.custom["offers"]) == ("chat", OFFER)
        assert reply.custom["about"] == (protocol.questions[before.pending].about if before.pending in protocol.questions else NAME)


def test_the_classifier_hears_a_request_in_unforeseen_words(assistant: Assistant, today: date, whom_to_call: str) -> None:
    reply = _first(assistant, today, "a voice would do me good", {"call_me": 0.6, "out_of_scope": 0.4})
    assert (reply.custom["type"], reply.custom["offers"], reply.text) == ("chat", OFFER, whom_to_call)
    reply = _first(assistant, today, "a voice would do me good", {"out_of_scope": 0.6, "call_me": 0.4})
    assert "offers" not in reply.custom


def test_a_question_beside_the_request_is_answered_too(assistant: Assistant, today: date, whom_to_call: str) -> None:
    text = "is ice allowed. a voice would do me good"
    clauses = ("is ice allowed", {"ask_ice": 0.9}), ("a voice would do me good", {"call_me": 0.9})
    reply = _first(assistant, today, text, {"ask_ice": 0.7, "call_me": 0.3}, *clauses)
    assert (reply.custom["type"], reply.custom["topic"], reply.custom["offers"]) == ("faq", "ice", OFFER)
    assert whom_to_call in [block.text for block in reply.blocks]


def test_a_red_flag_that_the_classifier_does_not_rule_out_is_asked_about(assistant: Assistant, today: date, whom_to_call: str) -> None:
    text = "have a nurse call me, the waterworks act up"
    reply = _first(assistant, today, text, {"call_me": 0.7, "report_urinary_retention": 0.2, "greet": 0.1})
    assert (reply.custom["type"], reply.custom["about"], reply.custom["offers"]) == ("chat", NAME, OFFER)
    assert reply.blocks[0].text == whom_to_call
    reply = _first(assistant, today, text, {"call_me": 0.98, "report_urinary_retention": 0.02})
    assert "about" not in reply.custom
