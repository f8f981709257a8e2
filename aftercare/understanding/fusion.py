"""Two readers of one message, the lexicon and the classifier, brought together.

The lexicon quotes the patient's words and tells status; the classifier knows wording that no lexicon foresees. Either may report a
red flag; a denial counts only where the lexicon found one. Where they contradict each other about a red flag, the patient is asked.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field

from aftercare.protocol.model import Protocol
from aftercare.understanding.reading import CLAIMED, LABEL, Opinion, Reading, Status

TOPIC_PREFIX = "ask_"
_DENIAL = "deny_symptoms"
_NO_REPORT = frozenset(
    {
        _DENIAL,
        "report_history",
        "report_other_person",
        "report_resolved",
        "report_relief",
        "idiom",
        "out_of_scope",
        "greet",
        "thank",
        "goodbye",
        "bot_challenge",
        "upset",
    }
)
_UNCHANGED = frozenset({_DENIAL, "deny", "report_history"})
_STATUS_OF_MEANING = {
    "ask_hypothetical": Status.HYPOTHETICAL,
    "report_resolved": Status.RESOLVED,
    "report_history": Status.HISTORICAL,
    "report_other_person": Status.OTHER_PERSON,
}
_CARRIES_INSTRUCTION = frozenset({Status.HYPOTHETICAL, Status.RESOLVED})
_BEYOND = "ask_not_in_leaflet"
_NO_TOPIC = frozenset({"ask_not_in_leaflet", "greet", "thank", "goodbye", "bot_challenge", "upset", "out_of_scope", "idiom"})
_STAYS_PRESENT = frozenset({"syncope", "seizure", "self_harm", "oversedation"})
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
        places: finding -> where its evidence stands in the text as typed, and the step that decided its status.
        surely_asks: the classifier is certain that the message as a whole asks and reports nothing; a doubt comes behind the answer.
        reports: whether the patient tells of something present.
    """

    findings: dict[str, tuple[Status, str]] = field(default_factory=dict)
    doubt: str = ""
    intent: str = ""
    topics: list[str] = field(default_factory=list)
    beyond_leaflet: bool = False
    surely_asks: bool = False
    places: dict[str, tuple[int, int, str]] = field(default_factory=dict)

    def put(self, finding: str, status: Status, text: str, place: tuple[int, int], because: str) -> None:
        """Set a finding's status, with the place of its evidence in the text and the step that decided it."""
        self.findings[finding] = (status, text[place[0] : place[1]])
        self.places[finding] = (*place, because)

    @property
    def reports(self) -> bool:
        """Whether something is told as present or as gone since the procedure."""
        return any(status in (Status.PRESENT, Status.RESOLVED) for status, _ in self.findings.values())


class Fusion:
    """Brings lexicon and classifier together by one protocol's thresholds."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._limits = protocol.thresholds
        reports = {intent for finding in protocol.findings.values() for intent in finding.intents}
        self._finding_of = {intent: protocol.findings_of(intent)[0] for intent in reports}
        self._red = {intent for intent, finding in self._finding_of.items() if finding in protocol.red_flags}

    def says_all_is_normal(self, reading: Reading) -> bool:
        """Whether neither reader finds anything in a message, and the classifier is sure that it denies, or tells of no change."""
        whole = reading.opinions[0]
        sure = whole.probability(_UNCHANGED) >= self._limits["nothing_reported"]
        return sure and self._is_quiet(reading) and not reading.with_status(Status.PRESENT)

    def may_be_red_flag(self, reading: Reading) -> bool:
        """Whether the classifier leaves a red flag some chance in the message as a whole."""
        return bool(reading.opinions[0].probability(self._red) >= self._limits["clause_support"])

    def may_be_complaint(self, reading: Reading) -> bool:
        """Whether words that were not understood may tell of a symptom; without the classifier any words may."""
        return not reading.opinions or reading.opinions[0].probability(self._finding_of) >= self._limits["complaint"]

    def hears_red_flag(self, reading: Reading) -> bool:
        """Whether the classifier alone hears a red flag in the message."""
        return bool(reading.opinions) and reading.opinions[0].probability(self._red) >= self._limits["red_flag_certain"]

    def suspects(self, reading: Reading) -> bool:
        """Whether the classifier finds a red flag likely enough to ask about it."""
        return bool(reading.opinions) and reading.opinions[0].probability(self._red) >= self._limits["red_flag_suspect"]

    def _is_quiet(self, reading: Reading) -> bool:
        return all(opinion.probability(self._red) < self._limits["clause_support"] for opinion in reading.opinions)

    def understand(self, reading: Reading, *, answering: bool, measuring: bool = False) -> Understood:
        """What the message says.

        Args:
            reading: the lexicon's mentions and the classifier's opinions, of the whole message first and then of its clauses.
            answering: the message answers a question, so that a few words of it are no report of their own.
            measuring: that question asks for a measure, so that the classifier's report of what is measured is no news.
        """
        result = Understood()
        for finding, mention in reading.with_status(Status.DOUBTFUL).items():
            result.put(finding, Status.ABSENT, reading.text, (mention.start, mention.end), "lexicon_list")
        for status in (Status.HYPOTHETICAL, Status.ABSENT, Status.RESOLVED, Status.PRESENT):
            for finding, mention in reading.with_status(status).items():
                gone = status is Status.RESOLVED and finding in _STAYS_PRESENT
                because = "stays_present" if gone else "lexicon"
                result.put(finding, Status.PRESENT if gone else status, reading.text, (mention.start, mention.end), because)
        doubtful = set(reading.with_status(Status.DOUBTFUL))
        if reading.writer == "helper":
            doubtful |= set(reading.with_status(Status.OTHER_PERSON))
        result.doubt = next(iter(sorted(doubtful & self._protocol.red_flags)), "")
        silent = reading.foreign or not any(character.isalpha() for character in reading.text)
        short = silent or (answering and (len(reading.text.split()) <= _ENOUGH_WORDS or _names_only(reading))) or _is_labelled(reading)
        if reading.opinions and not short:
            if not self._supposed_or_gone(reading, result):
                self._weigh(reading, result)
                self._add(reading, result, answering=answering, measuring=measuring)
            self._ask(reading, result)
            asks = result.intent.startswith(TOPIC_PREFIX)
            nothing = self._nothing(reading.opinions[0], reading)
            result.surely_asks = (
                asks and nothing >= self._limits["nothing_certain"] and reading.opinions[0].best[1] >= self._limits["abstain"]
            )
        self._tell_vague(result)
        return result

    def _tell_vague(self, result: Understood) -> None:
        """A vague finding yields to one that says the same more exactly."""
        present = {finding for finding, (status, _) in result.findings.items() if status is Status.PRESENT}
        for finding in present:
            if present & set(self._protocol.findings[finding].told_by):
                del result.findings[finding]

    def _supposed_or_gone(self, reading: Reading, result: Understood) -> bool:
        """Whether the classifier is sure that all is only supposed, or has gone by; what the lexicon found then has that status.

        No question is needed, also about a red flag: the answer to either carries the instruction for the case that it is there.
        """
        meaning, probability = reading.opinions[0].best
        status = _STATUS_OF_MEANING.get(meaning)
        if status not in _CARRIES_INSTRUCTION or probability < self._limits["meaning_certain"]:
            return False
        if status is Status.RESOLVED and _STAYS_PRESENT & set(reading.with_status(Status.PRESENT)):
            return False
        if any(mention.trigger == CLAIMED for mention in reading.mentions):
            return False
        if self._has_red_clause(reading, behind=meaning if status is Status.RESOLVED else ""):
            return False
        for finding, mention in reading.with_status(Status.PRESENT).items():
            result.put(finding, status, reading.text, (mention.start, mention.end), "classifier_meaning")
        if status is Status.RESOLVED and not result.reports:
            result.put(self._finding_of[meaning], Status.PRESENT, reading.text, (0, len(reading.text)), "classifier_meaning")
        return True

    def _has_red_clause(self, reading: Reading, behind: str) -> bool:
        """Whether a clause surely sounds like a red flag; with `behind`, only one that follows a clause of that meaning.

        `It hurt in my chest on Sunday. Gone since` tells of the past in a clause that by itself sounds present.
        """
        clauses = reading.opinions[1:]
        first = next((number for number, clause in enumerate(clauses) if clause.best[0] == behind), len(clauses)) if behind else -1
        return any(clause.probability(self._red) >= self._limits["clause_certain"] for clause in clauses[first + 1 :])

    def _weigh(self, reading: Reading, result: Understood) -> None:
        """Put aside what the lexicon found where the classifier is sure that nothing is reported; a red flag is asked about.

        Sure of the message and of the clause that names it; or certain of the message; or certain of the clause, in a message that does
        not sound like it. What the patient claims stands, and a red flag read in misspelt words, which the classifier could not know.
        """
        whole = reading.opinions[0]
        nothing = self._nothing(whole, reading)
        for finding, mention in reading.with_status(Status.PRESENT).items():
            if self._protocol.findings[finding].vague:
                continue
            clause = next((o for o in reading.opinions[1:] if o.start <= mention.start < o.end), whole)
            here = self._nothing(clause, reading)
            red = finding in self._protocol.red_flags
            if mention.trigger == CLAIMED or (red and mention.mended):
                continue
            both = min(nothing, here) >= self._limits["nothing_reported"]
            message_alone = not red and nothing >= self._limits["nothing_certain"]
            supported = whole.probability(self._protocol.findings[finding].intents) >= self._limits["clause_support"]
            clause_alone = here >= self._limits["nothing_certain"] and not supported
            if not (both or message_alone or clause_alone):
                continue
            status = _STATUS_OF_MEANING.get(whole.best[0]) or _STATUS_OF_MEANING.get(clause.best[0])
            if (status is Status.RESOLVED and finding in _STAYS_PRESENT) or (status is Status.OTHER_PERSON and reading.treated):
                continue
            if red:
                result.doubt = result.doubt or finding
            del result.findings[finding]
            if status:
                result.put(finding, status, reading.text, (mention.start, mention.end), "classifier_against_lexicon")

    def _add(self, reading: Reading, result: Understood, *, answering: bool, measuring: bool) -> None:
        """Findings that the classifier alone reports: of the whole message, and of clauses that hold no denial."""
        whole = reading.opinions[0]
        present = {finding for finding, (status, _) in result.findings.items() if status is Status.PRESENT}
        clear = {finding for finding in present if not self._protocol.findings[finding].vague}
        clauses = [opinion for opinion in reading.opinions[1:] if not _holds_denial(reading, opinion)]
        few_words = bool(present) and len(reading.text.split()) <= _ENOUGH_WORDS
        if not present & self._protocol.red_flags and not few_words:
            self._add_red_flag(reading, result, clear, answering=answering)
            self._add_clause_red_flags(reading, result, clauses)
        if measuring:
            return
        if not few_words:
            self._add_finding(reading, result, whole, self._limits["finding_beside" if clear else "finding_certain"])
        reports = self._nothing(whole, reading) < self._limits["topic_beside"]
        for opinion in clauses:
            self._add_finding(reading, result, opinion, self._limits["finding_beside" if reports else "clause_alone"])

    def _add_finding(self, reading: Reading, result: Understood, opinion: Opinion, enough: float) -> None:
        intent, probability = opinion.best
        finding = self._finding_of.get(intent, "")
        present = result.findings.get(finding, (None, ""))[0] is Status.PRESENT
        if finding and intent not in self._red and probability >= enough and not present:
            result.put(finding, Status.PRESENT, reading.text, (opinion.start, opinion.end), "classifier_finding")

    def _add_red_flag(self, reading: Reading, result: Understood, clear: set[str], *, answering: bool) -> None:
        """A red flag that the classifier alone hears. An answer, and one of which the lexicon read something milder, must be surer."""
        whole = reading.opinions[0]
        denied = {finding for finding, (status, _) in result.findings.items() if status is not Status.PRESENT}
        finding, probability = self._likeliest_red(whole), whole.probability(self._red)
        if self._denial_stands(finding, denied):
            return
        enough_words = len(reading.text.split()) > _ENOUGH_WORDS
        if answering and finding in denied:
            return
        milder = bool(finding) and bool(clear & set(self._protocol.findings[finding].milder))
        certain = self._limits["red_flag_certain"]
        if answering:
            certain = self._limits["red_flag_in_answer"]
        if finding in denied or milder:
            certain = self._limits["red_flag_overrules"]
        if self._no_clause_supports(reading):
            certain = max(certain, self._limits["red_flag_unsupported"])
        if probability >= certain and (enough_words or probability >= self._limits["red_flag_overrules"]):
            result.put(finding, Status.PRESENT, reading.text, (0, len(reading.text)), "classifier_message")
        elif probability >= self._limits["suspect_beside" if clear or finding in denied else "red_flag_suspect"]:
            result.doubt = result.doubt or finding

    def _denial_stands(self, finding: str, denied: Container[str]) -> bool:
        """Whether the lexicon read a denial of a finding that no other reader overrules."""
        return finding in denied and self._protocol.findings[finding].denial_stands

    def _no_clause_supports(self, reading: Reading) -> bool:
        """Whether the message has clauses and the classifier takes each of them for something else than a red flag."""
        clauses = reading.opinions[1:]
        return bool(clauses) and all(clause.probability(self._red) < self._limits["clause_support"] for clause in clauses)

    def _add_clause_red_flags(self, reading: Reading, result: Understood, clauses: list[Opinion]) -> None:
        """A clause is judged without its context: alone it raises a doubt, with support from the whole message a finding."""
        whole = reading.opinions[0]
        support = whole.probability(self._red)
        if support < self._limits["clause_support"] and whole.best[1] >= self._limits["confident"]:
            return
        for opinion in clauses:
            finding, probability = self._likeliest_red(opinion), opinion.probability(self._red)
            if self._denial_stands(finding, result.findings):
                continue
            if probability >= self._limits["clause_certain"] and support >= self._limits["clause_support"]:
                result.put(finding, Status.PRESENT, reading.text, (opinion.start, opinion.end), "classifier_clause")
            elif probability >= self._limits["clause_suspect"]:
                result.doubt = result.doubt or finding

    def _ask(self, reading: Reading, result: Understood) -> None:
        """The intent of the whole message and the FAQ topics; clauses add topics only to a message that asks."""
        whole = reading.opinions[0]
        intent, probability = self._asked(whole)
        if probability >= self._limits["topic_certain"]:
            result.intent = intent
        if intent in _NO_TOPIC and probability >= self._limits["topic_beside"]:
            return
        for opinion in reading.opinions:
            intent, probability = self._asked(opinion)
            if probability < self._limits["topic_certain" if opinion is whole else "topic_beside"]:
                continue
            if intent == _BEYOND and opinion is not whole:
                result.beyond_leaflet = True
            elif intent.startswith(TOPIC_PREFIX) and intent not in result.topics:
                result.topics.append(intent)

    def _asked(self, opinion: Opinion) -> tuple[str, float]:
        """The likeliest intent; a topic yields to the leaflet's silence where that is likely enough."""
        intent, probability = opinion.best
        silent = opinion.probability({_BEYOND})
        if intent.startswith(TOPIC_PREFIX) and silent >= self._limits["abstain"]:
            return _BEYOND, probability + (silent if intent != _BEYOND else 0.0)
        return intent, probability

    def _nothing(self, opinion: Opinion, reading: Reading) -> float:
        """The probability that nothing is reported; a denial that the lexicon found explains itself and nothing else."""
        explained = {_DENIAL} if any(mention.status is Status.ABSENT for mention in reading.mentions) else set()
        return sum(p for intent, p in opinion.ranking if intent in _NO_REPORT - explained or intent.startswith(TOPIC_PREFIX))

    def _likeliest_red(self, opinion: Opinion) -> str:
        return next((self._finding_of[intent] for intent, _ in opinion.ranking if intent in self._red), "")


def _is_labelled(reading: Reading) -> bool:
    """Whether the message is a list of names with a yes or a no behind each: nothing else is to be heard in it."""
    return any(mention.trigger == LABEL for mention in reading.mentions)


def _names_only(reading: Reading) -> bool:
    """Whether every word of the message stands in a finding that it names as present: an answer that is nothing but names reports them."""
    present = [mention for mention in reading.mentions if mention.status is Status.PRESENT]
    return bool(present) and all(
        any(mention.start <= word.start() and word.end() <= mention.end for mention in present) for word in _WORD.finditer(reading.text)
    )


def _holds_denial(reading: Reading, opinion: Opinion) -> bool:
    return any(m.status is Status.ABSENT and opinion.start <= m.start < opinion.end for m in reading.mentions)
