"""What a nurse reads of a case in a handover: the patient's deciding words, what was done last, and what she wrote to the patient."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog

from aftercare.protocol import Library
from gateway.console.audit.acts import AuditAct
from gateway.console.cases.case_view import Act, CaseView, CaseViews
from gateway.console.cases.explained import Complaint
from gateway.console.handover.lines import Line
from gateway.console.policy import Policy
from gateway.console.redaction.mask import Mask
from gateway.records.sealing import SealError
from gateway.records.store import Records

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Account:
    """The words about a case, telephone numbers hidden; None where there are none, or they were deleted.

    Attributes:
        complaint: the rule that stands in the line, with the words for which it fired; None without a rule.
        message: the patient's last message, where no rule fired.
        act: what was done last; `note`: what was written with it.
        reply: what a nurse wrote last to the patient; `replied`: that act.
    """

    complaint: Complaint | None
    message: str | None
    act: Act | None
    note: str | None
    reply: str | None
    replied: Act | None


class Accounts:
    """Reads the words about the cases of handovers.

    Args:
        records: the gateway's records.
        library: explains what rules fired for.
        policy: the limits.
    """

    def __init__(self, records: Records, library: Library, policy: Policy) -> None:
        self._records = records
        self._views = CaseViews(records, library, policy)

    def of(self, lines: Iterable[Line], at: datetime) -> dict[int, Account]:
        """The words about some cases, as they stood at a moment; a case whose words cannot be opened is left out.

        Args:
            lines: the cases.
            at: the moment; what came later is left out.
        """
        found: dict[int, Account] = {}
        for line in lines:
            try:
                view = self._views.read(line.case)
                found |= {line.case: self._account(line, view, at)} if view is not None else {}
            except SealError:
                _log.error("words about a case cannot be read", case=line.case)
        return found

    def _account(self, line: Line, view: CaseView, at: datetime) -> Account:
        mask = Mask.phones()
        complaint = next((each for each in view.complaints if each.rule == line.rule), None)
        said = [entry.text for entry in view.entries if entry.who == "patient" and entry.at <= at]
        acts = [act for act in view.acts if act.at <= at and act.kind != AuditAct.BREAK_GLASS]
        last = acts[-1] if acts else None
        replied = next((act for act in reversed(acts) if act.kind == AuditAct.REPLY), None)
        return Account(
            complaint=complaint,
            message=said[-1] if said and complaint is None else None,
            act=last,
            note=mask(str(last.words["text"])) if last is not None and last.words else None,
            reply=self._reply(view.conversation, replied, mask),
            replied=replied,
        )

    def _reply(self, conversation: str, act: Act | None, mask: Mask) -> str | None:
        if act is None:
            return None
        seq = act.facts["seq"]
        event = next(iter(self._records.events(conversation, seq - 1)), None)
        return mask(str(event.words["text"])) if event is not None and event.words is not None else None
