"""What the records say when all is over: every message that was taken has one answer with words, and no emergency was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from benchmarks.soak.patients import Sent
from gateway.records.store import Event, Records
from gateway.records.tables import conversation, triage_case
from gateway.records.tier import Tier


@dataclass
class Verdict:
    """What was found.

    Attributes:
        messages: how many messages the records hold.
        taken: of these, how many a patient was told of that they are stored.
        red_flags: messages taken that were an emergency by themselves.
        by: how many were answered by whom.
        causes: why Rasa's answer was not used, if so.
        wrong: what should not be; no words of a patient.
    """

    messages: int = 0
    taken: int = 0
    red_flags: int = 0
    by: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def judge(records: Records, sent: Mapping[str, Sent]) -> Verdict:
    """Compare the records with what patients saw.

    Args:
        records: the records, at rest.
        sent: every message that was sent, by its client id.
    """
    verdict, met = Verdict(), set[str]()
    with records.engine.connect() as connection:
        names = connection.scalars(select(conversation.c.id).order_by(conversation.c.id)).all()
        cases = connection.execute(select(triage_case.c.conversation_id, triage_case.c.tier))
        tiers = {case.conversation_id: case.tier for case in cases}
    for name in names:
        _judge_conversation(records.events(name), tiers.get(name, 0), sent, met, verdict)
    taken = {client_id for client_id, each in sent.items() if each.seq}
    verdict.taken = len(taken)
    verdict.red_flags = sum(each.red_flag for each in sent.values() if each.seq)
    verdict.wrong += [f"{client_id} was taken and is lost" for client_id in sorted(taken - met)]
    return verdict


def _judge_conversation(events: list[Event], tier: int, sent: Mapping[str, Sent], met: set[str], verdict: Verdict) -> None:
    answers: dict[int | None, list[Event]] = {}
    for event in events:
        if event.kind == "answer":
            answers.setdefault(event.reply_to, []).append(event)
    for message in (event for event in events if event.kind == "message"):
        verdict.messages += 1
        client_id = str(message.client_id)
        if client_id in met:
            verdict.wrong.append(f"{client_id} is stored twice")
        met.add(client_id)
        found = answers.get(message.seq, [])
        for answer in found:
            cause = str(answer.facts["cause"])
            verdict.by["recovered" if cause == "recovered" else str(answer.facts["by"])] += 1
            if cause:
                verdict.causes[cause] += 1
        expected = sent.get(client_id)
        if expected is None:
            verdict.wrong.append(f"{client_id} is stored, and nobody sent it")
        else:
            verdict.wrong += [f"{client_id} {what}" for what in _faults(message, found, expected, tier)]


def _faults(message: Event, answers: list[Event], sent: Sent, tier: int) -> list[str]:
    """What is wrong with one message and its answer."""
    wrong = []
    if sent.seq not in (0, message.seq):
        wrong.append(f"was taken at {sent.seq} and is stored at {message.seq}")
    if (message.words or {}).get("text") != sent.text:
        wrong.append("is stored with other words")
    if not answers:
        return [*wrong, "has no answer"]
    if len(answers) > 1:
        wrong.append("is answered twice")
    if any(not _words(answer) for answer in answers):
        wrong.append("is answered with silence")
    if sent.answer and sent.answer not in [answer.seq for answer in answers]:
        wrong.append("has another answer than the patient saw")
    if sent.red_flag and any(answer.disposition != "emergency" for answer in answers):
        wrong.append("was a red flag, and is answered with less than an emergency")
    if sent.red_flag and tier != Tier.EMERGENCY:
        wrong.append("was a red flag, and its case is no emergency")
    return wrong


def _words(answer: Event) -> str:
    return " ".join(block["text"] for block in (answer.words or {}).get("blocks", ())).strip()
