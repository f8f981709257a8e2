"""What every step of a turn works with, and how the turn stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from aftercare.conversation import Conversation
from aftercare.decision import danger_check
from aftercare.decision.answers import Answer
from aftercare.decision.danger_check import RowAnswers, RowReader
from aftercare.decision.reply import Block, Composer, Reply
from aftercare.decision.rules import disposition
from aftercare.protocol.model import Button, DangerCheck, Disposition, Protocol, Question, Topic
from aftercare.understanding.fusion import Fusion
from aftercare.understanding.reading import Reading
from aftercare.understanding.understood import TOPIC_PREFIX, Understood

_ASIDE, _ABOUT_CHAT, _PRACTICAL = "aside", "about_chat", "practical"
WANTS_PERSON, LEAVES_NUMBER, REAL_PERSON = "wants_person", "leaves_number", "real_person"
AFTER_HOURS_SILENT, NOBODY_ANSWERS, SPOKEN = "after_hours_silent", "nobody_answers", "spoken"
HELP_COMING = "help_coming"
_WANTS_PERSON_BRIEFLY = "wants_person_briefly"


class Names:
    """The findings, meanings and acts that have a part of their own in every conversation of a protocol.

    Attributes:
        unknown, any_sign, gone: the findings of these roles.
        denial, relief, history, supposition, callback: the meanings of these roles.
        denials: meanings that say that nothing is wrong.
        silent: questions that no leaflet answers, each with its wording.
        replies: meanings with an answer of their own: its type on the wire and its wordings.
        short_answers: meanings that are words of the interview.
        practical, about_chat, asides: acts, in the order in which they are answered.
    """

    def __init__(self, protocol: Protocol) -> None:
        meanings = protocol.meanings.values()
        self.unknown, self.any_sign, self.gone = (protocol.role(role) for role in ("unknown", "any_sign", "gone"))
        self.denial, self.relief, self.history, self.supposition, self.callback = (
            protocol.role(role) for role in ("denial", "relief", "history", "supposition", "callback")
        )
        self.denials = tuple(meaning.id for meaning in meanings if meaning.unchanged and not meaning.status)
        self.silent = {meaning.id: meaning.silent for meaning in meanings if meaning.silent}
        self.beyond = self.silent[protocol.role("beyond")]
        self.replies = {meaning.id: (meaning.reply_type, *meaning.reply_texts) for meaning in meanings if meaning.reply_type}
        self.short_answers = frozenset(meaning.id for meaning in meanings if meaning.short_answer)
        self.practical, self.about_chat = protocol.grammar.acts(_PRACTICAL), protocol.grammar.acts(_ABOUT_CHAT)
        self.asides = (*protocol.grammar.acts(_ASIDE), *self.about_chat)


@dataclass(frozen=True)
class Tools:
    """What every turn of one protocol works with."""

    protocol: Protocol
    fusion: Fusion
    composer: Composer
    rows: RowReader
    names: Names


@dataclass
class Situation:
    """How a turn stands.

    Attributes:
        tools: the protocol's tools.
        conversation: how it stands; the turn changes it.
        today: the day of the message.
        now: the moment of the message.
        tapped: rows of the danger check that were answered one by one, row -> `yes`, `no` or `unsure`.
        stood: the disposition before this message.
        pending: the single question that waits, if one does.
        button: the button whose title the message is, if it is one.
        checks: the rows that waited when the message came, as they were numbered.
        reading: the message.
        understood: what it says.
        row_answers: what it says of the rows that wait.
        heard: what it is as the answer to the question that waits.
    """

    tools: Tools
    conversation: Conversation
    today: date
    now: datetime
    tapped: Mapping[str, str]
    stood: Disposition | None
    pending: Question | None
    button: Button | None
    checks: list[str]
    reading: Reading
    understood: Understood
    row_answers: RowAnswers
    heard: Answer = Answer.NOT_UNDERSTOOD

    @property
    def protocol(self) -> Protocol:
        """The protocol."""
        return self.tools.protocol

    @property
    def check(self) -> DangerCheck:
        """Its danger check."""
        return self.tools.protocol.danger_check

    @property
    def composer(self) -> Composer:
        """What composes replies."""
        return self.tools.composer

    @property
    def fusion(self) -> Fusion:
        """What brings the readers together."""
        return self.tools.fusion

    @property
    def names(self) -> Names:
        """The findings, meanings and acts that have a part of their own."""
        return self.tools.names

    def claims_nothing(self) -> bool:
        """Whether the message says that it only asks, or that all is well."""
        return bool(self.reading.acts & {"just_asking", "relief", "checking_in"}) or self.reading.well or self.reading.answer == "normal"

    def close_check(self) -> bool:
        """Drop the rows that words have settled; whether there were any. The check that has no row left waits no longer."""
        conversation = self.conversation
        waiting = len(conversation.checks)
        still = danger_check.open_rows(self.check, conversation, Disposition.SELF_CARE)
        conversation.checks = [fact for fact in conversation.checks if fact in still]
        if not conversation.checks and conversation.pending == danger_check.NAME:
            conversation.pending, conversation.repeated = "", 0
        return len(conversation.checks) < waiting

    def is_emergency(self) -> bool:
        """Whether what is known so far is an emergency."""
        return disposition(self.protocol, self.conversation.has("present")) is Disposition.EMERGENCY

    def plain(self, kind: str, *keys: str, check: bool = False) -> Reply:
        """A reply made of wordings; with `check` it asks for the danger check behind it."""
        return self.composer.plain(kind, *keys).with_payload(check=check)

    def block(self, key: str) -> Block:
        """A wording as a paragraph."""
        return self.composer.block("say", key)

    def close_interview(self) -> None:
        """No question waits any longer."""
        self.conversation.pending, self.conversation.repeated = "", 0
        self.conversation.asked = []

    def is_sure(self, *intents: str) -> bool:
        """Whether the classifier is sure that the message means one of these intents."""
        opinions = self.reading.opinions
        return bool(opinions) and opinions[0].probability(set(intents)) >= self.protocol.thresholds["confident"]

    def wants_person(self) -> bool:
        """Whether the message asks for a person or a call, by its words or as the classifier hears it."""
        by_words = bool(self.reading.acts & {WANTS_PERSON, _WANTS_PERSON_BRIEFLY})
        return by_words or self.understood.wants_person or self.is_sure(self.names.callback)

    def leaves_number(self) -> bool:
        """Whether the message gives a telephone number, or corrects one, and does not ask for a call in words."""
        return LEAVES_NUMBER in self.reading.acts and WANTS_PERSON not in self.reading.acts

    def stands_by_doctor(self) -> bool:
        """Whether the patient was told to call the doctor, and that stands."""
        return self.conversation.disposition == Disposition.CALL_DOCTOR.wire and self.stood is Disposition.CALL_DOCTOR

    def advised(self) -> bool:
        """Whether the patient was told to get help or to call the doctor, and that stands."""
        told = self.conversation.disposition in (Disposition.CALL_DOCTOR.wire, Disposition.EMERGENCY.wire)
        return told and self.stood not in (None, Disposition.SELF_CARE)

    def topics(self) -> list[Topic]:
        """The FAQ topics that were asked about; those about the time before the procedure only to who asks about that time."""
        names = (intent.removeprefix(TOPIC_PREFIX) for intent in self.understood.topics)
        topics = [self.protocol.topics[name] for name in names if name in self.protocol.topics]
        now = "about_now" in self.reading.acts and "about_before" not in self.reading.acts
        return [topic for topic in topics if not (topic.before_procedure and now)]
