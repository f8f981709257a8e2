"""The words and the wire payload of an answer, composed from the protocol's wording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aftercare.conversation import UNREACHED, Conversation
from aftercare.decision.danger_check import NAME
from aftercare.decision.rules import fired
from aftercare.protocol.model import Disposition, Protocol, Question, Sentence, Topic

_WATCH = ("watch_list", "watch_short")
_ON_THE_WIRE = ("present", "absent", "resolved", "hypothetical")


@dataclass(frozen=True)
class Block:
    """A paragraph and what it is for.

    Attributes:
        kind: `advice` (its first line tells whom to contact and how fast), `why`, `leaflet` (quoted), `note`, `watch` (when to call
            for help later), `question`, `check` (the danger check, an introduction and a row a line), `not_stored` or `say`.
        text: what the patient reads, one or more lines.
    """

    kind: str
    text: str


@dataclass(frozen=True)
class Reply:
    """One answer: what the patient reads, the quick replies, and the payload of the wire contract."""

    blocks: tuple[Block, ...]
    custom: dict[str, Any]

    @classmethod
    def from_wire(cls, text: str, custom: Mapping[str, Any]) -> Reply:
        """The reply in a message on the wire; a text that its blocks do not make up is one block."""
        try:
            blocks = tuple(Block(str(block["kind"]), str(block["text"])) for block in custom.get("blocks", ()))
        except (KeyError, TypeError):
            blocks = ()
        reply = cls(blocks, {key: value for key, value in custom.items() if key != "blocks"})
        return reply if reply.text == text else cls((Block("say", text),), reply.custom)

    @property
    def text(self) -> str:
        """The blocks with an empty line between them."""
        return "\n\n".join(block.text for block in self.blocks)

    @property
    def buttons(self) -> list[dict[str, str]]:
        """The quick replies; what a button sends is its own title."""
        return list(self.custom.get("buttons", []))

    @property
    def disposition(self) -> Disposition | None:
        """What the patient is advised to do, if anything."""
        wire = self.custom.get("disposition")
        return next((each for each in Disposition if each.wire == wire), None)

    @property
    def wire(self) -> dict[str, Any]:
        """`custom` as it goes over the wire, with the blocks."""
        return {**self.custom, "blocks": [{"kind": block.kind, "text": block.text} for block in self.blocks]}

    def preceded_by(self, *blocks: Block) -> Reply:
        """The same answer with more in front."""
        return Reply(blocks + self.blocks, self.custom)

    def followed_by(self, *blocks: Block) -> Reply:
        """The same answer with more behind."""
        return Reply(self.blocks + blocks, self.custom)

    def with_note(self, *blocks: Block) -> Reply:
        """The same answer with more said; what is asked at the end stays there."""
        asked = self.blocks[-1:] if self.blocks and self.blocks[-1].kind in ("question", "check") else ()
        return Reply((*self.blocks[: len(self.blocks) - len(asked)], *blocks, *asked), self.custom)

    def without(self, kind: str) -> Reply:
        """The same answer without the blocks of a kind."""
        return Reply(tuple(block for block in self.blocks if block.kind != kind), self.custom)

    def with_payload(self, **more: Any) -> Reply:
        """The same answer with more in the payload."""
        return Reply(self.blocks, {**self.custom, **more})


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
        to_er = conversation.call == UNREACHED and deciding.disposition is Disposition.CALL_DOCTOR
        advice = self._say(f"advice.{UNREACHED if to_er else deciding.advice}")
        if emergency and conversation.writer == "helper":
            advice = f"{advice}\n{self._say('helper')}"
        blocks = [
            Block("advice", advice),
            self._because(conversation, deciding.atoms()),
            self._leaflet_says([deciding.sentence]) if deciding.sentence else None,
            self.block("note", "further") if further else None,
            None if emergency else self.block("watch", "watch_list"),
        ]
        sentences = _unique(rule.sentence for rule in rules if rule.sentence)
        return self._reply(
            blocks,
            type="triage",
            disposition=deciding.disposition.wire,
            rules=[rule.id for rule in rules],
            findings=self._findings(conversation),
            sources=[sentence.as_source() for sentence in sentences],
        )

    def stands(self, conversation: Conversation, *more: Block | None) -> Reply:
        """The disposition that stands, said again in one line, with what else is to be said; the payload is that of the whole card."""
        whole = self.triage(conversation)
        emergency = whole.disposition is Disposition.EMERGENCY
        lead = self.block("say", "emergency_stands" if emergency else "stands")
        again = Block("advice", whole.blocks[0].text.partition("\n")[0])
        said = [block for block in more if block]
        blocks = (again, *said, lead) if emergency else (*said, lead, again)
        return Reply(blocks, whole.custom)

    def instead(self, conversation: Conversation, advice: Block | None = None) -> Reply:
        """Advice alone, the given one or the disposition's, in the place of what stood; the payload is that of the whole card."""
        whole = self.triage(conversation)
        return Reply((Block("advice", advice.text) if advice else whole.blocks[0],), whole.custom)

    def practical(self, act: str, conversation: Conversation) -> Block | None:
        """The answer to a practical question about the advice that stands; None where the wording has none."""
        texts = self._protocol.wording["practical"][act]
        advice = [rule.advice for rule in fired(self._protocol, conversation.has("present"))[:1]]
        urgency = next((key for key in (conversation.call, *advice, conversation.disposition, "always") if key in texts), "")
        return self.block("say", f"practical.{act}.{urgency}") if urgency else None

    def with_advice(self, reply: Reply, conversation: Conversation) -> Reply:
        """An answer of another kind, with the advice that stands in one line behind it."""
        return reply.with_note(*self.stands(conversation).blocks)

    def check(self, conversation: Conversation, introduction: str, *before: Block) -> Reply:
        """The danger check in front of an answer: the rows that wait, by number, behind the blocks in `before`."""
        reply = self._reply([*before], type="question")
        return self._with_rows(reply, conversation, introduction)

    def with_check(self, reply: Reply, conversation: Conversation) -> Reply:
        """An answer with the danger check behind it."""
        return self._with_rows(reply, conversation, "behind")

    def say_again(self, *before: Block) -> Reply:
        """What was not understood is asked for in other words."""
        return self._reply([*before, self.block("question", "say_again")], type="question", about=self._protocol.open_question, buttons=[])

    def _with_rows(self, reply: Reply, conversation: Conversation, introduction: str) -> Reply:
        asked = [self._protocol.danger_check.row(fact) for fact in conversation.checks]
        rows = [{"fact": row.fact, "text": row.text, "tier": row.tier.wire} for row in asked]
        first = self._say(f"check.{introduction}")
        if conversation.writer == "helper":
            first = f"{self._say('about_patient')} {first}"
        block = Block("check", "\n".join([first, *(f"{number}. {row.text}" for number, row in enumerate(asked, 1))]))
        return reply.followed_by(block).with_payload(about=NAME, checks=list(conversation.checks), rows=rows)

    def block(self, kind: str, key: str, **values: str) -> Block:
        """A block made of a wording."""
        return Block(kind, self._say(key, **values))

    def question(self, question: Question, *before: Block) -> Reply:
        """One clarifying question with its buttons, after the blocks in `before`."""
        buttons = [{"title": button.title, "payload": button.title} for button in question.buttons]
        return self._reply([*before, Block("question", question.text)], type="question", about=question.about, buttons=buttons)

    def faq(self, topics: Sequence[Topic]) -> Reply:
        """The leaflet's own sentences on these topics, and when to get help; the payload names the first."""
        red_flags = any(topic.red_flags for topic in topics)
        further = [self.block("note", "further")] if red_flags else []
        blocks = [*(self.topic_text(topic) for topic in topics), *further, self.block("watch", _WATCH[0] if red_flags else _WATCH[1])]
        sentences = _unique(sentence for topic in topics for sentence in topic.sentences)
        return self._reply(blocks, type="faq", topic=topics[0].id, sources=[sentence.as_source() for sentence in sentences])

    def supposed(self, topic: Topic, findings: Iterable[str]) -> Reply:
        """What would hold if the patient had these findings, for a question that supposes them; no alarm."""
        rules = fired(self._protocol, set(findings))
        if not rules:
            return self.faq([topic])
        instruction = self._say(f"instruction.{rules[0].disposition.wire}")
        sentence = rules[0].sentence
        sentences = (sentence,) if sentence else topic.sentences
        blocks = [
            self.block("say", "hypothetical", instruction=instruction),
            self._leaflet_says(sentences),
            self.block("watch", "hypothetical_now"),
        ]
        return self._reply(blocks, type="faq", topic=topic.id, sources=[each.as_source() for each in sentences])

    def plain(self, kind: str, *keys: str) -> Reply:
        """A reply of type `chat`, `out_of_scope` or `not_in_leaflet` made of wordings."""
        return self._reply([self.block("watch" if key in _WATCH else "say", key) for key in keys], type=kind)

    def topic_text(self, topic: Topic) -> Block:
        """The leaflet's sentences on a topic, each section named once."""
        return self._leaflet_says(topic.sentences)

    def _leaflet_says(self, sentences: Sequence[Sentence]) -> Block:
        sections: dict[str, list[str]] = {}
        for sentence in sentences:
            sections.setdefault(sentence.section, []).append(sentence.quote)
        lines = (self._say("leaflet_says", quote="” “".join(quotes), section=section) for section, quotes in sections.items())
        return Block("leaflet", "\n".join(lines))

    def _because(self, conversation: Conversation, findings: Iterable[str]) -> Block | None:
        present = [finding for finding in findings if finding in conversation.has("present")]
        rows = {row.text for row in self._protocol.danger_check.rows}
        said = {finding: conversation.evidence.get(finding, "") for finding in present}
        tapped = {finding for finding, words in said.items() if any(words.startswith(text) for text in rows)}
        labels = ", ".join(said[finding] if finding in tapped else self._protocol.findings[finding].label for finding in present)
        return self.block("why", "because_finding", labels=labels) if labels else None

    def _findings(self, conversation: Conversation) -> list[dict[str, str]]:
        kept = {
            finding: (status, evidence)
            for finding, status in conversation.findings.items()
            if status in _ON_THE_WIRE and (evidence := conversation.evidence.get(finding)) and finding in self._protocol.findings
        }
        return self._protocol.on_the_wire(kept)

    def _reply(self, blocks: Iterable[Block | None], **payload: Any) -> Reply:
        protocol = {"id": self._protocol.id, "version": self._protocol.version}
        return Reply(tuple(block for block in blocks if block), {**payload, "protocol": protocol, "language": self._protocol.language})


def _unique(sentences: Iterable[Sentence]) -> list[Sentence]:
    return list(dict.fromkeys(sentences))
