from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.protocol import Protocol
from aftercare.understanding.reading import Opinion, Reading, Status
from tests.core.conftest import CheckReply, Talk

RED_FLAGS = {
    "bladder_bowel": "I have lost control of my bladder.",
    "urinary_retention": "I can't pee.",
    "saddle_numbness": "I am numb between my legs.",
    "breathless": "I can't breathe.",
    "chest_pain": "I have chest pain.",
    "paralysis": "I can't move my legs.",
    "cannot_walk": "I can't walk.",
    "allergy_severe": "My throat is swelling.",
    "syncope": "I passed out.",
    "seizure": "I had a seizure.",
    "stroke": "My face is drooping.",
    "confusion": "She is very confused.",
    "severe_bleeding": "The bleeding will not stop.",
    "internal_bleeding": "I am coughing up blood.",
    "oversedation": "She will not wake up.",
    "self_harm": "I want to kill myself.",
}
_BENIGN = (
    "hello thanks nurse soup garden television breakfast blanket window sunny kitchen reading slept quietly coffee music table "
    "Tuesday morning ok good really nice letter purple seven 12 2 walking slowly phone please today sister bread"
)
BENIGN = _BENIGN.split()

MESSAGES = [
    "hello",
    "Hi there!",
    "thanks",
    "bye",
    "are you a robot?",
    "my back hurts",
    "I have a fever",
    "my temp is 101.5",
    "my temp is 99.5",
    "no fever, no chills",
    "I have chest pain",
    "I can't breathe and my leg is numb",
    "the site is sore",
    "there is a bruise at the needle site",
    "What if I get a fever?",
    "Can the cement leak?",
    "My neighbor has a fever",
    "I had chest pain before the procedure",
    "The fever went away",
    "how long does it take",
    "may I take ibuprofen?",
    "what is the weather",
    "I want to die",
    "yes",
    "no",
    "not sure",
    "8",
    "8/10",
    "yesterday",
    "",
    " ",
    "\n\n",
    "...",
    "?",
    "😀😀",
    "/restart",
    '/report_fever{"x":"y"}',
    "No puedo respirar",
    "me duele la espalda mucho desde ayer",
    "мне очень плохо сегодня",
    "我胸口疼",
    "asdf qwer zxcv",
    "<script>alert(1)</script>",
    "{phone} {nobody} %s",
    "my legs are getting worse and worse",
    "both legs",
    "I fell out of bed",
    "a rash on my arms",
    "my calf is swollen",
    "throwing up since noon",
    "None of these",
    "Both legs, and worse",
]


@pytest.mark.parametrize("message", MESSAGES)
def test_the_first_reply_keeps_the_contract(talk: Talk, check_reply: CheckReply, message: str) -> None:
    _, (reply,) = talk(message)
    check_reply(reply)


def states(protocol: Protocol) -> list[Conversation]:
    asked = [
        Conversation(findings={"leg_weakness": "present"}, evidence={"leg_weakness": "weak"}, pending=each, asked=[each], repeated=again)
        for each in protocol.questions
        for again in (0, 1, 2)
    ]
    facts = [row.fact for row in protocol.danger_check.rows]
    checked = [
        Conversation(
            findings={"soreness": "present"},
            evidence={"soreness": "sore"},
            pending="danger_check",
            asked=["danger_check"],
            checks=facts,
            repeated=again,
        )
        for again in (0, 1, 2)
    ]
    return [
        *asked,
        *checked,
        Conversation(checks=facts[:8], findings={"fever": "present"}, evidence={"fever": "fever"}, disposition="call_doctor"),
        Conversation(checks=facts[:3]),
        Conversation(checks=["walking"], supposed=["chest_pain"], unfinished=True),
        Conversation(findings={"chest_pain": "present"}, evidence={"chest_pain": "chest pain"}, disposition="emergency"),
        Conversation(findings={"fever": "present"}, evidence={"fever": "fever"}, disposition="call_doctor"),
        Conversation(findings={"soreness": "present"}, evidence={"soreness": "sore"}, disposition="self_care"),
        Conversation(findings={"fever": "absent", "chills": "hypothetical"}, asked=["throat"]),
        Conversation(procedure_day="2024-05-13"),
        Conversation(procedure_day="2023-05-13", findings={"beyond_48_hours": "present"}),
        Conversation(asked=["danger_check", "walking", "breath", "throat", "chest"], findings={"back_pain": "present"}),
    ]


@pytest.mark.parametrize("message", MESSAGES)
def test_every_reply_in_every_state_keeps_the_contract(protocol: Protocol, talk: Talk, check_reply: CheckReply, message: str) -> None:
    for state in states(protocol):
        before = state.copy()
        after, (reply,) = talk(message, conversation=state)
        check_reply(reply)
        assert state == before
        assert state.has("present") - {"beyond_48_hours"} <= after.has("present")


@pytest.mark.parametrize(("finding", "sentence"), RED_FLAGS.items())
def test_a_red_flag_is_an_emergency_at_once(talk: Talk, check_reply: CheckReply, finding: str, sentence: str) -> None:
    conversation, (reply,) = talk(sentence)
    check_reply(reply)
    assert reply.custom["disposition"] == "emergency"
    assert conversation.findings[finding] == "present"
    assert reply.text.startswith("This is an emergency.")


def test_every_red_flag_has_a_sentence(protocol: Protocol) -> None:
    assert protocol.red_flags - {"red_flag", "severe_illness"} == set(RED_FLAGS)


@pytest.mark.parametrize(
    ("message", "disposition"),
    [
        ("I have a fever of 102", "call_doctor"),
        ("the needle site is red and leaking pus", "call_doctor"),
        ("I have a fever and my legs are weak", "emergency"),
        ("I have a fever and she says I am confused", "emergency"),
        ("fever of 101 and I feel faint", "emergency"),
        ("chest pain but it is mild, no fever", "emergency"),
        ("I fell and now my leg is numb", "emergency"),
        ("both my legs are weak and getting worse", "emergency"),
        ("The chest pain is gone now", "call_doctor"),
        ("My fever went away", "call_doctor"),
        ("I fainted this morning but I am fine now", "emergency"),
        ("Three weeks ago I had the procedure and I have chest pain", "emergency"),
        ("My temp is 101", "call_doctor"),
    ],
)
def test_whole_messages(talk: Talk, message: str, disposition: str) -> None:
    _, (reply,) = talk(message)
    assert reply.custom.get("disposition") == disposition


@pytest.mark.parametrize(
    ("message", "answers", "disposition"),
    [
        ("the site is sore", ["none of these"], "self_care"),
        ("my temp is 99.5", ["none"], "self_care"),
        ("my temp is 99.5", ["only the needle site"], "call_doctor"),
        ("a mild increase in back pain, procedure was yesterday", ["no to all"], "self_care"),
        ("a mild increase in back pain, procedure was 10 days ago", [], "call_doctor"),
        ("mild back pain", ["none of these", "3 days or more"], "call_doctor"),
        ("mild back pain", ["none of these", "Yesterday"], "self_care"),
        ("the site is sore", ["yes", "I do not know which"], "emergency"),
        ("the site is sore", ["4"], "emergency"),
        ("the site is sore", ["no clue", "no clue"], "emergency"),
    ],
)
def test_messages_and_answers(talk: Talk, message: str, answers: list[str], disposition: str) -> None:
    _, replies = talk(message, *answers)
    assert replies[-1].custom.get("disposition") == disposition
    assert all(reply.custom["type"] == "question" for reply in replies[:-1])


# The patient has both legs, or worse legs, in mind, and says no other word for it.
@pytest.mark.parametrize("message", ["my legs are getting worse and worse", "the weakness is spreading to both legs", "my feet feel worse"])
def test_legs_that_get_worse_are_never_counted_as_nothing(talk: Talk, message: str) -> None:
    _, (reply,) = talk(message)
    assert "none of that" not in reply.text.lower()


@pytest.mark.parametrize(
    "later",
    [
        "thanks, it is easing off",
        "thank you",
        "it is gone now",
        "no chest pain any more",
        "I have no chest pain",
        "the needle site is just sore",
        "mild back pain",
        "it was nothing, I feel fine",
        "ok",
        "no",
        "bye",
        "hello",
        "what is vertebroplasty?",
        "What if I get a fever?",
        "...",
        "yesterday",
        "my temp is 98.6",
    ],
)
@pytest.mark.parametrize("first", ["I have chest pain", "I lost control of my bowels", "I want to kill myself"])
def test_an_emergency_stands(talk: Talk, check_reply: CheckReply, first: str, later: str) -> None:
    conversation, replies = talk(first, later, later)
    for reply in replies:
        check_reply(reply)
        assert reply.custom.get("disposition", "emergency") == "emergency"
        assert "emergency" in reply.text
    assert conversation.disposition == "emergency"


def test_nothing_is_quoted_once_an_emergency_stands(assistant: Assistant, talk: Talk, check_reply: CheckReply, today: date) -> None:
    conversation, _ = talk("I have chest pain")
    text = "can I use an ice pack on it?"
    reading = Reading(text, opinions=(Opinion(0, len(text), (("ask_ice", 0.9), ("greet", 0.1))),))
    after, reply = assistant.respond(conversation, reading, today)
    check_reply(reply)
    assert reply.custom["disposition"] == "emergency"
    assert reply.text.startswith("This is an emergency. Call 911 now.")
    assert "ice" not in reply.text
    assert after.disposition == "emergency"


def test_triage_comes_first_and_the_faq_behind(assistant: Assistant, check_reply: CheckReply, today: date) -> None:
    text = "I have a fever. Can I use an ice pack?"
    opinions = (
        Opinion(0, len(text), (("report_fever", 0.6), ("ask_ice", 0.4))),
        Opinion(0, 15, (("report_fever", 0.9), ("ask_ice", 0.1))),
        Opinion(15, len(text), (("ask_ice", 0.9), ("report_fever", 0.1))),
    )
    _, reply = assistant.respond(Conversation(), replace(assistant.read(text, today), opinions=opinions), today)
    check_reply(reply)
    assert reply.custom["type"] == "triage"
    assert reply.text.index("Call your doctor now") < reply.text.index("ice pack on the needle site")


@pytest.mark.parametrize(
    ("intent", "kind"),
    [
        ("greet", "chat"),
        ("thank", "chat"),
        ("goodbye", "chat"),
        ("bot_challenge", "chat"),
        ("upset", "chat"),
        ("ask_ice", "faq"),
        ("ask_when_to_call", "faq"),
        ("ask_hypothetical", "faq"),
        ("ask_not_in_leaflet", "not_in_leaflet"),
        ("ask_diagnosis", "not_in_leaflet"),
        ("report_other_person", "out_of_scope"),
        ("out_of_scope", "out_of_scope"),
        ("idiom", "out_of_scope"),
        ("report_history", "chat"),
        ("report_fever", "triage"),
        ("report_chest_pain", "triage"),
    ],
)
def test_what_each_kind_of_intent_is_answered_with(
    assistant: Assistant, check_reply: CheckReply, today: date, intent: str, kind: str
) -> None:
    text = "some words of a patient here"
    reading = Reading(text, opinions=(Opinion(0, len(text), ((intent, 0.95), ("report_soreness", 0.05))),))
    _, reply = assistant.respond(Conversation(), reading, today)
    check_reply(reply)
    assert reply.custom["type"] == kind


def test_every_faq_intent_is_answered_with_its_topic(
    assistant: Assistant, protocol: Protocol, check_reply: CheckReply, today: date
) -> None:
    for topic in protocol.topics:
        text = "a question of a patient"
        reading = Reading(text, opinions=(Opinion(0, len(text), ((f"ask_{topic}", 0.9), ("greet", 0.1))),))
        _, reply = assistant.respond(Conversation(), reading, today)
        check_reply(reply)
        assert (reply.custom["type"], reply.custom["topic"]) == ("faq", topic)


def test_a_topic_that_quotes_red_flags_says_how_urgent_we_take_them(assistant: Assistant, protocol: Protocol, today: date) -> None:
    """The leaflet has chest pain among the reasons to call the doctor; the decisions say 911."""
    said: dict[str, list[str]] = {"red_flags": [], "others": []}
    for topic in protocol.topics.values():
        text = "a question of a patient"
        reading = Reading(text, opinions=(Opinion(0, len(text), ((f"ask_{topic.id}", 0.9), ("greet", 0.1))),))
        said["red_flags" if topic.red_flags else "others"].append(assistant.respond(Conversation(), reading, today)[1].text)
    assert len(said["red_flags"]) == 3
    assert all(protocol.say("further") in text and protocol.say("watch_list") in text for text in said["red_flags"])
    assert not any(protocol.say("watch_list") in text for text in said["others"])


@pytest.mark.parametrize("finding", ["fever", "chest_pain", "bladder_bowel", "soreness"])
def test_a_supposed_finding_is_information_and_no_alarm(talk: Talk, check_reply: CheckReply, protocol: Protocol, finding: str) -> None:
    label = {"fever": "a fever", "chest_pain": "chest pain", "bladder_bowel": "an accident in bed", "soreness": "soreness"}[finding]
    conversation, (reply,) = talk(f"What if I get {label}?")
    check_reply(reply)
    assert reply.custom["type"] == "faq"
    assert reply.text.startswith("If this ever happens:")
    assert not conversation.has("present")


@pytest.mark.parametrize(
    ("behind", "disposition"),
    [
        ("I have it now", "emergency"),
        ("I have it now and I am scared, thanks", "emergency"),
        ("it has, half an hour ago", "emergency"),
        ("yes just happened", "emergency"),
        ("just did", "emergency"),
        ("just did my stretches", None),
        ("I am just asking", None),
        ("ok so I am fine then", None),
        ("it is good to know", None),
    ],
)
def test_behind_a_supposed_sign_a_claim_is_the_sign_and_a_remark_is_none(talk: Talk, behind: str, disposition: str | None) -> None:
    _, (_, reply) = talk("What if I get chest pain?", behind)
    assert reply.custom.get("disposition") == disposition


def test_a_claim_behind_information_that_names_nothing_is_asked_about(assistant: Assistant, today: date) -> None:
    text = "the neighbor is me, I had one this morning"
    conversation = Conversation(checks=["chest_pain", "other_symptoms"])
    opinions = (Opinion(0, len(text), (("greet", 0.6), ("thank", 0.3))),)
    _, reply = assistant.respond(conversation, replace(assistant.read(text, today), opinions=opinions), today)
    assert reply.custom["about"] == "danger_check"
    assert reply.custom["type"] == "question"


def test_a_present_red_flag_is_not_dropped_by_a_sure_classifier(assistant: Assistant, protocol: Protocol, today: date) -> None:
    text = "ha ha I have chest pain"
    opinions = (Opinion(0, len(text), (("idiom", 0.99), ("report_chest_pain", 0.01))),)
    conversation, reply = assistant.respond(Conversation(), replace(assistant.read(text, today), opinions=opinions), today)
    assert reply.custom["type"] in {"question", "triage"}
    if reply.custom["type"] == "question":
        assert "chest_pain" in protocol.questions[conversation.pending].covers
    else:
        assert reply.custom["disposition"] == "emergency"


def test_the_leaflet_is_quoted_as_the_source(talk: Talk, protocol: Protocol) -> None:
    _, (reply,) = talk("I lost control of my bladder")
    sentence = protocol.sentences["er_bladder_bowel"]
    assert reply.custom["rules"][0] == "loss_of_control"
    assert reply.custom["sources"][0] == sentence.as_source()
    assert sentence.quote in reply.text


def test_chest_pain_is_an_emergency_and_then_for_the_doctor(talk: Talk) -> None:
    _, (reply,) = talk("I have chest pain")
    assert reply.text.index("911") < reply.text.index("your doctor")
    assert "further than the leaflet" in reply.text


def test_the_patients_own_words_are_the_evidence(talk: Talk) -> None:
    _, (reply,) = talk("Since dawn: CHEST   PAIN, no fever")
    found = {each["code"]: each for each in reply.custom["findings"]}
    assert found["chest_pain"]["evidence"] == "CHEST   PAIN"
    assert (found["fever"]["status"], found["fever"]["evidence"]) == ("absent", "fever")


def test_whatever_is_no_emergency_ends_with_the_watch_list(talk: Talk) -> None:
    for message in ("I have a fever", "the site is sore", "I have a cough"):
        _, (reply,) = talk(message)
        assert "Call 911 for chest pain" in reply.text or reply.custom["about"] == "danger_check"


def test_a_command_is_a_patients_words(talk: Talk) -> None:
    conversation, _ = talk("I have chest pain", "/restart")
    assert conversation.findings["chest_pain"] == "present"
    _, (reply,) = talk("/report_fever I can't breathe")
    assert reply.custom["disposition"] == "emergency"


@pytest.mark.parametrize(
    ("custom", "text", "understated"),
    [
        ({"type": "chat"}, "I have chest pain", True),
        ({"type": "triage", "disposition": "self_care"}, "I have chest pain", True),
        ({"type": "faq", "understood": {"findings": [{"finding": "fever", "status": "present"}]}}, "I have chest pain", True),
        ({"type": "faq", "understood": {"findings": [{"finding": "chest_pain", "status": "hypothetical"}]}}, "I have chest pain", False),
        ({"type": "faq", "understood": {"findings": [{"finding": "chest_pain", "status": "present"}]}}, "I have chest pain", True),
        ({"type": "question", "about": "chest_pain"}, "I have chest pain", False),
        ({"type": "faq", "about": "chest_pain"}, "I have chest pain", False),
        ({"type": "triage", "disposition": "emergency"}, "I have chest pain", False),
        ({"type": "chat"}, "I have a fever of 101.5", True),
        ({"type": "triage", "disposition": "self_care"}, "I have a fever of 101.5", True),
        ({"type": "triage", "disposition": "call_doctor"}, "I have a fever of 101.5", False),
        ({"type": "chat"}, "hello", False),
    ],
)
def test_a_reply_that_understates_is_noticed(
    assistant: Assistant, today: date, custom: dict[str, Any], text: str, understated: bool
) -> None:
    reply = Reply.from_wire("an answer", custom)
    assert assistant.understates(reply, assistant.read(text, today)) is understated


def test_a_reply_survives_the_wire(talk: Talk) -> None:
    _, (reply,) = talk("I have a fever of 101.5")
    assert Reply.from_wire(reply.text, reply.wire) == reply
    assert Reply.from_wire("other words", reply.wire).text == "other words"
    assert Reply.from_wire("words", {"type": "chat", "blocks": [3]}).text == "words"


def test_a_conversation_from_outside_is_checked(talk: Talk) -> None:
    conversation, (reply,) = talk("my left leg feels weak")
    assert Conversation.parse(reply.custom["conversation"]) == conversation
    assert Conversation.parse({}) == Conversation()
    malformed: tuple[Any, ...] = (
        None,
        [],
        {"slots": 1},
        {"pending": None},
        {"repeated": "no"},
        {"checks": [1]},
        {"settled": {"walking": 1}},
        {"findings": {"fever": 1}},
        {"asked": [1]},
    )
    for wrong in malformed:
        with pytest.raises(ValueError, match="conversation"):
            Conversation.parse(wrong)


@pytest.mark.parametrize("sentence", RED_FLAGS.values())
def test_is_emergency_agrees_with_the_reply(assistant: Assistant, today: date, sentence: str) -> None:
    assert assistant.is_emergency(assistant.read(sentence, today))


@pytest.mark.parametrize("sentence", ["I have a fever", "no chest pain", "What if I faint?", "hello", ""])
def test_is_emergency_is_quiet(assistant: Assistant, today: date, sentence: str) -> None:
    assert not assistant.is_emergency(assistant.read(sentence, today))


def test_a_red_flag_behind_any_benign_words_is_an_emergency(talk: Talk) -> None:
    @given(data=st.data())
    @settings(max_examples=40)
    def holds(data: st.DataObject) -> None:
        before = " ".join(data.draw(st.lists(st.sampled_from(BENIGN), max_size=30)))
        after = " ".join(data.draw(st.lists(st.sampled_from(BENIGN), max_size=10)))
        join = data.draw(st.sampled_from([". ", "\n", "! ", "? ", ". Also, ", ".\n\n", " ... ", ". And "]))
        sentence = data.draw(st.sampled_from(sorted(RED_FLAGS.values())))
        cases: list[Callable[[str], str]] = [str, str.upper, str.lower, lambda text: text.replace("'", "\u2019")]
        case = data.draw(st.sampled_from(cases))
        _, (reply,) = talk(case(before + join + sentence + " " + after))
        assert reply.custom.get("disposition") == "emergency"

    holds()


def test_a_red_flag_is_an_emergency_in_any_state(protocol: Protocol, talk: Talk) -> None:
    @given(data=st.data())
    @settings(max_examples=30)
    def holds(data: st.DataObject) -> None:
        state = data.draw(conversations(protocol))
        sentence = data.draw(st.sampled_from(sorted(RED_FLAGS.values())))
        _, (reply,) = talk(sentence, conversation=state)
        assert reply.custom["disposition"] == "emergency"

    holds()


def conversations(protocol: Protocol) -> st.SearchStrategy[Conversation]:
    names, questions = sorted(protocol.findings), sorted(protocol.questions)
    findings = st.dictionaries(st.sampled_from(names), st.sampled_from(["present", "absent", "resolved", "hypothetical"]), max_size=6)

    facts = [row.fact for row in protocol.danger_check.rows]

    def build(
        found: dict[str, str], asked: list[str], pending: bool, repeated: int, checks: list[str], days: int | None, writer: str
    ) -> Conversation:
        return Conversation(
            checks=[fact for fact in facts if fact in checks],
            findings=found,
            evidence=dict.fromkeys(found, "my words"),
            asked=asked,
            pending=asked[-1] if pending and asked else "",
            repeated=repeated,
            procedure_day="" if days is None else (date(2024, 5, 15) - timedelta(days=days)).isoformat(),
            writer=writer,
        )

    return st.builds(
        build,
        findings,
        st.lists(st.sampled_from([*questions, "danger_check"]), max_size=5, unique=True),
        st.booleans(),
        st.integers(0, 3),
        st.lists(st.sampled_from(facts), max_size=12),
        st.none() | st.integers(0, 800),
        st.sampled_from(["", "patient", "helper"]),
    )


_REAL_WORDS = (
    "i my she have had no not never without chest pain leg legs numb weak fever chills bladder pee control lost can't cannot breathe "
    "back hurts worse better gone until now before the procedure yesterday if what should neighbor is are was and but or , . ? ! \n "
    "101.5 38,5 8/10 2 days ago yes maybe 😀 💉 \u200b \x00 é { } % / restart"
)
REAL_WORDS = _REAL_WORDS.split(" ")
PIECES = st.sampled_from(REAL_WORDS) | st.text(alphabet=string.printable, max_size=6) | st.characters()
TEXTS = st.text(max_size=150) | st.lists(PIECES, max_size=40).map(" ".join) | st.lists(PIECES, max_size=40).map("".join)


def test_any_text_in_any_state_gets_a_valid_reply(protocol: Protocol, talk: Talk, check_reply: CheckReply) -> None:
    @given(data=st.data())
    @settings(max_examples=150)
    def holds(data: st.DataObject) -> None:
        state = data.draw(conversations(protocol))
        before = state.copy()
        after, replies = talk(*data.draw(st.lists(TEXTS, min_size=1, max_size=2)), conversation=state)
        for reply in replies:
            check_reply(reply)
        assert state == before
        assert after.has("present") >= before.has("present") - {"beyond_48_hours"}
        assert Conversation.from_slots(after.to_slots()) == after

    holds()


def test_any_opinions_get_a_valid_reply(protocol: Protocol, assistant: Assistant, check_reply: CheckReply) -> None:
    @given(data=st.data())
    @settings(max_examples=60)
    def holds(data: st.DataObject) -> None:
        reports = sorted({intent for finding in protocol.findings.values() for intent in finding.intents})
        intents = [*reports, *(f"ask_{topic}" for topic in protocol.topics), "ask_nowhere", "ask_hypothetical", "ask_diagnosis"]
        intents += [
            "ask_not_in_leaflet",
            "deny_symptoms",
            "report_history",
            "report_other_person",
            "idiom",
            "out_of_scope",
            "greet",
            "unknown",
        ]
        text = data.draw(TEXTS)
        today = date(2024, 5, 15)
        names = data.draw(st.lists(st.sampled_from(intents), min_size=1, max_size=4, unique=True))
        share = data.draw(st.floats(0, 1))
        ranking = tuple((each, share / 2**number) for number, each in enumerate(names))
        reading = replace(assistant.read(text, today), opinions=(Opinion(0, len(text), ranking),))
        _, reply = assistant.respond(data.draw(conversations(protocol)), reading, today)
        check_reply(reply)
        assert Reading.from_entities(text, reading.to_entities()) == reading

    holds()


@pytest.mark.parametrize(
    "text",
    [
        "chest pain " * 1000,
        "no " * 2000,
        "a" * 20_000,
        "a b c d e f " * 300,
        "\n" * 5000,
        "!" * 5000,
        "😀" * 3000,
        "1" * 5000,
        "101 " * 1000,
        "\u0301" * 3000,
        "can't " * 1500,
        "\x00" * 3000,
    ],
    ids=lambda text: f"{text[:6]!r} x {len(text)}",
)
def test_a_very_long_text_gets_a_valid_reply(talk: Talk, check_reply: CheckReply, text: str) -> None:
    _, (reply,) = talk(text)
    check_reply(reply)


def test_a_red_flag_at_the_end_of_a_long_text_is_found(talk: Talk) -> None:
    _, (reply,) = talk("The garden is nice. " * 300 + "I can't breathe.")
    assert reply.custom["disposition"] == "emergency"


def test_every_message_of_every_status_is_kept_for_the_wire(talk: Talk) -> None:
    _, replies = talk("no chills. The rash is gone. I have a fever")
    found = {each["code"]: each["status"] for each in replies[-1].custom["findings"] if each["code"] != "other"}
    assert found == {"chills": "absent", "allergy_mild": "resolved", "fever": "present"}


def test_historical_and_other_persons_findings_stay_off_the_wire(talk: Talk) -> None:
    conversation, _ = talk("My neighbor has chest pain")
    assert set(conversation.findings) <= {"beyond_48_hours"}
    conversation, _ = talk("I had chest pain before the procedure")
    assert "chest_pain" not in conversation.has("present")
    assert Status.HISTORICAL.value not in conversation.findings.values()


def test_the_conversation_survives_a_store(talk: Talk) -> None:
    conversation, _ = talk("my leg is weak, procedure was Monday")
    kept = Conversation.from_slots({**conversation.to_slots(), "other_slot": 1, "writer": None})
    assert kept == replace(conversation, writer="")
    assert Conversation.from_slots({}) == Conversation()


def test_a_conversation_of_an_older_protocol_is_still_answered(talk: Talk, check_reply: CheckReply) -> None:
    old = Conversation(findings={"no_such_finding": "present", "fever": "present"}, pending="no_such_question", asked=["no_such_question"])
    _, replies = talk("my back hurts", "I have chest pain", conversation=old)
    for reply in replies:
        check_reply(reply)
    assert replies[-1].custom["disposition"] == "emergency"


def test_a_denial_on_the_wire_stands_beside_no_present_finding_of_its_code(talk: Talk) -> None:
    _, (reply,) = talk("my left leg is weak and I have a fever, no chills")
    statuses = [(entry["code"], entry["status"]) for entry in reply.custom["findings"]]
    assert ("leg_weakness", "present") in statuses
    assert ("leg_weakness", "absent") not in statuses
    assert ("chills", "absent") in statuses
    assert ("leg_weakness", "absent") not in [(entry["code"], entry["status"]) for entry in reply.custom["understood"]["findings"]]


@pytest.mark.parametrize("reported", [None, "soreness", "fever"])
def test_a_question_that_is_left_counts_as_its_more_urgent_answer(assistant: Assistant, protocol: Protocol, reported: str | None) -> None:
    """Triage decisions: a broken-off interview takes the more urgent of the dispositions still possible."""
    urgency = {None: 0, "self_care": 1, "call_doctor": 2, "emergency": 3}
    for question in protocol.questions.values():
        before = Conversation(pending=question.id, asked=[question.id])
        if reported:
            before.record(reported, "present", "my own words")
        kept = before.copy()
        left = assistant.broken_off(before)
        assert left is not None
        after, reply = left
        assert before == kept
        assert after.pending == ""
        _, unsure = assistant.respond(before, Reading("not sure", answer="unsure", bare=True), date.today())
        assert urgency[reply.custom.get("disposition")] >= urgency[unsure.custom.get("disposition")], question.id
        assert {finding["evidence"] for finding in reply.custom.get("findings", ())} <= {"my own words"}, question.id
        assert protocol.say("broken_off") in reply.text


def test_an_emergency_comes_first_also_where_the_interview_was_broken_off(assistant: Assistant) -> None:
    left = assistant.broken_off(Conversation(pending="chest", asked=["chest"]))
    assert left is not None
    assert left[1].custom["disposition"] == "emergency"
    assert left[1].blocks[0].kind == "advice"


def test_where_no_question_waits_nothing_is_broken_off(assistant: Assistant) -> None:
    assert assistant.broken_off(Conversation(asked=["chest"])) is None
    assert assistant.broken_off(Conversation(pending="a question of an older protocol")) is None


@pytest.mark.parametrize("text", ["\ud800", "I have chest pain \udfff", "\ud83d I can't breathe"])
def test_half_a_character_keeps_no_answer_back(assistant: Assistant, today: date, text: str) -> None:
    reading = assistant.read(text, today)
    assert len(reading.text) == len(text)
    _, reply = assistant.respond(Conversation(), reading, today)
    assert (reply.custom.get("disposition") == "emergency") is ("I " in text)
    reply.text.encode()
