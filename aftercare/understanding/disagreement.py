"""Where classifier and sign reader contradict the lexicon."""

from __future__ import annotations

from aftercare.understanding.reading import CLAIMED, Mention, Opinion, Status
from aftercare.understanding.understood import Weighing


def weigh_mentions(weighing: Weighing) -> None:
    """Put aside what the lexicon found where the classifier is sure that nothing is reported; a red flag is asked about.

    Where the sign reader hears nothing of it either, nothing is asked. A red flag of which neither hears anything is asked about, even
    where the message is sure to report something else. What the patient claims stands, a red flag read in misspelt words, which neither
    could know, and one that the lexicon does not take for a part of the denied list in front of it: to the classifier all of it is denied.
    """
    for finding, mention in weighing.reading.with_status(Status.PRESENT).items():
        red = finding in weighing.protocol.red_flags
        if weighing.protocol.findings[finding].vague or mention.trigger == CLAIMED or (red and mention.mended):
            continue
        clause = next((o for o in weighing.clauses if o.start <= mention.start < o.end), weighing.whole)
        if red and _stands_behind_denied(weighing, mention, clause):
            continue
        if not (_outweighed(weighing, finding, clause, red=red) or (red and _unheard(weighing, finding, clause))):
            continue
        status_of = weighing.intents.status_of
        status = status_of.get(weighing.whole.best[0]) or status_of.get(clause.best[0])
        persists = status is Status.RESOLVED and weighing.protocol.findings[finding].persists
        if persists or (status is Status.OTHER_PERSON and weighing.reading.treated):
            continue
        if red and not weighing.is_nothing(finding, clause):
            weighing.doubt(finding)
        weighing.put(finding, status or Status.NOT_MEANT, mention.place, "classifier_against_lexicon")
    weighing.standing = frozenset(weighing.result.with_status(Status.PRESENT))


def _stands_behind_denied(weighing: Weighing, mention: Mention, clause: Opinion) -> bool:
    """`no A, did B`: a denied finding and a comma stand before it in its clause, and nothing there is doubtful."""
    text, mentions = weighing.reading.text, weighing.reading.mentions
    here = [each for each in mentions if clause.start <= each.start < clause.end]
    denied = [each for each in here if each.status is Status.ABSENT and each.end <= mention.start]
    return any("," in text[each.end : mention.start] for each in denied) and all(each.status is not Status.DOUBTFUL for each in here)


def _outweighed(weighing: Weighing, finding: str, clause: Opinion, *, red: bool) -> bool:
    """Whether the classifier is sure that nothing is reported, in message and clause.

    Or certain of one; of the clause alone only in a message that does not sound like it; or less sure, where the sign reader hears nothing.
    """
    limits, nothing, here = weighing.limits, weighing.nothing(weighing.whole), weighing.nothing(clause)
    if weighing.is_unsaid([finding], clause) and nothing >= limits["nothing_beside_unsaid"]:
        return True
    both = min(nothing, here) >= limits["nothing_reported"]
    message_alone = not red and nothing >= limits["nothing_certain"]
    supported = weighing.whole.probability(weighing.protocol.findings[finding].intents) >= limits["clause_support"]
    return both or message_alone or (here >= limits["nothing_certain"] and not supported)


def _unheard(weighing: Weighing, finding: str, clause: Opinion) -> bool:
    """Whether the sign reader hears nothing of it and the classifier no red flag at all, in words that are like some that they know."""
    if weighing.whole.distance >= weighing.limits["unlike"]:
        return False
    share = max(opinion.probability(weighing.intents.red) for opinion in (weighing.whole, clause))
    return share < weighing.limits["clause_support"] and weighing.is_unsaid([finding], clause)
