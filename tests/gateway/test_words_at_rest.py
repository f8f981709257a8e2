"""Whoever holds the database's files, without the master key, reads no word and finds no token."""

from __future__ import annotations

import base64
from pathlib import Path

from sqlalchemy import Engine, text

from gateway.records.sealing import Keyring
from gateway.records.store import Records
from tests.gateway.support import BOUND, CANARY, MASTER_KEY, Door, Patient, new_id, stored


def _disguises(word: str) -> list[bytes]:
    """A word as it might stand in a file: as text, or in base64 wherever in a longer text it begins."""
    plain = [form.encode(code) for form in (word, word.upper(), word.title()) for code in ("utf-8", "utf-16-le", "utf-16-be")]
    encoded = []
    for form in plain[:3]:
        for shift in range(3):
            code = base64.b64encode(b" " * shift + form)
            encoded.append(code[4 if shift else 0 : len(code) // 4 * 4 - 4])
    return [*plain, word.encode().hex().encode(), *encoded]


def _found(folder: Path, word: str) -> list[str]:
    files = [file for file in folder.iterdir() if file.is_file()]
    return [f"{file.name}: {form!r}" for file in files for form in _disguises(word) if form in file.read_bytes()]


def test_the_search_finds_a_word_in_every_disguise(tmp_path: Path) -> None:
    for number, content in enumerate([CANARY, f"a {CANARY} b", f"12{CANARY}"]):
        for code in ("utf-8", "utf-16-le", "utf-16-be"):
            (tmp_path / "plain").write_bytes(content.encode(code))
            assert _found(tmp_path, CANARY), (number, code)
        (tmp_path / "plain").write_bytes(base64.b64encode(content.encode()))
        assert _found(tmp_path, CANARY), number


def test_the_files_hold_neither_words_nor_token(door: Door, patient: Patient) -> None:
    patient.say(f"I have chest pain {CANARY}")
    patient.say(f"My legs feel weak {CANARY}")
    door.rasa.act = door.rasa.down
    patient.say(f"The needle site is sore {CANARY}")
    assert patient.ask("PUT", "/writer", json={"writer": "helper"}).status_code == 200
    assert "-wal" in "".join(file.name for file in door.file.parent.iterdir()), "nothing was read of what is not yet in the file"
    assert not _found(door.file.parent, CANARY)
    assert not _found(door.file.parent, patient.token)
    assert CANARY in patient.texts()[0]
    patient.ask("DELETE", "")
    assert not _found(door.file.parent, patient.token)


def test_the_evidence_and_the_buttons_are_sealed_too(door: Door, patient: Patient) -> None:
    answer = patient.say("My legs feel weak")
    assert answer["buttons"]
    for button in answer["buttons"]:
        assert not _found(door.file.parent, button["id"])
    rows = patient.say("The needle site is sore")["check"]["rows"]
    for row in rows:
        assert not _found(door.file.parent, row["id"])
    assert not _found(door.file.parent, "legs feel weak")


def test_the_message_is_sealed_before_anything_else_happens(door: Door, patient: Patient) -> None:
    door.rasa.after(0.5)
    stored(patient.send(f"The needle site is sore {CANARY}"))
    assert not _found(door.file.parent, CANARY)


def test_no_column_of_any_row_holds_words_or_token(engine: Engine) -> None:
    records = Records(engine, Keyring([MASTER_KEY]))
    token = records.start("demo", {"blocks": [], "buttons": [], "sources": []}, "helper", bound=BOUND)
    session = records.session(token)
    assert session is not None
    message, _ = records.add_message(session.conversation, new_id(), f"words {CANARY}")
    records.add_answer(session.conversation, message.seq, {"by": "core"}, {"blocks": [{"text": CANARY}]}, "emergency")
    with engine.connect() as connection:
        for table in ("conversation", "conversation_key", "session", "event"):
            for row in connection.execute(text(f"SELECT * FROM {table}")):
                held = b" ".join(bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for value in row)
                assert not any(form in held for form in _disguises(CANARY) + _disguises(token)), table
