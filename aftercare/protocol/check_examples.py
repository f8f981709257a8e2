"""What makes a protocol's examples wrong: intents that nothing teaches, and patterns that do not match what they are for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from aftercare.protocol.compose import CLINICAL, Content
from aftercare.protocol.files import name_of, place_of
from aftercare.understanding.patterns import Compiler, PatternMatcher
from aftercare.understanding.spelling import Spelling
from aftercare.understanding.text import Tokenizer

_INTENT = re.compile(r"^- intent: (\w{1,80})", re.MULTILINE)
_TOPIC = "ask_"


def intents(folder: Path, content: Content) -> Iterator[str]:
    """Topics, findings and questions for which there are no examples.

    Args:
        folder: the protocol's.
        content: what `compose` put together.
    """
    files = [*(CLINICAL / "nlu").glob("*.yml"), *(folder / "nlu").glob("*.yml")]
    taught = {name for file in files for name in _INTENT.findall(file.read_text(encoding="utf-8"))}
    for topic in content["faq"]["topics"]:
        if _TOPIC + topic not in taught:
            here = place_of(content["faq"], ["topics", topic])
            yield f"{here}: no examples of '{_TOPIC}{topic}' teach the topic '{topic}'; write some into nlu/questions.yml"
    for name, finding in content["findings"]["findings"].items():
        for intent in finding.get("intents", ()):
            if intent not in taught:
                here = place_of(content["findings"], ["findings", name, "intents"])
                yield f"{here}: no examples teach the intent '{intent}' of '{name}'; write some into nlu/reports.yml, or correct the name"


def answers(folder: Path, content: Content) -> Iterator[str]:
    """Questions whose answers are heard by examples that are not there."""
    files = [*(CLINICAL / "answers").glob("*.jsonl"), *(folder / "answers").glob("*.jsonl")]
    taught = {json.loads(line)["question"] for file in files for line in file.read_text(encoding="utf-8").splitlines()}
    for number, question in enumerate(content["interview"]["questions"]):
        key = question.get("heard_as", question["about"])
        if key not in taught and "scale" not in question:
            here = place_of(content["interview"], ["questions", number])
            yield f"{here}: no examples of answers to '{key}'; write some into answers/, or name others that fit in `heard_as`"


def patterns(folder: Path, content: Content) -> Iterator[str]:
    """Patterns of the protocol's own findings that do not match their `yes`, or match their `no`."""
    compiler = Compiler(content["words"]["classes"], content["language/clauses"], content["language/tokens"])
    tokenizer, spelling = Tokenizer(content["language/tokens"]), Spelling((), content["language/spelling"])
    own = {f"{name_of(file)}" for file in (folder / "findings").glob("*.yml")}
    for name, finding in content["findings"]["findings"].items():
        for kind, close in (("patterns", False), ("normal", True), ("lookalikes", False), ("unless", False)):
            for number, pattern in enumerate(finding.get(kind, ())):
                here = place_of(content["findings"], ["findings", name, kind, number])
                if here.rpartition(":")[0] not in own:
                    continue
                matcher = PatternMatcher()
                matcher.add(name, compiler.compile(pattern["say"], close=close))
                for example, wanted in (("yes", True), ("no", False)):
                    if bool(matcher([word.norm for word in tokenizer.words(pattern[example], spelling.known)])) is not wanted:
                        verb = "does not match" if wanted else "matches"
                        yield f"{here}: '{pattern['say']}' {verb} its example '{pattern[example]}'; correct one of them"
