"""What the lexicon and the classifier together take a message to say."""

from __future__ import annotations

import typing
from dataclasses import replace
from datetime import date

import pytest

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.protocol import Protocol
from aftercare.understanding.clauses import Clauses
from aftercare.understanding.fusion import Fusion
from aftercare.understanding.reading import Opinion, Reading, Status
from aftercare.understanding.understood import Understood

TODAY = date(2024, 5, 15)
Ranking = dict[str, float]

TWO_SENTENCES = "Thank you for the call. the stairs finish me off."


def reading(assistant: Assistant, text: str, whole: Ranking, *parts: Ranking) -> Reading:
    """A message read by the lexicon, with what the classifier thinks of it and of its clauses."""
    places = Clauses(assistant.protocol.grammar.clauses).pieces(text)
    opinions = [Opinion(0, len(text), tuple(whole.items()))]
    opinions += [Opinion(*place, tuple(part.items())) for place, part in zip(places, parts, strict=True)]
    return replace(assistant.read(text, TODAY), opinions=tuple(opinions))


class Understand(typing.Protocol):
    """A text with the classifier's opinion of it and of its clauses, understood."""

    def __call__(self, text: str, whole: Ranking, *parts: Ranking, measuring: bool = False) -> Understood: ...


@pytest.fixture
def understand(assistant: Assistant, protocol: Protocol) -> Understand:
    def read(text: str, whole: Ranking, *parts: Ranking, measuring: bool = False) -> Understood:
        return Fusion(protocol).understand(reading(assistant, text, whole, *parts), answering=measuring, measuring=measuring)

    return read


def status(understood: Understood, finding: str) -> Status | None:
    return understood.findings.get(finding, (None, ""))[0]


@pytest.mark.parametrize(
    ("meaning", "sure", "expected"),
    [
        ("ask_hypothetical", 0.95, Status.HYPOTHETICAL),
        ("report_resolved", 0.95, Status.RESOLVED),
        ("ask_hypothetical", 0.6, Status.PRESENT),
        ("report_resolved", 0.6, Status.PRESENT),
    ],
)
def test_what_is_surely_supposed_or_gone_is_not_present(understand: Understand, meaning: str, sure: float, expected: Status) -> None:
    understood = understand("chest pain, that one for the list", {meaning: sure, "report_soreness": 1 - sure})
    assert status(understood, "chest_pain") is expected
    assert not understood.doubt


@pytest.mark.parametrize("meaning", ["ask_hypothetical", "report_history", "out_of_scope"])
def test_what_the_patient_claims_behind_a_supposed_sign_is_not_talked_away(understand: Understand, meaning: str) -> None:
    understood = understand("what if I get chest pain, I have it now", {meaning: 0.99})
    assert status(understood, "chest_pain") is Status.PRESENT


@pytest.mark.parametrize(
    ("share", "kind", "complaint"),
    [(0.19, "chat", False), (0.21, "question", True)],
)
def test_words_that_were_not_understood_are_a_complaint_where_reports_have_a_share(
    assistant: Assistant, share: float, kind: str, complaint: bool
) -> None:
    read = reading(assistant, "blorb the fnord", {"ask_cement": 0.29, "report_other_symptom": share, "greet": 0.1})
    conversation, reply = assistant.respond(Conversation(), read, TODAY)
    assert reply.custom["type"] == kind
    assert (reply.custom.get("about") == "danger_check") is complaint
    assert ("other_symptom" in conversation.evidence) is complaint
    assert "555-0100" in reply.text or complaint


@pytest.mark.parametrize(("sure", "asked"), [(0.4, True), (0.6, False)])
def test_what_is_hardly_a_denial_and_names_nothing_is_not_noted_as_one(assistant: Assistant, sure: float, asked: bool) -> None:
    read = reading(assistant, "blorb the fnord", {"deny_symptoms": sure, "report_other_symptom": 0.3})
    _, reply = assistant.respond(Conversation(), read, TODAY)
    assert (reply.custom["type"] == "question") is asked


def test_without_the_classifier_all_that_was_not_understood_may_be_a_complaint(assistant: Assistant) -> None:
    _, reply = assistant.respond(Conversation(), assistant.read("blorb the fnord", TODAY), TODAY)
    assert reply.custom["about"] == "danger_check"


def test_what_has_gone_is_told_to_the_clinic_all_the_same(assistant: Assistant) -> None:
    read = reading(assistant, "chest pain on sunday for a minute and not since", {"report_resolved": 0.97})
    conversation, reply = assistant.respond(Conversation(), read, TODAY)
    assert reply.custom["disposition"] == "call_doctor"
    assert conversation.findings["chest_pain"] == "resolved"


def test_a_faint_stays_an_emergency_when_it_is_over(assistant: Assistant) -> None:
    read = reading(assistant, "fainted on saturday and right as rain after that", {"report_resolved": 0.99})
    _, reply = assistant.respond(Conversation(), read, TODAY)
    assert reply.custom["disposition"] == "emergency"


@pytest.mark.parametrize("meaning", ["idiom", "report_history", "report_other_person", "ask_ice", "out_of_scope"])
def test_a_red_flag_that_the_classifier_takes_for_nothing_is_asked_about(understand: Understand, meaning: str) -> None:
    understood = understand("ha ha I have chest pain", {meaning: 0.99})
    assert status(understood, "chest_pain") is not Status.PRESENT
    assert understood.doubt == "chest_pain"


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("no swelling there, peed in the chair twice", "bladder_bowel"),
        ("no itch, out of breath walking to the sink", "breathless"),
        ("no bruise, slurred speech since noon", "stroke"),
    ],
)
def test_what_stands_behind_a_denied_list_and_is_more_than_a_name_is_not_talked_away(
    assistant: Assistant, protocol: Protocol, text: str, finding: str
) -> None:
    unheard = Opinion(0, len(text), (("deny_symptoms", 0.99),), {finding: 0.002})
    understood = Fusion(protocol).understand(replace(assistant.read(text, TODAY), opinions=(unheard,)), answering=False)
    assert (status(understood, finding), understood.doubt) == (Status.PRESENT, "")


def test_what_may_be_a_part_of_a_denied_list_is_asked_about(understand: Understand) -> None:
    assert understand("no fever, chest pain", {"deny_symptoms": 0.99}).doubt == "chest_pain"


def test_a_finding_for_the_doctor_that_the_whole_message_makes_nothing_of_is_put_aside(understand: Understand) -> None:
    text = "hiccups for hours ha. when may I walk again"
    hiccups, question = {"report_other_symptom": 0.9}, {"ask_activity": 0.9}
    assert status(understand(text, {"ask_activity": 0.98}, hiccups, question), "other_symptom") is not Status.PRESENT
    assert status(understand(text, {"ask_activity": 0.7}, hiccups, question), "other_symptom") is Status.PRESENT


@pytest.mark.parametrize(("sure", "expected"), [(0.99, Status.PRESENT), (0.8, Status.ABSENT)])
def test_a_denial_yields_only_to_a_very_sure_classifier(understand: Understand, sure: float, expected: Status) -> None:
    understood = understand("not a heart attack I am sure just an anvil on me", {"report_chest_pain": sure, "deny_symptoms": 1 - sure})
    assert status(understood, "chest_pain") is expected
    assert expected is Status.PRESENT or understood.doubt == "chest_pain"


@pytest.mark.parametrize(("sure", "expected"), [(0.95, Status.PRESENT), (0.8, None)])
def test_a_red_flag_that_no_clause_supports_must_be_surer(understand: Understand, sure: float, expected: Status | None) -> None:
    parts = {"greet": 0.99}, {"thank": 0.99}
    understood = understand("good morning to you. thank you so much.", {"report_stroke": sure}, *parts)
    assert status(understood, "stroke") is expected
    assert expected is Status.PRESENT or understood.doubt == "stroke"


def test_the_answer_about_a_measure_reports_no_finding_by_the_classifier_alone(understand: Understand) -> None:
    text, meaning = "it will be nine days on monday", {"report_prolonged_pain": 0.95}
    assert status(understand(text, meaning), "back_pain") is Status.PRESENT
    assert status(understand(text, meaning, measuring=True), "back_pain") is None
    assert status(understand(text, {"report_stroke": 0.95}, measuring=True), "stroke") is Status.PRESENT


def test_a_faint_doubt_is_asked_behind_the_answer_to_a_question(assistant: Assistant, protocol: Protocol) -> None:
    text = "I about peed my pants at the magic show. may I use an ice pack?"
    read = reading(assistant, text, {"ask_ice": 0.98}, {"idiom": 0.99}, {"ask_ice": 0.99})
    conversation, reply = assistant.respond(Conversation(), read, TODAY)
    assert (reply.custom["type"], reply.custom["topic"]) == ("faq", "ice")
    assert conversation.pending
    question = protocol.questions[conversation.pending]
    assert "bladder_bowel" in question.covers
    assert reply.text.endswith(question.text)
    assert reply.custom["about"] == question.about
    assert reply.buttons
    _, after = assistant.respond(conversation, assistant.read("yes", TODAY), TODAY)
    assert after.custom["disposition"] == "emergency"


def asked(assistant: Assistant, question: str, text: str, meaning: Ranking, replies: Ranking) -> tuple[Conversation, Reply]:
    """What follows an answer that the answer reader takes for `replies`."""
    known = assistant.protocol.questions[question]
    before = Conversation(findings={"leg_weakness": "present"}, evidence={"leg_weakness": "weak leg"}, asked=[question], pending=question)
    answer = replace(reading(assistant, text, meaning), replies={known.heard_as: tuple(replies.items())})
    return assistant.respond(before, answer, TODAY)


@pytest.mark.parametrize("question", ["bladder_control", "walking"])
@pytest.mark.parametrize("meaning", ["deny_symptoms", "report_history", "deny"])
def test_an_answer_that_tells_of_no_change_settles_the_question(assistant: Assistant, question: str, meaning: str) -> None:
    text = "her ways are what they have been these ten years"
    after, reply = asked(assistant, question, text, {meaning: 0.88}, {"no": 0.95, "yes": 0.01})
    assert reply.custom.get("disposition") == "call_doctor"
    assert after.pending != question
    assert after.has("absent") >= set(assistant.protocol.questions[question].covers)


def test_an_answer_that_may_be_a_yes_settles_nothing(assistant: Assistant) -> None:
    text = "her ways are what they have been, more or less"
    after, reply = asked(assistant, "bladder_control", text, {"deny_symptoms": 0.9}, {"no": 0.6, "yes": 0.3})
    assert after.pending == "bladder_control"
    assert reply.custom["about"] == "bladder_bowel"


def test_a_no_to_the_danger_check_in_which_a_clause_sounds_like_a_red_flag_settles_no_row(assistant: Assistant) -> None:
    text = "her ways are what they have been, more or less"
    for share, settled in ((0.001, True), (0.5, False)):
        conversation, _ = assistant.respond(Conversation(), assistant.read("a bit sore where the needle went in", TODAY), TODAY)
        meaning = {"deny_symptoms": 0.999 - share, "report_stroke": share}
        answer = replace(reading(assistant, text, meaning), replies={"danger_check": (("no", 0.97), ("yes", 0.01))})
        after, _ = assistant.respond(conversation, answer, TODAY)
        assert bool(after.settled) is settled


def test_every_answer_says_how_the_message_was_read(assistant: Assistant) -> None:
    text = "no fever. my neighbor has chest pain. what if my leg gets numb?"
    read = reading(
        assistant, text, {"ask_hypothetical": 0.7, "deny_symptoms": 0.3}, {"report_other_person": 0.9}, {"ask_hypothetical": 0.9}
    )
    _, reply = assistant.respond(Conversation(), read, TODAY)
    understood = reply.custom["understood"]
    assert (understood["meaning"], understood["confidence"]) == ("ask_hypothetical", 0.7)
    found = {finding["code"]: (finding["status"], finding["evidence"]) for finding in understood["findings"]}
    assert found["fever"] == ("absent", "fever")
    assert found["chest_pain"][0] == "other_person"
    assert all(finding["evidence"] in text for finding in understood["findings"])


@pytest.mark.parametrize(
    ("clause", "evidence"),
    [({"report_breathless": 0.4}, "the stairs finish me off."), ({"thank": 0.4, "report_breathless": 0.3}, TWO_SENTENCES)],
)
def test_the_evidence_of_the_classifier_is_the_clause_that_says_it_if_one_does(
    understand: Understand, clause: Ranking, evidence: str
) -> None:
    understood = understand(TWO_SENTENCES, {"report_breathless": 0.99}, {"thank": 0.9}, clause)
    assert understood.findings["breathless"] == (Status.PRESENT, evidence)
    start, end, because = understood.places["breathless"]
    assert (TWO_SENTENCES[start:end], because) == (evidence, "classifier_message")


def test_a_vague_pain_yields_to_one_with_a_degree(assistant: Assistant) -> None:
    text = "my back is hurting since they did it yesterday, a 3 out of 10"
    conversation, reply = assistant.respond(Conversation(), assistant.read(text, TODAY), TODAY)
    assert reply.custom["about"] == "danger_check"
    _, reply = assistant.respond(conversation, assistant.read("none of these", TODAY), TODAY)
    assert reply.custom["disposition"] == "self_care"


def test_a_score_below_severe_denies_severe_pain(assistant: Assistant) -> None:
    mentions = assistant.read("pain is 3/10", TODAY).mentions
    assert ("severe_pain", Status.ABSENT) in [(mention.finding, mention.status) for mention in mentions]
    mentions = assistant.read("pain is 9/10", TODAY).mentions
    assert [(mention.finding, mention.status) for mention in mentions] == [("severe_pain", Status.PRESENT)]


@pytest.mark.parametrize(("sure", "expected"), [(0.99, Status.PRESENT), (0.9, None)])
def test_a_clause_alone_reports_only_when_it_is_very_sure(understand: Understand, sure: float, expected: Status | None) -> None:
    text = "my wife is a handful today. but I am the one with the stabs up high."
    understood = understand(text, {"report_other_person": 0.8}, {"idiom": 0.9}, {"report_new_back_pain": sure})
    assert status(understood, "new_back_pain") is expected


def test_small_talk_in_which_a_red_flag_is_not_out_of_the_question_is_screened(assistant: Assistant) -> None:
    for sure, share, kind in ((0.7, 0.26, "question"), (0.8, 0.1, "out_of_scope"), (0.92, 0.08, "out_of_scope")):
        read = reading(assistant, "well that was quite the evening", {"out_of_scope": sure, "report_stroke": share})
        _, reply = assistant.respond(Conversation(), read, TODAY)
        assert reply.custom["type"] == kind


@pytest.mark.parametrize(
    ("text", "whole", "parts", "expected"),
    [
        (
            "Chest pain on sunday for a while. That has gone by now.",
            "report_resolved",
            ({"report_chest_pain": 0.95}, {"report_resolved": 0.95}),
            "call_doctor",
        ),
        (
            "The squeeze has gone by now. Chest pain again since noon though.",
            "report_resolved",
            ({"report_resolved": 0.95}, {"report_chest_pain": 0.95}),
            "emergency",
        ),
        (
            "I have chest pain right now. What if the leg goes too?",
            "ask_hypothetical",
            ({"report_chest_pain": 0.95}, {"ask_hypothetical": 0.95}),
            "emergency",
        ),
    ],
)
def test_a_red_flag_in_a_clause_of_its_own_is_neither_gone_nor_supposed(
    assistant: Assistant, text: str, whole: str, parts: tuple[Ranking, ...], expected: str
) -> None:
    _, reply = assistant.respond(Conversation(), reading(assistant, text, {whole: 0.9, "report_chest_pain": 0.1}, *parts), TODAY)
    assert reply.custom["disposition"] == expected


def test_a_relative_who_is_said_to_be_the_treated_one_is_no_other_person(understand: Understand) -> None:
    for text, expected in (
        ("my husband has chest pain, he is the one who had the vertebroplasty", Status.PRESENT),
        ("my husband has chest pain, he was at the ball game", Status.OTHER_PERSON),
    ):
        assert status(understand(text, {"report_other_person": 0.95}), "chest_pain") is expected
