"""The barrier behind every reader and every server: no reply says less than an emergency that the words alone hold."""

from __future__ import annotations

from collections.abc import Set

from aftercare.decision import danger_check
from aftercare.decision.reply import Reply
from aftercare.decision.rules import disposition
from aftercare.protocol.model import Disposition, Protocol
from aftercare.understanding.reading import Status


def understates(protocol: Protocol, reply: Reply, present: Set[str]) -> bool:
    """Whether a reply is less urgent than these findings, and neither asks about them nor took them into account.

    A reply that says how the message was understood has weighed what is no emergency by more than the lexicon. The danger check
    asks about no sign that was reported.

    Args:
        protocol: supplies the rules.
        reply: what is to be said.
        present: the findings that the lexicon alone reads in the message as present.
    """
    alone = disposition(protocol, present)
    asks = reply.custom.get("about", danger_check.NAME) != danger_check.NAME
    if alone is None or asks or (reply.disposition or 0) >= alone:
        return False
    if "understood" not in reply.custom:
        return True
    understood = reply.custom["understood"].get("findings", ())
    weighed = {finding["finding"] for finding in understood if finding["status"] != Status.PRESENT.value}
    return disposition(protocol, present - weighed) is Disposition.EMERGENCY
