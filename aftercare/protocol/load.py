"""Reads a protocol into a `Protocol`, or says what is wrong with its files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aftercare.protocol.check import check, check_examples
from aftercare.protocol.clinic import Clinic
from aftercare.protocol.compose import PROTOCOLS, Content, Sources, compose, languages_of
from aftercare.protocol.files import LinedDict, ProtocolError, read
from aftercare.protocol.grammar import Grammar, Meaning, Scale, Scales
from aftercare.protocol.library import Library
from aftercare.protocol.model import (
    INTRODUCTION,
    Button,
    DangerCheck,
    Disposition,
    Finding,
    Protocol,
    Question,
    Row,
    Rule,
    Sentence,
    Topic,
)
from aftercare.protocol.opening import Opening

CLINIC_VARIABLE = "AFTERCARE_CLINIC"
PROTOCOL_VARIABLE = "AFTERCARE_PROTOCOL"
_DEFAULT = PROTOCOLS / "default.yml"
_ENGLISH = "en"


def load_protocol(folder: Path | None = None, language: str = _ENGLISH) -> Protocol:
    """Read, check and type a protocol; the same folder is read once.

    Args:
        folder: the protocol's folder; the first that the environment variable AFTERCARE_PROTOCOL names, else the one that
            protocols/default.yml names, when None. The clinic's own file is named by the environment variable AFTERCARE_CLINIC, and is
            the folder's clinic.yml when it is not set.
        language: the code of one of its languages.

    Returns:
        The protocol.

    Raises:
        ProtocolError: every mistake found, each with file, line and remedy.
    """
    return _kept(_sources(folder or folders_in_force()[0], language))


def reload_protocol(folder: Path | None = None) -> Protocol:
    """Read a protocol as its files are now, also when `load_protocol` has read the folder before; see there."""
    return _load(_sources(folder or folders_in_force()[0], _ENGLISH))


def load_library(folders: Iterable[Path] | None = None) -> Library:
    """The protocols in force, each in all its languages.

    Args:
        folders: theirs; those that the environment variable AFTERCARE_PROTOCOL names, separated by commas, when None.

    Raises:
        ProtocolError: every mistake found, each with file, line and remedy.
    """
    chosen = list(folders) if folders is not None else folders_in_force()
    for folder in chosen:
        if not languages_of(folder):
            raise ProtocolError([f"{folder}: no wording.<language>.yml is there, hence no protocol; correct {PROTOCOL_VARIABLE}"])
    return Library([_kept(_sources(folder, language)) for folder in chosen for language in languages_of(folder)])


def examine(folder: Path, language: str) -> None:
    """Look through a protocol's examples, beyond what is checked whenever it is read.

    Raises:
        ProtocolError: every mistake found, each with file, line and remedy.
    """
    problems = check_examples(folder, compose(_sources(folder, language)))
    if problems:
        raise ProtocolError(problems)


def known_folders() -> dict[str, Path]:
    """The protocol folders by name: those that ship with Aftercare, and those in force."""
    shipped = {rules.parent.name: rules.parent for rules in sorted(PROTOCOLS.glob("*/rules.yml"))}
    return shipped | {folder.name: folder for folder in folders_in_force()}


def folders_in_force() -> list[Path]:
    """The folders of the protocols in force, the default's first."""
    named = [name.strip() for name in os.environ.get(PROTOCOL_VARIABLE, "").split(",")]
    return [Path(name) for name in named if name] or [PROTOCOLS / str(read(_DEFAULT)["protocol"])]


def _sources(folder: Path, language: str) -> Sources:
    return Sources(folder, Path(os.environ.get(CLINIC_VARIABLE) or folder / "clinic.yml"), language)


def _load(sources: Sources) -> Protocol:
    content = compose(sources)
    problems = check(sources.folder, content, sources.language)
    if problems:
        raise ProtocolError(problems)
    sentences = {
        name: Sentence(name, section["title"], quote)
        for section in content["leaflet"]["sections"]
        for name, quote in section["sentences"].items()
    }
    interview = content["interview"]
    return Protocol(
        id=sources.folder.name,
        language=sources.language,
        version=_version(sources),
        sentences=sentences,
        findings={name: _finding(name, finding) for name, finding in content["findings"]["findings"].items()},
        rules=tuple(_rule(rule, sentences) for rule in content["rules"]["rules"]),
        questions={question["id"]: _question(question, interview["default_buttons"]) for question in interview["questions"]},
        max_questions=interview["max_questions"],
        open_question=interview["open_question"],
        danger_check=_danger_check(content["danger_check"]),
        topics={name: _topic(name, topic, sentences) for name, topic in content["faq"]["topics"].items()},
        wording=content["wording"],
        clinic=_clinic(content["clinic"]),
        thresholds={name: threshold["value"] for name, threshold in content["thresholds"].items()},
        scales=_scales(content["scales"]),
        meanings={name: _meaning(name, meaning) for name, meaning in content["meanings"]["meanings"].items()},
        grammar=_grammar(sources.language, content),
    )


_kept = lru_cache(maxsize=16)(_load)


def _version(sources: Sources) -> str:
    digest = hashlib.sha256()
    for name, path in sources.files().items():
        digest.update(name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _clinic(content: LinedDict) -> Clinic:
    details = {key: value for key, value in content.items() if isinstance(value, str)}
    return Clinic(
        content["mode"], {**details, "clinic": content["name"]}, ZoneInfo(content["time_zone"]), Opening.parse(content["opening"])
    )


def _finding(name: str, finding: LinedDict) -> Finding:
    return Finding(
        id=name,
        code=finding["code"],
        label=finding["label"],
        intents=tuple(finding.get("intents", ())),
        vague=finding.get("vague", False),
        qualifier=finding.get("qualifier", False),
        treated_pain=finding.get("treated_pain", False),
        milder=tuple(finding.get("milder", ())),
        denial_stands=finding.get("denial_stands", False),
        heard_as=finding.get("heard_as", name),
        refined_by=tuple(finding.get("refined_by", ())),
        persists=finding.get("persists", False),
        role=finding.get("role", ""),
        yields_to=tuple(finding.get("yields_to", ())),
        patterns=said(finding.get("patterns", ())),
        normal=said(finding.get("normal", ())),
        lookalikes=said(finding.get("lookalikes", ())),
        unless=said(finding.get("unless", ())),
    )


def _topic(name: str, topic: LinedDict, sentences: dict[str, Sentence]) -> Topic:
    return Topic(
        name,
        topic["label"],
        tuple(sentences[each] for each in topic["sentences"]),
        recovery=topic.get("recovery", False),
        before_procedure=topic.get("before_procedure", False),
        answers_supposed=topic.get("answers_supposed", False),
        red_flags=topic.get("red_flags", False),
    )


def _meaning(name: str, meaning: LinedDict) -> Meaning:
    says = meaning.get("says", {})
    return Meaning(
        id=name,
        role=meaning.get("role", ""),
        status=meaning.get("status", ""),
        reports_nothing=meaning.get("reports_nothing", False),
        unchanged=meaning.get("unchanged", False),
        closes=meaning.get("closes", False),
        short_answer=meaning.get("short_answer", False),
        silent=meaning.get("silent", ""),
        reply_type=says.get("type", ""),
        reply_texts=tuple(says.get("texts", ())),
    )


def _scales(content: LinedDict) -> Scales:
    def scale(name: str) -> Scale:
        bands = sorted(((float(band["from"]), band["finding"]) for band in content[name]["bands"]), reverse=True)
        return Scale(tuple(bands), content[name]["rules_out"])

    days = content.get("days", {})
    return Scales(scale("temperature"), scale("pain"), float(days.get("expected", 0)), days.get("later", ""))


def said(patterns: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """Patterns without their examples."""
    return tuple(pattern["say"] for pattern in patterns)


def _assertion(rules: LinedDict) -> dict[str, Any]:
    lists = {name: said(rules[name]) for name in ("not_a_trigger", "not_a_question", "well", "treated", "claimed", "claimed_too")}
    triggers = [{**trigger, "patterns": said(trigger["patterns"])} for trigger in rules["triggers"]]
    return {**rules, **lists, "triggers": triggers}


def _act(act: LinedDict) -> dict[str, Any]:
    return {**act, "patterns": said(act["patterns"]), "except": said(act.get("except", ()))}


def _grammar(language: str, content: Content) -> Grammar:
    words, others, dialogue = content["words"], content["language/other_languages"], content["language/dialogue"]
    return Grammar(
        code=language,
        tokens=content["language/tokens"],
        clauses=content["language/clauses"],
        assertion=_assertion(content["language/assertion"]),
        answers=content["language/answers"],
        dialogue={**dialogue, "acts": {name: _act(act) for name, act in dialogue["acts"].items()}},
        measures=content["language/measures"],
        spelling=content["language/spelling"],
        idioms=said(content["language/idioms"]["idioms"]),
        other_languages=frozenset(others["other_languages"]),
        own_words=frozenset(others["own"]),
        words=words["classes"],
        names_of_signs=frozenset(words["names_of_signs"]),
        procedure=tuple(words.get("procedure", ())),
    )


def _rule(rule: LinedDict, sentences: dict[str, Sentence]) -> Rule:
    return Rule(
        id=rule["id"],
        disposition=Disposition[rule["disposition"].upper()],
        advice=rule["advice"],
        all_of=tuple(rule.get("all", ())),
        any_of=tuple(rule.get("any", ())),
        ask_when=tuple(rule.get("ask_when", ())),
        basis=rule["basis"],
        sentence=sentences[rule["sentence"]] if "sentence" in rule else None,
        reason=rule["reason"],
        leaflet_disposition=rule.get("leaflet_disposition", rule["disposition"]),
    )


def _question(question: LinedDict, default_buttons: list[LinedDict]) -> Question:
    return Question(
        id=question["id"],
        about=question["about"],
        text=question["text"],
        again=question["again"],
        covers=tuple(question["covers"]),
        only_confirms=bool(question.get("only_confirms", False)),
        scale=question.get("scale", ""),
        heard_as=question.get("heard_as", question["about"]),
        introduction=question.get("introduction", INTRODUCTION),
        buttons=tuple(_button(button) for button in question.get("buttons", default_buttons)),
    )


def _danger_check(content: LinedDict) -> DangerCheck:
    rows = tuple(
        Row(
            fact=row["fact"],
            tier=Disposition[row["tier"].upper()],
            text=row["text"],
            yes=row["yes"],
            no=tuple(row["no"]),
            closed_by=tuple(tuple(each) for each in row["closed_by"]),
            opened_by=tuple(row["opened_by"]),
            names=frozenset(row["names"]),
        )
        for row in content["rows"]
    )
    return DangerCheck(rows, content["valid_hours"], content["take_back_seconds"])


def _button(button: dict[str, Any]) -> Button:
    return Button(button["title"], tuple(button.get("is", ())), tuple(button.get("not", ())), button.get("answer", ""))
