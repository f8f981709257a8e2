from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.protocol import Protocol, load_protocol

ROOT = Path(__file__).resolve().parents[2]
WEDNESDAY = date(2024, 5, 15)


def _names(text: str) -> set[str]:
    return set(text.split())


CODES = _names(
    "fever chills site_infection severe_pain worsening_pain mild_pain leg_weakness leg_numbness bladder_bowel "
    "urinary_retention saddle_numbness breathless chest_pain bleeding hematoma allergy_mild allergy_severe "
    "new_back_pain soreness bruising paralysis syncope stroke self_harm other"
)
FACTS = _names(
    "days_since_procedure pain_severity pain_trend medication_helps pain_location temperature chills "
    "site_appearance leg_weakness leg_numbness walking bladder_bowel saddle_numbness breathing chest_pain onset "
    "bleeding rash_swelling other_symptoms"
)
ROWS = [
    *("chest_pain", "breathing", "bladder_bowel", "saddle_numbness", "walking", "other_symptoms", "rash_swelling", "bleeding"),
    *("chills", "leg_weakness", "site_appearance", "pain_severity"),
]
TOPICS = _names(
    "what_is_it duration anesthesia hospital_stay goal procedure_steps cement benefits pain_relief_timing risks "
    "side_effects rare_complications cement_leakage imaging_before medications_before fasting driver "
    "medical_clearance discharge first_48_hours days_3_to_7 long_term activity ice physical_therapy_osteoporosis "
    "when_to_call appointment"
)
STATUSES = {"present", "absent", "resolved", "hypothetical"}
DISPOSITIONS = {"emergency", "call_doctor", "self_care"}

# Derandomised, so that a failure is the same on every machine and nothing is kept between runs.
settings.register_profile(
    "core",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("core")


@pytest.fixture(scope="session", autouse=True)
def own_protocol() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AFTERCARE_PROTOCOL", raising=False)
        patch.delenv("AFTERCARE_CLINIC", raising=False)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def today() -> date:
    return WEDNESDAY


@pytest.fixture(scope="session")
def protocol(own_protocol: None) -> Protocol:
    return load_protocol(ROOT / "protocols" / "vertebroplasty")


@pytest.fixture(scope="session")
def assistant(protocol: Protocol) -> Assistant:
    return Assistant(protocol)


Talk = Callable[..., tuple[Conversation, list[Reply]]]


@pytest.fixture(scope="session")
def talk(assistant: Assistant) -> Talk:
    """Send messages in turn, read by the lexicon alone; the conversation after them and every reply."""

    def send(*messages: str, conversation: Conversation | None = None) -> tuple[Conversation, list[Reply]]:
        conversation = conversation or Conversation()
        replies = []
        for message in messages:
            conversation, reply = assistant.respond(conversation, assistant.read(message, WEDNESDAY), WEDNESDAY)
            replies.append(reply)
        return conversation, replies

    return send


@pytest.fixture(scope="session")
def check_reply(protocol: Protocol) -> Callable[[Reply], None]:
    """Fail unless a reply keeps the wire contract."""
    quotes = {(sentence.section, sentence.quote) for sentence in protocol.sentences.values()}
    rules = {rule.id for rule in protocol.rules}

    def check_rows(reply: Reply) -> None:
        rows, checks = reply.custom["rows"], reply.custom["checks"]
        assert checks
        assert checks == [fact for fact in ROWS if fact in checks]
        assert [row["fact"] for row in rows] == checks
        assert reply.text.endswith("\n".join(f"{number}. {row['text']}" for number, row in enumerate(rows, 1)))
        assert reply.custom.get("disposition") in {None, "call_doctor"}

    def check(reply: Reply) -> None:
        custom = reply.custom
        assert isinstance(reply.text, str)
        assert reply.text.strip()
        assert "{" not in reply.text
        assert custom["type"] in {"triage", "question", "faq", "not_in_leaflet", "chat", "out_of_scope"}
        assert custom["protocol"] == {"id": protocol.id, "version": protocol.version}
        assert all((source["section"], source["quote"]) in quotes for source in custom.get("sources", ()))
        assert all(button["title"] and button["payload"] for button in custom.get("buttons", ()))
        if custom["type"] == "triage":
            assert custom["disposition"] in DISPOSITIONS
            assert custom["rules"]
            assert set(custom["rules"]) <= rules
            assert isinstance(custom["sources"], list)
            for finding in custom["findings"]:
                assert finding["code"] in CODES
                assert finding["status"] in STATUSES
                assert isinstance(finding["evidence"], str)
        if custom["type"] == "question":
            assert custom["about"] in FACTS | {"danger_check"}
        if custom.get("about") == "danger_check":
            check_rows(reply)
        elif "about" in custom and custom["about"] != "other_symptoms":
            assert custom["buttons"]
        if custom["type"] == "faq":
            assert custom["topic"] in TOPICS
            assert custom["sources"]

    return check


@pytest.fixture(scope="session")
def wire_names() -> dict[str, set[str]]:
    return {"codes": CODES, "facts": FACTS, "topics": TOPICS, "rows": set(ROWS)}
