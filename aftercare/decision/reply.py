"""The words and the wire payload of an answer, composed from the protocol's wording."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aftercare.conversation import Conversation
from aftercare.decision.rules import fired
from aftercare.protocol.model import Disposition, Protocol, Question, Sentence, Topic

_ON_THE_WIRE = ("present", "absent", "resolved", "hypothetical")


@dataclass(frozen=True)
class Reply:
    """One answer: what the patient reads, the quick replies, and the payload of the wire contract."""

    text: str
    custom: dict[str, Any]

    @property
    def buttons(self) -> list[dict[str, str]]:
        """The quick replies; what a button sends is its own title."""
        return list(self.custom.get("buttons", []))

    def preceded_by(self, text: str) -> Reply:
        """The same answer with a text in front."""
        return Reply(join(text, self.text), self.custom)

    def followed_by(self, text: str) -> Reply:
        """The same answer with a text behind."""
        return Reply(join(self.text, text), self.custom)

    def with_payload(self, **more: Any) -> Reply:
        """The same answer with more in the payload."""
        return Reply(self.text, {**self.custom, **more})


def join(*paragraphs: str) -> str:
    """Paragraphs with an empty line between them; empty ones are left out."""
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


class Composer:
    """Composes replies for one protocol."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._say = protocol.say

    def triage(self, conversation: Conversation) -> Reply:
        """The disposition of all that is present: whom to contact, how fast, why, and what to watch for."""
        rules = fired(self._protocol, conversation.has("present"))
        deciding = rules[0]
        emergency = deciding.disposition is Disposition.EMERGENCY
        further = deciding.basis == "extension" and deciding.sentence is not None
        text = join(
            join_lines(
                self._say(f"advice.{deciding.advice}"),
                self._say("helper") if emergency and conversation.writer == "helper" else "",
            ),
            self._because(conversation, deciding.atoms()),
            join_lines(
                self._leaflet_says([deciding.sentence]) if deciding.sentence else "",
                self._say("further") if further else "",
            ),
            "" if emergency else self._say("watch_list"),
        )
        sentences = _unique(rule.sentence for rule in rules if rule.sentence)
        return self._reply(
            text,
            type="triage",
            disposition=deciding.disposition.wire,
            rules=[rule.id for rule in rules],
            findings=self._findings(conversation),
            sources=[sentence.as_source() for sentence in sentences],
        )

    def question(self, question: Question, *before: str) -> Reply:
        """One clarifying question with its buttons, after the texts in `before`."""
        buttons = [{"title": button.title, "payload": button.title} for button in question.buttons]
        return self._reply(join(*before, question.text), type="question", about=question.about, buttons=buttons)

    def faq(self, topics: Sequence[Topic], close: str = "watch_short") -> Reply:
        """The leaflet's own sentences on these topics, closed by a wording; the payload names the first."""
        text = join(*(self.topic_text(topic) for topic in topics), self._say(close))
        sentences = _unique(sentence for topic in topics for sentence in topic.sentences)
        return self._reply(text, type="faq", topic=topics[0].id, sources=[sentence.as_source() for sentence in sentences])

    def supposed(self, topic: Topic, findings: Iterable[str]) -> Reply:
        """What would hold if the patient had these findings, for a question that supposes them; no alarm."""
        rules = fired(self._protocol, set(findings))
        if not rules:
            return self.faq([topic])
        instruction = self._say(f"instruction.{rules[0].disposition.wire}")
        sentence = rules[0].sentence
        sentences = (sentence,) if sentence else topic.sentences
        text = join(
            self._say("hypothetical", instruction=instruction),
            self._leaflet_says(sentences),
            self._say("hypothetical_now"),
        )
        return self._reply(text, type="faq", topic=topic.id, sources=[each.as_source() for each in sentences])

    def plain(self, kind: str, *keys: str) -> Reply:
        """A reply of type `chat`, `out_of_scope` or `not_in_leaflet` made of wordings."""
        return self._reply(join(*(self._say(key) for key in keys)), type=kind)

    def topic_text(self, topic: Topic) -> str:
        """The leaflet's sentences on a topic, each section named once."""
        return self._leaflet_says(topic.sentences)

    def _leaflet_says(self, sentences: Sequence[Sentence]) -> str:
        sections: dict[str, list[str]] = {}
        for sentence in sentences:
            sections.setdefault(sentence.section, []).append(sentence.quote)
        return "\n".join(self._say("leaflet_says", quote="” “".join(quotes), section=section) for section, quotes in sections.items())

    def _because(self, conversation: Conversation, findings: Iterable[str]) -> str:
        present = [finding for finding in findings if finding in conversation.has("present")]
        labels = ", ".join(self._protocol.findings[finding].label for finding in present)
        return self._say("because_finding", labels=labels) if labels else ""

    def _findings(self, conversation: Conversation) -> list[dict[str, str]]:
        kept = {
            finding: (status, evidence)
            for finding, status in conversation.findings.items()
            if status in _ON_THE_WIRE and (evidence := conversation.evidence.get(finding)) and finding in self._protocol.findings
        }
        return self._protocol.on_the_wire(kept)

    def _reply(self, text: str, **payload: Any) -> Reply:
        protocol = {"id": self._protocol.id, "version": self._protocol.version}
        return Reply(text, {**payload, "protocol": protocol})


def join_lines(*lines: str) -> str:
    """Lines one below the other; empty ones are left out."""
    return "\n".join(line for line in lines if line)


def _unique(sentences: Iterable[Sentence]) -> list[Sentence]:
    return list(dict.fromkeys(sentences))
