"""Two protocols in force side by side: each conversation goes by the one that its page names, in all that the patient gets."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from aftercare.assistant import Assistants
from aftercare.conversation import Conversation
from aftercare.protocol import Library, Protocol
from gateway.dialogue.binding import begun, resumed
from gateway.settings import EmbedKey
from tests.gateway.support import (
    API,
    EVIL,
    HARMLESS,
    HOME,
    RED_FLAG,
    RED_FLAG_OF_SECOND,
    SECOND,
    SECOND_CLINIC,
    SECOND_KEY,
    SECOND_PHONE,
    Clock,
    Door,
    Json,
    Patient,
    is_emergency,
    new_id,
    refused,
    stored,
)

_PHONE = "555-0100"
_FIRST = ("vertebroplasty", "en")
_SECOND = (SECOND, "en")


@pytest.fixture
def second(two: Door) -> Patient:
    """A patient on the page of the second protocol."""
    return two.patient(SECOND_KEY)


@pytest.fixture
def first(two: Door) -> Patient:
    return two.patient()


def _facts(door: Door, patient: Patient, text: str) -> Json:
    """What is on record of the answer to a message."""
    return dict(door.recorded(patient, patient.say(text)["reply_to"]).facts)


def test_a_conversation_is_bound_to_what_its_embed_key_names(two: Door, first: Patient, second: Patient) -> None:
    """The page of the second one speaks Spanish, and its protocol does not."""
    assert [two.records.bound(two.name(each)) for each in (first, second)] == [_FIRST, _SECOND]
    session = two.records.session(second.token)
    assert session is not None
    assert (session.bound, session.protocol, session.language) == (_SECOND, SECOND, "en")


@pytest.mark.parametrize("by", ["rasa", "core"])
def test_each_is_answered_by_its_own_protocol(by: str, two: Door, first: Patient, second: Patient) -> None:
    two.rasa.act = two.rasa.well if by == "rasa" else two.rasa.down
    facts = [_facts(two, each, RED_FLAG) for each in (first, second)]
    assert [each["by"] for each in facts] == [by, by]
    assert [each["rules"][0] for each in facts] == ["chest_pain", "second_chest_pain"]
    assert [each["protocol"]["id"] for each in facts] == ["vertebroplasty", SECOND]
    assert "Why: second chest pain." in str(second.events()[-1]["blocks"])
    assert second.events()[-1]["protocol"]["id"] == SECOND


def test_words_that_alarm_by_one_protocol_alone_alarm_only_there(two: Door, first: Patient, second: Patient) -> None:
    two.rasa.act = two.rasa.down
    assert not is_emergency(first.say(RED_FLAG_OF_SECOND))
    assert is_emergency(second.say(RED_FLAG_OF_SECOND))


def test_rasa_that_overlooks_what_the_conversations_protocol_calls_an_emergency_is_overruled(two: Door, second: Patient) -> None:
    two.rasa.twist(lambda messages: [{**each, "custom": {**each["custom"], **_CHAT}} for each in messages])
    facts = _facts(two, second, RED_FLAG_OF_SECOND)
    assert (facts["by"], facts["cause"], facts["rules"]) == ("core", "understated", ["second_chest_pain", "chest_pain"])


_CHAT: Json = {"type": "chat", "disposition": None, "rules": [], "understood": {"findings": []}}


def test_rasa_is_told_with_every_message_what_it_is_bound_to(two: Door, first: Patient, second: Patient) -> None:
    for patient in (first, second):
        patient.say(HARMLESS)
        patient.say("thank you")
    heard = [(body["protocol"], body["language"], "conversation" in body) for body in two.rasa.heard]
    assert heard == [(*_FIRST, False), (*_FIRST, False), (*_SECOND, False), (*_SECOND, False)]


def test_a_conversation_that_begins_is_not_taken_for_forgotten(two: Door, second: Patient) -> None:
    second.say(HARMLESS)
    assert len(two.rasa.heard) == 1


def test_a_conversation_that_rasa_forgot_is_told_with_its_binding(two: Door, second: Patient) -> None:
    second.say(HARMLESS)
    two.rasa.forget()
    second.say("my back hurts too")
    assert len(two.rasa.heard) == 3
    told = Conversation.parse(two.rasa.heard[-1]["conversation"])
    assert (told.protocol, told.language) == _SECOND


def test_a_rasa_that_answers_by_another_protocol_is_not_believed(
    open_door: Callable[..., Door], both: Library, two_keys: dict[str, EmbedKey]
) -> None:
    """It knows the first one alone."""
    door = open_door(library=both, embed_keys=two_keys)
    facts = [_facts(door, door.patient(key), RED_FLAG) for key in ("demo", SECOND_KEY)]
    assert [(each["by"], each["cause"]) for each in facts] == [("rasa", ""), ("core", "other_protocol")]
    assert facts[1]["rules"][0] == "second_chest_pain"


def test_a_rasa_that_answers_in_another_language_is_not_believed(two: Door, second: Patient) -> None:
    two.rasa.twist(lambda messages: [{**each, "custom": {**each["custom"], "language": "es"}} for each in messages])
    assert _facts(two, second, RED_FLAG)["cause"] == "other_protocol"


def test_rows_of_the_danger_check_are_those_of_its_protocol(first: Patient, second: Patient) -> None:
    checks = [each.say(HARMLESS)["check"]["rows"][0]["text"] for each in (first, second)]
    assert checks == ["Chest pain or pressure?", "Second chest pain or pressure?"]


def test_a_row_that_is_answered_yes_is_on_record_by_its_protocol(two: Door, second: Patient) -> None:
    answer = second.answer_to(stored(second.tick(second.say(HARMLESS)["check"], {"Second chest pain": "yes"})))
    facts = two.recorded(second, answer["reply_to"]).facts
    assert facts["rules"][0] == "second_chest_pain"
    assert facts["rows"]["chest_pain"] == "yes"


def test_a_question_waits_as_long_as_its_own_protocol_says(two: Door, first: Patient, second: Patient, clock: Clock) -> None:
    asked = {each.token: each.say("My legs feel weak")["seq"] for each in (first, second)}
    clock.travel(minutes=6)
    _follow_up(two)
    assert len(second.events(asked[second.token])) == 1
    assert first.events(asked[first.token]) == []
    clock.travel(minutes=5)
    _follow_up(two)
    assert [len(each.events(asked[each.token])) for each in (first, second)] == [1, 1]


def _follow_up(door: Door) -> None:
    door.portal.call(door.services.answering.follow_up)


def test_the_summary_is_of_its_clinic_and_protocol(second: Patient) -> None:
    second.answer_to(stored(second.tick(second.say(HARMLESS)["check"], {"Second chest pain": "yes"})))
    summary = second.ask("GET", "/summary").json()
    assert summary["clinic"] == SECOND_CLINIC
    assert summary["protocol"]["id"] == SECOND
    assert SECOND_PHONE in str(summary["watch"])


def _safety(response: httpx.Response, status: int) -> str:
    return str(refused(response, status)["safety"])


def test_an_error_of_a_chat_speaks_by_its_protocol(first: Patient, second: Patient) -> None:
    for patient, own, other in ((first, _PHONE, SECOND_PHONE), (second, SECOND_PHONE, _PHONE)):
        safety = _safety(patient.press("no-such-button"), 409)
        assert own in safety
        assert other not in safety


def test_an_error_without_a_chat_speaks_by_the_embed_key_that_is_named(two: Door) -> None:
    assert SECOND_PHONE in _safety(two.start(SECOND_KEY, EVIL), 403)
    assert _PHONE in _safety(two.start("nobody"), 403)
    wrong = {"key": SECOND_KEY, "writer": "nurse"}
    assert SECOND_PHONE in _safety(two.client.post(f"{API}/sessions", json=wrong, headers={"Origin": HOME}), 422)
    assert _PHONE in _safety(two.client.post(f"{API}/sessions", json={**wrong, "key": 7}, headers={"Origin": HOME}), 422)
    assert _PHONE in _safety(two.client.get(f"{API}/session"), 401)


def test_an_error_that_nobody_foresaw_speaks_by_the_chats_protocol(two: Door, second: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("made to fail")

    monkeypatch.setattr(two.records, "events", fail)
    assert SECOND_PHONE in _safety(second.ask("GET", "/events"), 500)


def test_refused_words_are_read_by_the_chats_protocol(two: Door, first: Patient, second: Patient, clock: Clock) -> None:
    clock.travel(hours=5)
    assert is_emergency(refused(second.send(RED_FLAG_OF_SECOND), 401)["answer"])
    assert "answer" not in refused(first.send(RED_FLAG_OF_SECOND), 401)


def test_words_for_an_unknown_chat_are_read_by_every_protocol(two: Door) -> None:
    """The second one alone calls them an emergency, and nobody knows to whom they belong."""
    nobody = Patient(two.client, {"token": "unknown"})
    answer = refused(nobody.send(RED_FLAG_OF_SECOND), 401)["answer"]
    assert is_emergency(answer)
    assert "second chest pain" in str(answer["blocks"])
    assert "Why: chest pain." in str(refused(nobody.send(RED_FLAG), 401)["answer"]["blocks"]), "the default comes first"
    assert "answer" not in refused(nobody.send(HARMLESS), 401)


def _config(page: str) -> Json:
    found = re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found is not None
    config: Json = json.loads(found[1])
    return config


def test_the_panel_has_the_words_of_its_keys_protocol(two: Door) -> None:
    config = _config(two.client.get(f"/panel/{SECOND_KEY}").text)
    assert config["clinic"]["name"] == SECOND_CLINIC
    assert SECOND_PHONE in str(config["contacts"])
    assert SECOND_PHONE in str(config["safety"])
    assert config["lang"] == "es"
    assert SECOND_PHONE not in two.client.get("/panel/demo").text


def test_the_launcher_has_the_numbers_of_each_key(two: Door, door: Door) -> None:
    found = re.search(r'JSON\.parse\(("(?:[^"\\]|\\.)*")\)', two.client.get("/aftercare.js").text)
    assert found is not None
    card = json.loads(json.loads(found[1]))
    assert _PHONE in str(card["contacts"])
    assert list(card["keys"]) == [SECOND_KEY]
    assert SECOND_PHONE in str(card["keys"][SECOND_KEY]["contacts"])
    assert SECOND_PHONE in str(card["keys"][SECOND_KEY]["safety"]["es"])
    assert SECOND_KEY not in door.client.get("/aftercare.js").text


# A protocol that is no longer in force.


@pytest.fixture
def later(
    two: Door,
    two_keys: dict[str, EmbedKey],
    open_door: Callable[..., Door],
    one_core_per_library: Callable[[Library], Assistants],
) -> Callable[[Patient], tuple[Door, Patient]]:
    """The same records behind a gateway, and a Rasa, with the first protocol alone; a patient who goes on there."""

    def go_on(patient: Patient) -> tuple[Door, Patient]:
        two.rasa.learn(one_core_per_library(Library([two.services.core.library.default])))
        door = open_door(embed_keys={**two_keys, SECOND_KEY: replace(two_keys[SECOND_KEY], protocol="")})
        return door, replace(patient, client=door.client)

    return go_on


@pytest.mark.parametrize("by", ["rasa", "core"])
def test_what_is_no_longer_in_force_is_answered_by_the_default(
    by: str, second: Patient, later: Callable[[Patient], tuple[Door, Patient]]
) -> None:
    second.say(HARMLESS)
    door, patient = later(second)
    door.rasa.act = door.rasa.well if by == "rasa" else door.rasa.down
    facts = _facts(door, patient, RED_FLAG)
    assert (facts["by"], facts["rules"][0], facts["protocol"]["id"]) == (by, "chest_pain", "vertebroplasty")
    assert door.records.bound(door.name(patient)) == _SECOND, "it stays bound"
    assert patient.ask("GET", "/summary").json()["protocol"]["id"] == "vertebroplasty"


def test_rasa_is_told_what_the_default_goes_on_with(second: Patient, later: Callable[[Patient], tuple[Door, Patient]]) -> None:
    second.say(HARMLESS)
    door, patient = later(second)
    patient.say("my back hurts too")
    told = door.rasa.heard[-1]
    assert (told["protocol"], told["language"]) == _FIRST
    assert told["conversation"]["findings"] == {"soreness": "present"}
    patient.say("thank you")
    assert "conversation" not in door.rasa.heard[-1], "once is enough"


def _bound_to_a_lost_one(door: Door, asks: bool = False, **kept: object) -> Patient:
    """A patient of a protocol that this gateway never had, with a conversation as it left it."""
    records = door.records
    token = records.start("demo", {"blocks": [], "buttons": [], "sources": []}, "patient", bound=("lost", "en"))
    session = records.session(token)
    assert session is not None
    message, _ = records.add_message(session.conversation, new_id(), "words")
    conversation = {**Conversation(protocol="lost", language="en").to_slots(), **kept}
    facts = {"kept": True, "type": "question" if asks else "chat", "asks": asks, "by": "rasa", "protocol": {"id": "lost", "version": "1"}}
    words = {"blocks": [], "buttons": [], "rows": [], "sources": [], "understood": {}, "conversation": conversation}
    records.add_answer(session.conversation, message.seq, facts, words, None)
    return Patient(door.client, {"token": token})


@pytest.mark.parametrize("by", ["rasa", "core"])
def test_an_emergency_that_the_default_does_not_know_is_never_answered_with_less(by: str, door: Door) -> None:
    door.rasa.act = door.rasa.well if by == "rasa" else door.rasa.down
    patient = _bound_to_a_lost_one(door, findings={"glowing": "present"}, evidence={"glowing": "it glows"}, disposition="emergency")
    for words in ("thank you", HARMLESS):
        answer = patient.say(words)
        facts = door.recorded(patient, answer["reply_to"]).facts
        assert (answer["type"], facts["by"], facts["cause"]) == ("trouble", "card", "other_protocol")
    assert is_emergency(patient.say(RED_FLAG))


def test_a_question_that_the_default_does_not_know_is_followed_up_with_the_card(door: Door, clock: Clock) -> None:
    patient = _bound_to_a_lost_one(door, asks=True, pending="about_glowing", asked=["about_glowing"])
    clock.travel(minutes=11)
    for _ in range(2):
        _follow_up(door)
    (told,) = patient.events(after=3)
    assert told["type"] == "trouble"
    facts = door.stored(patient)[-1].facts
    assert (facts["by"], facts["cause"]) == ("card", "other_protocol")


def test_an_answered_row_that_the_default_does_not_know_gets_the_card(door: Door, clock: Clock) -> None:
    patient = _bound_to_a_lost_one(door)
    row = {"fact": "glowing", "text": "Do you glow?"}
    for answer, card in (("yes", True), ("no", False)):
        message, _ = door.records.add_message(door.name(patient), new_id(), "thank you", rows=[{**row, "answer": answer}])
        clock.travel(seconds=6)
        assert (patient.answer_to(message.seq)["type"] == "trouble") == card


def test_what_a_protocol_does_not_know_is_left_out_when_it_goes_on(protocol: Protocol) -> None:
    kept = Conversation(
        findings={"glowing": "present", "fever": "present"},
        evidence={"glowing": "it glows", "fever": "101"},
        asked=["about_glowing", "danger_check"],
        pending="about_glowing",
        checks=["glow", "chest_pain"],
        rows={"glow": "yes"},
        settled={"glow": "2030-01-01T00:00:00+00:00"},
        supposed=["glowing"],
        tapped=["glowing"],
        disposition="emergency",
        procedure_day="2030-01-01",
        protocol="lost",
        language="en",
    )
    conversation, taken_over = resumed(kept, ("lost", "en"), protocol)
    assert taken_over
    assert conversation == Conversation(
        findings={"fever": "present"},
        evidence={"fever": "101"},
        asked=["danger_check"],
        checks=["chest_pain"],
        disposition="emergency",
        procedure_day="2030-01-01",
        protocol="vertebroplasty",
        language="en",
    )


def test_what_was_stored_before_there_were_several_goes_on_as_it_was(protocol: Protocol) -> None:
    kept = Conversation(findings={"fever": "present"}, tapped=["fever"])
    assert resumed(kept, _FIRST, protocol) == (replace(kept, protocol="vertebroplasty", language="en"), False)


def test_a_conversation_begins_bound() -> None:
    assert begun(_SECOND) == Conversation(protocol=SECOND, language="en")
