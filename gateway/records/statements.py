"""The statements of a message's path, built once: SQLAlchemy takes longer to build a statement than SQLite to run it.

Parameters are named as the columns they are compared with: `name` is a conversation's id.
"""

from __future__ import annotations

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, insert, select, update

from gateway.records.tables import (
    CHECKING,
    case_finding,
    case_rule,
    conversation,
    conversation_key,
    delivery,
    event,
    reading_try,
    session,
    triage_case,
)

_ACTS = ("greeting", "message", "extended", "writer", "callback", "followed", "staff")
_NAME: BindParameter[str] = bindparam("name")
_SEQ: BindParameter[int] = bindparam("seq")
_CASE: BindParameter[int] = bindparam("case")
_MINE = event.c.conversation_id == _NAME


def _session(which: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    """A session with what its events say of it: its last act, how it was closed, and who writes."""
    its = event.c.conversation_id == session.c.conversation_id
    latest = select(event.c.at).where(its, event.c.kind.in_(_ACTS))
    closed = select(event.c.kind).where(its, event.c.kind.in_(("ended", "expired")))
    writer = select(event.c.facts).where(its, event.c.kind == "writer")
    newest = event.c.seq.desc()
    return (
        select(
            session.c.conversation_id,
            session.c.started_at,
            conversation.c.embed_key,
            conversation.c.protocol,
            conversation.c.language,
            latest.order_by(newest).limit(1).scalar_subquery().label("latest"),
            closed.order_by(newest).limit(1).scalar_subquery().label("closed"),
            writer.order_by(newest).limit(1).scalar_subquery().label("writer"),
        )
        .join(conversation, conversation.c.id == session.c.conversation_id)
        .where(which)
    )


SESSION_OF_TOKEN = _session(session.c.token_hash == bindparam("token_hash"))
SESSION_OF_CONVERSATION = _session(session.c.conversation_id == _NAME)

# Events come with their conversation's key, as it is now, so that a purge is felt at once.
_SEALED = select(event, conversation_key.c.wrapped).outerjoin(
    conversation_key, conversation_key.c.conversation_id == event.c.conversation_id
)
EVENTS_BEHIND = _SEALED.where(_MINE, event.c.seq > _SEQ).order_by(event.c.seq)
_NAMES: BindParameter[list[str]] = bindparam("names", expanding=True)
TURNS_OF = _SEALED.where(event.c.conversation_id.in_(_NAMES), event.c.kind.in_(("message", "answer", "left"))).order_by(
    event.c.conversation_id, event.c.seq
)
READABLE = select(conversation_key.c.conversation_id).where(conversation_key.c.conversation_id.in_(_NAMES))
MESSAGE_OF_CLIENT = _SEALED.where(_MINE, event.c.client_id == bindparam("client_id"))
LAST_OF_KIND = _SEALED.where(_MINE, event.c.kind == bindparam("kind")).order_by(event.c.seq.desc()).limit(1)
_LAST_ANSWERED = select(event.c.reply_to).where(_MINE, event.c.kind == "answer").order_by(event.c.seq.desc()).limit(1)
STANDING = _SEALED.where(
    _MINE, event.c.kind.in_(("answer", "writer")), event.c.seq > func.coalesce(_LAST_ANSWERED.scalar_subquery(), 0)
).order_by(event.c.seq)
ANSWER_TO = select(event.c.id).where(_MINE, event.c.reply_to == _SEQ)

BOUND = select(conversation.c.protocol, conversation.c.language).where(conversation.c.id == _NAME)
KEY = select(conversation_key.c.wrapped).where(conversation_key.c.conversation_id == _NAME)
TURN = (
    select(conversation.c.embed_key, conversation_key.c.wrapped)
    .outerjoin(conversation_key, conversation_key.c.conversation_id == conversation.c.id)
    .where(conversation.c.id == _NAME)
    .with_for_update(of=conversation)
)
LAST_SEQ = select(func.max(event.c.seq)).where(_MINE)
NEWER_MESSAGE = select(event.c.id).where(_MINE, event.c.seq > _SEQ, event.c.kind == "message").limit(1)
NEWER_TURN = select(event.c.id).where(_MINE, event.c.seq > _SEQ, event.c.kind.in_(("message", "answer", "staff"))).limit(1)
NEW_EVENT = insert(event)

_DELIVERY = delivery.c.conversation_id == _NAME
DELIVERED = select(delivery.c.seq, delivery.c.at).where(_DELIVERY)
_UP_TO: BindParameter[int] = bindparam("up_to")
FURTHER_DELIVERED = update(delivery).where(_DELIVERY, delivery.c.seq < _UP_TO).values(seq=_UP_TO, at=bindparam("now"))
NEW_DELIVERY = insert(delivery)

_MESSAGE: BindParameter[int] = bindparam("message")
_TRY = (reading_try.c.conversation_id == _NAME, reading_try.c.seq == _MESSAGE)
TRIES = select(reading_try.c.tries).where(*_TRY)
ONE_MORE_TRY = update(reading_try).where(*_TRY).values(tries=reading_try.c.tries + 1)
FIRST_TRY = insert(reading_try)

EFFECTIVE_TIER: ColumnElement[int] = func.coalesce(triage_case.c.by_hand, triage_case.c.tier)
"""How urgent a case is, as `tier_of` has it."""
CASE = select(triage_case).where(triage_case.c.conversation_id == _NAME).with_for_update()
NEW_CASE = insert(triage_case)
CONTACT = select(triage_case.c.tier, triage_case.c.callback_at, triage_case.c.held_until).where(triage_case.c.conversation_id == _NAME)
_answer = event.alias()
WAITING_SINCE = (
    select(event.c.at)
    .outerjoin(_answer, (_answer.c.conversation_id == event.c.conversation_id) & (_answer.c.reply_to == event.c.seq))
    .where(_MINE, event.c.kind == "message", _answer.c.id.is_(None))
    .order_by(event.c.seq)
    .limit(1)
)
# Cases whose last event is an answer that asks something: few have the ranks of a question, the danger check has an index.
_last_kind = select(event.c.kind).where(event.c.conversation_id == triage_case.c.conversation_id, event.c.seq == triage_case.c.last_seq)
_LEFT = select(triage_case.c.conversation_id, triage_case.c.last_seq.label("seq")).where(
    triage_case.c.last_at <= bindparam("until"),
    triage_case.c.last_at > bindparam("since"),
    _last_kind.scalar_subquery() == "answer",
)
ASKED_AND_LEFT = _LEFT.where(triage_case.c.rank.in_(bindparam("ranks", expanding=True)), triage_case.c.asking)
CHECKED_AND_LEFT = _LEFT.where(CHECKING)
RULES_OF_CASE = select(case_rule.c.rule).where(case_rule.c.case_id == _CASE)
NEW_RULE = insert(case_rule)
FINDINGS_OF_CASE = select(case_finding.c.code, case_finding.c.status).where(case_finding.c.case_id == _CASE)
NEW_FINDING = insert(case_finding)
CHANGED_CASE = update(triage_case).where(triage_case.c.id == _CASE)
