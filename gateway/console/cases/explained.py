"""What a conversation's events mean by the protocol that it is bound to: which rules fired and why, what is known, what was not asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aftercare.conversation import Conversation
from aftercare.decision.rules import undecided
from aftercare.protocol import Protocol
from aftercare.protocol.model import Rule
from gateway.console.cases.checks import DANGEROUS, CheckRow, alarming
from gateway.console.cases.statuses import StatusStep, status_courses
from gateway.console.redaction.mask import Mask
from gateway.records.cases import ASSUMED, PRESENT
from gateway.records.store import Event

ABSENT = "absent"


@dataclass(frozen=True)
class Complaint:
    """A rule that fired.

    Attributes:
        rule: its id.
        protocol: id and version of the protocol that was in force.
        words: the patient's message; where that was rows of the danger check alone, the words that the rule rests on
            otherwise, if any; None when purged.
        question: what the patient was asked before this message, or left unanswered; empty without any.
        rows: rows of the danger check that the message answered dangerously, and questions that were answered before on which the rule
            rests, each as question and answer.
        left: it fired because a question was left unanswered; there is no message.
        quote: the leaflet's sentence, empty where there is none; `section` is where it stands.
        basis: `leaflet` or `extension`; empty when the protocol of today has no such rule.
    """

    rule: str
    tier: int
    at: datetime
    seq: int
    protocol: str
    words: str | None
    question: str
    rows: tuple[str, ...]
    left: bool
    quote: str
    section: str
    basis: str
    reason: str


@dataclass(frozen=True)
class Known:
    """What is known of a finding.

    Attributes:
        finding: its id in the protocol; `code` is what it has in common with others on the wire.
        status: the assertion status; `assumed` for what only counts as present, because a question was not answered.
        evidence: the patient's own words, or the row of the danger check and its answer.
        question: what those words answered, where they were an answer; empty without any.
        because: the id of the step that decided it, where it was read in words; empty where it was tapped or assumed.
        course: the statuses that it had, in order.
    """

    finding: str
    code: str
    label: str
    status: str
    evidence: str
    question: str
    because: str
    course: tuple[StatusStep, ...]


class Explained:
    """Reads events with the labels, rules and questions of one protocol.

    Args:
        protocol: the protocol.
    """

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def asked(self, events: list[Event]) -> dict[str, str]:
        """The questions that were asked, in order: id -> text."""
        known = self._protocol.questions
        pending = [str(e.words["conversation"]["pending"]) for e in events if e.kind == "answer" and e.words is not None]
        return {each: known[each].text for each in dict.fromkeys(pending) if each in known}

    def answers(self, rows: Iterable[Mapping[str, str]]) -> list[str]:
        """Rows of the danger check as they were answered, each as question and answer."""
        answers = self._protocol.wording["check"]["answers"]
        return [f"{row['text']} {answers[row['answer']]}" for row in rows]

    def complaints(
        self, rules: Iterable[Any], check: tuple[CheckRow, ...], conversation: Conversation, events: list[Event], mask: Mask
    ) -> tuple[Complaint, ...]:
        """The rules that fired, the most urgent first.

        Args:
            rules: rows of `case_rule`.
            check: the rows of the danger check that were shown.
            conversation: how it stands.
            events: all of the conversation.
            mask: hides what it knows in the patient's words.
        """
        known = {rule.id: rule for rule in self._protocol.rules}
        texts = {event.seq: mask(str(event.words["text"])) for event in events if event.kind == "message" and event.words is not None}
        questions = self._waiting_questions(events)
        answers = self._protocol.wording["check"]["answers"]
        replied = {event.seq: event.reply_to for event in events if event.kind == "answer"}
        left = {event.seq for event in events if event.follows_up}
        found = []
        for row in rules:
            rule = known.get(row.rule) if row.protocol.partition(" ")[0] in ("", self._protocol.id) else None
            seq = replied.get(row.seq) or row.seq
            atoms = frozenset(rule.atoms()) if rule else frozenset()
            tapped = alarming([each for each in check if not rule or atoms & self._about(each)], seq, answers)
            words, asked = texts.get(seq), questions.get(seq, "")
            if words is not None and not tapped and any(step.seq == seq for each in check for step in each.course):
                rests = self._rests_on(atoms, conversation, events, mask)
                tapped, words = rests if any(rests) else ((), words)
                asked = "" if any(rests) else asked or _check_before(events, seq)
            found.append(
                Complaint(
                    rule=row.rule,
                    tier=int(rule.disposition) if rule else row.tier,
                    at=row.at,
                    seq=seq,
                    protocol=row.protocol,
                    words=words,
                    question=asked,
                    rows=tapped,
                    left=row.seq in left,
                    **_of_rule(rule),
                )
            )
        return tuple(sorted(found, key=lambda complaint: (-complaint.tier, complaint.seq)))

    def grounds(self, rule: str, conversation: Conversation, events: list[Event], mask: Mask) -> tuple[Known, ...]:
        """What a rule rests on: the findings of its condition that are present or assumed, each with the patient's own words.

        Args:
            rule: its id.
            conversation: how it stands.
            events: all of the conversation.
            mask: hides what it knows in the patient's words.
        """
        known = next((each for each in self._protocol.rules if each.id == rule), None)
        atoms = known.atoms() if known else ()
        its = {name: status for name, status in conversation.findings.items() if name in atoms}
        return tuple(each for each in self.findings(replace(conversation, findings=its), events, mask) if each.status in (PRESENT, ASSUMED))

    def _rests_on(self, atoms: frozenset[str], conversation: Conversation, events: list[Event], mask: Mask) -> tuple[tuple[str, ...], str]:
        """What else a rule rests on: what was answered, each as question and answer, and what was said."""
        questions = self._questions(events)
        found = [(questions.get((each, said), ""), mask(said)) for each in sorted(atoms & conversation.has(PRESENT))
                 if (said := conversation.evidence.get(each))]  # fmt: skip
        answered = tuple(dict.fromkeys(f"{question} {said}" for question, said in found if question))
        return answered, "; ".join(dict.fromkeys(said for question, said in found if not question))

    def _about(self, shown: CheckRow) -> frozenset[str]:
        """The findings that a row is about."""
        return next((row.findings for row in self._protocol.danger_check.rows if row.fact == shown.fact), frozenset())

    def _waiting_questions(self, events: list[Event]) -> dict[int, str]:
        """The question that waited when a message came, or that a follow-up found left, by the sequence number of that event.

        Of one that the protocol no longer has, the words that were shown.
        """
        found, asked = {}, ""
        for event in events:
            if asked and (event.kind == "message" or event.follows_up):
                found[event.seq] = asked
            if event.kind == "answer" and event.words is not None:
                question = self._protocol.questions.get(event.words["conversation"].get("pending", ""))
                asked = question.text if question is not None else _last_shown(event, "question")
        return found

    def _questions(self, events: list[Event]) -> dict[tuple[str, str], str]:
        """Finding and message -> the question, or the row of the danger check, that the message answered about it."""
        found: dict[tuple[str, str], str] = {}
        waiting: Mapping[str, Any] = {}
        for event in events:
            if event.kind == "message" and event.words is not None:
                text, question = str(event.words["text"]), self._protocol.questions.get(waiting.get("pending", ""))
                rows = [row for row in self._protocol.danger_check.rows if row.fact in waiting.get("checks", ())]
                found |= {(finding, text): row.text for row in rows for finding in row.findings}
                found |= {(finding, text): question.text for finding in question.covers} if question is not None else {}
            elif event.kind == "answer" and event.words is not None:
                waiting = event.words["conversation"]
        return found

    def findings(self, conversation: Conversation, events: list[Event], mask: Mask) -> tuple[Known, ...]:
        """What is known of each finding, those that are present first; what is absent by the calendar alone was denied by nobody."""
        order = {status: number for number, status in enumerate((PRESENT, ASSUMED, "resolved", "hypothetical", ABSENT))}
        questions, assumed, steps = self._questions(events), self._assumed(events), _steps(events)
        courses = status_courses(events, self._protocol.danger_check)
        found = []
        for name, status in conversation.findings.items():
            finding, evidence = self._protocol.findings.get(name), conversation.evidence.get(name, "")
            if finding is not None and not (status == ABSENT and not evidence):
                status = ASSUMED if status == PRESENT and name in assumed else status
                heard = (name, evidence)
                question, step = questions.get(heard, ""), steps.get(heard, "")
                found.append(Known(name, finding.code, finding.label, status, mask(evidence), question, step, courses.get(name, ())))
        return tuple(sorted(found, key=lambda each: order.get(each.status, 9)))

    def _assumed(self, events: list[Event]) -> set[str]:
        """Findings that were assumed, and neither said nor tapped before or after."""
        answers = [event.words for event in events if event.kind == "answer" and event.words is not None]
        read = [finding for words in answers for finding in words["understood"].get("findings", ())]
        said = {finding.get("finding") for finding in read if finding["status"] == PRESENT}
        dangerous = {fact for event in events for fact, answer in event.facts.get("rows", {}).items() if answer in DANGEROUS}
        said |= {row.yes for row in self._protocol.danger_check.rows if row.fact in dangerous}
        return {finding for event in events for finding in event.facts.get("assumed", ())} - said

    def not_asked(self, conversation: Conversation, asked: Iterable[str], check: tuple[CheckRow, ...]) -> tuple[str, ...]:
        """The questions, beside those that were asked and the rows that were shown, that could still change the disposition."""
        asked = set(asked)
        shown = {row.fact for row in check}
        in_check = {finding for row in self._protocol.danger_check.rows if row.fact in shown for finding in row.findings}
        open_rules = undecided(self._protocol, conversation.has("present"), conversation.has("absent"))
        wanted = {atom for rule in open_rules for atom in rule.atoms()} - set(conversation.findings) - in_check
        questions = [
            question.text
            for question in self._protocol.questions.values()
            if question.id not in asked and not question.only_confirms and wanted & set(question.covers)
        ]
        return tuple(questions)


def _of_rule(rule: Rule | None) -> dict[str, str]:
    """What a complaint says of its rule; nothing where the protocol of today has none."""
    sentence = rule.sentence if rule else None
    return {
        "quote": sentence.quote if sentence else "",
        "section": sentence.section if sentence else "",
        "basis": rule.basis if rule else "",
        "reason": rule.reason if rule else "",
    }


def _last_shown(event: Event, kind: str) -> str:
    """The last block of a kind that an answer showed, empty without any."""
    shown = [str(block["text"]) for block in event.words["blocks"] if block["kind"] == kind] if event.words is not None else []
    return shown[-1] if shown else ""


def _check_before(events: list[Event], seq: int) -> str:
    """What the last danger check before a message asked, without its rows."""
    shown = [_last_shown(event, "check") for event in events if event.kind == "answer" and event.seq < seq]
    return next((text.partition("\n")[0] for text in reversed(shown) if text), "")


def _steps(events: list[Event]) -> dict[tuple[str, str], str]:
    """The step that decided a finding, by the finding and the words for it."""
    answers = [event.words for event in events if event.kind == "answer" and event.words is not None]
    read = [finding for words in answers for finding in words["understood"].get("findings", ())]
    return {(each["finding"], each["evidence"]): each["because"] for each in read if "because" in each}
