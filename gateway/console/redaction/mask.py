"""Hides what tells who somebody is: telephone numbers on the screen; names, dates and more in what leaves the console.

Patterns do not find everything, so a masked text is never called free of what tells who somebody is. How much they find, the tests measure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from gateway.console.redaction.mark import Mark

Patterns = Sequence[tuple[str, re.Pattern[str]]]

_HIDE = "hide"
_SHORTEST_NAME = 3
_ROLES = frozenset(("nurse", "lead", "doctor", "auditor", "admin", "team", "staff", "desk"))

_READING = r"\d{2,3}(?:[.,]\d(?!\d)|/\d{2,3}(?![\d/]))"
_NUMERIC_DATE = r"(?:(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[/.\-]\d{1,2}[/.\-](?:(?:19|20)\d\d|\d\d))(?!\d|[/.\-]\d)"
_PHONE = re.compile(
    rf"(?<![\w.])(?<!\d[/-])(?!{_READING})(?!{_NUMERIC_DATE})\+?\(?\d(?:[\s().\-/]{{0,2}}(?!(?<=\s)(?:{_READING}|{_NUMERIC_DATE}))\d){{6,40}}(?!\w)"
)
_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
    r"|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)\b\.?"
)
_NTH = r"\d{1,2}(?:st|nd|rd|th)"
_COUNTED = r"(?!\s+(?:day|night|week|month|time|dose|pill|floor|toe|finger|vertebra|one|attempt|lumbar|rib|try|step|hour|morning)s?\b)"
_TITLED = r"[^\W\d_a-z](?:[^\W\d_A-Z]|['’\-])+(?:[A-Z][a-z]+)?"
_ANY_NAME = r"[^\W\d_][^\W\d_'’\-]*[\w'’\-]*"
_STREETS = (
    r"street|st|avenue|ave|road|rd|drive|dr|lane|ln|boulevard|blvd|court|ct|place|pl|way|terrace|ter|circle|cir|highway|hwy|parkway|pkwy"
    r"|square|sq"
)
_RECORDS = (
    r"mrn|medical record|record|chart|patient id|account|acct|policy|member id|member|insurance|medicare|medicaid|claim|subscriber|group id"
    r"|licen[cs]e|ssn|social security|social|passport|case|id"
)


def _compiled(*pairs: tuple[str, str], flags: int = re.IGNORECASE) -> Patterns:
    return [(name, re.compile(pattern, flags)) for name, pattern in pairs]


@cache
def _words(kind: str) -> tuple[str, ...]:
    """One list of names.yml."""
    content = yaml.safe_load(Path(__file__).with_name("names.yml").read_text(encoding="utf-8"))
    return tuple(dict.fromkeys(str(content[kind]).split()))


def _one_of(words: Iterable[str]) -> str:
    """Alternatives, the longer ones first; parted by their first letter, which makes a long list several times as fast."""
    by_letter: dict[str, list[str]] = {}
    for word in sorted(words, key=len, reverse=True):
        by_letter.setdefault(word[0], []).append(re.escape(word[1:]))
    return "|".join(f"{re.escape(letter)}(?:{'|'.join(rest)})" for letter, rest in by_letter.items())


@cache
def _announced_names() -> Patterns:
    """Names that the words around them give away."""
    never = rf"(?!(?i:(?:{_one_of(_words('never'))})\b))"
    word, titled = never + _ANY_NAME, never + _TITLED
    several = rf"(?P<hide>{word}(?:\s+(?:[A-Z]\.\s*)?{word}){{0,2}})"
    some = rf"(?P<hide>{titled}(?:[ \t]+(?:[A-Z]\.[ \t]*)?{titled}){{0,2}})"
    two = rf"(?P<hide>{titled}(?:[ \t]+(?:[A-Z]\.[ \t]*)?{titled}){{1,2}})"
    announced = r"(?i:\bname(?:['’]s|\s+is|\s*[:=])|\bcall\s+me\b|\bme\s+llamo|\bnombre\s+es)\s+"
    relations = _one_of(_words("relations"))
    return _compiled(
        ("name", announced + several),
        ("name", r"(?i:\bi['’]?\s?a?m\b|\bthis\s+is|\bhere\s+is|\bsoy)\s+" + two),
        ("name", r"\b(?i:mr|mrs|miss|mister|missus|señora?|prof|professor|dr|doctor|nurse)\b\.?[ \t]+" + some),
        ("name", r"\b(?:Ms|ms\.)\.?[ \t]+" + some),
        ("name", rf"\b(?i:mr|mrs)\b\.?[ \t]+(?P<hide>{word})"),
        ("name", rf"\b(?i:my|his|her|our|mi)[ \t]+(?i:{relations}),?[ \t]+" + some),
        ("name", r"(?i:\b(?:regards|sincerely|thanks|thank\s+you|yours|love|best)\b)[,.!]*\s+" + some + r"[.!]?\s*$"),
        ("name", r"(?:^|\n)[^\S\n]*[-–—]\s*" + some + r"\s*$"),
        flags=0,
    )


@cache
def _listed_names() -> Patterns:
    """Names that are in the list, with the name behind them."""
    follows = rf"(?:[ \t]+(?:[A-Z]\.?[ \t]+)?(?!(?i:(?:{_one_of(_words('never'))})\b)){_TITLED})?"
    words = _one_of(word.capitalize() for word in _words("words"))
    return _compiled(
        ("name", rf"\b(?i:{_one_of(_words('given'))})(?:['’]s)?\b{follows}"),
        ("name", rf"(?:(?<=[a-z,] )(?:{words})\b{follows}|\b(?:{words})[ \t]+(?:[A-Z]\.?[ \t]+)?{_TITLED}\b)"),
        flags=0,
    )


_CONTACTS = _compiled(
    (
        "e-mail",
        r"(?<![\w.+\-])[\w.+\-]{1,200}(?:\s?@\s?[\w\-]+(?:\.[\w\-]+)+| (?:\[at\]|\(at\)) [\w\-]+ ?(?:\.|\(dot\)|\[dot\]) ?[a-z]{2,}\b)",
    ),
    ("address on the web", r"\b(?:https?://|www\.)\S+|(?<![\w.\-])[\w.\-]{1,200}\.(?:com|org|net|edu|gov|io|info|example)\b(?:/\S*)?"),
    ("address on the web", r"\b\d{1,3}(?:\.\d{1,3}){3}\b|(?<![\w@])@[a-z_]\w{2,}"),
)
_NUMBERS = _compiled(
    (
        "record number",
        rf"\b(?:{_RECORDS})(?:\s+(?:number|no|num|id|card))?\b\.?(?:\s*(?:is|[:#=]|number))*\s*"
        r"(?P<hide>(?=(?:[^\W\d]|-){0,40}\d(?:[^\W\d]|-){0,40}\d)[\w\-]{4,})",
    ),
    ("record number", r"\b\d{3}-\d{2}-\d{4}\b|\b\d[a-z][a-z0-9]\d-?[a-z][a-z0-9]\d-?[a-z]{2}\d{2}\b|\b[a-z]{1,4}-?\d{5,}\b"),
    ("record number", r"(?<![\d.])\d{9,}"),
)
_PLACES = _compiled(
    (
        "address",
        r"\b\d{1,6}[A-Z]?[ \t]+(?:[NSEW]\.?[ \t]+|(?i:north|south|east|west)[ \t]+)?"
        rf"(?:(?:[A-Z][\w'’.\-]*|\d+(?:st|nd|rd|th))[ \t]+){{1,3}}(?i:{_STREETS})\b\.?"
        rf"(?:,?[ \t]+(?i:apt|apartment|unit|suite|#)\.?[ \t]*\w+)?(?:,[ \t]*{_TITLED}(?:[ \t]{_TITLED})?)?"
        r"(?:,?[ \t]+[A-Z]{2}\b)?(?:[ \t]+\d{5}(?:-\d{4})?)?",
    ),
    (
        "address",
        r"(?i:\b\d{1,6}[ \t]+(?:[nsew]\.?[ \t]+)?(?!(?:minute|hour|day|week|month|time|pill|block|mile|step|the|of|to|on|in|more)s?\b)"
        r"[a-z']{3,}[ \t]+(?:street|avenue|road|lane|boulevard|drive)\b)",
    ),
    ("address", r"(?i:\b(?:apartment|apt\.?|suite|p\.?\s?o\.?\s?box)\s*#?\s*)(?P<hide>\d+\w?)\b"),
    ("ZIP code", r"(?i:\bzip(?:\s+code)?(?:\s+is|\s*[:=])?\s*)(?P<hide>\d{5}(?:-\d{4})?)\b|\b[A-Z]{2}[ \t]+\d{5}(?:-\d{4})?\b"),
    flags=0,
)
_DATES = _compiled(
    ("date", rf"(?<![\d.]){_NUMERIC_DATE}"),
    ("date", rf"\b(?:{_NTH}|\d{{1,2}})\s+(?:of\s+|de\s+)?{_MONTHS}(?:,?\s+(?:de\s+)?(?:19|20)\d\d)?"),
    ("date", rf"\b{_MONTHS}\s+(?:the\s+)?(?:{_NTH}|\d{{1,2}}(?![\d.,/:]\d|\d| ?(?:mg|ml|°|degrees)))(?:,?\s+(?:19|20)\d\d|,?\s+['’]\d\d)?"),
    ("date", rf"\b{_MONTHS},?\s+(?:of\s+)?(?:19|20)\d\d\b"),
    ("date", rf"\b(?:on|since|until|till|from|before|after|for|was|by|is)\s+(?:\w+\s+)?the\s+(?P<hide>{_NTH})\b{_COUNTED}"),
    ("date", r"\b(?:on|since|until|till|dated)\s+(?P<hide>\d{1,2}/\d{1,2})(?![\d/])"),
    (
        "date",
        rf"\b(?:dob|d\.o\.b\.?|date\s+of\s+birth|birth\s?da(?:y|te)|born|nacid[oa])\b(?:\s+(?:is|on|in|was|el|en))?\s*[:=]?\s*"
        rf"(?P<hide>(?:the\s+)?(?:{_NTH}|\d{{1,2}}[/.\-]\d{{1,2}}|\d{{6,8}}|(?:19|20)?\d\d(?:[ /.\-]\d{{1,2}}){{0,2}}))\b",
    ),
    ("date", r"\b(?:born|birth\s?year)(?:\s+(?:in|is|on))?\s+(?P<hide>['’]?\d\d|(?:19|20)\d\d)\b"),
)
_OLD = r"(?:9\d|1[0-2]\d)"
_AGES = _compiled(
    ("age over 89", rf"\b(?P<hide>{_OLD})(?=[\s\-]?(?:years?|yrs?|yo|y/o|y\.o\.?|año)s?\b)"),
    ("age over 89", rf"\b(?:age[d]?|turn(?:ed|ing|s)?)(?:\s+is|\s*[:=])?\s+(?P<hide>{_OLD})\b(?![.,]\d)"),
    (
        "age over 89",
        r"\b(?:i['’]?\s?a?m|(?:she|he|mom|mother|dad|father|who)(?:['’]?s|\s+is))\s+"
        r"(?P<hide>9\d)\b(?![.,]\d|\s*(?:%|°|degrees?|[fc]\b|lbs?|pounds|kg))",
    ),
    ("age over 89", r"\b(?P<hide>9\d)(?=[ ]?m\b|[ ]?f\s+(?:pod|s/p))"),
    (
        "age over 89",
        r"\b(?P<hide>(?:ninety|(?:a|one)\s+hundred)(?:[\s\-](?:and\s+)?(?:one|two|three|four|five|six|seven|eight|nine))?)"
        r"(?=[\s\-](?:years?|yrs?)\b)",
    ),
)


@cache
def _towns() -> Patterns:
    no_place = rf"(?!(?i:(?:{_one_of(_words('no_places'))})\b))"
    several = rf"(?P<hide>{no_place}{_TITLED}(?:[ \t]+{_TITLED})?(?:,?[ \t]+[A-Z]{{2}}\b)?)"
    return [
        *_compiled(("place", rf"\b(?:in|from|In|From|near|Near)[ \t]+{several}"), flags=0),
        *_compiled(("place", rf"\b(?:{_one_of(place.capitalize() for place in _words('places'))})\b(?:,?[ \t]+[A-Z]{{2}}\b)?"), flags=0),
        *_compiled(("place", r"\bi?\s?(?:live|lives|living)\s+in\s+(?P<hide>(?!the\b|a\b|my\b|an\b)[^\W\d_]{3,})")),
    ]


_REST = [
    *_compiled(("date", rf"\b(?:in|since|last|this|until|till|next|of)\s+(?!(?<=this )may\b)(?P<hide>{_MONTHS})(?=[\s.,;!?]|$)")),
    *_compiled(("date", r"\b(?:January|February|April|June|July|August|September|October|November|December)\b"), flags=0),
    *_compiled(("number", r"(?<![\d.])\d{5,}(?:-\d{4})?")),
]


class Mask:
    """Replaces what it knows by a word in square brackets, and counts what it hid.

    Args:
        patterns: what is hidden, and how it is known: the whole match, or its group `hide`.
    """

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns
        self.hidden = 0

    @classmethod
    def nothing(cls) -> Mask:
        """Hides nothing."""
        return cls([])

    @classmethod
    def phones(cls) -> Mask:
        """Hides telephone numbers alone."""
        return cls([("phone number", _PHONE)])

    @classmethod
    def limited(cls, known: Iterable[str] = ()) -> Mask:
        """Hides names, addresses, telephone numbers, e-mail and web addresses, dates, and numbers of records.

        Args:
            known: names that are known, such as those of the staff.
        """
        return cls(
            [*_known(known), *_CONTACTS, *_PLACES, *_NUMBERS, *_DATES, ("phone number", _PHONE), *_announced_names(), *_listed_names()]
        )

    @classmethod
    def deidentified(cls, known: Iterable[str] = ()) -> Mask:
        """Hides what `limited` hides, and towns, ZIP codes, ages over 89, months, and every number of five digits or more."""
        return cls([*cls.limited(known)._patterns, *_AGES, *_towns(), *_REST])

    @staticmethod
    def find_phones(text: str) -> list[str]:
        """The telephone numbers in a text, as typed."""
        return [found.group().strip() for found in _PHONE.finditer(text)]

    @staticmethod
    def find_names(text: str) -> list[str]:
        """The names in a text that the words around them give away, to be hidden wherever else they stand."""
        return [found[_HIDE] for _, pattern in _announced_names() for found in pattern.finditer(text)]

    def __call__(self, text: str) -> str:
        """A text with what this mask knows hidden."""
        return self.with_marks(text, ())[0]

    def with_marks(self, text: str, marks: tuple[Mark, ...]) -> tuple[str, tuple[Mark, ...]]:
        """A text with what this mask knows hidden, and the marks where their words stand now; a mark on hidden words covers the bracket."""
        spans = self._spans(text)
        self.hidden += len(spans)
        pieces, position = [], 0
        shifts: list[tuple[int, int, int]] = []
        for start, end, name in spans:
            pieces += [text[position:start], f"[{name}]"]
            shifts.append((start, end, len(name) + 2))
            position = end
        pieces.append(text[position:])

        def moved(place: int, *, end: bool) -> int:
            shift = 0
            for first, last, length in shifts:
                if place >= last:
                    shift += length - (last - first)
                elif place > first:
                    return first + shift + (length if end else 0)
            return place + shift

        return "".join(pieces), tuple(replace(m, start=moved(m.start, end=False), end=moved(m.end, end=True)) for m in marks)

    def deep(self, data: Any) -> Any:
        """JSON data with every text in it masked."""
        if isinstance(data, str):
            return self(data)
        if isinstance(data, dict):
            return {self(key): self.deep(value) for key, value in data.items()}
        return [self.deep(each) for each in data] if isinstance(data, list) else data

    def _spans(self, text: str) -> list[tuple[int, int, str]]:
        """The places that are hidden; of two that overlap, one place that covers both, under the name of the first and longer one."""
        kept: list[tuple[int, int, str]] = []
        for start, end, name in sorted(self._found(text), key=lambda span: (span[0], -span[1])):
            if kept and start < kept[-1][1]:
                kept[-1] = (kept[-1][0], max(end, kept[-1][1]), kept[-1][2])
            else:
                kept.append((start, end, name))
        return kept

    def _found(self, text: str) -> Iterator[tuple[int, int, str]]:
        for name, pattern in self._patterns:
            group = _HIDE if _HIDE in pattern.groupindex else 0
            for match in pattern.finditer(text):
                part = group if match[group] is not None else 0
                if match.end(part) > match.start(part):
                    yield match.start(part), match.end(part), name


def _known(names: Iterable[str]) -> Patterns:
    """Names in whole however they are written, and their parts with a capital."""
    whole = [name for name in names if len(name.strip()) >= _SHORTEST_NAME]
    if not whole:
        return []
    parts = {
        part for name in whole for part in re.findall(r"[^\W\d_]+", name) if len(part) >= _SHORTEST_NAME and part.casefold() not in _ROLES
    }
    patterns = _compiled(("name", rf"(?<!\w)(?:{_one_of(whole)})(?!\w)"))
    return (
        [
            *patterns,
            *_compiled(("name", rf"(?<!\w)(?:{_one_of({form for p in parts for form in (p, p.capitalize(), p.upper())})})(?!\w)"), flags=0),
        ]
        if parts
        else patterns
    )
