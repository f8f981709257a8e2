"""The running bot, and a patient who checks the wire contract in every answer."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from aftercare.protocol import Disposition, load_protocol
from scripts.stack import Ports, Stack
from tests.wire import Wire

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = ROOT / "protocols" / "vertebroplasty"
LEAFLET = (PROTOCOL / "leaflet.txt").read_text(encoding="utf-8")
PATH = "/webhooks/rest/webhook"


TYPES = {"triage", "question", "faq", "not_in_leaflet", "chat", "out_of_scope"}
DISPOSITIONS = {"emergency", "call_doctor", "self_care"}
STATUSES = {"present", "absent", "resolved", "hypothetical"}
_KNOWN = load_protocol(PROTOCOL)
WIRE = Wire.of(_KNOWN)
ROWS = {row.fact: row for row in _KNOWN.danger_check.rows}
DANGER = [fact for fact, row in ROWS.items() if row.tier is Disposition.EMERGENCY]
TAPPED = _KNOWN.wording["check"]["answers"]
RULES = {rule.id for rule in _KNOWN.rules}


@dataclass(frozen=True)
class Answer:
    """One answer of the bot: all texts joined, and the payload of the wire contract."""

    text: str
    custom: Mapping[str, Any]

    @property
    def type(self) -> str:
        return str(self.custom["type"])

    @property
    def disposition(self) -> str | None:
        return self.custom.get("disposition")

    @property
    def rules(self) -> list[str]:
        return list(self.custom.get("rules", []))

    @property
    def about(self) -> str | None:
        return self.custom.get("about")

    @property
    def checks(self) -> list[str]:
        """The rows of the danger check that wait."""
        return list(self.custom.get("checks", []))

    @property
    def topic(self) -> str | None:
        return self.custom.get("topic")


class Say(Protocol):
    """Type a message as `sender`, answer rows of the danger check, or both; the answer has been checked against the contract."""

    def __call__(self, sender: str, message: str = "", **answers: str) -> Answer: ...


@dataclass
class Patients:
    """Everybody who writes to one running bot; `say` checks the contract in every answer."""

    stack: Stack
    timeout: float = 30
    _client: httpx.Client = field(init=False)
    _typed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list), init=False)

    def __post_init__(self) -> None:
        self._client = httpx.Client(base_url=self.stack.url, timeout=self.timeout, trust_env=False)

    def post(self, **request: Any) -> httpx.Response:
        """Send a request to the patient's address as it is."""
        return self._client.post(PATH, **request)

    def say(self, sender: str, message: str = "", **answers: str) -> Answer:
        """Type a message, answer rows of the danger check one by one, or both; the answer, which keeps the contract."""
        return self._told(sender, message, answers, None)

    def go_on(self, sender: str, message: str, conversation: Mapping[str, Any]) -> Answer:
        """Type a message in a conversation that went on without Rasa; the answer, which keeps the contract."""
        return self._told(sender, message, {}, conversation)

    def _told(self, sender: str, message: str, answers: Mapping[str, str], conversation: Mapping[str, Any] | None) -> Answer:
        self._typed[sender] += [message, *(f"{ROWS[fact].text} {TAPPED[answer]}" for fact, answer in answers.items())]
        response = self.post(content=_json(sender, message, answers, conversation), headers={"Content-Type": "application/json"})
        assert response.status_code == 200, f"{message!r}: {response.status_code} {response.text[:300]}"
        return parsed(response.json(), self._typed[sender])

    def close(self) -> None:
        self._client.close()


def _json(sender: str, message: str, answers: Mapping[str, str], conversation: Mapping[str, Any] | None) -> bytes:
    """JSON in ASCII, so that a lone surrogate can be sent as other clients send it."""
    more = {"answers": answers, "conversation": conversation}
    return json.dumps({"sender": sender, "message": message, **{key: value for key, value in more.items() if value}}).encode("ascii")


def parsed(messages: Any, typed: list[str]) -> Answer:
    """The answer in a list of messages, after checking it against the wire contract."""
    assert isinstance(messages, list), messages
    assert messages, "no answer"
    payloads = [message["custom"] for message in messages if message.get("custom")]
    assert len(payloads) == 1, messages
    text = "\n\n".join(message["text"] for message in messages if message.get("text"))
    assert text.strip(), messages
    assert "{" not in text, f"a wording was not filled in: {text}"
    custom = payloads[0]
    kind = custom["type"]
    assert kind in TYPES, custom
    if kind == "triage":
        _check_triage(custom, typed)
    if kind == "question":
        assert custom["about"] in WIRE.facts | {"danger_check"}, custom
        assert "?" in text, text
    if custom.get("about") == "danger_check" or custom.get("checks") or custom.get("rows"):
        _check_rows(custom, text)
    if custom.get("disposition") == "self_care":
        assert "about" not in custom, custom
    if kind == "faq":
        assert custom["topic"] in WIRE.topics, custom
        assert custom["sources"], custom
    for source in custom.get("sources", []):
        assert source["quote"], source
        assert source["quote"] in LEAFLET, source
        assert source["section"] in LEAFLET, source
    for button in custom.get("buttons", []):
        assert button["title"], custom
        assert button["payload"], custom
    return Answer(text, custom)


def _check_rows(custom: Mapping[str, Any], text: str) -> None:
    """The danger check: its open rows, worst first, with their text at the end; never with an emergency or a reassurance."""
    assert custom["about"] == "danger_check", custom
    assert custom.get("disposition") in (None, "call_doctor"), custom
    assert custom["checks"], custom
    assert custom["checks"] == [fact for fact in ROWS if fact in custom["checks"]], custom
    assert [row["fact"] for row in custom["rows"]] == custom["checks"], custom
    assert text.endswith("\n".join(f"{number}. {row['text']}" for number, row in enumerate(custom["rows"], 1))), text


def _check_triage(custom: Mapping[str, Any], typed: list[str]) -> None:
    assert custom["disposition"] in DISPOSITIONS, custom
    assert custom["rules"], custom
    assert set(custom["rules"]) <= RULES, custom
    assert isinstance(custom["sources"], list), custom
    words = [_as_received(message) for message in typed]
    for finding in custom["findings"]:
        assert finding["code"] in WIRE.codes, finding
        assert finding["status"] in STATUSES, finding
        assert finding["evidence"], finding
        assert any(finding["evidence"] in message for message in words), (finding, typed)


def _as_received(message: str) -> str:
    """A lone surrogate and a NUL cannot be stored; everything else is quoted as typed."""
    return message.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")


IN_PROCESS, SERVER = "in process", "server"
BOTH_SET_UPS = pytest.mark.parametrize("stack", [IN_PROCESS, SERVER], indirect=True, scope="session")
"""For tests that are run twice: with the custom action in Rasa's process, and in an action server."""


def new_stack(folder: Path, env: Mapping[str, str] | None = None, actions: str = IN_PROCESS) -> Stack:
    """A stack of its own ports, database and logs, with its custom action in process or in a server; not started."""
    return Stack(Ports.free(actions=actions == SERVER), folder / "conversations.db", folder / "logs", env or {})


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Stack]]:
    """The running bot of a set-up, started when it is first asked for; nobody breaks it."""
    with ExitStack() as started:
        yield lru_cache(lambda actions: started.enter_context(new_stack(tmp_path_factory.mktemp("stack"), actions=actions)))


@pytest.fixture(scope="session")
def stack(shared_stack: Callable[[str], Stack], request: pytest.FixtureRequest) -> Stack:
    """The running bot that conversations share: its custom action is in process, or where the test's parameter says."""
    return shared_stack(getattr(request, "param", IN_PROCESS))


@pytest.fixture(scope="session")
def patients(stack: Stack) -> Iterator[Patients]:
    everybody = Patients(stack)
    yield everybody
    everybody.close()


@pytest.fixture(scope="session")
def say(patients: Patients) -> Say:
    """Type a message as `sender`; the answer has been checked against the contract."""
    return patients.say


_numbers = count(1)


@pytest.fixture
def sender() -> str:
    """A conversation id that nobody else uses."""
    return f"patient-{next(_numbers)}"


@pytest.fixture(scope="module")
def start_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Patients]]:
    """Start a bot that a test may break; it is stopped after the module."""
    running: list[Patients] = []

    def start(env: Mapping[str, str] | None = None, actions: str = IN_PROCESS) -> Patients:
        stack = new_stack(tmp_path_factory.mktemp("own_stack"), env, actions)
        stack.start()
        running.append(Patients(stack))
        return running[-1]

    yield start
    for everybody in running:
        everybody.close()
        everybody.stack.stop()
