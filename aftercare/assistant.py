"""The only way into the core: a conversation and a reading in, the conversation after the turn and the reply out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from aftercare.clock import Clock, utc_now
from aftercare.conversation import Conversation
from aftercare.decision import danger_check
from aftercare.decision.answers import settle_as_dangerous
from aftercare.decision.danger_check import RowReader
from aftercare.decision.reply import Composer, Reply
from aftercare.decision.rules import disposition
from aftercare.dialogue.situation import Names, Tools
from aftercare.guard import understates
from aftercare.protocol.library import Key, Library
from aftercare.protocol.model import Disposition, Protocol
from aftercare.turn import answer, begin
from aftercare.understanding.fusion import Fusion
from aftercare.understanding.reader import Reader
from aftercare.understanding.reading import Reading, Status
from aftercare.understanding.understood import Understood

LONGEST_PIECE = 4_000
_OVERLAP = 400
_MOST_PIECES = 12


class Assistant:
    """The clinical core for one protocol.

    Args:
        protocol: the clinic's knowledge, checked.
        clock: tells the moment of a message that comes without one, with a time zone.
    """

    def __init__(self, protocol: Protocol, clock: Clock = utc_now) -> None:
        self.protocol = protocol
        self.clock = clock
        self._reader = Reader(protocol)
        self._fusion = Fusion(protocol)
        self._composer = Composer(protocol)
        rows = RowReader(protocol.danger_check, protocol.grammar.answers, self._reader.acts)
        self._tools = Tools(protocol, self._fusion, self._composer, rows, Names(protocol))

    def today(self) -> date:
        """The clinic's date now."""
        return self.protocol.clinic.day(self.clock())

    def read(self, text: str, today: date) -> Reading:
        """Read a message with the lexicon alone; see `Reader.read`."""
        return self._reader.read(text, today)

    def trouble(self) -> Reply:
        """The reply when nothing else can be made: whom to call, and when it is an emergency."""
        return self._composer.plain("out_of_scope", "trouble", "watch_list")

    def greeting(self) -> Reply:
        """What the assistant says first."""
        return self._composer.plain("chat", "greeting")

    def is_emergency(self, reading: Reading) -> bool:
        """Whether the reading alone, whatever was said before, is an emergency."""
        return disposition(self.protocol, self._present(reading)) is Disposition.EMERGENCY

    def most_telling(self, text: str, today: date) -> str:
        """The text, or of a long one the piece that is the most urgent by itself, the first of several.

        A text longer than `LONGEST_PIECE` is read in overlapping pieces of that length; of more than twelve, the first and the last six.
        """
        step = LONGEST_PIECE - _OVERLAP
        pieces = [text[start : start + LONGEST_PIECE] for start in range(0, max(1, len(text) - _OVERLAP), step)]
        if len(pieces) == 1:
            return text
        looked_at = pieces if len(pieces) <= _MOST_PIECES else pieces[: _MOST_PIECES // 2] + pieces[-_MOST_PIECES // 2 :]
        return max(looked_at, key=lambda piece: disposition(self.protocol, self._present(self.read(piece, today))) or 0)

    def understates(self, reply: Reply, reading: Reading) -> bool:
        """Whether a reply is less urgent than the reading alone; see `guard.understates`."""
        return understates(self.protocol, reply, self._present(reading))

    def broken_off(self, conversation: Conversation) -> tuple[Conversation, Reply] | None:
        """What holds when the patient leaves a question unanswered.

        The more urgent answer to a single question, and no further question. Of the danger check that stands before an answer: no
        reassurance, and whom to call if one of its rows is true; it goes on waiting.

        Args:
            conversation: what is remembered; it is not changed.

        Returns:
            The conversation after this, and the reply; None when nothing waits that may not be passed over.
        """
        after = conversation.copy()
        if conversation.pending == danger_check.NAME and not conversation.unfinished:
            after.unfinished = True
            reply = self._composer.plain("chat", "check.unfinished")
            reply = self._composer.with_check(reply, conversation).with_payload(unfinished=True)
            return after, reply.with_payload(conversation=after.to_slots())
        question = self.protocol.questions.get(conversation.pending)
        if question is None:
            return None
        settle_as_dangerous(question, after, "")
        after.pending, after.repeated, after.asked = "", 0, []
        reply = self.trouble()
        if disposition(self.protocol, after.has("present")) is not None:
            reply = self._composer.triage(after)
            after.disposition = str(reply.custom["disposition"])
        return after, reply.followed_by(self._composer.block("say", "broken_off")).with_payload(conversation=after.to_slots())

    def refused_rows(self, conversation: Conversation, answers: Mapping[str, object]) -> str:
        """What is wrong with answers to rows of the danger check; empty when they can be taken.

        Args:
            conversation: how it stands.
            answers: row -> `yes`, `no` or `unsure`.
        """
        for fact, given in answers.items():
            if fact not in conversation.checks:
                return f"'{fact}' is no row that waits for an answer"
            if given not in danger_check.ANSWERS:
                return f"the answer to '{fact}' is one of {', '.join(danger_check.ANSWERS)}"
        return ""

    def _present(self, reading: Reading) -> set[str]:
        findings = self._fusion.understand(reading, answering=False).findings
        return {finding for finding, (status, _) in findings.items() if status is Status.PRESENT}

    def respond(
        self,
        conversation: Conversation,
        reading: Reading,
        today: date,
        at: datetime | None = None,
        answers: Mapping[str, str] | None = None,
    ) -> tuple[Conversation, Reply]:
        """Answer one message.

        Args:
            conversation: what is remembered; it is not changed.
            reading: the message, read by the lexicon and, where there was one, by the classifier.
            today: the day of the message, by the clinic's calendar.
            at: the moment of the message, with a time zone; now when None.
            answers: rows of the danger check that were answered one by one, row -> `yes`, `no` or `unsure`; rows that do not wait are
                left out.

        Returns:
            The conversation after this turn, and the reply. Always a reply, for every text.
        """
        now = at or self.clock()
        tapped = {fact: answer for fact, answer in (answers or {}).items() if fact in conversation.checks}
        turn = begin(self._tools, conversation.copy(), reading, today, now, tapped)
        turn.conversation.protocol, turn.conversation.language = self.protocol.key
        reply = answer(turn)
        payload: dict[str, Any] = {"understood": self._understood(turn.understood, reading), "conversation": turn.conversation.to_slots()}
        if "findings" in reply.custom:
            payload["findings"] = [_placed(finding, turn.understood) for finding in reply.custom["findings"]]
        return turn.conversation, reply.with_payload(**payload)

    def _understood(self, understood: Understood, reading: Reading) -> dict[str, Any]:
        """How this message was read: its meaning, how sure the classifier was, and every finding with status and evidence."""
        findings = dict(understood.findings)
        for status in (Status.HISTORICAL, Status.OTHER_PERSON):
            for finding, mention in reading.with_status(status).items():
                if finding not in findings:
                    findings[finding] = (status, reading.evidence(mention))
                    understood.places[finding] = (mention.start, mention.end, "lexicon")
        entries = self.protocol.on_the_wire({name: (status.value, words) for name, (status, words) in findings.items()})
        return {
            "meaning": understood.intent,
            "confidence": reading.opinions[0].best[1] if reading.opinions else None,
            "findings": [_placed(entry, understood) for entry in entries],
        }


class Assistants:
    """The core for every protocol in force.

    Args:
        library: the protocols.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self._by_key = {protocol.key: Assistant(protocol) for protocol in library}

    @property
    def default(self) -> Assistant:
        """The core for the default protocol."""
        return self._by_key[self.library.default.key]

    def of(self, key: Key) -> Assistant:
        """The core for a protocol's id and language; see `Library.bound`."""
        return self._by_key[self.library.bound(*key).key]


def _placed(entry: dict[str, Any], understood: Understood) -> dict[str, Any]:
    """A finding of the wire with the place of its evidence and the step that decided it, where this message brought it."""
    start, end, because = understood.places.get(entry["finding"], (0, 0, ""))
    heard = understood.findings.get(entry["finding"])
    if not because or (heard is not None and heard[1] != entry["evidence"]):
        return entry
    return {**entry, "span": [start, end], "because": because}
