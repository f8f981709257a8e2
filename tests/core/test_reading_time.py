"""How long reading takes: at most in proportion to the length of a text, whatever the text is.

Times are processor times, the least of some tries, so that other work on the machine counts little.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import aftercare
from aftercare.assistant import Assistant
from aftercare.protocol import Protocol, load_library
from aftercare.understanding.clauses import Clauses
from aftercare.understanding.measures import Measures
from aftercare.understanding.patterns import PatternMatcher, Token

pytestmark = pytest.mark.slow

_constants, _parser = importlib.import_module("re._constants"), importlib.import_module("re._parser")
WEDNESDAY = date(2024, 5, 15)
SHIPPED = sorted(rules.parent for rules in (Path(__file__).resolve().parents[2] / "protocols").glob("*/rules.yml"))
LONGEST, LONGEST_REFUSED = 4_000, 64_000
SECONDS, SECONDS_REFUSED = 0.15, 1.0
# What a busy machine may take longer than an idle one; a text that is read in quadratic time takes a hundred times as long.
SLACK = 3
# Expressions that read on without an end, each because nothing can fail behind what it reads: no place is read twice.
ENDLESS = {
    "aftercare.decision.answers._WORD",
    "aftercare.decision.danger_check._TOKEN",
    "aftercare.understanding.measures._FIGURES",
    "aftercare.understanding.patterns._REST_OF_WORD",
    "aftercare.understanding.text._STRETCHED",
    "aftercare.understanding.text._WORD",
    "aftercare.understanding.understood._WORD",
    "Clauses._sentence, vertebroplasty en",
    "Measures._procedure, vertebroplasty en",
}
# Classes that make expressions of what a language's files say; each of their instances is tested, for every protocol that is shipped.
MADE_OF_FILES = {"aftercare.understanding.clauses": Clauses, "aftercare.understanding.measures": Measures}
FARTHEST = 600


def seconds(work: Callable[[], object], tries: int = 3) -> float:
    return min(_once(work) for _ in range(tries))


def _once(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def filled(piece: str, length: int = LONGEST) -> str:
    return (piece * (length // len(piece) + 1))[:length]


# Every regular expression of the core


def _patterns_in(value: Any) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from _patterns_in([*value.keys(), *value.values()])
    elif isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            yield from _patterns_in(each)


def _modules() -> Iterator[Any]:
    for module in pkgutil.walk_packages(aftercare.__path__, "aftercare."):
        if not module.name.endswith("__main__"):
            yield importlib.import_module(module.name)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    """The calls of functions of `re`."""
    for node in ast.walk(tree):
        function = node.func if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Call) and isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "re":
            yield node


def _made_of_files(module: Any, tree: ast.Module) -> set[ast.Call]:
    """The calls by which a class, whose instances are tested, makes expressions of what files say."""
    made = MADE_OF_FILES.get(module.__name__)
    names = {made.__name__, "_expression"} if made else set()
    return {call for node in tree.body if getattr(node, "name", "") in names for call in _calls(node)}


def _written(module: Any) -> Iterator[re.Pattern[str]]:
    """The expressions of calls such as `re.sub("...", ...)` in functions; those of a module's variables are found there."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.Lambda))]
    calls = {call for function in functions for call in _calls(function)} - _made_of_files(module, tree)
    for call in sorted(calls, key=lambda call: call.lineno):
        where = f"{module.__name__}, line {call.lineno}"
        pattern = call.args[0]
        assert isinstance(pattern, ast.Constant), f"{where}: an expression that is put together as it runs cannot be tested"
        assert isinstance(pattern.value, str), f"{where}: an expression for bytes is not for a patient's words"
        yield re.compile(pattern.value)


def _numbered(name: str, of: str, value: Any) -> dict[str, re.Pattern[str]]:
    patterns = list(_patterns_in(value))
    return {name + (f"[{number}]" if len(patterns) > 1 else "") + of: pattern for number, pattern in enumerate(patterns)}


def _built() -> dict[str, re.Pattern[str]]:
    """The expressions of the objects that are made of what files say."""
    found: dict[str, re.Pattern[str]] = {}
    for protocol in load_library(SHIPPED):
        grammar = protocol.grammar
        for each in (Clauses(grammar.clauses), Measures(grammar.measures, grammar.procedure)):
            for name, value in vars(each).items():
                found |= _numbered(f"{type(each).__name__}.{name}", f", {protocol.id} {protocol.language}", value)
    return found


def _expressions() -> dict[str, re.Pattern[str]]:
    found = _built()
    for module in _modules():
        for name, value in vars(module).items():
            found |= _numbered(f"{module.__name__}.{name}", "", value)
        found |= {f"{module.__name__}, {pattern.pattern}": pattern for pattern in _written(module)}
    return found


EXPRESSIONS = _expressions()


def test_the_expressions_are_found() -> None:
    assert len(EXPRESSIONS) >= 35
    assert set(EXPRESSIONS) >= ENDLESS


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _strings(each)


def test_every_expression_in_a_file_is_found(protocol: Protocol) -> None:
    """What stands in measures.yml, clauses.yml and words.en.yml and looks like an expression is part of one that is tested."""
    grammar = protocol.grammar
    texts = [*_strings(grammar.measures), *grammar.procedure, grammar.clauses["cut_before"]]
    signs = [text for text in texts if re.search(r"[\\()\[\]|?*+{}^$]", text)]
    tested = [pattern.pattern for name, pattern in EXPRESSIONS.items() if name.endswith(f", {protocol.id} {protocol.language}")]
    assert len(signs) > 30
    assert [text for text in signs if not any(text in pattern for pattern in tested)] == []


@pytest.mark.parametrize(
    "source",
    ["def read(text):\n    return re.compile(f'{text}+')", "class A:\n    def b(self):\n        return re.sub('a' + self.c, '', '')"],
)
def test_an_expression_that_is_put_together_elsewhere_is_refused(tmp_path: Path, source: str) -> None:
    (tmp_path / "module.py").write_text(source, encoding="utf-8")
    module = SimpleNamespace(__name__="aftercare.elsewhere", __file__=str(tmp_path / "module.py"))
    with pytest.raises(AssertionError, match="put together as it runs"):
        list(_written(module))


@pytest.mark.parametrize("name", MADE_OF_FILES)
def test_a_class_that_makes_expressions_keeps_them_where_they_are_found(name: str) -> None:
    """All that it makes, it makes at once and keeps; nothing is compiled as a text is read."""
    tree = ast.parse(Path(importlib.import_module(name).__file__ or "").read_text(encoding="utf-8"))
    (made,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == MADE_OF_FILES[name].__name__]
    for method in made.body:
        if isinstance(method, ast.FunctionDef) and method.name != "__init__":
            assert list(_calls(method)) == [], method.name
            assert not any(isinstance(node, ast.Name) and node.id == "_expression" for node in ast.walk(method)), method.name


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_reaches_only_so_far(name: str) -> None:
    width = _parser.parse(EXPRESSIONS[name].pattern, EXPRESSIONS[name].flags).getwidth()[1]
    assert name in ENDLESS or width <= FARTHEST


def _sample(operation: Any, argument: Any) -> str:
    """One character that a class of characters, or a literal, takes."""
    names = {
        _constants.CATEGORY_DIGIT: "9",
        _constants.CATEGORY_SPACE: " ",
        _constants.CATEGORY_WORD: "w",
        _constants.CATEGORY_NOT_SPACE: "x",
        _constants.CATEGORY_NOT_WORD: "!",
        _constants.CATEGORY_NOT_DIGIT: "x",
    }
    if operation is _constants.LITERAL:
        return chr(argument)
    if operation is _constants.RANGE:
        return chr(argument[0])
    if operation is _constants.CATEGORY:
        return names[argument]
    if operation is _constants.IN:
        if argument[0][0] is _constants.NEGATE:
            return "~"
        return _sample(*argument[0])
    return "~" if operation in (_constants.ANY, _constants.NOT_LITERAL) else ""


def _pieces(parsed: Any) -> Iterator[str]:
    """The literals and one character of each class in an expression, and its runs of them."""
    run = ""
    for operation, argument in parsed:
        sample = _sample(operation, argument)
        if sample:
            run += sample
            if operation is not _constants.LITERAL:
                yield sample
            continue
        if run:
            yield run
            run = ""
        for inner in argument if isinstance(argument, (list, tuple)) else [argument]:
            for part in inner if isinstance(inner, list) else [inner]:
                if isinstance(part, _parser.SubPattern):
                    yield from _pieces(part)
    if run:
        yield run


def _worst(pattern: re.Pattern[str]) -> list[str]:
    """Repeats of an expression's own pieces, and of two or three of them by chance."""
    chance = random.Random(1)
    pieces = sorted({*_pieces(_parser.parse(pattern.pattern, pattern.flags)), " ", "a", "9", "\n", "!"})
    mixes = ["".join(chance.choices(pieces, k=size)) for size in (2, 3) for _ in range(40)]
    spaced = [" ".join(chance.choices(pieces, k=size)) + " " for size in (2, 3) for _ in range(20)]
    starts = [f"{piece}{other * LONGEST}" for piece, other in zip(pieces, chance.choices(pieces, k=len(pieces)), strict=True)]
    return [*(filled(piece) for piece in [*pieces, *mixes, *spaced]), *(start[:LONGEST] for start in starts)]


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_takes_time_in_proportion_to_the_text(name: str) -> None:
    pattern = EXPRESSIONS[name]

    def search(text: str) -> Callable[[], object]:
        return lambda: (pattern.match(text), sum(1 for _ in pattern.finditer(text)))

    slowest = max(_worst(pattern), key=lambda text: seconds(search(text), 1))
    once = seconds(search(slowest))
    assert once < 0.02 * SLACK
    four_times = seconds(search(slowest * 4))
    assert four_times < 0.02 * SLACK or four_times < 8 * once


# Every token pattern of the lexicon


def _lexicon(protocol: Protocol) -> dict[str, list[str]]:
    """Every pattern of the lexicon, by where it stands."""
    grammar, rules = protocol.grammar, protocol.grammar.assertion
    groups = {f"patterns {finding.id}": list(finding.patterns) for finding in protocol.findings.values()}
    groups |= {f"normal {finding.id}": list(finding.normal) for finding in protocol.findings.values()}
    groups |= {f"trigger {number}": trigger["patterns"] for number, trigger in enumerate(rules["triggers"])}
    groups |= {f"answer {answer}": patterns for answer, patterns in grammar.answers["answers"].items()}
    groups |= {f"act {act}": kind["patterns"] for act, kind in grammar.dialogue["acts"].items()}
    groups |= {name: rules[name] for name in ("well", "treated", "claimed", "claimed_too", "not_a_trigger", "not_a_question")}
    return groups | {"idioms": list(grammar.idioms)}


def _said(pattern: str, protocol: Protocol, chance: random.Random) -> str:
    """Words that a pattern takes."""
    said = []
    for item in pattern.split():
        if item.startswith("~"):
            said += ["so"] * chance.randint(0, int(item[1:]))
            continue
        word = chance.choice(item.rstrip("?").split("|"))
        said.append(chance.choice(protocol.grammar.words[word[1:]]) if word.startswith("@") else word)
    return " ".join(said).replace("*", "")


def test_every_pattern_of_the_lexicon_is_read_in_time(assistant: Assistant, protocol: Protocol) -> None:
    chance = random.Random(1)
    slow = {}
    for name, patterns in _lexicon(protocol).items():
        for pattern in patterns:
            whole = _said(pattern, protocol, chance)
            for piece in (f"{whole} ", f"{whole.rsplit(' ', 1)[0]} "):
                text = filled(piece, LONGEST // 8)
                taken = seconds(partial(assistant.read, text, WEDNESDAY), 1)
                if taken > SECONDS / 8 * SLACK:
                    slow[f"{name}: {pattern}"] = seconds(partial(assistant.read, text, WEDNESDAY))
    assert {pattern: taken for pattern, taken in slow.items() if taken > SECONDS / 8 * SLACK} == {}


def test_a_text_of_the_lexicon_s_own_words_is_read_in_time(assistant: Assistant, protocol: Protocol) -> None:
    chance = random.Random(1)
    groups = _lexicon(protocol)
    triggers = [pattern for name, patterns in groups.items() if name.startswith("trigger") for pattern in patterns]
    findings = [pattern for name, patterns in groups.items() if name.startswith("patterns") for pattern in patterns]
    every = [pattern for patterns in groups.values() for pattern in patterns]
    for mark in (" ", ", ", ". ", "? ", " no ", " and "):
        for first, second in ((triggers, findings), (findings, triggers), (every, every), (triggers, triggers)):
            pieces = [_said(chance.choice(part), protocol, chance) + mark for _ in range(300) for part in (first, second)]
            text = "".join(pieces)[:LONGEST]
            assert seconds(partial(assistant.read, text, WEDNESDAY), 2) < SECONDS * SLACK, text[:60]


def test_the_time_of_a_match_grows_with_the_text_alone() -> None:
    matcher = PatternMatcher()
    filler = Token(frozenset(), filler=True)
    matcher.add("gaps", [[Token(frozenset(["a"])), *[filler] * 9, Token(frozenset(["a"])), *[filler] * 9, Token(frozenset(["b"]))]])
    short, long = ["a"] * 1_000, ["a"] * 8_000
    matcher(short)
    assert seconds(lambda: matcher(long)) < 16 * seconds(lambda: matcher(short)) + 0.01
    assert matcher(["a", "a", "b"]) == [("gaps", 0, 3)]


def test_what_a_matcher_remembers_of_texts_has_a_limit() -> None:
    matcher = PatternMatcher()
    matcher.add("one", [[Token(frozenset(["a"])), Token(frozenset(["b*"]))]])
    for number in range(200):
        matcher([f"{number} {place}" for place in range(1_000)])
    assert len(matcher._kinds) <= 51_000
    assert matcher(["a", "bc"]) == [("one", 0, 2)]


# Whole texts

ATTACKS = {
    "temp": "pulse " + "temp" * 60 + "! 99",
    "temp, long": "pulse " + "temp" * 990 + "! 99",
    "kypho": "kypho",
    "vertebro": "vertebro",
    "denials": "no chest pain, ",
    "denials behind": "chest pain no ",
    "procedure and weekdays": "cement sun ",
    "spaces and a figure": "pulse" + " " * 3_900 + "! 99",
    "a figure and spaces": "99" + " " * 3_900 + "!",
    "pain is is is": "pain" + " is" * 1_300 + "!",
    "a day and spaces": "day" + " " * 3_900 + "!",
    "temperatures": "99 ",
    "temperatures with a unit": "101.5 f ",
    "spans": "3 days ",
    "lasting": "for the last 3 days ",
    "weigh": "weigh" * 790 + " 99",
    "scores": "8/10 ",
    "letters apart": "c h e s t ",
    "letters apart by dots": "c.h.e.s.t.",
    "letters apart, one": "a ",
    "contractions": "i'm ",
    "contractions of two letters": "im ",
    "marks": "!",
    "dots and spaces": ". ",
    "ellipses": "…",
    "numbers in brackets": "⑽",
    "a sentence in a character": "ﷺ",
    "double marks": "‼",
    "emoji": "😀",
    "invisible": "\u200b",
    "accents": "e\u0301\u0301\u0301",
    "look-alike letters": "а",
    "one long word": "x",
    "one long stretched word": "xx",
    "one long figure": "9",
    "dotted figures": "1.1",
    "stretched": "feeeever ",
    "digits for letters": "f3v3r ",
    "line breaks": "a\n",
    "no": "no ",
    "negated findings": "no fever ",
    "findings": "fever ",
    "another person's": "my husband fever ",
    "of the past": "fever before my procedure but now ",
    "supposed": "what if ",
    "asked": "is it normal fever ",
    "all is normal": "walking fine ",
    "well": "nothing else ",
    "gaps": "chest so so so ",
    "words of another language": "mucho dolor ",
    "clauses": "and when but ",
}


def _attack(name: str, length: int = LONGEST) -> str:
    text = ATTACKS[name]
    return text if len(text) > 100 and length == LONGEST else filled(text, length)


@pytest.mark.parametrize("name", ATTACKS)
def test_a_text_of_full_length_is_read_in_time(assistant: Assistant, name: str) -> None:
    text = _attack(name)
    assert seconds(lambda: assistant.read(text, WEDNESDAY)) < SECONDS * SLACK


@pytest.mark.parametrize("name", ATTACKS)
def test_an_answer_of_full_length_is_read_in_time(measures: Measures, name: str) -> None:
    text = _attack(name)
    assert seconds(lambda: (measures.days_answered(text, WEDNESDAY), measures.pain_scores(text))) < SECONDS * SLACK


def _words_by_chance(chance: random.Random) -> str:
    return "".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(chance.randint(4, 9)))


def test_words_that_nobody_knows_are_read_in_time(assistant: Assistant) -> None:
    texts = iter([" ".join(_words_by_chance(random.Random(seed * 1_000 + place)) for place in range(900))[:LONGEST] for seed in range(3)])
    assert seconds(lambda: assistant.read(next(texts), WEDNESDAY)) < SECONDS * SLACK


@pytest.mark.parametrize(
    "name", ["temp, long", "kypho", "denials", "negated findings", "double marks", "contractions", "letters apart", "no"]
)
def test_a_refused_text_is_read_in_time_in_pieces(assistant: Assistant, name: str) -> None:
    text = _attack(name, LONGEST_REFUSED)
    assert seconds(lambda: assistant.most_telling(text, WEDNESDAY), 2) < SECONDS_REFUSED * SLACK
