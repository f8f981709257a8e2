"""Temperatures, pain scores and days since the procedure, read from words and figures."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

_UNITS = {
    "zero": 0, "oh": 0, "o": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "couple": 2, "few": 3, "several": 4,
}  # fmt: skip
_TENS = {"thirty": 30, "forty": 40, "ninety": 90}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7}
_SPOKEN = re.compile(
    r"\b(?:(?P<ten>ninety|thirty|forty)[ -]?(?P<unit>one|two|three|four|five|six|seven|eight|nine)?"
    r"|(?:a |one )?(?P<hundred>hundred)(?: and)?(?: (?P<hunit>one|two|three|four|five|six))?"
    r"|(?P<oh>one oh|one o|ten) (?P<ounit>zero|oh|one|two|three|four|five|six))"
    r"(?: ?(?:point|dot|and) (?P<point>zero|oh|one|two|three|four|five|six|seven|eight|nine|\d))?\b"
)
_TEMPERATURE = re.compile(
    r"(?<![\d.,/$#-])(?P<value>\d{2,3}(?:[.,]\d{1,2})?|1o\d(?:[.,]\d)?)(?![\d/])"
    r"\s{0,9}(?P<unit>(?:°|degrees?|deg|grados|º)?\s{0,9}(?:f|c|fahrenheit|celsius|centigrade)?\b)"
)
_CONTEXT = re.compile(
    r"\b(?:temp|fever|thermom|(?:feaver|degrees?|deg|tmax|febrile|afebrile|grados|fiebre|"
    r"hot|burning|forehead|reading|warm|t|ran|running|spiked|spiking)\b)|°|º"
)
_NOT_A_TEMPERATURE = re.compile(
    r"\s{0,9}(?:%|(?:percent|lbs?|pounds|kg|mg|ml|bpm|beats|years?|yrs?|yo|y/o|miles|minutes|mins?|hours?|days?|weeks?|months?|dollars|"
    r"dalmatians|cents|st|nd|rd|th|am|pm|over|oz|feet|inches|steps|times|pages|people|sats?|"
    r"on room air|outside|in here|in the room|in the shade)\b)"
)
_BEFORE_NOT = re.compile(
    r"(?:pulse|hr|heart rate|bp|pressure|weigh\w{0,9}|sats?|o2|spo2|oxygen|room|age|aged|highway|route|channel|sugar|glucose|"
    r"outside|oven|bath|water|pool|ac|weather|turned|is only|at apt|apartment|pounds)(?:\s|is|was|of|at|to|=|:|around|about|reads?|"
    r"temp\w{0,9}(?!\w)){0,40}$"
)
_SCORE = re.compile(
    r"\b(\d{1,2}|zero|one|two|three|four|five|six|seven|eight|nine|ten)(?:\.\d)?\s{0,9}(?:/|out of|outta|of)\s{0,9}(?:10|ten)\b"
)
_BARE_SCORE = re.compile(
    r"\bpain(?:\s|is|at|level|score|of|about|around|an?|like|=|:){0,40}(\d{1,2})\b"
    r"(?!\s{0,9}(?:/|%|days?|weeks?|hours?|hrs?|months?|am|pm|pills?|times))"
)
_SPAN = re.compile(
    r"\b(?P<n>\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|couple|few|several)"
    r"(?: of| full| whole| blessed)? ?"
    r"(?P<unit>days?|nights?|weeks?|wks?|months?|hours?|hrs?)\b(?P<tail>[^.!?\n]{0,30})"
)
_DAY_N = re.compile(
    r"\b(?:post[- ]?op(?:erative)? day|pod|day|night)\s{0,9}#?\s{0,9}(?P<n>\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)\b"
)
_NTH_DAY = re.compile(r"\b(?P<n>first|second|third|fourth|fifth|sixth|seventh|\d(?=st|nd|rd|th))(?:st|nd|rd|th)? (?:day|night)\b")
_PROCEDURE = re.compile(
    r"procedure|surgery|operation|vertebro\w*|cement\w*|injection|needle|kypho\w*|"
    r"shot|done|did it|had hers|had his|had mine|had it|went in|came home|got home|home|discharged|treatment"
)
_WEEKDAY = re.compile(
    r"\b(?:(mon(?:day)?)|(tue(?:s|sday)?)|(wed(?:s|nesday)?)|(thu(?:r|rs|rsday)?)|(fri(?:day)?)|(sat(?:urday)?)|(sun(?:day)?))\b"
)
_DAY_AFTER = re.compile(r"\b(?:first (?:day|night)|day after|next (?:day|morning)|morning after|night after)\b")
_BEHIND_PROCEDURE = (
    (re.compile(r"\blast (?:week|month)\b"), 7),
    (re.compile(r"\byesterday\b"), 1),
    (re.compile(r"\b(?:today|this (?:morning|afternoon|noon)|tonight|earlier|just now)\b"), 0),
)
_AHEAD_OF_PROCEDURE = (
    (re.compile(r"\b(?:last|past) (?:week|month)\b"), 40, 7),
    (re.compile(r"\byesterday(?:'s)?\b"), 40, 1),
    (re.compile(r"\b(?:today|this (?:morning|afternoon)|just)\b"), 25, 0),
)
_NEAR_BEHIND, _NEAR_AHEAD = 25, 15
_NOT_A_SPAN = re.compile(r"\s{0,9}(?:before|prior|until|till|supply|course|from now)|\s{0,9}an? (?:week|day)|[^,]{0,30}\bbefore\b")
_REPEATED = re.compile(r"(?:every|next|in|within|another|per|each|once|twice|times) $")
_SINCE = re.compile(r"\s{0,9}(?:ago|later|out|after|since|post|following|on from|from|and)\b")
_LASTING = re.compile(r"(?:for|last|past|lasted|hurt|hurting)(?: the| about| like| last| past| almost| over){0,8} $")
_BEEN = re.compile(r"\bbeen (?:about |only |like )?$")
_HEAD = 80
_FIGURES = re.compile(r"\d+(?:[.,]\d+)?|[a-z]+")
_PER_UNIT = {"d": 1.0, "n": 1.0, "w": 7.0, "m": 30.0, "h": 1 / 24}

Place = tuple[int, int]


@dataclass(frozen=True)
class Measure:
    """A figure with its place in the text as typed."""

    value: float
    start: int
    end: int


def _lower(text: str) -> str:
    """The text in small letters, each in its place: a letter whose small form takes two places stays as it is."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := character.lower()) == 1 else character for character in text)


def _number(text: str) -> float | None:
    text = text.replace(",", ".").replace("o", "0") if any(ch.isdigit() for ch in text) else text
    if text in {"a", "an"}:
        return 1.0
    if text in _UNITS:
        return float(_UNITS[text])
    try:
        return float(text)
    except ValueError:
        return None


def _spoken_value(match: re.Match[str]) -> float:
    group = match.groupdict()
    if group["ten"]:
        value = _TENS[group["ten"]] + _UNITS.get(group["unit"] or "zero", 0)
    else:
        value = 100 + _UNITS.get(group["hunit"] or group["ounit"] or "zero", 0)
    point = group["point"]
    return value + (0.0 if point is None else (float(point) if point.isdigit() else float(_UNITS[point])) / 10)


def temperatures(text: str) -> list[Measure]:
    """Body temperatures in a text.

    Args:
        text: the text as typed; decimal commas, words and either unit are understood.

    Returns:
        The temperatures in degrees Fahrenheit. A figure without a unit takes the unit in whose range it lies.
    """
    lower = _lower(text)
    context = bool(_CONTEXT.search(lower))
    whole = lower.strip(" .!?")
    found = []
    for match in _TEMPERATURE.finditer(lower):
        value, unit = _number(match["value"]), match["unit"].strip()
        if value is None:
            continue
        decimal = any(sign in match["value"] for sign in ".,")
        celsius = unit.endswith(("c", "celsius", "centigrade", "grados")) or (34 <= value <= 43 and not unit.endswith("f"))
        low, high = (34, 43) if celsius else (94, 110)
        alone = whole == match.group().strip()
        if not low <= value <= high or not (decimal or unit or context or alone):
            continue
        if not _NOT_A_TEMPERATURE.match(lower, match.end()) and not _ends(_BEFORE_NOT, lower, match.start()):
            found.append(Measure(_fahrenheit(value) if celsius else value, match.start(), match.end("value")))
    for match in _SPOKEN.finditer(lower):
        value = _spoken_value(match)
        if (94 <= value <= 108 or 36 <= value <= 42) and (context or match["point"]):
            found.append(Measure(value if value > 90 else _fahrenheit(value), match.start(), match.end()))
    return sorted(found, key=lambda measure: measure.start)


def _fahrenheit(celsius: float) -> float:
    return round(celsius * 9 / 5 + 32, 1)


def pain_scores(text: str) -> list[Measure]:
    """Pain scores from 0 to 10: `8/10`, `ten out of ten`, `pain is a 7`."""
    lower = _lower(text)
    found = []
    for pattern in (_SCORE, _BARE_SCORE):
        for match in pattern.finditer(lower):
            value = _number(match.group(1))
            if value is not None and 0 <= value <= 10:
                found.append(Measure(value, match.start(), match.end()))
    return found


def numbers(text: str) -> tuple[float, ...]:
    """Every plain figure or number word in a text, in order; none with more digits than a float can hold."""
    pieces = _FIGURES.findall(text.lower())
    values = (_number(piece) for piece in pieces if piece not in {"a", "an", "o", "oh"})
    return tuple(value for value in values if value is not None and math.isfinite(value))


def days_since_procedure(text: str, today: date) -> int | None:
    """The longest time since the procedure that a text gives, in whole days; None when it gives none.

    Args:
        text: the text as typed.
        today: the day of the message, for weekdays (`procedure was Monday`).
    """
    lower = _lower(text)
    days = [value for value, lasting in _spans(lower) if not lasting]
    for match in (*_DAY_N.finditer(lower), *_NTH_DAY.finditer(lower)):
        value = _ORDINALS.get(match["n"]) or _number(match["n"])
        if value is not None:
            days.append(float(value))
    days.extend(_days_by_name(lower, today))
    return int(max(days)) if days else None


def _days_by_name(lower: str, today: date) -> Iterator[float]:
    """The days that names of days give (`yesterday`, `Monday`), where the procedure is named near them."""
    if _DAY_AFTER.search(lower):
        yield 1.0
    procedures = _places(_PROCEDURE, lower)
    if not procedures:
        return
    for index, weekdays in _weekdays(lower).items():
        if _near(lower, procedures, weekdays, _NEAR_BEHIND) or _near(lower, weekdays, procedures, _NEAR_AHEAD):
            yield _days_since_weekday(index, today)
    for pattern, value in _BEHIND_PROCEDURE:
        if _near(lower, procedures, _places(pattern, lower), _NEAR_BEHIND):
            yield float(value)
    for pattern, within, value in _AHEAD_OF_PROCEDURE:
        if _near(lower, _places(pattern, lower), procedures, within):
            yield float(value)


def _places(pattern: re.Pattern[str], text: str) -> list[Place]:
    return [match.span() for match in pattern.finditer(text)]


def _weekdays(lower: str) -> dict[int, list[Place]]:
    """The places of each weekday's name, Monday as 0."""
    places: dict[int, list[Place]] = {}
    for match in _WEEKDAY.finditer(lower):
        places.setdefault((match.lastindex or 1) - 1, []).append(match.span())
    return places


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


def days_lasting(text: str) -> int | None:
    """How many whole days something has lasted (`for 5 days`); the procedure is at least as long ago."""
    return max((int(value) for value, lasting in _spans(_lower(text)) if lasting), default=None)


def days_answered(text: str, today: date) -> int | None:
    """The days that an answer to `how many days ago was the procedure?` gives: a figure, a weekday, today, yesterday."""
    lower = _lower(text)
    told = days_since_procedure(text, today)
    if told is not None:
        return told
    lasting = days_lasting(text)
    if lasting is not None:
        return lasting
    weekdays = _weekdays(lower)
    if weekdays:
        return int(_days_since_weekday(min(weekdays), today))
    for word, value in (("yesterday", 1), ("today", 0), ("this morning", 0)):
        if word in lower:
            return value
    figures = numbers(text)
    return int(figures[0]) if figures else None


def _spans(lower: str) -> list[tuple[float, bool]]:
    """Each time span in days, and whether it tells how long something lasts rather than when the procedure was."""
    found = []
    procedure = bool(_PROCEDURE.search(lower))
    for match in _SPAN.finditer(lower):
        value, tail, start = _number(match["n"]), match["tail"], match.start()
        if value is None or _NOT_A_SPAN.match(tail) or _ends(_REPEATED, lower, start):
            continue
        since = bool(_SINCE.match(tail)) or _ends(_BEEN, lower, start)
        if match["n"] in {"a", "an"} and not since:
            continue
        lasting = not procedure or (not since and _ends(_LASTING, lower, start))
        found.append((value * _PER_UNIT[match["unit"][0]], lasting))
    return found


def _days_since_weekday(index: int, today: date) -> float:
    return float((today.weekday() - index) % 7 or 7)
