"""What patients say once they were told to go or to call: putting it off, calling, driving, nobody answering, asking who answers here."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.protocol import Protocol
from aftercare.understanding.reading import Opinion
from tests.core.conftest import CheckReply, Talk

FEVER, ER, CALL_911 = "I have a fever of 101.5", "I wet the bed last night", "I have chest pain"

PUTS_OFF = (
    "ok ill ring them tommorow its late",
    "I'll call on monday",
    "we are going to wait until it gets light, i mean the morning",
    "my wife will phone the office later",
    "calling first thing tomorrow",
    "not bothering anybody tonight",
    "i will see how it goes after lunch",
)
CALLS = (
    "i am calling now",
    "okay calling",
    "my daughter is phoning the clinic",
    "dialing now",
    "ok i will call",
    "ill ring the doctor right away",
)
CALLS_NOT = ("should i call now", "are you calling them now", "the nurse called me", "i will not call", "i keep calling")
DRIVEN = (
    "ok my husband is driving me now. what should i take along",
    "our neighbour takes me there",
    "we are on our way",
    "we're heading to the hospital",
    "i am in the car already",
    "i am driving her to the er",
)
NOT_DRIVEN = (
    "nobody can drive me",
    "i will drive myself",
    "is help on its way",
    "my son can not drive me",
    "how do i get to the er",
    "should my son drive me",
)
NO_LINE_ANSWERS = (
    "the nurse line is not answering",
    "555-0199 does not pick up",
    "i tried 5550199 and nobody picked up",
    "(555) 0199 , nobody answers",
    "the after hours number just rings",
    "no one answers at either number",
    "the night line did not answer either",
)
SPOKE = (
    "ok i talked with the doctor",
    "we got ahold of the nurse",
    "the clinic phoned me back",
    "my daughter reached the office",
    "they answered",
    "i got through to them",
)
SPOKE_NOT = (
    "i could not reach the doctor",
    "did the nurse call back",
    "i reached the voicemail",
    "i spoke to the doctor last week",
    "i would like to talk to the nurse",
    "i got through to a recording",
)
ASKS_WHAT_NEXT = ("ok what now", "and now what", "so what do i do", "what should i do now", "what's the next step then")
SOME_LINE_ANSWERS = (
    "which of the two numbers works at night",
    "do both numbers answer on weekends",
    "i called the nurse line and they told me none of this is bad",
    "the nurse phone line says nobody needs to worry",
    "the nurse line did not answer my question",
    "what if nobody answers the night line",
)
ONE_LINE_SILENT = (
    "I was unable to reach anyone there",
    "i cant get anybody to answer",
    "nobody answers",
    "555-0100 does not pick up",
    "i left a message",
    "on hold for half an hour, nobody there",
)


def _text(protocol: Protocol, act: str, advice: str) -> str:
    return protocol.say(f"practical.{act}.{advice}")


def _says(reply: Reply, text: str) -> bool:
    return text in [block.text for block in reply.blocks]


@pytest.mark.parametrize("message", PUTS_OFF)
def test_who_puts_it_off_reads_that_it_cannot_wait(talk: Talk, protocol: Protocol, check_reply: CheckReply, message: str) -> None:
    for told, advice in ((FEVER, "call_doctor"), (ER, "emergency")):
        _, (_, reply) = talk(told, message)
        check_reply(reply)
        assert _says(reply, _text(protocol, "can_wait", advice))
        assert (reply.custom["disposition"], "offers" in reply.custom) == (advice, False)


@pytest.mark.parametrize("message", ["call me tomorrow", "can i get a call tomorrow morning", "will they call me back on monday"])
def test_who_speaks_of_being_called_puts_nothing_off(talk: Talk, protocol: Protocol, message: str) -> None:
    _, (_, reply) = talk(FEVER, message)
    assert not _says(reply, _text(protocol, "can_wait", "call_doctor"))


@pytest.mark.parametrize("message", CALLS)
def test_who_calls_is_acknowledged(talk: Talk, protocol: Protocol, check_reply: CheckReply, message: str) -> None:
    for told, advice in ((FEVER, "call_doctor"), (ER, "emergency")):
        _, (_, reply) = talk(told, message)
        check_reply(reply)
        assert _says(reply, _text(protocol, "will_call", advice))
        assert "cannot call you" not in reply.text


@pytest.mark.parametrize("message", CALLS_NOT)
def test_who_does_not_say_that_they_call_is_not_acknowledged(talk: Talk, protocol: Protocol, message: str) -> None:
    _, (_, reply) = talk(FEVER, message)
    assert not _says(reply, _text(protocol, "will_call", "call_doctor"))


@pytest.mark.parametrize("message", DRIVEN)
def test_who_is_driven_is_not_told_that_a_ride_is_missing(talk: Talk, protocol: Protocol, check_reply: CheckReply, message: str) -> None:
    _, (_, reply) = talk(ER, message)
    check_reply(reply)
    assert _says(reply, _text(protocol, "on_the_way", "go_to_er"))
    assert "They come to you" not in reply.text
    _, (_, reply) = talk(CALL_911, message)
    assert _says(reply, _text(protocol, "on_the_way", "call_911"))
    assert "Go now" not in reply.text


@pytest.mark.parametrize("message", NOT_DRIVEN)
def test_who_is_not_driven_is_not_sent_on_the_way(talk: Talk, protocol: Protocol, message: str) -> None:
    _, (_, reply) = talk(ER, message)
    assert not _says(reply, _text(protocol, "on_the_way", "go_to_er"))


def test_who_is_in_danger_from_themself_is_not_sent_on_the_way(talk: Talk) -> None:
    _, (_, reply) = talk("I want to die", "we are on our way")
    assert "Go now" not in reply.text
    assert "988" in reply.blocks[0].text


@pytest.mark.parametrize("message", NO_LINE_ANSWERS)
def test_where_no_line_answers_the_er_takes_the_place_of_the_doctor(
    talk: Talk, protocol: Protocol, check_reply: CheckReply, message: str
) -> None:
    for told in (FEVER, "I am queasy"):
        _, (_, reply) = talk(told, message)
        check_reply(reply)
        assert reply.blocks[0].text == protocol.say("advice.unreached")
        assert reply.text.startswith("Go to the ER now.")
        assert "Call your doctor" not in reply.text
    _, (_, reply) = talk(ER, message)
    assert _says(reply, _text(protocol, "after_hours_silent", "emergency"))


@pytest.mark.parametrize("message", SOME_LINE_ANSWERS)
def test_where_a_line_may_answer_nobody_is_sent_to_the_er_instead(talk: Talk, protocol: Protocol, message: str) -> None:
    _, (_, reply) = talk(FEVER, message)
    assert not _says(reply, protocol.say("advice.unreached"))


@pytest.mark.parametrize("message", ONE_LINE_SILENT)
def test_where_the_clinic_does_not_answer_the_other_number_is_named(talk: Talk, protocol: Protocol, message: str) -> None:
    _, (_, reply) = talk(FEVER, message)
    assert _says(reply, _text(protocol, "nobody_answers", "call_doctor"))
    assert reply.text.count(protocol.say("stands")) == 1


@pytest.mark.parametrize(
    "later", ["ok", "can it wait until monday", "nobody can drive me", "what now", "still nobody answers", "is there parking"]
)
def test_where_no_line_answers_no_later_answer_sends_to_the_telephone(
    talk: Talk, protocol: Protocol, check_reply: CheckReply, later: str
) -> None:
    _, replies = talk(FEVER, "the nurse line is not answering", later)
    check_reply(replies[-1])
    assert "Go to the ER now." in replies[-1].text
    assert "Call your doctor" not in replies[-1].text
    assert replies[-1].custom.get("disposition", "call_doctor") == "call_doctor"


def test_where_no_line_answers_more_that_the_doctor_should_hear_goes_to_the_er_too(talk: Talk) -> None:
    _, replies = talk(FEVER, "the nurse line is not answering", "my calf is swollen and hurts")
    assert replies[-1].text.startswith("Go to the ER now.")
    _, replies = talk(FEVER, "the nurse line is not answering", "now I have chest pain")
    assert replies[-1].custom["disposition"] == "emergency"


@pytest.mark.parametrize("message", SPOKE)
def test_who_spoke_to_the_doctor_is_not_sent_to_the_telephone_again(
    talk: Talk, protocol: Protocol, check_reply: CheckReply, message: str
) -> None:
    for before in ((FEVER,), (FEVER, "the nurse line is not answering")):
        _, replies = talk(*before, message, "are you a robot")
        for reply in replies[-2:]:
            check_reply(reply)
            assert protocol.say("stands") not in reply.text
        assert _says(replies[-2], _text(protocol, "spoken", "call_doctor"))
    _, replies = talk(FEVER, message, "now my calf is swollen and hurts")
    assert replies[-1].text.startswith("Call your doctor now")
    _, replies = talk(ER, message)
    assert "Go to the ER now" in replies[-1].text


@pytest.mark.parametrize("message", SPOKE_NOT)
def test_who_did_not_speak_to_the_doctor_reads_the_advice_again(talk: Talk, protocol: Protocol, message: str) -> None:
    _, (_, reply) = talk(FEVER, message)
    assert not _says(reply, _text(protocol, "spoken", "call_doctor"))
    assert "Call your doctor" in reply.text


@pytest.mark.parametrize("message", ASKS_WHAT_NEXT)
def test_who_asks_what_comes_next_reads_the_advice_again(talk: Talk, protocol: Protocol, check_reply: CheckReply, message: str) -> None:
    for told, advice in ((FEVER, "call_doctor"), (ER, "emergency")):
        _, (_, reply) = talk(told, message)
        check_reply(reply)
        assert _says(reply, _text(protocol, "what_next", advice))
        assert reply.custom["disposition"] == advice


@pytest.mark.parametrize("message", ["what should i do about the itching", "what do i do if it swells", "what can i take"])
def test_who_asks_about_something_else_does_not_ask_what_comes_next(talk: Talk, protocol: Protocol, message: str) -> None:
    _, (_, reply) = talk(FEVER, message)
    assert not _says(reply, _text(protocol, "what_next", "call_doctor"))


@pytest.mark.parametrize("message", ["are you the nurse", "is this a robot", "am I talking to a person"])
def test_who_asks_in_an_emergency_reads_that_it_is_a_program_and_the_emergency_again(talk: Talk, protocol: Protocol, message: str) -> None:
    _, (_, reply) = talk(ER, message)
    assert reply.text.startswith("This is an emergency.")
    assert _says(reply, protocol.say("program"))
    assert _says(reply, protocol.say("emergency_stands"))
    _, (_, reply) = talk(ER, "it happened again")
    assert not _says(reply, protocol.say("program"))


@pytest.mark.parametrize(
    "message",
    ["when will they call me", "how soon do i get my call back", "are they going to call me today", "did the clinic get my request"],
)
def test_who_asks_when_the_call_comes_reads_what_is_known(talk: Talk, protocol: Protocol, check_reply: CheckReply, message: str) -> None:
    _, (_, reply) = talk("have a nurse call me", message)
    check_reply(reply)
    assert (reply.custom["type"], reply.text) == ("chat", protocol.say("about_chat.when_called"))


@pytest.mark.parametrize("message", ["when should i call the doctor", "when do i have to call you"])
def test_who_asks_when_to_call_is_not_told_of_a_request(talk: Talk, protocol: Protocol, message: str) -> None:
    _, (reply,) = talk(message)
    assert protocol.say("about_chat.when_called") not in reply.text


@pytest.mark.parametrize(
    "message",
    [
        "wrong number, it is 312 555 0148",
        "my cell is 312-555-0148",
        "sorry, i typed the wrong number",
        "the correct number is 773 555 0150",
        "moms number changed",
    ],
)
def test_who_leaves_a_number_is_shown_the_form(talk: Talk, protocol: Protocol, check_reply: CheckReply, message: str) -> None:
    _, (reply,) = talk(message)
    check_reply(reply)
    assert (reply.custom["type"], reply.custom["offers"], reply.text) == ("chat", ["callback"], protocol.say("about_chat.leaves_number"))


@pytest.mark.parametrize("message", ["my pain number is 7", "my temperature number is 3 over normal", "the wrong number of pills"])
def test_another_figure_is_no_telephone_number(talk: Talk, protocol: Protocol, message: str) -> None:
    _, (reply,) = talk(message)
    assert protocol.say("about_chat.leaves_number") not in reply.text


@pytest.mark.parametrize("message", ["my cell is 312 555 0100, nobody told you", "my phone is (312) 555-0199"])
def test_a_number_that_ends_like_the_clinics_is_the_patients(talk: Talk, message: str) -> None:
    _, (reply,) = talk(message)
    assert reply.custom["offers"] == ["callback"]


def test_a_question_beside_a_number_is_answered_too(assistant: Assistant, protocol: Protocol, check_reply: CheckReply, today: date) -> None:
    text = "my cell is 312 664 7665, can I use ice"
    heard = replace(assistant.read(text, today), opinions=(Opinion(0, len(text), (("ask_ice", 0.99),)),))
    _, reply = assistant.respond(Conversation(), heard, today)
    check_reply(reply)
    assert (reply.custom["type"], reply.custom["offers"]) == ("faq", ["callback"])
    assert _says(reply, protocol.say("about_chat.leaves_number"))


@pytest.mark.parametrize("message", ["ok i will call", "hm"])
def test_nothing_stands_before_something_was_advised(talk: Talk, protocol: Protocol, check_reply: CheckReply, message: str) -> None:
    _, (asked, reply) = talk("both legs feel numb", message)
    check_reply(reply)
    assert asked.custom["about"] == reply.custom["about"]
    assert protocol.say("stands") not in reply.text


@pytest.mark.parametrize(
    "message",
    ["i already called 911", "our neighbor phoned the ambulance and they are coming", "the paramedics are here now", "help is on the way"],
)
def test_to_whom_help_is_coming_is_not_told_to_call_it_again(talk: Talk, protocol: Protocol, check_reply: CheckReply, message: str) -> None:
    for told in (ER, CALL_911):
        _, (_, reply) = talk(told, message)
        check_reply(reply)
        assert reply.text == _text(protocol, "help_coming", "emergency")
        assert reply.custom["disposition"] == "emergency"
    _, replies = talk(CALL_911, message, "thanks")
    assert replies[-1].custom["disposition"] == "emergency"


@pytest.mark.parametrize("message", ["ambulance coming?", "did you call 911 for me", "is help on the way", "have you sent somebody"])
def test_who_asks_whether_help_is_coming_reads_that_the_chat_calls_nobody(
    talk: Talk, protocol: Protocol, check_reply: CheckReply, message: str
) -> None:
    for told, level in ((CALL_911, "emergency"), ("i have a fever of 102", "always")):
        _, (first, reply) = talk(told, message)
        check_reply(reply)
        assert reply.custom["disposition"] == first.custom["disposition"]
        assert _says(reply, _text(protocol, "help_asked", level))


@pytest.mark.parametrize(
    "message",
    [
        "should i call an ambulance",
        "is the ambulance coming",
        "i have not called 911",
        "they are coming for dinner",
        "ambulance coming?",
        "so the paramedics are coming to me now?",
        "you called an ambulance right",
        "waiting for you, have you called 911",
        "i hope the ambulance is coming",
        "i almost called 911",
        "i called 911 and hung up",
        "the ambulance came and left",
        "i called 911 for my cat",
        "the ambulance is coming and i am worse",
    ],
)
def test_to_whom_no_help_is_coming_is_told_to_call(talk: Talk, message: str) -> None:
    _, (_, reply) = talk(CALL_911, message)
    assert "Call 911 now" in reply.text


@pytest.mark.parametrize("message", ["when will the nurse call", "nobody phoned me yet"])
def test_who_waits_for_the_call_reads_when_nurses_read(talk: Talk, protocol: Protocol, message: str) -> None:
    _, (_, reply) = talk("have a nurse call me", message)
    assert reply.text == protocol.say("about_chat.when_called")


def test_a_question_about_a_red_flag_goes_before_less_urgent_news(talk: Talk, protocol: Protocol, check_reply: CheckReply) -> None:
    asked = Conversation(pending="too_sleepy", asked=["too_sleepy"])
    after, (reply,) = talk("temperature 101.5 this morning", conversation=asked)
    check_reply(reply)
    assert (reply.custom["type"], reply.custom["about"], after.pending) == ("question", "other_symptoms", "too_sleepy")
    assert _says(reply, protocol.say("first_this"))
    _, (reply,) = talk("No", conversation=after)
    assert reply.custom["disposition"] == "call_doctor"


def test_news_is_no_evidence_of_the_sign_that_was_asked_about(talk: Talk, protocol: Protocol, check_reply: CheckReply) -> None:
    news = "fever of 101"
    after, replies = talk("sore", "no fever, chest pain", "my site is red", "and there is pus", news)
    check_reply(replies[-1])
    assert replies[-1].custom["disposition"] == "emergency"
    assert after.evidence["fever"] == "fever"
    assert news not in after.evidence.get("chest_pain", "")
    assert _says(replies[-1], protocol.say("broken_off"))


def test_who_may_wish_to_be_dead_is_asked_by_itself_and_reads_the_crisis_line(
    assistant: Assistant, protocol: Protocol, check_reply: CheckReply, today: date
) -> None:
    text = "I want to die when I see that soup. may I use an ice pack?"
    idiom, asks = Opinion(0, 35, (("idiom", 0.99),)), Opinion(35, len(text), (("ask_ice", 0.99),))
    opinions = (Opinion(0, len(text), (("ask_ice", 0.98),)), idiom, asks)
    _, reply = assistant.respond(Conversation(), replace(assistant.read(text, today), opinions=opinions), today)
    check_reply(reply)
    assert (reply.custom["type"], reply.blocks[0].text) == ("question", protocol.say("confirm_harm"))
    assert "988" in reply.text


def test_the_crisis_line_stands_also_where_that_is_asked_again(talk: Talk, check_reply: CheckReply) -> None:
    asked = Conversation(pending="safe_from_harm", asked=["safe_from_harm"])
    _, (reply,) = talk("purple elephants dance", conversation=asked)
    check_reply(reply)
    assert reply.custom["type"] == "question"
    assert "988" in reply.text
