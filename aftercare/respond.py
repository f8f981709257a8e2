"""One turn: a conversation and a reading in, the conversation after it and the reply out. The only way into the core."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from aftercare.conversation import Conversation
from aftercare.decision.answers import pressed, settle, settle_as_dangerous
from aftercare.decision.interview import confirming, next_question
from aftercare.decision.reply import Block, Composer, Reply
from aftercare.decision.rules import disposition
from aftercare.protocol.model import Disposition, Protocol
from aftercare.understanding.fusion import TOPIC_PREFIX, Fusion
from aftercare.understanding.reader import Reader
from aftercare.understanding.reading import Reading, Status

_SCREEN = "screen"
_WHEN_TO_CALL = "when_to_call"
_ANSWERS = {"affirm": "yes", "deny": "no", "unsure": "unsure"}
_SILENT = ("ask_not_in_leaflet", "ask_diagnosis")
_UNKNOWN = "other_symptom"
_TALK = {
    "affirm": ("chat", "noted", "watch_short"),
    "deny": ("chat", "noted", "watch_short"),
    "greet": ("chat", "greeting"),
    "thank": ("chat", "thanks", "watch_short"),
    "goodbye": ("chat", "goodbye", "watch_short"),
    "bot_challenge": ("chat", "bot", "watch_short"),
    "upset": ("chat", "upset", "watch_short"),
    "deny_symptoms": ("chat", "all_denied", "watch_list"),
    "report_other_person": ("out_of_scope", "other_person"),
    "out_of_scope": ("out_of_scope", "out_of_scope", "watch_short"),
    "idiom": ("out_of_scope", "out_of_scope", "watch_short"),
}
_LATE = "beyond_48_hours"
_LONGEST_AGO = 36_500
_PIECE, _OVERLAP = 4_000, 400


class Assistant:
    """The clinical core for one protocol.

    Args:
        protocol: the clinic's knowledge, checked.
    """

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self._reader = Reader(protocol)
        self._fusion = Fusion(protocol)
        self._composer = Composer(protocol)

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
        """The text, or of a long one, which is read piece by piece, the first piece that is an emergency, else its beginning."""
        pieces = [text[start : start + _PIECE] for start in range(0, max(1, len(text) - _OVERLAP), _PIECE - _OVERLAP)]
        return next((piece for piece in pieces if len(pieces) > 1 and self.is_emergency(self.read(piece, today))), pieces[0])

    def understates(self, reply: Reply, reading: Reading) -> bool:
        """Whether a reply is less urgent than the reading alone, and neither asks about it nor took it into account.

        A reply that says how the message was understood has weighed what is no emergency by more than the lexicon.
        """
        present = self._present(reading)
        alone = disposition(self.protocol, present)
        if alone is None or "about" in reply.custom or (reply.disposition or 0) >= alone:
            return False
        if "understood" not in reply.custom:
            return True
        understood = reply.custom["understood"].get("findings", ())
        weighed = {finding["finding"] for finding in understood if finding["status"] != Status.PRESENT.value}
        return alone is Disposition.EMERGENCY and bool(present - weighed)

    def broken_off(self, conversation: Conversation) -> tuple[Conversation, Reply] | None:
        """What holds when the patient leaves a question unanswered: the more urgent answer, and no further question.

        Args:
            conversation: what is remembered; it is not changed.

        Returns:
            The conversation after this, and the reply; None when no question waits for an answer.
        """
        question = self.protocol.questions.get(conversation.pending)
        if question is None:
            return None
        after = conversation.copy()
        settle_as_dangerous(question, after, "")
        after.pending, after.repeated, after.asked = "", False, []
        reply = self.trouble()
        if disposition(self.protocol, after.has("present")) is not None:
            reply = self._composer.triage(after)
            after.disposition = str(reply.custom["disposition"])
        return after, reply.followed_by(self._composer.block("say", "broken_off")).with_payload(conversation=after.to_slots())

    def _present(self, reading: Reading) -> set[str]:
        findings = self._fusion.understand(reading, answering=False).findings
        return {finding for finding, (status, _) in findings.items() if status is Status.PRESENT}

    def respond(self, conversation: Conversation, reading: Reading, today: date) -> tuple[Conversation, Reply]:
        """Answer one message.

        Args:
            conversation: what is remembered; it is not changed.
            reading: the message, read by the lexicon and, where there was one, by the classifier.
            today: the day of the message.

        Returns:
            The conversation after this turn, and the reply. Always a reply, for every text.
        """
        turn = _Turn(self.protocol, self._fusion, self._composer, conversation.copy(), reading, today)
        reply = turn.reply()
        return turn.conversation, reply.with_payload(understood=turn.understood_on_the_wire(), conversation=turn.conversation.to_slots())


class _Turn:
    """The steps of one turn, in the order in which they are tried."""

    def __init__(
        self,
        protocol: Protocol,
        fusion: Fusion,
        composer: Composer,
        conversation: Conversation,
        reading: Reading,
        today: date,
    ) -> None:
        self._protocol = protocol
        self._fusion = fusion
        self._composer = composer
        self.conversation = conversation
        self._reading = reading
        self._today = today
        self._pending = protocol.questions.get(conversation.pending)
        if self._pending is not None and not reading.answer and reading.opinions:
            self._reading = replace(reading, answer=self._answer_by_meaning())
        if self._pending is not None and pressed(self._pending, reading.text):
            self._reading = replace(reading, mentions=(), opinions=())
        scale = self._pending is not None and bool(self._pending.scale)
        self._understood = fusion.understand(self._reading, answering=self._pending is not None, measuring=scale)

    def _answer_by_meaning(self) -> str:
        """What the classifier takes an answer to be that does not begin with a yes, a no or a doubt; empty when it is not sure."""
        intent, probability = self._reading.opinions[0].best
        if intent in _ANSWERS and probability >= self._protocol.thresholds["confident"]:
            return _ANSWERS[intent]
        return "normal" if self._fusion.says_all_is_normal(self._reading) else ""

    def reply(self) -> Reply:
        """The reply to the message."""
        before = disposition(self._protocol, self.conversation.has("present"))
        self._remember()
        if self._is_emergency():
            return self._emergency(new=before is not Disposition.EMERGENCY)
        answered = self._answer_pending()
        if self._is_emergency():
            return self._emergency(new=True)
        if self._understood.doubt:
            question = confirming(self._protocol, self._understood.doubt)
            if question is not None and question.id not in self.conversation.asked:
                return self._behind_answer(self._ask(question.id, self._block("confirm")))
        if self._pending is not None and not answered and not self._understood.reports:
            return self._unanswered()
        if self._understood.reports or answered:
            return self._with_topics(self._decide_or_ask())
        return self._talk()

    def understood_on_the_wire(self) -> dict[str, Any]:
        """How this message was read: its meaning, how sure the classifier was, and every finding with status and evidence."""
        reading, findings = self._reading, dict(self._understood.findings)
        for status in (Status.HISTORICAL, Status.OTHER_PERSON):
            for finding, mention in reading.with_status(status).items():
                findings.setdefault(finding, (status, reading.evidence(mention)))
        return {
            "meaning": self._understood.intent,
            "confidence": reading.opinions[0].best[1] if reading.opinions else None,
            "findings": self._protocol.on_the_wire({name: (status.value, words) for name, (status, words) in findings.items()}),
        }

    def _remember(self) -> None:
        """Put the message's findings, and the day of the procedure, into the conversation."""
        conversation, reading = self.conversation, self._reading
        for finding, (status, evidence) in self._understood.findings.items():
            if status is Status.RESOLVED:
                conversation.record(finding, status.value, evidence)
                conversation.record("past_symptom", "present", evidence)
            elif status in (Status.PRESENT, Status.ABSENT, Status.HYPOTHETICAL):
                if status is Status.HYPOTHETICAL and finding in conversation.findings:
                    continue
                conversation.record(finding, status.value, evidence)
        ago = max((days for days in (reading.days, reading.lasting) if days is not None), default=None)
        if reading.days is not None or (ago is not None and ago > self._protocol.thresholds["expected_pain_days"]):
            day = (self._today - timedelta(days=min(ago or 0, _LONGEST_AGO))).isoformat()
            conversation.procedure_day = min(day, conversation.procedure_day or day)
        if conversation.procedure_day:
            late = (self._today - date.fromisoformat(conversation.procedure_day)).days > self._protocol.thresholds["expected_pain_days"]
            conversation.findings[_LATE] = "present" if late else "absent"
        if self._understood.reports and not conversation.writer:
            conversation.writer = reading.writer
        if reading.well:
            for question in self._protocol.questions.values():
                if question.closed_by_well:
                    for finding in question.covers:
                        conversation.record(finding, "absent", reading.text)

    def _is_emergency(self) -> bool:
        return disposition(self._protocol, self.conversation.has("present")) is Disposition.EMERGENCY

    def _emergency(self, *, new: bool) -> Reply:
        """The emergency, and behind it what else was asked; once given it stands."""
        topics = self._topics()
        if not new and topics and not self._understood.reports:
            return self._composer.faq(topics, close="emergency_stands").preceded_by(self._block("emergency_stands"))
        self._close_interview()
        reply = self._composer.triage(self.conversation)
        if self._reading.foreign:
            reply = reply.preceded_by(self._block("emergency_spanish"))
        self.conversation.disposition = Disposition.EMERGENCY.wire
        if not new:
            reply = reply.preceded_by(self._block("emergency_stands"))
        return self._with_topics(reply)

    def _answer_pending(self) -> bool:
        if self._pending is None:
            return False
        answered = settle(self._protocol, self._pending, self.conversation, self._reading, self._today)
        if answered:
            self.conversation.pending, self.conversation.repeated = "", False
        return answered

    def _unanswered(self) -> Reply:
        """An FAQ question in mid-interview is answered and the question stays; the second answer that is none counts as dangerous."""
        question = self._pending
        assert question is not None
        topics = self._topics()
        if topics:
            return self._with_pending(self._composer.faq(topics).followed_by(Block("question", question.text)))
        if self._understood.intent in _SILENT:
            return self._with_pending(self._other_question().followed_by(Block("question", question.text)))
        if not self.conversation.repeated:
            self.conversation.repeated = True
            return self._composer.question(question, self._block("not_understood"))
        settle_as_dangerous(question, self.conversation, self._reading.text)
        self.conversation.pending, self.conversation.repeated = "", False
        return self._decide_or_ask().followed_by(self._block("not_understood_again"))

    def _behind_answer(self, question: Reply) -> Reply:
        """A question about a faint doubt, behind the answer to what was surely asked; any other question as it is."""
        topics = self._topics()
        if not self._understood.surely_asks or not (topics or self._understood.intent in _SILENT):
            return question
        answer = self._composer.faq(topics) if topics else self._other_question()
        kept = {key: question.custom[key] for key in ("about", "buttons")}
        return answer.followed_by(*question.blocks).with_payload(**kept)

    def _with_pending(self, reply: Reply) -> Reply:
        assert self._pending is not None
        again = self._composer.question(self._pending).custom
        return reply.with_payload(about=again["about"], buttons=again["buttons"])

    def _decide_or_ask(self) -> Reply:
        """The next question that can change the disposition, else the disposition."""
        if disposition(self._protocol, self.conversation.has("present")) is None:
            return self._nothing_present()
        question = next_question(self._protocol, self.conversation)
        if question is not None:
            return self._ask(question.id)
        self._close_interview()
        reply = self._composer.triage(self.conversation)
        self.conversation.disposition = str(reply.custom["disposition"])
        return reply

    def _nothing_present(self) -> Reply:
        if _UNKNOWN in self.conversation.evidence:
            self.conversation.record(_UNKNOWN, "present", self.conversation.evidence[_UNKNOWN])
            return self._decide_or_ask()
        if _SCREEN not in self.conversation.asked:
            denied = self.conversation.has("absent") - {_LATE}
            return self._ask(_SCREEN, self._block("all_denied" if denied else "not_understood"))
        self._close_interview()
        return self._composer.plain("chat", "none_now", "watch_list")

    def _ask(self, question_id: str, *before: Block) -> Reply:
        question = self._protocol.questions[question_id]
        self.conversation.pending, self.conversation.repeated = question_id, False
        self.conversation.asked.append(question_id)
        return self._composer.question(question, *before)

    def _block(self, key: str) -> Block:
        return self._composer.block("say", key)

    def _close_interview(self) -> None:
        self.conversation.pending, self.conversation.repeated = "", False
        self.conversation.asked = []

    def _talk(self) -> Reply:
        """Nothing is reported: an FAQ, small talk, a supposition, another person, or words that were not understood."""
        intent, topics = self._understood.intent, self._topics()
        supposed = [f for f, (status, _) in self._understood.findings.items() if status is Status.HYPOTHETICAL]
        if self._reading.wordless:
            return self._screen("empty")
        if supposed or intent == "ask_hypothetical":
            other = [topic for topic in topics if topic.id != _WHEN_TO_CALL]
            reply = self._composer.supposed(self._protocol.topics[_WHEN_TO_CALL], supposed)
            return self._composer.faq(other) if other and not supposed else reply
        if topics:
            reply = self._composer.faq(topics)
            return reply.followed_by(self._block("not_in_leaflet")) if self._understood.beyond_leaflet else reply
        return self._other_question() if intent in _SILENT else self._small_talk(intent)

    def _small_talk(self, intent: str) -> Reply:
        """Nothing is reported and nothing asked. Where a red flag is not out of the question, the screening question is asked."""
        opinions = self._reading.opinions
        if intent in _ANSWERS and opinions[0].best[1] < self._protocol.thresholds["confident"]:
            intent = ""
        if self._reading.foreign:
            return self._composer.plain("out_of_scope", "language")
        sure = bool(intent) and opinions[0].best[1] >= self._protocol.thresholds["confident"]
        if opinions and not sure and self._fusion.may_be_red_flag(self._reading):
            return self._screen("not_understood")
        if intent == "report_history":
            return self._screen("not_a_finding")
        if intent in _TALK:
            return self._composer.plain(*_TALK[intent])
        if not intent and opinions and self._fusion.says_all_is_normal(self._reading):
            return self._composer.plain(*_TALK["deny_symptoms"])
        if not intent and self._understood.findings:
            return self._screen("all_denied")
        self.conversation.evidence[_UNKNOWN] = self._reading.text
        return self._screen("not_understood")

    def _screen(self, before: str) -> Reply:
        return self._ask(_SCREEN, self._block(before))

    def _other_question(self) -> Reply:
        key = "no_diagnosis" if self._understood.intent == "ask_diagnosis" else "not_in_leaflet"
        return self._composer.plain("not_in_leaflet", key, "watch_short")

    def _topics(self) -> list:  # type: ignore[type-arg]
        names = (intent.removeprefix(TOPIC_PREFIX) for intent in self._understood.topics)
        return [self._protocol.topics[name] for name in names if name in self._protocol.topics]

    def _with_topics(self, reply: Reply) -> Reply:
        """Triage comes first, and the answer to what else was asked follows in the text."""
        answers = [self._composer.topic_text(topic) for topic in self._topics()]
        if self._understood.beyond_leaflet:
            answers.append(self._block("not_in_leaflet"))
        return reply.followed_by(*answers)
