"""Temperatures, pain scores and days since the procedure, read from words and figures."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

_CELSIUS_RANGE, _FAHRENHEIT_RANGE = (34, 43), (94, 110)
_SPOKEN_CELSIUS, _SPOKEN_FAHRENHEIT = (36, 42), (94, 108)
_BETWEEN_UNITS = 90
_WORST_PAIN = 10
_HEAD = 80
_FIGURES = re.compile(r"\d+(?:[.,]\d+)?|[a-z]+")

Place = tuple[int, int]


@dataclass(frozen=True)
class Measure:
    """A figure with its place in the text as typed."""

    value: float
    start: int
    end: int


def _expression(pattern: str | Sequence[str]) -> re.Pattern[str]:
    return re.compile(pattern if isinstance(pattern, str) else "".join(pattern))


class Measures:
    """Reads figures by one language's grammar.

    Args:
        rules: the content of the language's measures.yml.
        procedure: the procedure's own names, as regular expressions.
    """

    def __init__(self, rules: Mapping[str, Any], procedure: Sequence[str]) -> None:
        self._numbers: Mapping[str, int] = rules["numbers"]
        self._tens: Mapping[str, int] = rules["tens"]
        self._ordinals: Mapping[str, int] = rules["ordinals"]
        self._articles, self._no_figures = frozenset(rules["articles"]), frozenset(rules["no_figures"])
        self._zero = str(rules["zero_letter"])
        self._telephone = _expression(rules["phone_number"])
        self._degrees = {
            name: _expression(rules["temperature"][name]) for name in ("spoken", "figure", "context", "not_before", "not_behind")
        }
        self._celsius, self._fahrenheit = tuple(rules["temperature"]["celsius"]), tuple(rules["temperature"]["fahrenheit"])
        self._scores = [_expression(score) for score in rules["scores"]]
        spans = rules["spans"]
        names = ("span", "not_a_span", "repeated", "since", "lasting", "been", "day_number", "nth_day", "day_after")
        self._spans = {name: _expression(spans[name]) for name in names}
        self._procedure = re.compile("|".join([*procedure, "".join(spans["procedure"])]))
        self._days_of: Mapping[str, float] = spans["days"]
        self._weekday = re.compile(rf"\b(?:{'|'.join(f'({name})' for name in rules['weekdays'])})\b")
        self._near_behind, self._near_ahead = int(rules["weekday_near"]["behind"]), int(rules["weekday_near"]["ahead"])
        self._behind = [(_expression(each["name"]), int(each["within"]), float(each["days"])) for each in rules["behind_procedure"]]
        self._ahead = [(_expression(each["name"]), int(each["within"]), float(each["days"])) for each in rules["ahead_of_procedure"]]
        self._answered: Mapping[str, int] = rules["answered"]

    def _figures_of(self, text: str) -> str:
        """The text in small letters, each in its place, without the telephone numbers."""
        return self._telephone.sub(lambda number: "_" * len(number.group()), _lower(text))

    def temperatures(self, text: str) -> list[Measure]:
        """Body temperatures in a text.

        Args:
            text: the text as typed; decimal commas, words and either unit are understood.

        Returns:
            The temperatures in degrees Fahrenheit. A figure without a unit takes the unit in whose range it lies.
        """
        lower = self._figures_of(text)
        context = bool(self._degrees["context"].search(lower))
        figures = self._temperatures_in_figures(lower, context)
        return sorted((*figures, *self._temperatures_in_words(lower, context)), key=lambda measure: measure.start)

    def _temperatures_in_figures(self, lower: str, context: bool) -> Iterator[Measure]:
        whole = lower.strip(" .!?")
        for match in self._degrees["figure"].finditer(lower):
            value, unit = self._number(match["value"]), match["unit"].strip()
            if value is None:
                continue
            decimal = any(sign in match["value"] for sign in ".,")
            in_celsius = _CELSIUS_RANGE[0] <= value <= _CELSIUS_RANGE[1]
            celsius = unit.endswith(self._celsius) or (in_celsius and not unit.endswith(self._fahrenheit))
            low, high = _CELSIUS_RANGE if celsius else _FAHRENHEIT_RANGE
            alone = whole == match.group().strip()
            if not low <= value <= high or not (decimal or unit or context or alone):
                continue
            if not self._degrees["not_before"].match(lower, match.end()) and not _ends(self._degrees["not_behind"], lower, match.start()):
                yield Measure(_fahrenheit(value) if celsius else value, match.start(), match.end("value"))

    def _temperatures_in_words(self, lower: str, context: bool) -> Iterator[Measure]:
        for match in self._degrees["spoken"].finditer(lower):
            value = self._spoken_value(match)
            ranges = (_SPOKEN_FAHRENHEIT, _SPOKEN_CELSIUS)
            if any(low <= value <= high for low, high in ranges) and (context or match["point"]):
                yield Measure(value if value > _BETWEEN_UNITS else _fahrenheit(value), match.start(), match.end())

    def _number(self, text: str) -> float | None:
        text = text.replace(",", ".").replace(self._zero, "0") if any(ch.isdigit() for ch in text) else text
        if text in self._articles:
            return 1.0
        if text in self._numbers:
            return float(self._numbers[text])
        try:
            return float(text)
        except ValueError:
            return None

    def _spoken_value(self, match: re.Match[str]) -> float:
        group = match.groupdict()
        if group["ten"]:
            value = self._tens[group["ten"]] + self._digit(group["unit"])
        else:
            value = 100 + self._digit(group["hunit"] or group["ounit"])
        point = group["point"]
        return value + (0.0 if point is None else (float(point) if point.isdigit() else float(self._numbers[point])) / 10)

    def _digit(self, word: str | None) -> int:
        return self._numbers.get(word, 0) if word else 0

    def pain_scores(self, text: str) -> list[Measure]:
        """Pain scores from 0 to 10."""
        lower = self._figures_of(text)
        found = []
        for pattern in self._scores:
            for match in pattern.finditer(lower):
                value = self._number(match.group(1))
                if value is not None and 0 <= value <= _WORST_PAIN:
                    found.append(Measure(value, match.start(), match.end()))
        return found

    def numbers(self, text: str) -> tuple[float, ...]:
        """Every plain figure or number word in a text, in order; none with more digits than a float can hold."""
        pieces = _FIGURES.findall(self._figures_of(text))
        values = (self._number(piece) for piece in pieces if piece not in self._no_figures)
        return tuple(value for value in values if value is not None and math.isfinite(value))

    def days_since_procedure(self, text: str, today: date) -> int | None:
        """The longest time since the procedure that a text gives, in whole days; None when it gives none.

        Args:
            text: the text as typed.
            today: the day of the message, for weekdays.
        """
        lower = self._figures_of(text)
        days = [value for value, lasting in self._time_spans(lower) if not lasting]
        for match in (*self._spans["day_number"].finditer(lower), *self._spans["nth_day"].finditer(lower)):
            value = self._ordinals.get(match["n"]) or self._number(match["n"])
            if value is not None:
                days.append(float(value))
        days.extend(self._days_by_name(lower, today))
        return int(max(days)) if days else None

    def _days_by_name(self, lower: str, today: date) -> Iterator[float]:
        """The days that names of days give, where the procedure is named near them."""
        if self._spans["day_after"].search(lower):
            yield 1.0
        procedures = _places(self._procedure, lower)
        if not procedures:
            return
        for index, weekdays in self._weekdays(lower).items():
            if _near(lower, procedures, weekdays, self._near_behind) or _near(lower, weekdays, procedures, self._near_ahead):
                yield _days_since_weekday(index, today)
        for pattern, within, value in self._behind:
            if _near(lower, procedures, _places(pattern, lower), within):
                yield value
        for pattern, within, value in self._ahead:
            if _near(lower, _places(pattern, lower), procedures, within):
                yield value

    def _weekdays(self, lower: str) -> dict[int, list[Place]]:
        """The places of each weekday's name, Monday as 0."""
        places: dict[int, list[Place]] = {}
        for match in self._weekday.finditer(lower):
            places.setdefault((match.lastindex or 1) - 1, []).append(match.span())
        return places

    def days_lasting(self, text: str) -> int | None:
        """How many whole days something has lasted; the procedure is at least as long ago."""
        return max((int(value) for value, lasting in self._time_spans(self._figures_of(text)) if lasting), default=None)

    def days_answered(self, text: str, today: date) -> int | None:
        """The days that an answer to the question about the day of the procedure gives: a figure, a weekday, a day's name."""
        lower = self._figures_of(text)
        given = self.days_since_procedure(text, today)
        if given is not None:
            return given
        lasting = self.days_lasting(text)
        if lasting is not None:
            return lasting
        weekdays = self._weekdays(lower)
        if weekdays:
            return int(_days_since_weekday(min(weekdays), today))
        for word, value in self._answered.items():
            if word in lower:
                return value
        figures = self.numbers(text)
        return int(figures[0]) if figures else None

    def _time_spans(self, lower: str) -> list[tuple[float, bool]]:
        """Each time span in days, and whether it tells how long something lasts rather than when the procedure was."""
        found, expressions = [], self._spans
        procedure = bool(self._procedure.search(lower))
        for match in expressions["span"].finditer(lower):
            value, tail, start = self._number(match["n"]), match["tail"], match.start()
            if value is None or expressions["not_a_span"].match(tail) or _ends(expressions["repeated"], lower, start):
                continue
            since = bool(expressions["since"].match(tail)) or _ends(expressions["been"], lower, start)
            if match["n"] in self._articles and not since:
                continue
            lasting = not procedure or (not since and _ends(expressions["lasting"], lower, start))
            found.append((value * self._days_of[match["unit"]], lasting))
        return found


def _lower(text: str) -> str:
    """The text in small letters, each in its place: a letter whose small form takes two places stays as it is."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := character.lower()) == 1 else character for character in text)


def _fahrenheit(celsius: float) -> float:
    return round(celsius * 9 / 5 + 32, 1)


def _places(pattern: re.Pattern[str], text: str) -> list[Place]:
    return [match.span() for match in pattern.finditer(text)]


def _near(text: str, first: Sequence[Place], second: Sequence[Place], within: int) -> bool:
    """Whether on one line a `second` begins at most so many characters behind the end of a `first`; both in order, none overlapping."""
    ends = [end for _, end in first]
    for start, _ in second:
        place = bisect_right(ends, start)
        if place and start - ends[place - 1] <= within and "\n" not in text[ends[place - 1] : start]:
            return True
    return False


def _ends(pattern: re.Pattern[str], text: str, end: int) -> bool:
    """Whether the text before `end` ends in the pattern, which reaches back 80 characters at most."""
    return bool(pattern.search(text, max(0, end - _HEAD), end))


def _days_since_weekday(index: int, today: date) -> float:
    return float((today.weekday() - index) % 7 or 7)
