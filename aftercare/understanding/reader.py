"""Reads one message: words, lexicon, measures, assertion. No state, no network, no model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import spacy
from spacy.tokens import Doc

from aftercare.protocol.model import Protocol
from aftercare.understanding import measures
from aftercare.understanding.assertion import Assertion, Trigger, is_negated
from aftercare.understanding.patterns import CLAUSE_BREAKS, NEGATORS, Compiler, PatternMatcher
from aftercare.understanding.reading import LABEL, Mention, Reading, Status
from aftercare.understanding.spelling import Spelling
from aftercare.understanding.text import Word, words

_FEWEST_FOREIGN = 3
_SHORT_ANSWER = 6
_SHORT_STATEMENT, _LONGER_STATEMENT = 12, 24
_EXCEPTIONS = frozenset({"but", "except", "only", "just", "though", "although", "however", "until"})
_DENIAL_REACH = 4
_SEVERE = "severe_pain"


class Reader:
    """Finds what a protocol's lexicon knows in patients' words.

    Args:
        protocol: supplies the lexicon, the thresholds and the names of the red flags.
    """

    def __init__(self, protocol: Protocol) -> None:
        lexicon = protocol.lexicon
        compiler = Compiler(lexicon["words"])
        self._protocol = protocol
        self._vocab = spacy.blank("en").vocab
        self._findings = PatternMatcher(self._vocab)
        for finding, patterns in lexicon["patterns"].items():
            for pattern in patterns:
                self._findings.add(finding, compiler.compile(pattern))
        self._normal = PatternMatcher(self._vocab)
        for finding, patterns in lexicon["normal"].items():
            for pattern in patterns:
                self._normal.add(finding, compiler.compile(pattern, close=True))
        rules = lexicon["assertion"]
        self._assertion = Assertion(self._vocab, rules, compiler)
        self._idioms = self._matcher(rules["idioms"], compiler)
        self._well = self._matcher(rules["well"], compiler)
        self._treated = self._matcher(rules["treated"], compiler)
        dialogue = lexicon["dialogue"]
        self._acts = {act: (kind["longest"], self._matcher(kind["patterns"], compiler)) for act, kind in dialogue["acts"].items()}
        self._fillers = frozenset(dialogue["fillers"])
        self._answers = {name: self._matcher(patterns, compiler) for name, patterns in rules["answers"].items()}
        self._caregiver = frozenset(rules["caregiver"])
        self._first_person = frozenset(rules["first_person_patient"])
        self._other_languages = frozenset(rules["other_languages"])
        self._english = frozenset(rules["english"])
        self._suppress: dict[str, list[str]] = lexicon["suppress"]
        self._spelling = Spelling(compiler.vocabulary, lexicon["spelling"])

    def _matcher(self, patterns: Iterable[str], compiler: Compiler) -> PatternMatcher:
        matcher = PatternMatcher(self._vocab)
        for pattern in patterns:
            matcher.add("pattern", compiler.compile(pattern))
        return matcher

    def read(self, text: str, today: date) -> Reading:
        """Read one message.

        Args:
            text: the patient's words as typed; a lone surrogate, which no text holds, is read as a question mark.
            today: the day of the message.

        Returns:
            The findings with status and place, the measures, and whether the message says yes, no or unsure.
        """
        text = text.encode("utf-8", "replace").decode()
        tokens = words(text, self._spelling.known)
        letters = [token.norm for token in tokens if token.norm.isalpha()]
        foreign = self._is_foreign(letters)
        doc = self._doc(tokens, foreign=foreign)
        answer = self._answer(doc)
        mentions = [
            *self._lexicon_mentions(doc, tokens),
            *self._measured(text, doc, tokens),
        ]
        return Reading(
            text=text,
            mentions=tuple(sorted(mentions, key=lambda mention: (mention.start, mention.finding))),
            days=measures.days_since_procedure(text, today),
            lasting=measures.days_lasting(text),
            numbers=measures.numbers(text),
            answer=answer,
            bare=bool(answer) and self._is_bare(doc, len(doc)),
            apart=bool(answer) and self._is_bare(doc, _sentence_end(doc)),
            acts=self._acts_of(doc),
            writer=self._writer(doc),
            treated=bool(self._treated(doc)),
            well=any(not is_negated(doc, start) for _, start, _ in self._well(doc)),
            foreign=foreign,
            wordless=not any(token.norm.isalnum() for token in tokens),
        )

    def _doc(self, tokens: list[Word], *, foreign: bool) -> Doc:
        doc = Doc(self._vocab, words=[token.norm for token in tokens])
        for spacy_token, token in zip(doc, tokens, strict=True):
            spacy_token.norm_ = token.norm if foreign else self._spelling.correct(token.norm)
        return doc

    def _lexicon_mentions(self, doc: Doc, tokens: list[Word]) -> list[Mention]:
        spans = _longest(self._findings(doc))
        idioms = [(start, end) for _, start, end in self._idioms(doc)]
        places = [(start, end) for _, start, end in spans]
        triggers = [t for t in self._assertion.triggers(doc) if not any(start < t.end and t.start < end for start, end in places)]
        mentions = []
        normal = _longest(self._normal(doc))
        denials = [(finding, first, last) for finding, first, last in normal if self._protocol.findings[finding].denial_stands]
        for finding, start, end in spans:
            if any(first < end and start < last for first, last in idioms) or self._is_suppressed(finding, start, end, spans):
                continue
            if any(finding == denied and first <= start and end <= last for denied, first, last in denials):
                continue
            answer = self._assertion.labelled(doc, end, places)
            status, trigger = (answer, LABEL) if answer else self._assertion.status(doc, start, end, triggers, places)
            mentions.append(Mention(finding, status, tokens[start].start, tokens[end - 1].end, trigger))
        read = {mention.finding for mention in mentions}
        for finding, start, end in normal:
            if finding not in read and not is_negated(doc, start, _DENIAL_REACH) and not _is_asked(doc, end):
                words_of_it = doc[start:end].text
                mentions.append(Mention(finding, Status.ABSENT, tokens[start].start, tokens[end - 1].end, words_of_it))
        return mentions

    def _is_suppressed(self, finding: str, start: int, end: int, spans: list[tuple[str, int, int]]) -> bool:
        stronger = self._suppress.get(finding, [])
        return any(other in stronger and first < end and start < last for other, first, last in spans)

    def _measured(self, text: str, doc: Doc, tokens: list[Word]) -> list[Mention]:
        limits = self._protocol.thresholds
        triggers = self._assertion.triggers(doc)
        mentions = []
        for temperature in measures.temperatures(text):
            if temperature.value >= limits["fever_f"]:
                finding, status = "fever", Status.PRESENT
            elif temperature.value >= limits["raised_f"]:
                finding, status = "low_temperature", Status.PRESENT
            else:
                finding, status = "fever", Status.ABSENT
            if status is Status.PRESENT:
                status = self._status_at(temperature, doc, tokens, triggers)
            mentions.append(Mention(finding, status, temperature.start, temperature.end, "" if status is Status.PRESENT else "measured"))
        scores = measures.pain_scores(text)
        if scores:
            worst = max(scores, key=lambda score: score.value)
            degree = self._pain(worst.value)
            mentions.append(Mention(degree, Status.PRESENT if worst.value else Status.ABSENT, worst.start, worst.end))
            if degree != _SEVERE:
                mentions.append(Mention(_SEVERE, Status.ABSENT, worst.start, worst.end, "measured"))
        return mentions

    def _pain(self, score: float) -> str:
        limits = self._protocol.thresholds
        if score >= limits["severe_pain"]:
            return _SEVERE
        return "moderate_pain" if score >= limits["moderate_pain"] else "mild_pain"

    def _status_at(self, measure: measures.Measure, doc: Doc, tokens: list[Word], triggers: Sequence[Trigger]) -> Status:
        places = [i for i, token in enumerate(tokens) if token.start < measure.end and measure.start < token.end]
        if not places:
            return Status.PRESENT
        return self._assertion.status(doc, places[0], places[-1] + 1, triggers)[0]

    def _answer(self, doc: Doc) -> str:
        """Yes, no or unsure, when the message begins with such an answer; unsure wins anywhere in a short one.

        `normal` where a short answer says that all is as it should be. A hedge (`a little`) is unsure as well, unless a no comes
        first. A yes that is taken back at once (`I do not`) is a no.
        """
        short = len(doc) <= _SHORT_ANSWER
        if short and self._answers["unsure"](doc):
            return "unsure"
        if len(doc) <= _LONGER_STATEMENT and self._answers["nothing_else"](doc):
            return "normal"
        plain = len(doc) <= _SHORT_STATEMENT and not _EXCEPTIONS & {token.norm_ for token in doc}
        if plain and any(not is_negated(doc, start) for _, start, _ in self._answers["normal"](doc)):
            return "normal"
        first = {name: min((start for _, start, _ in matcher(doc)), default=len(doc)) for name, matcher in self._answers.items()}
        if short and first["no"] > 0 and self._answers["hedge"](doc):
            return "unsure"
        taken_back = any(start <= 1 and doc[end : end + 1].text in NEGATORS for _, start, end in self._answers["yes"](doc))
        name = min(("unsure", "no", "yes"), key=lambda each: first[each])
        if name == "yes" and taken_back:
            return "no"
        return name if first[name] <= 1 and first[name] < len(doc) else ""

    def _is_bare(self, doc: Doc, end: int) -> bool:
        """Whether nothing is said before a place besides the answer: each word is one of an answer's, or adds nothing."""
        told = {place for matcher in self._answers.values() for _, start, last in matcher(doc) for place in range(start, last)}
        rest = (token.norm_ for place, token in enumerate(doc[:end]) if place not in told)
        return all(word in self._fillers or not word.isalnum() for word in rest)

    def _acts_of(self, doc: Doc) -> frozenset[str]:
        """What the message does in the conversation, besides reporting."""
        count = sum(token.norm_.isalnum() for token in doc)
        return frozenset(act for act, (longest, matcher) in self._acts.items() if count <= longest and matcher(doc))

    def _writer(self, doc: Doc) -> str:
        norms = {token.norm_ for token in doc}
        if norms & self._caregiver:
            return "helper"
        return "patient" if norms & self._first_person else ""

    def _is_foreign(self, letters: list[str]) -> bool:
        if len(letters) < 3:
            return bool(letters) and not letters[0].isascii() and len("".join(letters)) > 3
        other = [word for word in letters if word in self._other_languages]
        if len(other) >= len(letters) / 3 and len(set(other)) >= min(2, len(letters)):
            return True
        strange = [word for word in letters if len(word) > 2 and word not in self._english and not self._spelling.known(word)]
        return len(strange) >= _FEWEST_FOREIGN and len(strange) / len(letters) > 0.5


def _sentence_end(doc: Doc) -> int:
    """The place of the first sentence's end."""
    return next((place for place, token in enumerate(doc) if token.norm_ in {".", "!", "\n"}), len(doc))


def _is_asked(doc: Doc, position: int) -> bool:
    """Whether the clause that goes on at a position ends in a question mark."""
    mark = next((token.norm_ for token in doc[position:] if token.norm_ in CLAUSE_BREAKS), "")
    return mark == "?"


def _longest(spans: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Of overlapping matches of the same finding, the longest."""
    kept: list[tuple[str, int, int]] = []
    for finding, start, end in sorted(set(spans), key=lambda span: (span[1] - span[2], span[1])):
        if not any(finding == other and start < last and first < end for other, first, last in kept):
            kept.append((finding, start, end))
    return sorted(kept, key=lambda span: span[1])
