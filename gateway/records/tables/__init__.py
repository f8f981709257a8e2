"""The records' tables.

Rows of `event`, `case_act` and `audit` are never changed or deleted; a purge deletes a conversation's key, which makes its words, and what
nurses wrote about it, unreadable.
"""

from gateway.records.tables.base import Moment, metadata
from gateway.records.tables.cases import CHECKING, SEEN, case_act, case_finding, case_rule, disagreement, handover, notice, triage_case
from gateway.records.tables.conversations import conversation, conversation_key, delivery, event, probe, reading_try, session
from gateway.records.tables.staff import audit, audit_head, break_glass, login_try, saved_view, staff, staff_session

__all__ = [
    "CHECKING",
    "SEEN",
    "Moment",
    "audit",
    "audit_head",
    "break_glass",
    "case_act",
    "case_finding",
    "case_rule",
    "conversation",
    "conversation_key",
    "delivery",
    "disagreement",
    "event",
    "handover",
    "login_try",
    "metadata",
    "notice",
    "probe",
    "reading_try",
    "saved_view",
    "session",
    "staff",
    "staff_session",
    "triage_case",
]
