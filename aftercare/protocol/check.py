"""What makes a protocol wrong: its shape (protocols/schema.json) and its sense. Each problem names file, line and remedy."""

from __future__ import annotations

import itertools
import json
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, ValidationError

from aftercare.protocol.check_clinic import clinic, leaflet, opening, time_zone
from aftercare.protocol.check_examples import answers, intents, patterns
from aftercare.protocol.check_lexicon import lexicon
from aftercare.protocol.compose import PROTOCOLS, Content
from aftercare.protocol.files import LinedDict, place_of
from aftercare.protocol.model import INTRODUCTION

_URGENCY = {"none": 0, "self_care": 1, "call_doctor": 2, "emergency": 3}
_PLACEHOLDERS = {
    "because_finding": {"labels"},
    "leaflet_says": {"quote", "section"},
    "hypothetical": {"instruction"},
    "buttons_only": {"answers"},
    **{key: {"clock"} for key in ("contact.when.today", "contact.when.tomorrow")},
    "contact.when.later": {"clock", "day"},
    **{key: {"hour", "minute"} for key in ("contact.when.am", "contact.when.pm")},
    **{key: {"opens"} for key in ("contact.offer.closed", "contact.receipt.closed")},
    **{key: {"time"} for key in ("contact.tried", "contact.wrong_number")},
    "contact.held": {"who"},
    "contact.who.named": {"first_name", "role"},
    "contact.who.role": {"role"},
}
_SCHEMA = PROTOCOLS / "schema.json"
_MOST_WORDS_OF_A_ROW = 12
_FINDING_ROLES = ("unknown", "any_sign", "gone")
_MEANING_ROLES = ("denial", "relief", "history", "supposition", "beyond", "callback")


def check(folder: Path, content: Content, language: str = "en") -> list[str]:
    """Every problem of a protocol's files.

    Args:
        folder: holds leaflet.txt.
        content: what `compose` put together, by name (`rules`, `language/clauses`, ...).
        language: the language in which it was put together.

    Returns:
        One line a problem, `file:line: what is wrong; what to do`; empty when all is well.
    """
    shape = list(_shape(content))
    if shape:
        return shape
    checks = (clinic, time_zone, opening, _findings, _roles, _scales, _rules, _taken, _questions, _danger_check, _topics, _meanings)
    problems = itertools.chain(leaflet(folder, content), *(each(content) for each in (*checks, _wording, lexicon)))
    return [*problems, *_safety(content, language)]


def check_examples(folder: Path, content: Content) -> list[str]:
    """Every problem of a protocol's examples, which takes longer to find than may pass when a server starts; as `check` says it."""
    return list(itertools.chain(*(each(folder, content) for each in (intents, answers, patterns))))


def _said(error: ValidationError) -> str:
    """What is wrong with a value's shape, and what to do."""
    schema: Any = error.schema
    if error.validator == "required":
        entry: Any = error.instance
        missing = next(name for name in schema["required"] if name not in entry)
        return f"'{missing}' is missing; add it, as in the entries beside it"
    return f"{error.message}; correct it as protocols/schema.json says"


def _at(content: Content, name: str, *path: str | int) -> str:
    return place_of(content[name], list(path))


def _shape(content: Content) -> Iterator[str]:
    schema = json.loads(_SCHEMA.read_text(encoding="utf-8"))
    for name, data in content.items():
        validator = Draft7Validator({"$ref": f"#/definitions/{name.replace('/', '_')}", "definitions": schema["definitions"]})
        for error in validator.iter_errors(data):
            path = list(error.absolute_path)
            place = ".".join(str(step) for step in path) or "the file"
            yield f"{_at(content, name, *path)}: {place}: {_said(error)}"


def _findings(content: Content) -> Iterator[str]:
    ruled = {atom for rule in content["rules"]["rules"] for atom in (*rule.get("all", ()), *rule.get("any", ()))}
    known = content["findings"]["findings"]
    for name, finding in known.items():
        for other in (
            *finding.get("refined_by", ()),
            *finding.get("milder", ()),
            *finding.get("yields_to", ()),
            finding.get("heard_as", name),
        ):
            if other not in known:
                yield f"{_at(content, 'findings', 'findings', name)}: '{name}' names '{other}', which is no finding; correct the name"
        if name not in ruled:
            yield f"{_at(content, 'findings', 'findings', name)}: no rule uses '{name}'; write a rule for it or remove it"
        elif not finding.get("qualifier") and not any(_is_enough(rule, name) for rule in content["rules"]["rules"]):
            here = _at(content, "findings", "findings", name)
            yield f"{here}: '{name}' alone leads to no disposition; write a rule that it alone fulfils, or say `qualifier: true`"


def _roles(content: Content) -> Iterator[str]:
    """Each role has one finding or meaning."""
    for name, entries, roles in (("findings", "findings", _FINDING_ROLES), ("meanings", "meanings", _MEANING_ROLES)):
        given = [entry["role"] for entry in content[name][entries].values() if "role" in entry]
        for role in roles:
            if given.count(role) != 1:
                yield f"{_at(content, name, entries)}: {given.count(role)} of the {entries} have the role '{role}'; give it to one"


def _scales(content: Content) -> Iterator[str]:
    findings = content["findings"]["findings"]
    for name, scale in content["scales"].items():
        named = {band["finding"] for band in scale.get("bands", ())} | {scale[key] for key in ("rules_out", "later") if key in scale}
        for finding in sorted(named - set(findings)):
            yield f"{_at(content, 'scales', name)}: the scale '{name}' names '{finding}', which is no finding; correct the name"


def _taken(content: Content) -> Iterator[str]:
    """Every rule and row of clinical/ that is an emergency is taken."""
    for name, entries, key, urgency in (("rules", "rules", "id", "disposition"), ("danger_check", "rows", "fact", "tier")):
        taken = {entry[key] for entry in content[name][entries]}
        for entry in content[name]["shared"]:
            if entry[urgency] == "emergency" and entry[key] not in taken:
                here = _at(content, name, entries)
                yield f"{here}: the emergency '{entry[key]}' of clinical/{name}.yml is left out; add `- use: {entry[key]}`"


def _rules(content: Content) -> Iterator[str]:
    findings = content["findings"]["findings"]
    sentences = _sentence_names(content)
    rules = content["rules"]["rules"]
    seen: set[str] = set()
    for number, rule in enumerate(rules):
        here = _at(content, "rules", "rules", number)
        if rule["id"] in seen:
            yield f"{here}: two rules are called '{rule['id']}'; rename one"
        seen.add(rule["id"])
        for part in ("all", "any", "ask_when"):
            for finding in rule.get(part, ()):
                if finding not in findings:
                    yield f"{here}: rule '{rule['id']}' names the finding '{finding}', which is no finding; correct the name"
        if not rule.get("all") and not rule.get("any"):
            yield f"{here}: rule '{rule['id']}' has no condition; give it `all` or `any`"
        if "sentence" in rule and rule["sentence"] not in sentences:
            yield f"{here}: rule '{rule['id']}' quotes '{rule['sentence']}', which leaflet.yml does not have; correct the name"
        if rule["basis"] == "leaflet" and "sentence" not in rule:
            yield f"{here}: rule '{rule['id']}' follows the leaflet but quotes nothing; name its `sentence`"
        leaflet = rule.get("leaflet_disposition")
        if rule["basis"] == "extension" and leaflet is None:
            yield f"{here}: extension '{rule['id']}' does not say what the leaflet does; add `leaflet_disposition`"
        if leaflet is not None and _URGENCY[rule["disposition"]] < _URGENCY[leaflet]:
            yield f"{here}: rule '{rule['id']}' is less urgent than the leaflet ({leaflet}); raise its disposition"
        if rule["advice"] not in content["wording"]["advice"]:
            yield f"{here}: rule '{rule['id']}' gives the advice '{rule['advice']}', which the wording does not have; write it there"
        if _is_hidden(rule, rules):
            yield f"{here}: rule '{rule['id']}' can never decide, more urgent rules always hold with it; remove it"


def _is_hidden(rule: Mapping[str, Any], rules: list[Mapping[str, Any]]) -> bool:
    """Whether a more urgent rule holds wherever this one does, so that it can never decide."""
    cases = [{*rule.get("all", ()), choice} for choice in rule.get("any", ())] or [set(rule.get("all", ()))]
    urgent = [other for other in rules if _URGENCY[other["disposition"]] > _URGENCY[rule["disposition"]]]
    return all(
        any(set(other.get("all", ())) <= case and (not other.get("any") or case & set(other["any"])) for other in urgent) for case in cases
    )


def _questions(content: Content) -> Iterator[str]:
    findings = content["findings"]["findings"]
    covered = {row["yes"] for row in content["danger_check"]["rows"]}
    for number, question in enumerate(content["interview"]["questions"]):
        here = _at(content, "interview", "questions", number)
        named = set(question["covers"])
        for button in question.get("buttons", ()):
            named |= {*button.get("is", ()), *button.get("not", ())}
        covered |= set(question["covers"])
        introduction = question.get("introduction", INTRODUCTION)
        if introduction not in content["wording"]:
            yield f"{here}: question '{question['id']}' is introduced by '{introduction}', which the wording does not have; write it there"
        for finding in sorted(named - set(findings)):
            yield f"{here}: question '{question['id']}' names the finding '{finding}', which is no finding; correct the name"
    for number, rule in enumerate(content["rules"]["rules"]):
        alone = not rule.get("all") and rule["disposition"] == "emergency"
        for finding in (*rule.get("all", ()), *rule.get("any", ())):
            if alone and finding not in covered:
                here = _at(content, "rules", "rules", number)
                yield f"{here}: nothing asks about the red flag '{finding}'; add a row to danger_check.yml or a question to interview.yml"


def _danger_check(content: Content) -> Iterator[str]:
    findings = content["findings"]["findings"]
    facts: set[str] = set()
    tiers: list[int] = []
    for number, row in enumerate(content["danger_check"]["rows"]):
        here, fact = _at(content, "danger_check", "rows", number), row["fact"]
        for finding in sorted({row["yes"], *row["no"], *row["opened_by"], *itertools.chain(*row["closed_by"])} - set(findings)):
            yield f"{here}: row '{fact}' names the finding '{finding}', which is no finding; correct the name"
        if fact in facts:
            yield f"{here}: two rows are about '{fact}'; remove one"
        facts.add(fact)
        alone = max((_URGENCY[rule["disposition"]] for rule in content["rules"]["rules"] if _is_enough(rule, row["yes"])), default=0)
        if alone != _URGENCY[row["tier"]]:
            yield f"{here}: Yes to row '{fact}' does not lead to {row['tier']}; name a finding in `yes` that does, or correct the tier"
        if len(row["text"].split()) > _MOST_WORDS_OF_A_ROW:
            yield f"{here}: the text of row '{fact}' has more than {_MOST_WORDS_OF_A_ROW} words; shorten it"
        tiers.append(_URGENCY[row["tier"]])
    if tiers != sorted(tiers, reverse=True):
        yield f"{_at(content, 'danger_check', 'rows')}: a row for the doctor stands before one of an emergency; put the worst first"


def _is_enough(rule: Mapping[str, Any], finding: str) -> bool:
    """Whether a rule holds by one finding alone."""
    return set(rule.get("all", ())) <= {finding} and (not rule.get("any") or finding in rule["any"])


def _topics(content: Content) -> Iterator[str]:
    sentences = _sentence_names(content)
    for name, topic in content["faq"]["topics"].items():
        for sentence in topic["sentences"]:
            if sentence not in sentences:
                here = _at(content, "faq", "topics", name)
                yield f"{here}: topic '{name}' quotes '{sentence}', which leaflet.yml does not have; correct the name"

    if sum(topic.get("answers_supposed", False) for topic in content["faq"]["topics"].values()) != 1:
        yield f"{_at(content, 'faq', 'topics')}: one topic must answer what is only supposed; mark it `answers_supposed: true`"


def _meanings(content: Content) -> Iterator[str]:
    for name, meaning in content["meanings"]["meanings"].items():
        for text in (*meaning.get("says", {}).get("texts", ()), *([meaning["silent"]] if "silent" in meaning else ())):
            if not _is_written(content["wording"], text):
                yield f"{_at(content, 'meanings', 'meanings', name)}: '{name}' says '{text}', which wording has not; write it there"


def _is_written(wording: Mapping[str, Any], name: str) -> bool:
    """Whether there is a wording of this name, a dot for each level of it."""
    first, _, rest = name.partition(".")
    below = wording.get(first)
    return below is not None and (not rest or (isinstance(below, Mapping) and _is_written(below, rest)))


def _wording(content: Content) -> Iterator[str]:
    details = {"clinic", *(name for name, value in content["clinic"].items() if isinstance(value, str))}

    def texts(data: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
        if isinstance(data, LinedDict):
            for key, value in data.items():
                yield from texts(value, (*path, key))
        else:
            yield path, str(data)

    for path, text in texts(content["wording"], ()):
        here, name = _at(content, "wording", *path), ".".join(path)
        try:
            fields = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
        except ValueError:
            yield f"{here}: '{name}' has a brace that is not closed; write a placeholder as {{name}}"
            continue
        for field in sorted(fields - details - _PLACEHOLDERS.get(name, set())):
            yield f"{here}: '{name}' uses {{{field}}}, which clinic.yml does not have; correct the name"


def _safety(content: Content, language: str) -> Iterator[str]:
    if language not in content["wording"]["safety"]:
        yield f"{_at(content, 'wording', 'safety')}: the safety card has no '{language}'; write it in the protocol's own language"


def _sentence_names(content: Content) -> set[str]:
    return {name for section in content["leaflet"]["sections"] for name in section["sentences"]}
