"""How names, addresses, numbers, dates and ages look in what patients write; names and places that have no pattern stand in names.yml."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import yaml

Patterns = Sequence[tuple[str, re.Pattern[str]]]
HIDE = "hide"
_SHORTEST_NAME = 3
_ROLES = frozenset(("nurse", "lead", "doctor", "auditor", "admin", "team", "staff", "desk"))
_READING = r"\d{2,3}(?:[.,]\d(?!\d)|/\d{2,3}(?![\d/]))"
_NUMERIC_DATE = r"(?:(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[/.\-]\d{1,2}[/.\-](?:(?:19|20)\d\d|\d\d))(?!\d|[/.\-]\d)"
PHONE = re.compile(
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
def announced_names() -> Patterns:
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
def listed_names() -> Patterns:
    """Names that are in the list, with the name behind them."""
    follows = rf"(?:[ \t]+(?:[A-Z]\.?[ \t]+)?(?!(?i:(?:{_one_of(_words('never'))})\b)){_TITLED})?"
    words = _one_of(word.capitalize() for word in _words("words"))
    return _compiled(
        ("name", rf"\b(?i:{_one_of(_words('given'))})(?:['’]s)?\b{follows}"),
        ("name", rf"(?:(?<=[a-z,] )(?:{words})\b{follows}|\b(?:{words})[ \t]+(?:[A-Z]\.?[ \t]+)?{_TITLED}\b)"),
        flags=0,
    )


CONTACTS = _compiled(
    (
        "e-mail",
        r"(?<![\w.+\-])[\w.+\-]{1,200}(?:\s?@\s?[\w\-]+(?:\.[\w\-]+)+| (?:\[at\]|\(at\)) [\w\-]+ ?(?:\.|\(dot\)|\[dot\]) ?[a-z]{2,}\b)",
    ),
    ("address on the web", r"\b(?:https?://|www\.)\S+|(?<![\w.\-])[\w.\-]{1,200}\.(?:com|org|net|edu|gov|io|info|example)\b(?:/\S*)?"),
    ("address on the web", r"\b\d{1,3}(?:\.\d{1,3}){3}\b|(?<![\w@])@[a-z_]\w{2,}"),
)
NUMBERS = _compiled(
    (
        "record number",
        rf"\b(?:{_RECORDS})(?:\s+(?:number|no|num|id|card))?\b\.?(?:\s*(?:is|[:#=]|number))*\s*"
        r"(?P<hide>(?=(?:[^\W\d]|-){0,40}\d(?:[^\W\d]|-){0,40}\d)[\w\-]{4,})",
    ),
    ("record number", r"\b\d{3}-\d{2}-\d{4}\b|\b\d[a-z][a-z0-9]\d-?[a-z][a-z0-9]\d-?[a-z]{2}\d{2}\b|\b[a-z]{1,4}-?\d{5,}\b"),
    ("record number", r"(?<![\d.])\d{9,}"),
)
ADDRESSES = _compiled(
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
DATES = _compiled(
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
AGES = _compiled(
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
def towns() -> Patterns:
    """Towns and places, by what stands before them and by the list."""
    no_place = rf"(?!(?i:(?:{_one_of(_words('no_places'))})\b))"
    several = rf"(?P<hide>{no_place}{_TITLED}(?:[ \t]+{_TITLED})?(?:,?[ \t]+[A-Z]{{2}}\b)?)"
    return [
        *_compiled(("place", rf"\b(?:in|from|In|From|near|Near)[ \t]+{several}"), flags=0),
        *_compiled(("place", rf"\b(?:{_one_of(place.capitalize() for place in _words('places'))})\b(?:,?[ \t]+[A-Z]{{2}}\b)?"), flags=0),
        *_compiled(("place", r"\bi?\s?(?:live|lives|living)\s+in\s+(?P<hide>(?!the\b|a\b|my\b|an\b)[^\W\d_]{3,})")),
    ]


REST = [
    *_compiled(("date", rf"\b(?:in|since|last|this|until|till|next|of)\s+(?!(?<=this )may\b)(?P<hide>{_MONTHS})(?=[\s.,;!?]|$)")),
    *_compiled(("date", r"\b(?:January|February|April|June|July|August|September|October|November|December)\b"), flags=0),
    *_compiled(("number", r"(?<![\d.])\d{5,}(?:-\d{4})?")),
]


def known_names(names: Iterable[str]) -> Patterns:
    """Names in whole however they are written, and their parts.

    Of a name with capitals the parts that have one: in 'Lead of the ward' 'the' is no name.
    """
    whole = [name for name in names if len(name.strip()) >= _SHORTEST_NAME]
    if not whole:
        return []
    forms = {form for name in whole for part in _parts(name) for form in (part, part.capitalize(), part.upper())}
    patterns = _compiled(("name", rf"(?<!\w)(?:{_one_of(whole)})(?!\w)"))
    return [*patterns, *_compiled(("name", rf"(?<!\w)(?:{_one_of(forms)})(?!\w)"), flags=0)] if forms else patterns


def _parts(name: str) -> Iterator[str]:
    words = re.findall(r"[^\W\d_]+", name)
    capitals = any(word[0].isupper() for word in words)
    for word in words:
        if len(word) >= _SHORTEST_NAME and word.casefold() not in _ROLES and (word[0].isupper() or not capitals):
            yield word
