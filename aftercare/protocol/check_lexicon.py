"""What makes a lexicon wrong: patterns that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from aftercare.protocol.compose import Content
from aftercare.protocol.files import place_of
from aftercare.understanding.patterns import Compiler, PatternError


def lexicon(content: Content) -> Iterator[str]:
    """Every pattern that cannot be read."""
    compiler = Compiler(content["words"]["classes"], content["language/clauses"], content["language/tokens"])
    for name, path, pattern in patterns(content):
        try:
            compiler.compile(pattern)
        except PatternError as error:
            yield f"{place_of(content[name], path)}: {error}; correct the pattern"


def patterns(content: Content) -> Iterator[tuple[str, list[str | int], str]]:
    """Every pattern of the lexicon with its file and its place there."""
    for finding, entry in content["findings"]["findings"].items():
        for kind in ("patterns", "normal", "lookalikes", "unless"):
            yield from _numbered("findings", ["findings", finding, kind], entry.get(kind, ()))
    name, rules = "language/assertion", content["language/assertion"]
    for key in ("not_a_trigger", "not_a_question", "well", "treated", "claimed", "claimed_too"):
        yield from _numbered(name, [key], rules[key])
    for number, trigger in enumerate(rules["triggers"]):
        yield from _numbered(name, ["triggers", number, "patterns"], trigger["patterns"])
    for answer, patterns in content["language/answers"]["answers"].items():
        yield from (("language/answers", ["answers", answer, number], pattern) for number, pattern in enumerate(patterns))
    for act, kind in content["language/dialogue"]["acts"].items():
        for key in ("patterns", "except"):
            yield from _numbered("language/dialogue", ["acts", act, key], kind.get(key, ()))
    yield from _numbered("language/idioms", ["idioms"], content["language/idioms"]["idioms"])


def _numbered(name: str, path: list[str | int], patterns: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, list[str | int], str]]:
    return ((name, [*path, number], pattern["say"]) for number, pattern in enumerate(patterns))
