"""What can be sent: no text is a command, no text is too odd for an answer, and a bad request is told what is wrong."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scripts.stack import Stack
from tests.system.conftest import BOTH_SET_UPS, DANGER, ROWS, Patients, Say

pytestmark = BOTH_SET_UPS

JSON = {"Content-Type": "application/json"}
LISTENING = "0A"
LOOPBACK = "0100007F"

BAD_REQUESTS = {
    "nothing": b"",
    "no_json": b"hello",
    "a_list": b'["hello"]',
    "a_number": b"5",
    "no_utf_8": b'{"sender": "a", "message": "\xff"}',
    "nested_too_deep": b"[" * 100_000,
    "no_sender": b'{"message": "hello"}',
    "empty_sender": b'{"sender": "", "message": "hello"}',
    "blank_sender": b'{"sender": "  ", "message": "hello"}',
    "numeric_sender": b'{"sender": 5, "message": "hello"}',
    "sender_null": b'{"sender": null, "message": "hello"}',
    "sender_with_nul": b'{"sender": "a\\u0000b", "message": "hello"}',
    "sender_with_lone_surrogate": b'{"sender": "a\\ud800", "message": "hello"}',
    "sender_of_5000_characters": json.dumps({"sender": "a" * 5000, "message": "hello"}).encode(),
    "numeric_message": b'{"sender": "a", "message": 5}',
    "conversation_is_a_list": b'{"sender": "a", "message": "hello", "conversation": []}',
    "conversation_of_other_fields": b'{"sender": "a", "message": "hello", "conversation": {"slots": {}}}',
    "conversation_of_other_types": b'{"sender": "a", "message": "hello", "conversation": {"findings": {"fever": 1}}}',
    "answers_is_a_list": b'{"sender": "a", "message": "hello", "answers": ["chest_pain"]}',
    "answers_is_text": b'{"sender": "a", "message": "hello", "answers": "yes"}',
    "answer_is_true": b'{"sender": "a", "message": "hello", "answers": {"chest_pain": true}}',
    "answer_where_nothing_was_asked": b'{"sender": "nobody-asked", "message": "hello", "answers": {"chest_pain": "no"}}',
    "answer_where_nothing_was_asked_and_no_message": b'{"sender": "nobody-asked", "answers": {"chest_pain": "yes"}}',
    "message_is_an_object": b'{"sender": "a", "message": {"text": "hello"}}',
}


@pytest.mark.parametrize("body", BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_bad_request_is_told_what_to_send(body: bytes, patients: Patients) -> None:
    response = patients.post(content=body, headers=JSON)
    assert response.status_code == 400, response.text[:300]
    error = response.json()["error"]
    assert len(error.split()) > 4, error
    assert error.endswith("."), error
    assert not {"Traceback", "Error", "File "} & set(error.split()), error


def test_content_type_does_not_matter(patients: Patients) -> None:
    response = patients.post(content=b'{"sender": "plain", "message": "I have chest pain."}', headers={"Content-Type": "text/plain"})
    assert response.status_code == 200
    assert response.json()[0]["custom"]["disposition"] == "emergency"


@pytest.mark.parametrize(
    "text",
    [
        "/restart",
        "/session_start",
        "/back",
        "//restart",
        " /restart",
        '/report_fever{"a":"b"}',
        '/report_fever{"fever": "present"}',
        '/greet@0.9{"pending": "screen"}',
        "EXTERNAL: restart",
        "@action_restart",
    ],
)
def test_commands_are_words(text: str, say: Say, sender: str) -> None:
    assert say(sender, "My left leg feels weak.").disposition == "call_doctor"
    answer = say(sender, text)
    assert answer.type != "chat" or answer.about == "danger_check"
    assert answer.about == "danger_check" or "fever" in answer.custom["conversation"]["findings"]
    answer = say(sender, "I have chest pain.")
    assert answer.disposition == "emergency"
    assert "leg_signs" in answer.rules, "the conversation was forgotten"
    assert say(sender, text).disposition == "emergency"


@pytest.mark.parametrize("text", ["/i cant breathe", "// i cant breathe", "/ i cant breathe"])
def test_red_flag_behind_a_slash(text: str, say: Say, sender: str) -> None:
    assert say(sender, text).disposition == "emergency"


@pytest.mark.parametrize(
    "text",
    [
        "I have chest pain \ud800",
        "\udfff\ud800 I have chest pain",
        "I have chest pain\0",
        "\0I have\0chest pain",
        "I have chest pain \u202e\ufeff\u200b",
        "\n\n\tI have chest pain\r\n",
        "I have chest pain " + "😱" * 300,
        "I have chest pain <script>alert(1)</script> {name} %s ${HOME} '; DROP TABLE events; --",
        '{"sender": "x", "message": "I have chest pain"}',
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_odd_characters_around_a_red_flag(text: str, say: Say, sender: str) -> None:
    assert say(sender, text).disposition == "emergency"
    assert say(sender, "Thank you.").disposition == "emergency"


@pytest.mark.parametrize("length", [3_900, 4_100, 20_000, 45_000])
def test_red_flag_at_the_end_of_a_long_message(length: int, say: Say, sender: str) -> None:
    end = " Now I have chest pain."
    filler = "It was a long day and we sat in the garden. " * (length // 44 + 1)
    answer = say(sender, filler[: length - len(end)] + end)
    assert answer.disposition == "emergency"
    assert "chest_pain" in answer.rules
    assert say(sender, "Thank you.").disposition == "emergency"


def test_two_messages_at_once_are_both_answered(say: Say, sender: str) -> None:
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda text: say(sender, text), ["I have chest pain.", "The needle site is sore."]))
    assert answers[0].disposition == "emergency"
    assert answers[1].disposition in ("emergency", None)
    last = say(sender, "Thank you.")
    assert {"chest_pain", "soreness"} <= set(last.rules), "one of the two was forgotten"


def test_two_patients_at_once_are_not_mixed_up(say: Say, sender: str) -> None:
    words = {f"{sender}-{number}": ("I have chest pain.", "The needle site is sore.")[number % 2] for number in range(8)}
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(words, pool.map(say, words, words.values()), strict=True))
    for each, text in words.items():
        assert answers[each].disposition == ("emergency" if "chest" in text else None)
        assert answers[each].checks == ([] if "chest" in text else list(ROWS))


def test_rasa_and_the_action_server_listen_on_the_loopback_interface_only(stack: Stack) -> None:
    sockets = _listening()
    servers = {"rasa": stack.ports.rasa} | ({"actions": stack.ports.actions} if stack.ports.actions else {})
    assert set(stack.pids) == {*servers, "gateway"}
    for name, port in servers.items():
        own = {where for inode, where in sockets.items() if inode in _sockets_of(stack.pids[name])}
        assert own == {(LOOPBACK, port)}, name
        assert {address for address, each in sockets.values() if each == port} == {LOOPBACK}, name


def _listening() -> dict[str, tuple[str, int]]:
    """Address and port of every listening TCP socket, by inode."""
    found = {}
    for table in ("tcp", "tcp6"):
        file = Path("/proc/net", table)
        for line in file.read_text().splitlines()[1:] if file.exists() else ():
            columns = line.split()
            address, port = columns[1].split(":")
            if columns[3] == LISTENING:
                found[columns[9]] = (address, int(port, 16))
    return found


def _sockets_of(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    targets = (str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink())
    return {target.removeprefix("socket:[").removesuffix("]") for target in targets if target.startswith("socket:[")}


# The rows of the danger check, answered one by one.

SORE = "The needle site is sore."


@pytest.fixture
def asked(say: Say, sender: str) -> list[str]:
    """The rows that wait, in a conversation whose answer waits for them."""
    answer = say(sender, SORE)
    assert (answer.type, answer.checks) == ("question", list(ROWS))
    return answer.checks


def test_no_to_every_row_gives_the_answer_that_waited(asked: list[str], say: Say, sender: str) -> None:
    assert say(sender, **dict.fromkeys(asked, "no")).disposition == "self_care"


def test_some_rows_are_kept_and_the_others_asked_again(asked: list[str], say: Say, sender: str) -> None:
    first, second, *others = asked
    answer = say(sender, **{first: "no", second: "no"})
    assert (answer.type, answer.checks) == ("question", others)
    assert say(sender, **dict.fromkeys(others, "no")).disposition == "self_care"


@pytest.mark.parametrize("value", ["yes", "unsure"])
@pytest.mark.parametrize("fact", ROWS)
def test_yes_and_not_sure_are_the_sign(fact: str, value: str, asked: list[str], say: Say, sender: str) -> None:
    answer = say(sender, **{fact: value})
    assert answer.disposition == ROWS[fact].tier.wire
    assert any(finding["finding"] == ROWS[fact].yes and finding["status"] == "present" for finding in answer.custom["findings"])


def test_a_sign_in_the_words_counts_beside_the_rows(asked: list[str], say: Say, sender: str) -> None:
    answer = say(sender, "and I have chest pain", walking="no")
    assert answer.disposition == "emergency"
    assert "chest_pain" in answer.rules


def test_a_yes_counts_beside_harmless_words(asked: list[str], say: Say, sender: str) -> None:
    assert say(sender, "thank you", saddle_numbness="yes").disposition == "emergency"


def test_a_question_is_answered_beside_the_rows(asked: list[str], say: Say, sender: str) -> None:
    answer = say(sender, "How long does the procedure take?", chest_pain="no")
    assert "30-60 minutes" in answer.text
    assert answer.checks == asked[1:]


@pytest.mark.parametrize(
    "answers",
    [{"nonsense": "no"}, {"chest_pain": "maybe"}, {"chest_pain": ""}, {"chest_pain": "No"}, {"chest_pain": "no", "nonsense": "yes"}],
    ids=str,
)
def test_a_wrong_row_is_refused_and_nothing_is_taken(answers: dict[str, str], asked: list[str], patients: Patients, sender: str) -> None:
    response = patients.post(json={"sender": sender, "message": "", "answers": answers})
    assert response.status_code == 400, response.text[:300]
    assert "danger check" in response.json()["error"]
    assert patients.say(sender, chest_pain="no").checks == asked[1:]


def test_a_row_that_was_answered_waits_no_longer(asked: list[str], patients: Patients, sender: str) -> None:
    patients.say(sender, chest_pain="no")
    response = patients.post(json={"sender": sender, "answers": {"chest_pain": "yes"}})
    assert response.status_code == 400
    assert "'chest_pain' is no row that waits" in response.json()["error"]


def test_a_conversation_from_elsewhere_brings_its_rows(asked: list[str], patients: Patients, sender: str) -> None:
    elsewhere = f"{sender}-elsewhere"
    waiting = patients.say(sender, "hello?").custom["conversation"]
    assert patients.post(json={"sender": elsewhere, "answers": {"walking": "yes"}}).status_code == 400
    response = patients.post(json={"sender": elsewhere, "answers": {"walking": "yes"}, "conversation": waiting})
    assert response.json()[0]["custom"]["disposition"] == "emergency"


def test_rows_sent_twice_at_once_are_taken_once_or_refused(asked: list[str], patients: Patients, sender: str) -> None:
    body = {"sender": sender, "answers": dict.fromkeys(asked, "no")}
    with ThreadPoolExecutor() as pool:
        responses = list(pool.map(lambda _: patients.post(json=body), range(4)))
    assert {response.status_code for response in responses} <= {200, 400}
    assert any(response.status_code == 200 for response in responses)
    last = patients.post(json={"sender": sender, "message": SORE})
    assert last.json()[0]["custom"]["disposition"] == "self_care"


def test_an_answer_says_how_the_conversation_stands_and_what_it_is_made_of(patients: Patients, sender: str) -> None:
    answer = patients.say(sender, "I have a fever of 101.5 F.")
    assert answer.custom["conversation"]["findings"]["fever"] == "present"
    assert "\n\n".join(block["text"] for block in answer.custom["blocks"]) == answer.text
    assert [block["kind"] for block in answer.custom["blocks"]] == ["advice", "why", "leaflet", "watch", "check"]
    assert answer.checks == DANGER
    assert answer.custom["model"]


def test_a_conversation_that_went_on_elsewhere_is_taken_over(patients: Patients, sender: str) -> None:
    elsewhere = f"{sender}-elsewhere"
    assert patients.say(sender, "Hello").type == "chat"
    urgent = patients.say(elsewhere, "I have chest pain.").custom["conversation"]
    response = patients.post(json={"sender": sender, "message": "Thank you.", "conversation": urgent})
    assert response.json()[0]["custom"]["disposition"] == "emergency"
    later = patients.post(json={"sender": sender, "message": "The needle site is sore."})
    assert later.json()[0]["custom"]["disposition"] == "emergency"
