from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from aftercare.assistant import Assistant
from aftercare.conversation import Conversation
from aftercare.decision.reply import Reply
from aftercare.protocol import Protocol, load_protocol
from aftercare.understanding.clauses import Clauses
from aftercare.understanding.measures import Measures
from aftercare.understanding.text import Tokenizer
from tests.wire import Wire

ROOT = Path(__file__).resolve().parents[2]
WEDNESDAY = date(2024, 5, 15)
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
def wire(protocol: Protocol) -> Wire:
    return Wire.of(protocol)


@pytest.fixture(scope="session")
def assistant(protocol: Protocol) -> Assistant:
    return Assistant(protocol)


@pytest.fixture(scope="session")
def clauses(protocol: Protocol) -> Clauses:
    return Clauses(protocol.grammar.clauses)


@pytest.fixture(scope="session")
def measures(protocol: Protocol) -> Measures:
    return Measures(protocol.grammar.measures, protocol.grammar.procedure)


@pytest.fixture(scope="session")
def tokenizer(protocol: Protocol) -> Tokenizer:
    return Tokenizer(protocol.grammar.tokens)


class Talk(typing.Protocol):
    """Send messages in turn, from a conversation on if there is one; the conversation after them and every reply."""

    def __call__(self, *messages: str, conversation: Conversation | None = None) -> tuple[Conversation, list[Reply]]: ...


CheckReply = Callable[[Reply], None]


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
def check_reply(protocol: Protocol, wire: Wire) -> CheckReply:
    """Fail unless a reply keeps the wire contract."""
    quotes = {(sentence.section, sentence.quote) for sentence in protocol.sentences.values()}
    rules = {rule.id for rule in protocol.rules}

    def check_rows(reply: Reply) -> None:
        rows, checks = reply.custom["rows"], reply.custom["checks"]
        assert checks
        assert checks == [fact for fact in wire.rows if fact in checks]
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
                assert finding["code"] in wire.codes
                assert finding["status"] in STATUSES
                assert isinstance(finding["evidence"], str)
        if custom["type"] == "question":
            assert custom["about"] in wire.facts | {"danger_check"}
        if custom.get("about") == "danger_check":
            check_rows(reply)
        elif "about" in custom and custom["about"] != "other_symptoms":
            assert custom["buttons"]
        if custom["type"] == "faq":
            assert custom["topic"] in wire.topics
            assert custom["sources"]

    return check
