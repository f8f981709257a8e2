"""Telephone numbers that patients write."""

from __future__ import annotations

from collections.abc import Iterator

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, ValidationResult

_TAKEN = (ValidationResult.IS_POSSIBLE, ValidationResult.IS_POSSIBLE_LOCAL_ONLY)
_LEAST_DIGITS = 7


class NumberError(ValueError):
    """Text that holds no telephone number."""


def read_number(text: str, region: str) -> str:
    """A telephone number as people of its country write it.

    Args:
        text: what was typed; beside one number there may be words, whose letters are no digits of it.
        region: the country of numbers without a country code, by its two letters.

    Raises:
        NumberError: it is none, or too short or too long for one.
    """
    spelled = any(letter.isalpha() for letter in text)
    number = (None if spelled else _parsed(text, region)) or _alone(text, region)
    if number is None:
        raise NumberError(region)
    home = number.country_code == phonenumbers.country_code_for_region(region)
    return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL)


def numbers_in(text: str, region: str) -> Iterator[str]:
    """The telephone numbers in a text, as `read_number` gives them."""
    for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.POSSIBLE):
        if _is_possible(match.number):
            yield read_number(match.raw_string, region)


def _parsed(text: str, region: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return number if _is_possible(number) else None


def _alone(text: str, region: str) -> PhoneNumber | None:
    """The number in a text that holds no other."""
    found = [match.number for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.POSSIBLE)]
    return found[0] if len(found) == 1 and _is_possible(found[0]) else None


def _is_possible(number: PhoneNumber) -> bool:
    digits = phonenumbers.national_significant_number(number)
    return len(digits) >= _LEAST_DIGITS and phonenumbers.is_possible_number_with_reason(number) in _TAKEN
