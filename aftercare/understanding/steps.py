"""The steps by which a message is understood, in their order: each has an id, a condition and a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from aftercare.understanding.reading import CLAIMED, Mention, Opinion, Status
from aftercare.understanding.understood import TOPIC_PREFIX, Weighing

_CARRIES_INSTRUCTION = frozenset({Status.HYPOTHETICAL, Status.RESOLVED})


class Step(NamedTuple):
    """A step: its id (`because` on the wire), why it decides, when it applies, and what it does."""

    id: str
    reason: str
    applies: Callable[[Weighing], bool]
    run: Callable[[Weighing], None]


def _always(_: Weighing) -> bool:
    return True


def _heard(weighing: Weighing) -> bool:
    return weighing.heard


def _open(weighing: Weighing) -> bool:
    return weighing.heard and not weighing.settled


def _may_add_red_flag(weighing: Weighing) -> bool:
    return _open(weighing) and not (weighing.standing & weighing.protocol.red_flags or weighing.names_in_few_words)


def _may_add_finding(weighing: Weighing) -> bool:
    return _open(weighing) and not weighing.measuring


def _take_lists(weighing: Weighing) -> None:
    for finding, mention in weighing.reading.with_status(Status.DOUBTFUL).items():
        weighing.put(finding, Status.ABSENT, _place(mention), "lexicon_list")


def _take_mentions(weighing: Weighing) -> None:
    for status in (Status.HYPOTHETICAL, Status.ABSENT, Status.RESOLVED, Status.PRESENT):
        for finding, mention in weighing.reading.with_status(status).items():
            weighing.put(finding, status, _place(mention), "lexicon")


def _take_persisting(weighing: Weighing) -> None:
    for finding, mention in weighing.reading.with_status(Status.RESOLVED).items():
        if weighing.protocol.findings[finding].persists and finding not in weighing.result.with_status(Status.PRESENT):
            weighing.put(finding, Status.PRESENT, _place(mention), "persists")


def _ask_about_lists(weighing: Weighing) -> None:
    reading = weighing.reading
    doubtful = set(reading.with_status(Status.DOUBTFUL))
    if reading.writer == "helper":
        doubtful |= set(reading.with_status(Status.OTHER_PERSON))
    for finding in sorted(doubtful & weighing.protocol.red_flags):
        weighing.doubt(finding)


def _take_meaning(weighing: Weighing) -> None:
    """What the lexicon found then has the meaning's status.

    No question is needed, also about a red flag: the answer to either carries the instruction for the case that it is there.
    """
    reading, result = weighing.reading, weighing.result
    meaning, probability = weighing.whole.best
    status = weighing.intents.status_of.get(meaning)
    if status not in _CARRIES_INSTRUCTION or probability < weighing.limits["meaning_certain"]:
        return
    present = reading.with_status(Status.PRESENT)
    if status is Status.RESOLVED and any(weighing.protocol.findings[finding].persists for finding in present):
        return
    if any(mention.trigger == CLAIMED for mention in reading.mentions):
        return
    if _has_red_clause(weighing, behind=meaning if status is Status.RESOLVED else ""):
        return
    for finding, mention in present.items():
        weighing.put(finding, status, _place(mention), "classifier_meaning")
    if status is Status.RESOLVED and not result.reports:
        weighing.put(weighing.intents.finding_of[meaning], Status.PRESENT, (0, len(reading.text)), "classifier_meaning")
    weighing.settled = True


def _has_red_clause(weighing: Weighing, behind: str) -> bool:
    """Whether a clause surely sounds like a red flag; with `behind`, only one that follows a clause of that meaning.

    A clause of a message about the past may sound present by itself.
    """
    clauses = weighing.clauses
    first = next((number for number, clause in enumerate(clauses) if clause.best[0] == behind), len(clauses)) if behind else -1
    return any(clause.probability(weighing.intents.red) >= weighing.limits["clause_certain"] for clause in clauses[first + 1 :])


def _weigh_mentions(weighing: Weighing) -> None:
    """Put aside what the lexicon found where the classifier is sure that nothing is reported; a red flag is asked about.

    What the patient claims stands, and a red flag read in misspelt words, which the classifier could not know.
    """
    for finding, mention in weighing.reading.with_status(Status.PRESENT).items():
        red = finding in weighing.protocol.red_flags
        if weighing.protocol.findings[finding].vague or mention.trigger == CLAIMED or (red and mention.mended):
            continue
        clause = next((o for o in weighing.clauses if o.start <= mention.start < o.end), weighing.whole)
        if not _outweighed(weighing, finding, clause, red=red):
            continue
        status_of = weighing.intents.status_of
        status = status_of.get(weighing.whole.best[0]) or status_of.get(clause.best[0])
        persists = status is Status.RESOLVED and weighing.protocol.findings[finding].persists
        if persists or (status is Status.OTHER_PERSON and weighing.reading.treated):
            continue
        if red:
            weighing.doubt(finding)
        del weighing.result.findings[finding]
        if status:
            weighing.put(finding, status, _place(mention), "classifier_against_lexicon")
    weighing.standing = frozenset(weighing.result.with_status(Status.PRESENT))


def _outweighed(weighing: Weighing, finding: str, clause: Opinion, *, red: bool) -> bool:
    """Whether the classifier is sure that nothing is reported.

    Sure of the message and of the clause that names it; or certain of the message; or certain of the clause, in a message that does
    not sound like it.
    """
    limits, nothing, here = weighing.limits, weighing.nothing(weighing.whole), weighing.nothing(clause)
    both = min(nothing, here) >= limits["nothing_reported"]
    message_alone = not red and nothing >= limits["nothing_certain"]
    supported = weighing.whole.probability(weighing.protocol.findings[finding].intents) >= limits["clause_support"]
    return both or message_alone or (here >= limits["nothing_certain"] and not supported)


def _add_red_flag(weighing: Weighing) -> None:
    """An answer, and a message of which the lexicon read something milder, must be surer than another."""
    whole, limits = weighing.whole, weighing.limits
    findings = weighing.result.findings
    denied = {finding for finding, (status, _) in findings.items() if status is not Status.PRESENT}
    finding, probability = weighing.intents.likeliest_red(whole), whole.probability(weighing.intents.red)
    if weighing.denial_stands(finding, denied) or (weighing.answering and finding in denied):
        return
    certain = _certain_enough(weighing, finding, denied)
    if probability >= certain and (not weighing.is_few_words or probability >= limits["red_flag_overrules"]):
        weighing.put(finding, Status.PRESENT, weighing.told_by(finding, whole), "classifier_message")
    elif probability >= limits["suspect_beside" if weighing.clear or finding in denied else "red_flag_suspect"]:
        weighing.doubt(finding)


def _certain_enough(weighing: Weighing, finding: str, denied: set[str]) -> float:
    """From which probability on the classifier alone reports a red flag."""
    limits = weighing.limits
    milder = bool(finding) and bool(weighing.clear & set(weighing.protocol.findings[finding].milder))
    certain = float(limits["red_flag_in_answer" if weighing.answering else "red_flag_certain"])
    if finding in denied or milder:
        certain = limits["red_flag_overrules"]
    red, clauses = weighing.intents.red, weighing.clauses
    if clauses and all(clause.probability(red) < limits["clause_support"] for clause in clauses):
        certain = max(certain, limits["red_flag_unsupported"])
    return certain


def _add_clause_red_flags(weighing: Weighing) -> None:
    """A clause is judged without its context: alone it raises a doubt, with support from the whole message a finding."""
    limits, intents = weighing.limits, weighing.intents
    support = weighing.whole.probability(intents.red)
    if support < limits["clause_support"] and weighing.whole.best[1] >= limits["confident"]:
        return
    for clause in weighing.open_clauses:
        finding, probability = intents.likeliest_red(clause), clause.probability(intents.red)
        if weighing.denial_stands(finding, set(weighing.result.findings)):
            continue
        if probability >= limits["clause_certain"] and support >= limits["clause_support"]:
            weighing.put(finding, Status.PRESENT, (clause.start, clause.end), "classifier_clause")
        elif probability >= limits["clause_suspect"]:
            weighing.doubt(finding)


def _add_findings(weighing: Weighing) -> None:
    limits = weighing.limits
    if not weighing.names_in_few_words:
        _add_finding(weighing, weighing.whole, limits["finding_beside" if weighing.clear else "finding_certain"])
    reports = weighing.nothing(weighing.whole) < limits["topic_beside"]
    for clause in weighing.open_clauses:
        _add_finding(weighing, clause, limits["finding_beside" if reports else "clause_alone"])


def _add_finding(weighing: Weighing, opinion: Opinion, enough: float) -> None:
    intent, probability = opinion.best
    finding = weighing.intents.finding_of.get(intent, "")
    present = finding in weighing.result.with_status(Status.PRESENT)
    if finding and intent not in weighing.intents.red and probability >= enough and not present:
        weighing.put(finding, Status.PRESENT, weighing.told_by(finding, opinion), "classifier_finding")


def _take_questions(weighing: Weighing) -> None:
    """The intent of the whole message and the FAQ topics; clauses add topics only to a message that asks."""
    limits, result, whole = weighing.limits, weighing.result, weighing.whole
    intent, probability = _asked(weighing, whole)
    if probability >= limits["topic_certain"]:
        result.intent = intent
    if intent in weighing.intents.closing and probability >= limits["topic_beside"]:
        return
    for opinion in weighing.reading.opinions:
        intent, probability = _asked(weighing, opinion)
        if probability < limits["topic_certain" if opinion is whole else "topic_beside"]:
            continue
        if intent == weighing.intents.beyond and opinion is not whole:
            result.beyond_leaflet = True
        elif intent.startswith(TOPIC_PREFIX) and intent not in result.topics:
            result.topics.append(intent)


def _asked(weighing: Weighing, opinion: Opinion) -> tuple[str, float]:
    """The likeliest intent; a topic yields to the leaflet's silence where that is likely enough."""
    intent, probability = opinion.best
    beyond = weighing.intents.beyond
    silent = opinion.probability({beyond})
    if intent.startswith(TOPIC_PREFIX) and silent >= weighing.limits["abstain"]:
        return beyond, probability + (silent if intent != beyond else 0.0)
    return intent, probability


def _be_sure_of_question(weighing: Weighing) -> None:
    whole, limits = weighing.whole, weighing.limits
    asks = weighing.result.intent.startswith(TOPIC_PREFIX) and weighing.nothing(whole) >= limits["nothing_certain"]
    weighing.result.surely_asks = asks and whole.best[1] >= limits["abstain"]


def _refine(weighing: Weighing) -> None:
    present = weighing.result.with_status(Status.PRESENT)
    for finding in present:
        if present & set(weighing.protocol.findings[finding].refined_by):
            del weighing.result.findings[finding]


def _place(mention: Mention) -> tuple[int, int]:
    return mention.start, mention.end


STEPS = (
    Step("lexicon_list", "Behind the comma of a list a denial may hold or not: it counts as one for now.", _always, _take_lists),
    Step("lexicon", "The patient's own words name it, and the words around them tell its status.", _always, _take_mentions),
    Step("persists", "It is told as gone, and needs help all the same.", _always, _take_persisting),
    Step("doubt_in_list", "A red flag whose denial is not plain is asked about.", _always, _ask_about_lists),
    Step("classifier_meaning", "The whole message surely supposes, or tells of what has gone by.", _heard, _take_meaning),
    Step("classifier_against_lexicon", "The classifier is sure that nothing of it is reported.", _open, _weigh_mentions),
    Step(
        "classifier_message",
        "The message as a whole sounds like it, in unforeseen words.",
        _may_add_red_flag,
        _add_red_flag,
    ),
    Step("classifier_clause", "A clause sounds like it, and the message supports that.", _may_add_red_flag, _add_clause_red_flags),
    Step(
        "classifier_finding",
        "The message or a clause reports it, in unforeseen words.",
        _may_add_finding,
        _add_findings,
    ),
    Step("question", "What the message asks is answered beside what it reports.", _heard, _take_questions),
    Step("sure_question", "A message that surely asks has its answer before a doubt is asked about.", _heard, _be_sure_of_question),
    Step("refined", "A vague finding yields to one that says the same more exactly.", _always, _refine),
)
