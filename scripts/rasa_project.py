"""Makes the Rasa project's domain, rules and training data from the protocols in force: `python -m scripts.rasa_project`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

from aftercare.conversation import Conversation
from aftercare.protocol import Disposition, Library, Protocol, load_library
from aftercare.protocol.compose import CLINICAL, PROTOCOLS
from aftercare.understanding.understood import TOPIC_PREFIX
from scripts.common import ROOT, run_script

SHARED = "clinical"
_MADE = "# Made from languages/, clinical/ and protocols/ by `make generate`; do not edit by hand."
_INTENT = re.compile(r"^- intent: .*\n", re.MULTILINE)
_SLOT_TYPES = {"str": "text", "list[str]": "list", "bool": "bool"}
_ACTION, _FALLBACK = "action_respond", "nlu_fallback"


def project(library: Library, folders: Iterable[Path]) -> dict[str, str]:
    """The files of the Rasa project, path -> content.

    Args:
        library: the protocols in force.
        folders: theirs.
    """
    groups = intents(library)
    made = {"domain.yml": _domain(library, groups), "data/rules/respond.yml": _rules(groups)}
    made |= {f"data/nlu/{SHARED}/{file.name}": _examples(file, "") for file in sorted((CLINICAL / "nlu").glob("*.yml"))}
    for folder in folders:
        made |= {f"data/nlu/{folder.name}/{file.name}": _examples(file, folder.name) for file in sorted((folder / "nlu").glob("*.yml"))}
    return made


def intents(library: Library) -> dict[str, list[str]]:
    """Every intent, by what it is about; each in one group."""
    groups: dict[str, list[str]] = {}
    for protocol in library:
        for group, intent in _intents(protocol):
            if not any(intent in known for known in groups.values()):
                groups.setdefault(group, []).append(intent)
    return groups


def _intents(protocol: Protocol) -> Iterator[tuple[str, str]]:
    titles = {
        Disposition.EMERGENCY: "reports of an emergency",
        Disposition.CALL_DOCTOR: "reports for the doctor",
        Disposition.SELF_CARE: "reports of what is expected",
    }
    for meaning in protocol.meanings:
        yield "what reports nothing, small talk and short answers", meaning
    for urgency, title in titles.items():
        for finding in protocol.findings.values():
            alone = max((rule.disposition for rule in protocol.rules if finding.id in rule.any_of and not rule.all_of), default=urgency)
            yield from ((title, intent) for intent in finding.intents if alone is urgency)
    for topic in sorted(protocol.topics):
        yield "questions", f"{TOPIC_PREFIX}{topic}"


def _domain(library: Library, groups: dict[str, list[str]]) -> str:
    lines = [_MADE, 'version: "3.1"', "", "# What the patient reports or asks.", "intents:"]
    for group, members in groups.items():
        lines += [f"  # {group}", *(f"  - {intent}" for intent in members)]
    lines += [
        "",
        "# Findings, as the extractor names them; the value is the assertion status. `reading` holds measures and opinions.",
        "entities:",
    ]
    for finding in (*dict.fromkeys(finding for protocol in library for finding in protocol.findings), "reading"):
        lines += [f"  - {finding}:", "      influence_conversation: false"]
    lines += ["", "# The conversation, as the core remembers it (aftercare/conversation.py). Only action_respond sets these.", "slots:"]
    for field in fields(Conversation):
        kind = _SLOT_TYPES.get(str(field.type), "any")
        lines += [f"  {field.name}:", f"    type: {kind}", "    influence_conversation: false", "    mappings:", "      - type: custom"]
    lines += ["", "actions:", f"  - {_ACTION}", "", "session_config:", "  session_expiration_time: 60"]
    return "\n".join([*lines, "  carry_over_slots_to_new_session: true", ""])


def _rules(groups: dict[str, list[str]]) -> str:
    lines = [
        _MADE,
        "# Every message, whatever it means, is answered by the core, in every state of the conversation.",
        'version: "3.1"',
        "rules:",
    ]
    for group, members in (*groups.items(), ("what was not understood", [_FALLBACK])):
        either = ["      - or:", *(f"          - intent: {intent}" for intent in members)]
        alone = [f"      - intent: {members[0]}"]
        lines += [f"  - rule: answer {group}", "    steps:", *(either if len(members) > 1 else alone), f"      - action: {_ACTION}"]
    return "\n".join([*lines, ""])


def _examples(file: Path, protocol: str) -> str:
    """Training examples; those of one protocol say so, so that they teach nothing about another."""
    text = file.read_text(encoding="utf-8")
    if protocol:
        text = _INTENT.sub(lambda intent: f"{intent.group()}  metadata:\n    protocol: {protocol}\n", text)
    return f"{_MADE}\n{text}"


def write(library: Library, folders: Iterable[Path], out: Path) -> None:
    """Write the files, and remove training data that is no longer made."""
    made = project(library, folders)
    for stale in set((out / "data").rglob("*.yml")) - {out / name for name in made}:
        stale.unlink()
    for name, content in made.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(content, encoding="utf-8")


def shipped() -> list[Path]:
    """The folders of the protocols that the committed Rasa project is made of."""
    return sorted(rules.parent for rules in PROTOCOLS.glob("*/rules.yml"))


def main() -> None:
    """Make the committed Rasa project anew."""
    write(load_library(shipped()), shipped(), ROOT)


if __name__ == "__main__":
    run_script(main)
