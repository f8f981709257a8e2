"""The steps by which a message is understood, in their order: each has an id, a condition and a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from aftercare.understanding.disagreement import weigh_mentions
from aftercare.understanding.reading import CLAIMED, Opinion, Status
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


def _of_treated(weighing: Weighing) -> bool:
    other = weighing.intents.status_of.get(weighing.whole.best[0]) is Status.OTHER_PERSON if weighing.heard else False
    return other and weighing.reading.treated and _may_add_sign(weighing)


def _may_add_sign(weighing: Weighing) -> bool:
    return _may_add_red_flag(weighing) and not weighing.answering


def _take_lists(weighing: Weighing) -> None:
    for finding, mention in weighing.reading.with_status(Status.DOUBTFUL).items():
        weighing.put(finding, Status.ABSENT, mention.place, "lexicon_list")


def _take_mentions(weighing: Weighing) -> None:
    for status in (Status.HYPOTHETICAL, Status.ABSENT, Status.RESOLVED, Status.PRESENT):
        for finding, mention in weighing.reading.with_status(status).items():
            weighing.put(finding, status, mention.place, "lexicon")


def _take_persisting(weighing: Weighing) -> None:
    for finding, mention in weighing.reading.with_status(Status.RESOLVED).items():
        if weighing.protocol.findings[finding].persists and finding not in weighing.result.with_status(Status.PRESENT):
            weighing.put(finding, Status.PRESENT, mention.place, "persists")


def _ask_about_lists(weighing: Weighing) -> None:
    reading = weighing.reading
    doubtful = set(reading.with_status(Status.DOUBTFUL))
    if reading.writer == "helper" or reading.treated:
        doubtful |= set(reading.with_status(Status.OTHER_PERSON))
    for finding in sorted(doubtful & weighing.protocol.red_flags):
        if not (weighing.heard and weighing.is_nothing(finding, weighing.whole)):
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
        weighing.put(finding, status, mention.place, "classifier_meaning")
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


def _add_red_flag(weighing: Weighing) -> None:
    """An answer, and a message of which the lexicon read something milder, must be surer than another.

    Where the classifier is sure and the sign reader is not, the patient is asked; where that hears no red flag at all, only if the
    classifier is surest.
    """
    whole, limits = weighing.whole, weighing.limits
    findings = weighing.result.findings
    denied = {finding for finding, (status, _) in findings.items() if status is not Status.PRESENT}
    finding, probability = weighing.likeliest_red(whole), whole.probability(weighing.intents.red)
    if not finding or weighing.denial_stands(finding, denied) or (weighing.answering and finding in denied):
        return
    suspect = limits["suspect_beside" if weighing.clear or finding in denied else "red_flag_suspect"]
    certain = _certain_enough(weighing, finding, denied)
    enough_words = not weighing.is_few_words or probability >= limits["red_flag_overrules"]
    if probability >= certain and weighing.is_confirmed(finding, whole) and enough_words:
        weighing.put(finding, Status.PRESENT, weighing.extent_of(finding, whole), "classifier_message")
    elif probability >= (limits["red_flag_overrules"] if weighing.is_unsaid(weighing.intents.red_flags) else suspect):
        weighing.doubt(finding)


def _certain_enough(weighing: Weighing, finding: str, denied: set[str]) -> float:
    """From which probability on the classifier alone reports a red flag."""
    limits = weighing.limits
    milder = bool(weighing.clear & set(weighing.protocol.findings[finding].milder))
    certain = float(limits["red_flag_in_answer" if weighing.answering else "red_flag_certain"])
    if finding in denied or milder:
        certain = limits["red_flag_overrules"]
    red, clauses = weighing.intents.red, weighing.clauses
    unsupported = clauses and all(clause.probability(red) < limits["clause_support"] for clause in clauses)
    if unsupported and not (weighing.said(finding) or 0.0) >= limits["sign_alone"]:
        certain = max(certain, limits["red_flag_unsupported"])
    return certain


def _add_clause_red_flags(weighing: Weighing) -> None:
    """A clause is judged without its context: alone it raises a doubt, with support from the whole message a finding."""
    limits, intents = weighing.limits, weighing.intents
    support = weighing.whole.probability(intents.red)
    if support < limits["clause_support"] and weighing.whole.best[1] >= limits["confident"]:
        return
    for clause in weighing.open_clauses:
        finding, probability = weighing.likeliest_red(clause), clause.probability(intents.red)
        if not finding or weighing.denial_stands(finding, set(weighing.result.findings)) or weighing.is_unsaid([finding], clause):
            continue
        confirmed = weighing.is_confirmed(finding, clause) and not weighing.is_part_of_mention(clause)
        if probability >= limits["clause_certain"] and support >= limits["clause_support"] and confirmed:
            weighing.put(finding, Status.PRESENT, (clause.start, clause.end), "classifier_clause")
        elif probability >= limits["clause_suspect"]:
            weighing.doubt(finding)


def _add_signs(weighing: Weighing) -> None:
    """A red flag that the sign reader alone hears is asked about; what is none is a finding. Neither where something else explains it.

    That is, something milder that stands, or one of those to which the finding yields.
    """
    for finding in (sign for sign in weighing.unheard_signs if weighing.is_said(sign, "sign_alone")):
        known = weighing.protocol.findings[finding]
        if weighing.result.with_status(Status.PRESENT) & {*known.milder, *known.yields_to}:
            continue
        if finding in weighing.protocol.red_flags:
            weighing.doubt(finding)
        else:
            weighing.put(finding, Status.PRESENT, weighing.extent_of(finding, weighing.whole), "sign_reader")


def _ask_about_treated(weighing: Weighing) -> None:
    """A red flag that the sign reader hears of one who was treated, and whom the classifier takes for somebody else."""
    pieces = weighing.reading.opinions
    heard = {finding: max(weighing.said(finding, piece) or 0.0 for piece in pieces) for finding in sorted(weighing.protocol.red_flags)}
    likeliest = max(heard, key=lambda finding: heard[finding], default="")
    if likeliest and heard[likeliest] >= weighing.limits["sign_said"]:
        weighing.doubt(likeliest)


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
    if not finding or intent in weighing.intents.red or finding in weighing.result.with_status(Status.PRESENT):
        return
    if probability >= enough and not weighing.is_unsaid([finding], opinion):
        weighing.put(finding, Status.PRESENT, weighing.extent_of(finding, opinion), "classifier_finding")


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


def _hear_request(weighing: Weighing) -> None:
    """The message as a whole, or a clause, asks for a person more likely than not."""
    best = (opinion.best for opinion in weighing.reading.opinions)
    enough = weighing.limits["topic_beside"]
    weighing.result.wants_person = any(meaning == weighing.intents.callback and share >= enough for meaning, share in best)


def _be_sure_of_question(weighing: Weighing) -> None:
    whole, limits = weighing.whole, weighing.limits
    asks = weighing.result.intent.startswith(TOPIC_PREFIX) and weighing.nothing(whole) >= limits["nothing_certain"]
    weighing.result.surely_asks = asks and whole.best[1] >= limits["abstain"]


def _refine(weighing: Weighing) -> None:
    present = weighing.result.with_status(Status.PRESENT)
    for finding in present:
        if present & set(weighing.protocol.findings[finding].refined_by):
            del weighing.result.findings[finding]


STEPS = (
    Step("lexicon_list", "Behind the comma of a list a denial may hold or not: it counts as one for now.", _always, _take_lists),
    Step("lexicon", "The patient's own words name it, and the words around them tell its status.", _always, _take_mentions),
    Step("persists", "It is said to be gone, and needs help all the same.", _always, _take_persisting),
    Step("doubt_in_list", "A red flag whose denial is not plain is asked about.", _always, _ask_about_lists),
    Step("classifier_meaning", "The whole message surely supposes, or tells of what has gone by.", _heard, _take_meaning),
    Step("classifier_against_lexicon", "The classifier is sure that nothing of it is reported.", _open, weigh_mentions),
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
    Step("sign_reader", "The sign reader alone surely hears it.", _may_add_sign, _add_signs),
    Step("doubt_treated", "The words say that the other person was treated.", _of_treated, _ask_about_treated),
    Step("question", "What the message asks is answered beside what it reports.", _heard, _take_questions),
    Step("request", "Who asks for a person is told whom to call, whatever else the message says.", _heard, _hear_request),
    Step("sure_question", "A message that surely asks has its answer before a doubt is asked about.", _heard, _be_sure_of_question),
    Step("refined", "A vague finding yields to one that says the same more exactly.", _always, _refine),
)
