"""The encoder's file, and the messages that teach it signs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
import pytest
import yaml
from onnx import numpy_helper

from aftercare.protocol import load_protocol

ROOT = Path(__file__).resolve().parents[2]
SIGNS = ROOT / "clinical" / "signs"
# Two products of an unsigned byte and such a weight fit into 16 bits, where processors without wider sums would cut them off.
WIDEST = 64


@pytest.fixture(scope="module")
def encoder() -> Any:
    return onnx.load(ROOT / "encoder" / "encoder.onnx")


@pytest.fixture(scope="module")
def signs() -> dict[str, Any]:
    return dict(yaml.safe_load((SIGNS / "signs.yml").read_text(encoding="utf-8"))["signs"])


def widest(weights: Any) -> int:
    return max(abs(int(weights.min())), abs(int(weights.max())))


def test_every_processor_computes_the_same_vectors(encoder: Any) -> None:
    weights = [numpy_helper.to_array(each) for each in encoder.graph.initializer if each.data_type == onnx.TensorProto.INT8]
    products = [each for each in weights if each.ndim == 2]
    assert len(products) >= 6 * 6
    assert max(map(widest, products)) <= WIDEST


def test_the_file_knows_the_signs_that_it_was_taught(encoder: Any, signs: dict[str, Any]) -> None:
    (named,) = (each.value.split() for each in encoder.metadata_props if each.key == "signs")
    assert named == list(signs)
    assert set(named) <= set(load_protocol().findings)


def test_every_finding_that_is_heard_as_a_sign_names_one(signs: dict[str, Any]) -> None:
    findings = load_protocol().findings.values()
    assert {each.heard_as for each in findings if each.heard_as != each.id} <= set(signs)


def test_the_red_flags_that_a_report_means_are_signs(signs: dict[str, Any]) -> None:
    protocol = load_protocol()
    assert {each for each in protocol.red_flags if protocol.findings[each].intents} <= set(signs)


@pytest.mark.parametrize("file", sorted(SIGNS.glob("*.jsonl")), ids=lambda file: file.stem)
def test_messages_are_labelled_with_known_signs_and_stand_once(file: Path, signs: dict[str, Any]) -> None:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(rows) >= 250
    for row in rows:
        assert set(row) == {"text", "present", "not"}
        assert set(row["present"]) | set(row["not"]) <= set(signs), row["text"]
        assert not set(row["present"]) & set(row["not"]), row["text"]
    assert len({row["text"].lower() for row in rows}) == len(rows)


def test_what_a_sign_may_come_with_is_a_sign(signs: dict[str, Any]) -> None:
    intents = {intent for finding in load_protocol().findings.values() for intent in finding.intents}
    for entry in signs.values():
        assert set(entry.get("with", ())) <= set(signs)
        assert set(entry["intents"]) | set(entry.get("unknown_in", ())) <= intents | {"report_prolonged_pain"}


def test_each_sign_stands_in_messages_that_report_it_and_in_messages_that_do_not(signs: dict[str, Any]) -> None:
    rows = [json.loads(line) for file in SIGNS.glob("*.jsonl") for line in file.read_text(encoding="utf-8").splitlines()]
    for sign in signs:
        assert sum(sign in row["present"] for row in rows) >= 40, sign
        assert sum(sign in row["not"] for row in rows) >= 30, sign
    assert sum(not row["present"] for row in rows) >= 800
