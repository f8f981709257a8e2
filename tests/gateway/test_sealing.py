"""What is sealed opens with its key and at its context, and nowhere else."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.records.sealing import Keyring, Sealer, SealError

_KEY = bytes(range(32))
_bounded = settings(deadline=None, derandomize=True, database=None, max_examples=60)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@_bounded
@given(data=_json, context=st.text())
def test_what_is_sealed_is_opened_unchanged(data: object, context: str) -> None:
    assert Sealer(_KEY).open(Sealer(_KEY).seal(data, context), context) == data


@_bounded
@given(context=st.text(), other=st.text())
def test_what_is_sealed_for_one_place_does_not_open_at_another(context: str, other: str) -> None:
    sealed = Sealer(_KEY).seal("words", context)
    if context != other:
        with pytest.raises(SealError):
            Sealer(_KEY).open(sealed, other)


@_bounded
@given(key=st.binary(min_size=32, max_size=32))
def test_another_key_does_not_open_it(key: bytes) -> None:
    if key != _KEY:
        with pytest.raises(SealError):
            Sealer(key).open(Sealer(_KEY).seal("words", "here"), "here")


def test_no_changed_or_missing_byte_goes_unnoticed() -> None:
    sealed = Sealer(_KEY).seal({"text": "words"}, "here")
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealError):
            Sealer(_KEY).open(bytes(changed), "here")
        with pytest.raises(SealError):
            Sealer(_KEY).open(sealed[:position], "here")


def test_the_same_words_are_never_sealed_alike() -> None:
    assert len({Sealer(_KEY).seal("words", "here") for _ in range(200)}) == 200


def test_every_conversation_has_a_key_of_its_own() -> None:
    keyring = Keyring([_KEY])
    one, _ = keyring.new_key("one")
    two, _ = keyring.new_key("two")
    with pytest.raises(SealError):
        two.open(one.seal("words", "here"), "here")


def test_a_conversations_key_does_not_unwrap_for_another_conversation() -> None:
    _, wrapped = Keyring([_KEY]).new_key("one")
    with pytest.raises(SealError):
        Keyring([_KEY]).unwrap(wrapped, "two")


def test_master_keys_can_be_changed_one_by_one() -> None:
    old, new = secrets.token_bytes(32), secrets.token_bytes(32)
    sealer, wrapped = Keyring([old]).new_key("one")
    sealed = sealer.seal("words", "here")
    assert Keyring([new, old]).unwrap(wrapped, "one").open(sealed, "here") == "words"
    with pytest.raises(SealError):
        Keyring([new]).unwrap(wrapped, "one")
    _, later = Keyring([new, old]).new_key("two")
    Keyring([new]).unwrap(later, "two")
    with pytest.raises(SealError):
        Keyring([old]).unwrap(later, "two")
