"""Reads one message: words, lexicon, measures, assertion. No state, no network, no model."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from aftercare.protocol.model import Protocol
from aftercare.understanding.acts import Acts
from aftercare.understanding.assertion import Assertion, Context
from aftercare.understanding.clauses import Clauses
from aftercare.understanding.lookalikes import Lookalikes
from aftercare.understanding.measures import Measure, Measures
from aftercare.understanding.patterns import Compiler, Match, PatternMatcher
from aftercare.understanding.reading import CLAIMED, LABEL, MEASURED, Mention, Reading, Status
from aftercare.understanding.spelling import Spelling
from aftercare.understanding.text import Tokenizer, Word

_FEWEST_FOREIGN = 3
_MOST_SLIPS, _AROUND = 8, 15
_SENTENCE_ENDS = frozenset({".", "!", "\n"})


@dataclass(frozen=True)
class Longest:
    """How many words a short answer has at most, and a statement that is an answer."""

    answer: int
    statement: int
    longer_statement: int


class Reader:
    """Finds what a protocol's lexicon knows in patients' words.

    Args:
        protocol: supplies the lexicon, the thresholds and the names of the red flags.
    """

    def __init__(self, protocol: Protocol) -> None:
        grammar = protocol.grammar
        compiler = Compiler(grammar.words, grammar.clauses, grammar.tokens)
        self._protocol = protocol
        self._clauses = Clauses(grammar.clauses)
        self._tokenizer = Tokenizer(grammar.tokens)
        self._measures = Measures(grammar.measures, grammar.procedure)
        self._findings, self._normal = PatternMatcher(), PatternMatcher()
        for finding in protocol.findings.values():
            for pattern in finding.patterns:
                self._findings.add(finding.id, compiler.compile(pattern))
            for pattern in finding.lookalikes:
                self._findings.add(protocol.role("unknown"), compiler.compile(pattern))
            for pattern in finding.normal:
                self._normal.add(finding.id, compiler.compile(pattern, close=True))
        rules, answers = grammar.assertion, grammar.answers
        self._assertion = Assertion(grammar, self._clauses, compiler)
        self._lookalikes = Lookalikes(protocol, self._clauses, compiler)
        self._idioms = self._matcher(grammar.idioms, compiler)
        self._well = self._matcher(rules["well"], compiler)
        self._treated = self._matcher(rules["treated"], compiler)
        self._claimed, self._claimed_too = (self._matcher(rules[name], compiler) for name in ("claimed", "claimed_too"))
        self._supposing, self._denial_reach = frozenset(rules["supposing"]), int(rules["reach"]["denial"])
        self._acts = Acts(protocol, compiler)
        self._answers = {name: self._matcher(patterns, compiler) for name, patterns in answers["answers"].items()}
        self._exceptions, self._longest = frozenset(answers["exceptions"]), Longest(**answers["longest"])
        self._caregiver, self._overrides = frozenset(rules["caregiver"]), frozenset(rules["override_history"])
        self._first_person = frozenset(rules["first_person_patient"])
        self._other_languages, self._own_words = grammar.other_languages, grammar.own_words
        self._spelling, self._contractions = Spelling(compiler.vocabulary, grammar.spelling), frozenset(grammar.tokens["whole"])

    def _matcher(self, patterns: Iterable[str], compiler: Compiler) -> PatternMatcher:
        matcher = PatternMatcher()
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
        tokens = self._tokenizer.words(text, self._spelling.known)
        foreign, norms = self._spelled(tokens)
        context = self._assertion.context([token.norm for token in tokens], norms)
        answer = self._answer(context)
        mentions = [
            *self._lexicon_mentions(text, context, tokens),
            *self._measured(text, context, tokens),
        ]
        claimed = self._claimed_from(self._claimed, norms, tokens, self._denial_reach)
        mentions = [_claimed(each, mentions, claimed) for each in mentions]
        too = self._claimed_from(self._claimed_too, norms, tokens, reach=1)
        mentions = [replace(each, status=Status.PRESENT, trigger=CLAIMED) if _is_claimed_too(each, too) else each for each in mentions]
        return Reading(
            text=text,
            mentions=tuple(sorted(self._lookalikes.mark(mentions, norms, tokens), key=lambda mention: (mention.start, mention.finding))),
            days=self._measures.days_since_procedure(text, today),
            lasting=self._measures.days_lasting(text),
            days_answered=self._measures.days_answered(text, today),
            numbers=self._measures.numbers(text),
            answer=answer,
            bare=bool(answer) and self._is_bare(norms, len(norms)),
            apart=bool(answer) and self._is_bare(norms, self._sentence_end(norms)),
            acts=self._acts.of(norms),
            writer=self._writer(norms),
            treated=bool(self._treated(norms)),
            recent=not self._overrides.isdisjoint(norms),
            well=any(not self._clauses.is_negated(norms, start) for _, start, _ in self._well(norms)),
            foreign=foreign,
            wordless=not any(token.norm.isalnum() for token in tokens),
        )

    def acts(self, text: str) -> frozenset[str]:
        """What a text is besides a report or a question, by the acts of the language's dialogue.yml."""
        return self._acts.of(self._spelled(self._tokenizer.words(text, self._spelling.known))[1])

    def _spelled(self, tokens: Sequence[Word]) -> tuple[bool, list[str]]:
        """Whether the words are another language's, and the words spelled as the lexicon spells them."""
        foreign = self._is_foreign([token.norm for token in tokens if token.norm.isalpha()])
        norms = [token.norm if foreign or token.norm in self._other_languages else self._spelling.correct(token.norm) for token in tokens]
        return foreign, self._mended(tokens, norms)

    def _mended(self, tokens: Sequence[Word], norms: list[str]) -> list[str]:
        """The words with slips decided by the sentence: a misspelt word is the rival with which it tells the most, if that is more."""
        slips = {place: self._spelling.rivals(token.norm) for place, token in enumerate(tokens) if token.norm not in self._other_languages}
        mended = list(norms)
        for place in [place for place, rivals in slips.items() if rivals][:_MOST_SLIPS]:
            mended[place] = max((mended[place], *slips[place]), key=partial(self._matches_with, mended, place))
        return mended

    def _matches_with(self, norms: Sequence[str], place: int, word: str) -> int:
        """How many words of findings would be matched with a word at this place."""
        begin = max(0, place - _AROUND)
        around = [*norms[begin:place], word, *norms[place + 1 : place + 1 + _AROUND]]
        return sum(end - start for _, start, end in self._findings(around) if start <= place - begin < end)

    def _lexicon_mentions(self, text: str, context: Context, tokens: list[Word]) -> list[Mention]:
        spans = _longest(self._findings(context.norms))
        idioms = _covered(self._idioms(context.norms))
        context = context.among(_covered(spans))
        by_finding: dict[str, list[Match]] = {}
        for span in spans:
            by_finding.setdefault(span[0], []).append(span)
        covered = {finding: _covered(matches) for finding, matches in by_finding.items()}
        normal = _longest(self._normal(context.norms))
        denied = {(finding, place) for finding, start, end in normal if self._stands(finding) for place in range(start, end)}
        mentions = []
        for finding, start, end in spans:
            stronger = (covered.get(other, frozenset()) for other in self._protocol.findings[finding].yields_to)
            if any(not places.isdisjoint(range(start, end)) for places in (idioms, *stronger)):
                continue
            if (finding, start) in denied and (finding, end - 1) in denied:
                continue
            answer = self._assertion.labelled(context, end)
            status, trigger = (answer, LABEL) if answer else self._assertion.status(context, start, end)
            typed = (text[token.start : token.end].lower() for token in tokens[start:end])
            mended = any(word in self._other_languages or self._is_mended(word) for word in typed)
            mentions.append(Mention(finding, status, tokens[start].start, tokens[end - 1].end, trigger, mended))
        return [*mentions, *self._normal_mentions(context, tokens, normal, {mention.finding for mention in mentions})]

    def _claimed_from(self, claimed: PatternMatcher, norms: Sequence[str], tokens: Sequence[Word], reach: int) -> int:
        """Where the text says, by such words, that what stood before is so; 0 when it does not, or denies or supposes it in `reach`."""
        asked = self._clauses.asked(norms)
        places = [start for _, start, end in claimed(norms) if not (asked[end] or self._clauses.is_negated(norms, start, reach))]
        stated = (start for start in places if self._supposing.isdisjoint(norms[max(0, start - reach) : start]))
        return max((tokens[start].start for start in stated), default=0)

    def _is_mended(self, typed: str) -> bool:
        """Whether a word, as it was typed, is no word that the language or the lexicon knows; a contraction is one."""
        contracted = bool({"'", "’"} & set(typed)) or typed in self._contractions
        return any(character.isalpha() for character in typed) and not contracted and not self._spelling.known(typed)

    def _stands(self, finding: str) -> bool:
        return self._protocol.findings[finding].denial_stands

    def _normal_mentions(self, context: Context, tokens: list[Word], normal: Iterable[Match], read: set[str]) -> list[Mention]:
        """What the text says is as it should be, of findings that it does not name otherwise."""
        asked = self._clauses.asked(context.norms)
        return [
            Mention(finding, Status.ABSENT, tokens[start].start, tokens[end - 1].end, " ".join(context.words[start:end]))
            for finding, start, end in normal
            if finding not in read and not asked[end] and self._assertion.is_normal(context, start, end)
        ]

    def _measured(self, text: str, context: Context, tokens: list[Word]) -> list[Mention]:
        """The findings that figures mean, by the protocol's scales."""
        scales, mentions = self._protocol.scales, []
        for temperature in self._measures.temperatures(text):
            finding = scales.temperature.finding(temperature.value)
            status = self._status_at(temperature, context, tokens) if finding else Status.ABSENT
            trigger = "" if status is Status.PRESENT else MEASURED
            mentions.append(Mention(finding or scales.temperature.rules_out, status, temperature.start, temperature.end, trigger))
        worst = max(self._measures.pain_scores(text), key=lambda score: score.value, default=None)
        if worst is not None:
            finding, ruled_out = scales.pain.finding(worst.value), scales.pain.rules_out
            mentions.append(Mention(finding, Status.PRESENT if worst.value else Status.ABSENT, worst.start, worst.end))
            if finding != ruled_out:
                mentions.append(Mention(ruled_out, Status.ABSENT, worst.start, worst.end, MEASURED))
        return mentions

    def _status_at(self, measure: Measure, context: Context, tokens: list[Word]) -> Status:
        first = bisect_right(tokens, measure.start, key=lambda token: token.end)
        last = bisect_left(tokens, measure.end, key=lambda token: token.start)
        return self._assertion.status(context, first, last)[0] if first < last else Status.PRESENT

    def _answer(self, context: Context) -> str:
        """Yes, no or unsure, when the message begins with such an answer; unsure wins anywhere in a short one.

        `normal` where a short answer says that all is as it should be. A hedge (`a little`) is unsure as well, unless a no comes
        first. A yes that is taken back at once (`I do not`) is a no.
        """
        norms = context.norms
        short = len(norms) <= self._longest.answer
        if short and self._answers["unsure"](norms):
            return "unsure"
        if len(norms) <= self._longest.longer_statement and self._answers["nothing_else"](norms):
            return "normal"
        plain = len(norms) <= self._longest.statement and not self._exceptions & set(norms)
        if plain and any(not self._clauses.is_negated(norms, start) for _, start, _ in self._answers["normal"](norms)):
            return "normal"
        first = {name: min((start for _, start, _ in matcher(norms)), default=len(norms)) for name, matcher in self._answers.items()}
        if short and first["no"] > 0 and self._answers["hedge"](norms):
            return "unsure"
        behind_yes = (context.words[end : end + 1] for _, start, end in self._answers["yes"](norms) if start <= 1)
        taken_back = any(word in self._clauses.negators for words in behind_yes for word in words)
        name = min(("unsure", "no", "yes"), key=lambda each: first[each])
        if name == "yes" and taken_back:
            return "no"
        return name if first[name] <= 1 and first[name] < len(norms) else ""

    def _is_bare(self, norms: Sequence[str], end: int) -> bool:
        """Whether nothing is said before a place besides the answer: each word is one of an answer's, or adds nothing."""
        heard = {place for matcher in self._answers.values() for _, start, last in matcher(norms) for place in range(start, last)}
        return self._acts.fills(norms[:end], frozenset(heard))

    def _sentence_end(self, norms: Sequence[str]) -> int:
        """The place of the first sentence's end."""
        return next((place for place, norm in enumerate(norms) if norm in _SENTENCE_ENDS), len(norms))

    def _writer(self, norms: Sequence[str]) -> str:
        said = set(norms)
        if said & self._caregiver:
            return "helper"
        return "patient" if said & self._first_person else ""

    def _is_foreign(self, letters: list[str]) -> bool:
        if len(letters) < 3:
            return bool(letters) and not letters[0].isascii() and len("".join(letters)) > 3
        other = [word for word in letters if word in self._other_languages]
        if len(other) >= len(letters) / 3 and len(set(other)) >= min(2, len(letters)):
            return True
        strange = [word for word in letters if len(word) > 2 and word not in self._own_words and not self._spelling.known(word)]
        return len(strange) >= _FEWEST_FOREIGN and len(strange) / len(letters) > 0.5


def _claimed(mention: Mention, mentions: Iterable[Mention], claimed_from: int) -> Mention:
    """A mention that was supposed is present where the words behind it claim it, and nothing else that was said in between."""
    heard = any(other.status is Status.PRESENT and mention.end <= other.start < claimed_from for other in mentions)
    if mention.status is not Status.HYPOTHETICAL or mention.end > claimed_from or heard:
        return mention
    return replace(mention, status=Status.PRESENT, trigger=CLAIMED)


def _is_claimed_too(mention: Mention, claimed_too_from: int) -> bool:
    """Whether words behind a sign of another person, or of the past, say that the treated person has it too."""
    return mention.end <= claimed_too_from and mention.status in (Status.OTHER_PERSON, Status.HISTORICAL, Status.PRESENT)


def _covered(spans: Iterable[Match]) -> frozenset[int]:
    """The places of all words in these spans."""
    return frozenset(place for _, start, end in spans for place in range(start, end))


def _longest(spans: Iterable[Match]) -> list[Match]:
    """Of overlapping matches of the same finding, the longest."""
    kept: list[Match] = []
    taken: dict[str, set[int]] = {}
    for finding, start, end in sorted(spans, key=lambda span: (span[1] - span[2], span[1])):
        places = taken.setdefault(finding, set())
        if places.isdisjoint(range(start, end)):
            places.update(range(start, end))
            kept.append((finding, start, end))
    return sorted(kept, key=lambda span: span[1])
