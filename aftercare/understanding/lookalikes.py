"""Words that sound like a finding, and tell of a symptom that the protocol does not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aftercare.protocol.model import Protocol
from aftercare.understanding.clauses import Clauses
from aftercare.understanding.patterns import Compiler, PatternMatcher
from aftercare.understanding.reading import Mention, Reading, Status
from aftercare.understanding.text import Word


class Lookalikes:
    """Finds what was said of something else, so that no reader takes it for the finding.

    Args:
        protocol: supplies the lexicon.
        clauses: tell which words are denied.
        compiler: compiles the patterns.
    """

    def __init__(self, protocol: Protocol, clauses: Clauses, compiler: Compiler) -> None:
        self._clauses = clauses
        self._others, self._unless = PatternMatcher(), PatternMatcher()
        for finding in protocol.findings.values():
            for pattern in finding.lookalikes:
                self._others.add(finding.id, compiler.compile(pattern))
            for pattern in finding.unless:
                self._unless.add(finding.id, compiler.compile(pattern))

    def mark(self, mentions: Sequence[Mention], norms: Sequence[str], tokens: Sequence[Word]) -> list[Mention]:
        """The mentions, those of a finding that is not meant as such, and one of it where there was none.

        Args:
            mentions: what the lexicon finds.
            norms: the message's words.
            tokens: where they stand.
        """
        said_too = {finding for finding, _, _ in self._unless(norms)}
        places = {
            finding: (tokens[start].start, tokens[end - 1].end)
            for finding, start, end in self._others(norms)
            if finding not in said_too and not self._clauses.is_negated(norms, start)
        }
        marked = [replace(each, status=Status.NOT_MEANT) if _is_present(each) and each.finding in places else each for each in mentions]
        named = {mention.finding for mention in marked}
        return [*marked, *(Mention(finding, Status.NOT_MEANT, *place) for finding, place in places.items() if finding not in named)]


def without_lookalikes(protocol: Protocol, reading: Reading) -> Reading:
    """The reading without what classifier and sign reader hear of findings that are not meant."""
    others = set(reading.with_status(Status.NOT_MEANT))
    if not others or not reading.opinions:
        return reading
    intents = {intent for finding in others for intent in protocol.findings[finding].intents}
    signs = dict.fromkeys((protocol.findings[finding].heard_as for finding in others), 0.0)
    opinions = (
        replace(
            opinion,
            ranking=tuple((intent, share) for intent, share in opinion.ranking if intent not in intents),
            signs={sign: signs.get(sign, share) for sign, share in opinion.signs.items()},
        )
        for opinion in reading.opinions
    )
    return replace(reading, opinions=tuple(opinions))


def _is_present(mention: Mention) -> bool:
    return mention.status is Status.PRESENT
