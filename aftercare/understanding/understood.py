"""What both readers together take a message to say, and the state in which that is weighed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from aftercare.protocol.model import Protocol
from aftercare.understanding.reading import LABEL, Opinion, Reading, Status

TOPIC_PREFIX = "ask_"
_ENOUGH_WORDS = 3
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@dataclass
class Understood:
    """What both readers together take a message to say.

    Attributes:
        findings: finding -> status and evidence.
        doubt: a red flag that must be asked about before anything else, or empty.
        intent: the likeliest intent of the whole message, or empty when there is none that is likely enough.
        topics: FAQ intents of the message and its clauses, in order.
        beyond_leaflet: whether a part of the message asks what the leaflet does not answer.
        wants_person: whether the classifier hears, in the message or in a clause, that it asks for a person or a call.
        surely_asks: the classifier is certain that the message as a whole asks and reports nothing; a doubt comes behind the answer.
        places: finding -> where its evidence stands in the text as typed, and the id of the step that decided its status.
    """

    findings: dict[str, tuple[Status, str]] = field(default_factory=dict)
    doubt: str = ""
    intent: str = ""
    topics: list[str] = field(default_factory=list)
    beyond_leaflet: bool = False
    wants_person: bool = False
    surely_asks: bool = False
    places: dict[str, tuple[int, int, str]] = field(default_factory=dict)

    def put(self, finding: str, status: Status, text: str, place: tuple[int, int], because: str) -> None:
        """Set a finding's status, with the place of its evidence in the text, less the space around it, and the step that decided it."""
        said = text[place[0] : place[1]]
        start = place[0] + len(said) - len(said.lstrip())
        self.findings[finding] = (status, said.strip())
        self.places[finding] = (start, start + len(said.strip()), because)

    def with_status(self, status: Status) -> set[str]:
        """The findings that have this status."""
        return {finding for finding, (known, _) in self.findings.items() if known is status}

    @property
    def reports(self) -> bool:
        """Whether something is reported as present or as gone since the procedure."""
        return any(status in (Status.PRESENT, Status.RESOLVED) for status, _ in self.findings.values())


class Intents:
    """What a protocol's intents mean.

    Attributes:
        finding_of: report -> the finding that it means.
        red, red_flags: reports of red flags, and what they report.
        reports_nothing: meanings that speak against a report.
        unchanged: meanings of a message in which all is as it was.
        closing: meanings of a message that asks about no topic.
        status_of: meaning -> the status that a sign mentioned with it has.
        denial, beyond, callback: the meanings of these roles.
    """

    def __init__(self, protocol: Protocol) -> None:
        meanings = protocol.meanings.values()
        reports = {intent for finding in protocol.findings.values() for intent in finding.intents}
        self.finding_of = {intent: protocol.findings_of(intent)[0] for intent in reports}
        self.red = frozenset(intent for intent, finding in self.finding_of.items() if finding in protocol.red_flags)
        self.red_flags = frozenset(self.finding_of[intent] for intent in self.red)
        self.reports_nothing = frozenset(meaning.id for meaning in meanings if meaning.reports_nothing)
        self.unchanged = frozenset(meaning.id for meaning in meanings if meaning.unchanged)
        self.closing = frozenset(meaning.id for meaning in meanings if meaning.closes)
        self.status_of = {meaning.id: Status(meaning.status) for meaning in meanings if meaning.status}
        self.denial, self.beyond, self.callback = (protocol.role(role) for role in ("denial", "beyond", "callback"))


class Weighing:
    """One message on its way through the steps.

    Args:
        protocol: supplies findings and thresholds.
        intents: what its intents mean.
        reading: the message.
        answering, measuring: as in `Fusion.understand`.

    Attributes:
        result: what is understood so far.
        settled: a step has decided for all that the classifier hears.
        standing: findings that are present once the lexicon has been weighed.
    """

    def __init__(self, protocol: Protocol, intents: Intents, reading: Reading, *, answering: bool, measuring: bool) -> None:
        self.protocol, self.intents, self.limits = protocol, intents, protocol.thresholds
        self.reading, self.answering, self.measuring = reading, answering, measuring
        self.result = Understood()
        self.settled = False
        self.standing: frozenset[str] = frozenset()

    @cached_property
    def heard(self) -> bool:
        """Whether the classifier's opinions count: not of a few words of an answer, of names with labels, or in another language."""
        reading = self.reading
        silent = reading.foreign or not any(character.isalpha() for character in reading.text)
        short = silent or (self.answering and (self.is_few_words or _names_only(reading))) or _is_labelled(reading)
        return bool(reading.opinions) and not short

    @property
    def whole(self) -> Opinion:
        """The classifier's opinion of the message as a whole."""
        return self.reading.opinions[0]

    @property
    def clauses(self) -> tuple[Opinion, ...]:
        """Its opinions of the clauses."""
        return self.reading.opinions[1:]

    @cached_property
    def open_clauses(self) -> list[Opinion]:
        """Those of the clauses that hold no denial."""
        return [clause for clause in self.clauses if not self._holds_denial(clause)]

    @property
    def is_few_words(self) -> bool:
        """Whether the message has so few words that they tell little by themselves."""
        return len(self.reading.text.split()) <= _ENOUGH_WORDS

    @property
    def names_in_few_words(self) -> bool:
        """Whether the message is a few words that name something present."""
        return bool(self.standing) and self.is_few_words

    @property
    def unheard_signs(self) -> list[str]:
        """What the sign reader knows by its own name and no other reader has spoken of, the likeliest first."""
        signs = self.whole.signs
        own = [finding for finding in signs if finding in self.protocol.findings and finding not in self.result.findings]
        return sorted(own, key=lambda finding: -signs[finding])

    @property
    def clear(self) -> set[str]:
        """What stands and is no vague finding."""
        return {finding for finding in self.standing if not self.protocol.findings[finding].vague}

    def nothing(self, opinion: Opinion) -> float:
        """The probability that nothing is reported; a denial that the lexicon found explains itself and nothing else."""
        explained = {self.intents.denial} if any(mention.status is Status.ABSENT for mention in self.reading.mentions) else set()
        nothing = self.intents.reports_nothing - explained
        return sum(share for intent, share in opinion.ranking if intent in nothing or intent.startswith(TOPIC_PREFIX))

    def put(self, finding: str, status: Status, place: tuple[int, int], because: str) -> None:
        """Set a finding's status; see `Understood.put`."""
        self.result.put(finding, status, self.reading.text, place, because)

    def said(self, finding: str, opinion: Opinion | None = None) -> float | None:
        """The probability, by the sign reader, that the message or a piece of it says so; None where it does not know the sign."""
        return (opinion or self.whole).signs.get(self.protocol.findings[finding].heard_as)

    def is_said(self, finding: str, limit: str) -> bool:
        """Whether the sign reader hears it at least so surely, or does not know the sign."""
        said = self.said(finding)
        return said is None or said >= self.limits[limit]

    def is_confirmed(self, finding: str, opinion: Opinion) -> bool:
        """Whether the sign reader hears what the classifier alone does; more surely where the words are like none that were learnt."""
        place = self.extent_of(finding, opinion)
        pieces = [piece for piece in self.reading.opinions if piece is opinion or (piece.start, piece.end) == place]
        unlike = min(piece.distance for piece in pieces) >= self.limits["unlike"]
        return self.is_said(finding, "sign_said_unlike" if unlike else "sign_said")

    def is_part_of_mention(self, opinion: Opinion) -> bool:
        """Whether the lexicon reads the words of this piece, with others before or behind them, as something present."""
        present = self.reading.with_status(Status.PRESENT).values()
        return any(mention.start <= opinion.start and opinion.end <= mention.end for mention in present)

    def is_unsaid(self, findings: Iterable[str], opinion: Opinion | None = None) -> bool:
        """Whether the sign reader knows all of them and hears none, neither in the message nor in the piece of it."""
        heard = [self.said(finding, piece) for finding in findings for piece in (self.whole, opinion or self.whole)]
        return all(said is not None and said < self.limits["sign_unsaid"] for said in heard)

    def is_nothing(self, finding: str, opinion: Opinion) -> bool:
        """Whether classifier and sign reader agree that it is not reported: nothing is to be asked about.

        They are not believed where the words say that somebody was treated, nor that it is long past where a word tells of now.
        """
        past = self.intents.status_of.get(self.whole.best[0]) is Status.HISTORICAL
        if self.reading.treated or (past and self.reading.recent):
            return False
        return self.nothing(self.whole) >= self.limits["nothing_certain"] and self.is_unsaid([finding], opinion)

    def likeliest_red(self, opinion: Opinion) -> str:
        """The red flag that classifier and sign reader together find likeliest; empty when the classifier thinks of none."""
        shares = {self.intents.finding_of[intent]: share for intent, share in opinion.ranking if intent in self.intents.red}
        heard = {finding: self.said(finding, opinion) for finding in shares}
        return max(shares, key=lambda finding: shares[finding] * (heard[finding] or (heard[finding] is None)), default="")

    def extent_of(self, finding: str, opinion: Opinion) -> tuple[int, int]:
        """The place of the words behind an opinion: of the whole message, those of the clause that says it by itself, if one does."""
        clauses = self.open_clauses if opinion is self.whole else ()
        saying = [clause for clause in clauses if self.intents.finding_of.get(clause.best[0]) == finding]
        said = max(saying, key=lambda clause: clause.best[1], default=opinion)
        return said.start, said.end

    def doubt(self, finding: str) -> None:
        """Ask about a finding, where nothing is to be asked about yet."""
        self.result.doubt = self.result.doubt or finding

    def denial_stands(self, finding: str, denied: set[str]) -> bool:
        """Whether the lexicon read a denial of a finding that no other reader overrules."""
        return finding in denied and self.protocol.findings[finding].denial_stands

    def _holds_denial(self, opinion: Opinion) -> bool:
        return any(m.status is Status.ABSENT and opinion.start <= m.start < opinion.end for m in self.reading.mentions)


def _is_labelled(reading: Reading) -> bool:
    """Whether the message is a list of names with a yes or a no behind each: nothing else is to be heard in it."""
    return any(mention.trigger == LABEL for mention in reading.mentions)


def _names_only(reading: Reading) -> bool:
    """Whether every word of the message stands in a finding that it names as present: an answer that is nothing but names reports them."""
    present = [mention for mention in reading.mentions if mention.status is Status.PRESENT]
    return bool(present) and all(
        any(mention.start <= word.start() and word.end() <= mention.end for mention in present) for word in _WORD.finditer(reading.text)
    )
