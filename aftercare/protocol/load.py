"""Reads a protocol folder into a `Protocol`, or says what is wrong with it."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from aftercare.protocol.check import check
from aftercare.protocol.files import LinedDict, ProtocolError, read
from aftercare.protocol.library import Library
from aftercare.protocol.model import Button, Clinic, DangerCheck, Disposition, Finding, Protocol, Question, Row, Rule, Sentence, Topic

FILES = ("leaflet", "findings", "rules", "interview", "danger_check", "faq", "wording", "thresholds")
LEXICON = ("words", "findings", "normal", "assertion", "dialogue", "spelling")
CLINIC_VARIABLE = "AFTERCARE_CLINIC"
PROTOCOL_VARIABLE = "AFTERCARE_PROTOCOL"
_LANGUAGE = "en"
_DEFAULT = Path(__file__).resolve().parents[2] / "protocols" / "vertebroplasty"


def load_protocol(folder: Path | None = None) -> Protocol:
    """Read, check and type a protocol; the same folder is read once.

    Args:
        folder: the protocol's folder; the environment variable AFTERCARE_PROTOCOL, or vertebroplasty, when None. The clinic's
            own file is named by the environment variable AFTERCARE_CLINIC, the folder's clinic.yml when it is not set.

    Returns:
        The protocol.

    Raises:
        ProtocolError: every mistake found, each with file, line and remedy.
    """
    return _kept(*_files(folder))


def load_library() -> Library:
    """The protocols in force: the folders that the environment variable AFTERCARE_PROTOCOL names, separated by commas.

    Raises:
        ProtocolError: every mistake found, each with file, line and remedy.
    """
    return Library([load_protocol(folder) for folder in _in_force()])


def reload_protocol(folder: Path | None = None) -> Protocol:
    """Read a protocol as its files are now, also when `load_protocol` has read the folder before; see there."""
    return _load(*_files(folder))


def known_folders() -> dict[str, Path]:
    """The protocol folders by name: those that ship with Aftercare, and those in force."""
    shipped = {rules.parent.name: rules.parent for rules in sorted(_DEFAULT.parent.glob("*/rules.yml"))}
    return shipped | {folder.name: folder for folder in _in_force()}


def _in_force() -> list[Path]:
    """The folders of the protocols in force, the default's first."""
    named = os.environ.get(PROTOCOL_VARIABLE, "").split(",")
    return [Path(name.strip()) for name in named if name.strip()] or [_DEFAULT]


def _files(folder: Path | None) -> tuple[Path, Path]:
    """The protocol's folder and the clinic's file."""
    folder = folder or _in_force()[0]
    return folder, Path(os.environ.get(CLINIC_VARIABLE) or folder / "clinic.yml")


def _load(folder: Path, clinic_file: Path) -> Protocol:
    content = {name: read(folder / f"{name}.yml") for name in FILES}
    content["clinic"] = read(clinic_file)
    content |= {f"lexicon/{name}": read(folder / "lexicon" / f"{name}.yml") for name in LEXICON}
    problems = check(folder, content)
    if problems:
        raise ProtocolError(problems)
    sentences = {
        name: Sentence(name, section["title"], quote)
        for section in content["leaflet"]["sections"]
        for name, quote in section["sentences"].items()
    }
    return Protocol(
        id=folder.name,
        language=_LANGUAGE,
        version=_version(folder),
        sentences=sentences,
        findings={
            name: Finding(
                name,
                finding["code"],
                finding["label"],
                tuple(finding["intents"]),
                vague=finding.get("vague", False),
                qualifier=finding.get("qualifier", False),
                treated_pain=finding.get("treated_pain", False),
                milder=tuple(finding.get("milder", ())),
                denial_stands=finding.get("denial_stands", False),
                told_by=tuple(finding.get("told_by", ())),
            )
            for name, finding in content["findings"]["findings"].items()
        },
        rules=tuple(_rule(rule, sentences) for rule in content["rules"]["rules"]),
        questions={
            question["id"]: _question(question, content["interview"]["default_buttons"]) for question in content["interview"]["questions"]
        },
        max_questions=content["interview"]["max_questions"],
        danger_check=_danger_check(content["danger_check"]),
        topics={
            name: Topic(
                name,
                topic["label"],
                tuple(sentences[each] for each in topic["sentences"]),
                recovery=topic.get("recovery", False),
                before_procedure=topic.get("before_procedure", False),
            )
            for name, topic in content["faq"]["topics"].items()
        },
        wording=content["wording"],
        clinic=Clinic(
            content["clinic"]["mode"],
            {key: str(value) for key, value in content["clinic"].items()} | {"clinic": content["clinic"]["name"]},
        ),
        thresholds=content["thresholds"],
        lexicon={
            "words": content["lexicon/words"]["classes"],
            "patterns": content["lexicon/findings"]["patterns"],
            "suppress": content["lexicon/findings"]["suppress"],
            "normal": content["lexicon/normal"]["normal"],
            "assertion": content["lexicon/assertion"],
            "dialogue": content["lexicon/dialogue"],
            "spelling": content["lexicon/spelling"]["spelling"],
        },
    )


_kept = lru_cache(maxsize=8)(_load)


def _version(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in [*sorted(folder.rglob("*.yml")), folder / "leaflet.txt"]:
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


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
