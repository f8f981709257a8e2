"""One turn: the steps in which a message is answered.

A plain emergency is said at once, in every state. Then comes the answer to what was asked, then what can still change the disposition,
then the disposition. Nothing is called harmless before the danger check, and the check follows every other answer about recovery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from aftercare.conversation import Conversation
from aftercare.decision import danger_check
from aftercare.decision.answers import Answer, heard, pressed, settle, settle_as_dangerous
from aftercare.decision.danger_check import RowReader, Told
from aftercare.decision.interview import confirming, next_question
from aftercare.decision.reply import Block, Composer, Reply
from aftercare.decision.rules import disposition
from aftercare.protocol.model import Disposition, Protocol, Topic
from aftercare.understanding.fusion import TOPIC_PREFIX, Fusion
from aftercare.understanding.reading import Reading, Status

_WHEN_TO_CALL = "when_to_call"
_SHORT_ANSWERS = ("affirm", "deny", "unsure")
_SILENT = ("ask_not_in_leaflet", "ask_diagnosis")
_UNKNOWN = "other_symptom"
_ANY_SIGN = "red_flag"
_RELIEF = "report_relief"
_TALK = {
    "affirm": ("chat", "noted", "watch_short"),
    "deny": ("chat", "noted", "watch_short"),
    "greet": ("chat", "greeting"),
    "thank": ("chat", "thanks", "watch_short"),
    "goodbye": ("chat", "goodbye", "watch_short"),
    "bot_challenge": ("chat", "bot", "watch_short"),
    "upset": ("chat", "upset", "watch_short"),
    "report_other_person": ("out_of_scope", "other_person"),
    "out_of_scope": ("out_of_scope", "out_of_scope", "watch_short"),
    "idiom": ("out_of_scope", "out_of_scope", "watch_short"),
}
_ABOUT_CHAT = ("who_reads", "how_long_kept", "is_private", "clinic_open", "real_person", "useless")
_PRACTICAL = ("nobody_answers", "no_ride", "alone", "can_wait", "which_number")
_ASIDES = ("aside", "pause", "refuse", "take_back", *_ABOUT_CHAT)
_LATE = "beyond_48_hours"
_LONGEST_AGO = 36_500
_BUTTONS_ONLY, _MOST_TRIES = 1, 2


@dataclass(frozen=True)
class Tools:
    """What every turn of one protocol works with."""

    protocol: Protocol
    fusion: Fusion
    composer: Composer
    rows: RowReader


class Turn:
    """The steps of one turn, in the order in which they are tried.

    Args:
        tools: the protocol's tools.
        conversation: how it stands; it is changed.
        reading: the message.
        today: the day of the message, by the clinic's calendar.
        now: the moment of the message.
        tapped: rows of the danger check that were answered one by one, row -> `yes`, `no` or `unsure`.
    """

    def __init__(
        self, tools: Tools, conversation: Conversation, reading: Reading, today: date, now: datetime, tapped: Mapping[str, str]
    ) -> None:
        self._protocol, self._fusion, self._composer = tools.protocol, tools.fusion, tools.composer
        self._check = tools.protocol.danger_check
        self.conversation = conversation
        self._now, self._today = now, today
        self._tapped = tapped
        self._stood = disposition(self._protocol, conversation.has("present"))
        self._pending = self._protocol.questions.get(conversation.pending)
        self._heard = Answer.NOT_UNDERSTOOD
        self._button = pressed(self._pending, reading.text) if self._pending is not None else None
        self._checks = [fact for fact in conversation.checks if fact in {row.fact for row in self._check.rows}]
        conversation.checks = list(self._checks)
        self._reading = self._without_noise(reading)
        answering = self._pending is not None or bool(self._checks)
        measuring = self._pending is not None and bool(self._pending.scale)
        self.understood = self._fusion.understand(self._reading, answering=answering, measuring=measuring)
        quiet = not self.understood.reports and not self.understood.topics
        self._told = tools.rows.read(self._checks, self._reading, quiet) if self._checks and reading.text.strip() else Told()
        if (self._told.rows and quiet) or self._told.all_of_them:
            self.understood = self._fusion.understand(replace(self._reading, opinions=()), answering=True)

    def _without_noise(self, reading: Reading) -> Reading:
        """The message without the classifier's opinions where it is a button's title, or an aside that sounds like no red flag.

        An aside is one only where something waits for an answer, a practical question only where advice stands.
        """
        if self._button is not None:
            return replace(reading, mentions=(), opinions=())
        waits = self._pending is not None or bool(self._checks)
        kinds = {*(_ASIDES if waits else ()), *(_PRACTICAL if self.conversation.disposition else ()), "nonsense"}
        named = any(mention.status is Status.PRESENT for mention in reading.mentions)
        if reading.opinions and reading.acts & kinds and not named and not self._fusion.hears_red_flag(reading):
            return replace(reading, opinions=())
        return reading

    def reply(self) -> Reply:
        """The reply to the message."""
        danger_check.expire(self._check, self.conversation, self._now)
        if self._takes_back():
            return self._take_back()
        answered = self._remember()
        answered = self._take_taps() or answered
        if self._is_emergency():
            return self._emergency()
        answered = self._answer_pending() or self._answer_check() or answered
        danger_check.note_denials(self._check, self.conversation, self._now)
        if self._is_emergency():
            return self._emergency()
        return self._with_check(self._answer(answered))

    def _answer(self, answered: bool) -> Reply:
        reports = self.understood.reports
        if self.understood.doubt and not self._is_aside():
            question = confirming(self._protocol, self.understood.doubt)
            if question is not None and question.id not in self.conversation.asked:
                self._keep_complaint()
                return self._behind_answer(self._ask(question.id, self._block("confirm")))
        if self._pending is not None and self.conversation.pending and not reports:
            return self._unanswered()
        if reports or answered or self._denies_beside_advice():
            return self._with_topics(self._decide_or_ask())
        if self._told.all_of_them in ("yes", "unsure") or (self._checks and (self._waits_first() or self._claims_something())):
            return self._unanswered_check()
        return self._talk()

    def _waits_first(self) -> bool:
        return self.conversation.pending == danger_check.NAME

    def _claims_something(self) -> bool:
        """Whether words that name nothing say that something is so, which may be one of the rows behind the last answer."""
        opinions, acts = self._reading.opinions, self._reading.acts
        sure = bool(opinions) and opinions[0].best[1] >= self._protocol.thresholds["nothing_reported"]
        return bool(acts & {"claim", "claim_plainly"}) and not (self._claims_nothing() or self.understood.topics or sure)

    def _claims_nothing(self) -> bool:
        """Whether the message says that it only asks, or that all is well."""
        return bool(self._reading.acts & {"just_asking", "relief", "checking_in"}) or self._reading.well or self._reading.answer == "normal"

    # What the message says

    def _remember(self) -> bool:
        """Put the message's findings, and the day of the procedure, into the conversation; whether it claims what was supposed."""
        conversation, reading = self.conversation, self._reading
        named = any(mention.status in (Status.PRESENT, Status.RESOLVED) for mention in reading.mentions)
        claims = bool(conversation.supposed) and not named and self._claims(conversation.supposed)
        if claims:
            for finding in conversation.supposed:
                self._hear(finding, Status.PRESENT, reading.text)
        for finding, (status, evidence) in self.understood.findings.items():
            if self._is_good_news(finding, status):
                continue
            self._hear(finding, status, evidence)
        ago = max((days for days in (reading.days, reading.lasting) if days is not None), default=None)
        if reading.days is not None or (ago is not None and ago > self._protocol.thresholds["expected_pain_days"]):
            day = (self._today - timedelta(days=min(ago or 0, _LONGEST_AGO))).isoformat()
            conversation.procedure_day = min(day, conversation.procedure_day or day)
        if conversation.procedure_day:
            late = (self._today - date.fromisoformat(conversation.procedure_day)).days > self._protocol.thresholds["expected_pain_days"]
            conversation.findings[_LATE] = "present" if late else "absent"
        if self.understood.reports and not conversation.writer:
            conversation.writer = reading.writer
        return claims

    def _claims(self, supposed: list[str]) -> bool:
        """Whether words that name nothing say that what was supposed is so."""
        if self._claims_nothing():
            return False
        if "claim_plainly" in self._reading.acts:
            return self._reading.answer != "no"
        if "claim" in self._reading.acts:
            return self._reading.answer != "no" or not self._reading.bare
        rows = [row.fact for row in self._check.rows if row.findings & set(supposed)]
        return any(heard(self._protocol, fact, self._reading) is Answer.YES for fact in rows)

    def _hear(self, finding: str, status: Status, evidence: str) -> None:
        conversation = self.conversation
        if status is Status.PRESENT:
            self._open_rows_for(finding)
            conversation.record(finding, "present", evidence)
            if finding in conversation.tapped:
                conversation.tapped.remove(finding)
        elif status is Status.RESOLVED:
            conversation.record(finding, "resolved", evidence)
            conversation.record("past_symptom", "present", evidence)
        elif status is Status.ABSENT or (status is Status.HYPOTHETICAL and finding not in conversation.findings):
            conversation.record(finding, status.value, evidence)

    def _is_good_news(self, finding: str, status: Status) -> bool:
        """The pain that the procedure was done for is gone or less: good news and no finding."""
        if not ("relief" in self._reading.acts or self.understood.intent == _RELIEF) or status is Status.ABSENT:
            return False
        known = self._protocol.findings[finding]
        by_lexicon = any(m.finding == finding and m.status is Status.PRESENT for m in self._reading.mentions)
        told_now = by_lexicon and status is Status.PRESENT
        return (known.treated_pain and not told_now) or finding == "past_symptom"

    def _open_rows_for(self, finding: str) -> None:
        """A new symptom asks its rows again."""
        if finding in self.conversation.has("present"):
            return
        denied_now = {name for name, (status, _) in self.understood.findings.items() if status is Status.ABSENT}
        for row in self._check.rows:
            if finding in row.opened_by and row.fact in self.conversation.settled and not row.findings & denied_now:
                danger_check.reopen(self.conversation, row)

    # Taps, and taking them back

    def _take_taps(self) -> bool:
        """Record the rows that were answered one by one; whether there were any."""
        before = self.conversation.has("present")
        answers = self._protocol.wording["check"]["answers"]
        for fact, answer in self._tapped.items():
            row = self._check.row(fact)
            danger_check.settle(row, answer, self.conversation, f"{row.text} {answers[answer]}", self._now)
        if self._tapped:
            self._note_tap(before, rows=list(self._tapped))
            self._close_check()
        return bool(self._tapped)

    def _note_tap(self, before: set[str], *, rows: list[str], question: str = "") -> None:
        conversation = self.conversation
        in_words = {finding for finding, (status, _) in self.understood.findings.items() if status is Status.PRESENT}
        conversation.tapped = sorted(conversation.has("present") - before - in_words)
        conversation.tapped_rows, conversation.tapped_question = rows, question
        conversation.tapped_at = self._now.isoformat()

    def _takes_back(self) -> bool:
        conversation = self.conversation
        if (
            "take_back" not in self._reading.acts
            or self.understood.reports
            or not (conversation.tapped_rows or conversation.tapped_question)
        ):
            return False
        try:
            return self._now - datetime.fromisoformat(conversation.tapped_at) <= timedelta(seconds=self._check.take_back_seconds)
        except ValueError:
            return False

    def _take_back(self) -> Reply:
        """Ask again what the last tap answered; what rested on the tap alone is decided anew."""
        conversation = self.conversation
        for finding in conversation.tapped:
            conversation.findings.pop(finding, None)
            conversation.evidence.pop(finding, None)
        for fact in conversation.tapped_rows:
            conversation.rows.pop(fact, None)
            danger_check.reopen(conversation, self._check.row(fact))
        question = self._protocol.questions.get(conversation.tapped_question)
        conversation.tapped, conversation.tapped_rows, conversation.tapped_question, conversation.tapped_at = [], [], "", ""
        stands = disposition(self._protocol, conversation.has("present"))
        conversation.disposition = stands.wire if stands is not None else ""
        taken_back = self._block("taken_back")
        if question is not None:
            for finding in question.covers:
                if conversation.findings.get(finding) == "absent":
                    del conversation.findings[finding]
            conversation.asked = [name for name in conversation.asked if name != question.id]
            return self._ask(question.id, taken_back)
        if stands is Disposition.EMERGENCY:
            return self._emergency()
        if stands is Disposition.CALL_DOCTOR:
            conversation.pending, conversation.checks = "", []
            return self._with_check(self._triage().preceded_by(taken_back))
        return self._ask_check("first", taken_back)

    # Answers to what was asked

    def _answer_pending(self) -> bool:
        """Record what the message answers to the single question that waits; whether it answered it."""
        question, conversation = self._pending, self.conversation
        if question is None:
            return False
        before = conversation.has("present")
        self._heard = settle(self._protocol, question, conversation, self._reading, self._today)
        named = {mention.finding for mention in self._reading.mentions}
        answered = self._heard in (Answer.YES, Answer.NO, Answer.UNSURE) or bool(named & set(question.covers))
        if self._button is not None:
            self._note_tap(before, rows=[], question=question.id)
        if answered:
            conversation.pending, conversation.repeated = "", 0
        return answered

    def _answer_check(self) -> bool:
        """Record what the message says of the rows that wait; whether it said anything."""
        if not self._checks:
            return False
        told = self._one_row() if len(self._checks) == 1 else self._told
        answers = told.rows or (dict.fromkeys(self._checks, "no") if self._denies_all(told) else {})
        present = self.conversation.has("present")
        for fact, answer in answers.items():
            told_otherwise = answer == "no" and self._check.row(fact).findings & present
            if fact in self.conversation.checks and not told_otherwise:
                danger_check.settle(self._check.row(fact), answer, self.conversation, self._reading.text, self._now)
        settled = self._close_check()
        return bool(answers) or settled

    def _one_row(self) -> Told:
        """One row is a question like any other."""
        (fact,) = self._checks
        answer = heard(self._protocol, fact, self._reading)
        if self._told.rows or answer not in (Answer.YES, Answer.NO, Answer.UNSURE) or self.understood.topics:
            return self._told
        return Told({fact: answer.value})

    def _denies_all(self, told: Told) -> bool:
        """Whether the message is a No to the whole list; one that names a sign speaks of that sign alone."""
        if told.all_of_them:
            return told.all_of_them == "no"
        named = self._reading.mentions or self.understood.reports or self.understood.topics
        share = dict(self._reading.replies.get(danger_check.NAME, ())).get("no", 0.0)
        if named or share < self._protocol.thresholds["answer_no_to_all"]:
            return False
        return heard(self._protocol, danger_check.NAME, self._reading) is Answer.NO and not self._fusion.suspects(self._reading)

    def _close_check(self) -> bool:
        """Drop the rows that words have settled; whether there were any. The check that has no row left waits no longer."""
        conversation = self.conversation
        waiting = len(conversation.checks)
        still = danger_check.open_rows(self._check, conversation, Disposition.SELF_CARE)
        conversation.checks = [fact for fact in conversation.checks if fact in still]
        if not conversation.checks and conversation.pending == danger_check.NAME:
            conversation.pending, conversation.repeated = "", 0
        return len(conversation.checks) < waiting

    # What is asked and told

    def _is_emergency(self) -> bool:
        return disposition(self._protocol, self.conversation.has("present")) is Disposition.EMERGENCY

    def _emergency(self) -> Reply:
        """The emergency; once given it stands, and is said again in few words, with the practical answer and nothing else."""
        new = self._stood is not Disposition.EMERGENCY
        self._close_interview()
        self.conversation.checks, self.conversation.disposition = [], Disposition.EMERGENCY.wire
        if not new and not self.understood.reports:
            return self._composer.stands(self.conversation, self._practical() or self._other_business())
        reply = self._composer.triage(self.conversation)
        if self._reading.foreign:
            reply = reply.preceded_by(self._block("emergency_spanish"))
        if not new:
            return reply.preceded_by(self._block("emergency_stands"))
        other = self._other_business()
        return reply.followed_by(other) if other else reply

    def _other_business(self) -> Block | None:
        """What is said to a question about something else while an emergency stands: no answer that could contradict it."""
        asks = self.understood.topics or self.understood.intent in _SILENT or self.understood.intent.startswith(TOPIC_PREFIX)
        return self._composer.practical("other", self.conversation) if asks else None

    def _practical(self) -> Block | None:
        """The answer to a practical question about advice that stands."""
        for act in _PRACTICAL:
            block = self._composer.practical(act, self.conversation) if act in self._reading.acts else None
            if block is not None:
                return block
        return None

    def _decide_or_ask(self) -> Reply:
        """What can still change the disposition, the most dangerous first, else the disposition."""
        conversation = self.conversation
        present = conversation.has("present")
        current = disposition(self._protocol, present)
        if current is None:
            return self._nothing_present()
        if current is Disposition.SELF_CARE and danger_check.open_rows(self._check, conversation, Disposition.CALL_DOCTOR):
            return self._ask_check("left" if self._checks else "first")
        question = next_question(self._protocol, conversation)
        if question is not None:
            return self._ask(question.id)
        self._close_interview()
        reply = self._triage()
        return reply.preceded_by(self._block("denied")) if self._only_denies() else reply

    def _denies_beside_advice(self) -> bool:
        """`I feel no numbness` behind advice that stands: the advice is repeated."""
        denies = self._only_denies() or self._is_sure("deny_symptoms", "deny")
        return self._stood is not None and denies and not self.understood.topics

    def _keep_complaint(self) -> None:
        """What raised a doubt and was not understood otherwise stays a symptom that the protocol does not know when the sign is denied."""
        understood = self.understood.topics or self._is_sure(*_TALK, *_SILENT, "deny_symptoms", "ask_hypothetical", "report_history")
        if not self.understood.reports and not understood:
            self.conversation.evidence.setdefault(_UNKNOWN, self._reading.text)

    def _is_aside(self) -> bool:
        """Whether the message says something beside the question that waits, and the lexicon finds nothing in it."""
        waits = self._pending is not None or bool(self._checks)
        if not waits or self._reading.mentions or self._fusion.hears_red_flag(self._reading):
            return False
        key = self._pending.heard_as if self._pending is not None else danger_check.NAME
        return "aside" in self._reading.acts or heard(self._protocol, key, self._reading) is Answer.ASIDE

    def _only_denies(self) -> bool:
        statuses = {status for status, _ in self.understood.findings.values()}
        return statuses == {Status.ABSENT} and self._stood is not None

    def _triage(self) -> Reply:
        reply = self._composer.triage(self.conversation)
        self.conversation.disposition = str(reply.custom["disposition"])
        self.conversation.unfinished = False
        return reply

    def _nothing_present(self) -> Reply:
        """Everything that was asked was denied. Words that were not understood stay a symptom that the protocol does not know."""
        conversation = self.conversation
        if conversation.checks and conversation.pending == danger_check.NAME:
            return self._ask_check("left")
        if _UNKNOWN in conversation.evidence:
            conversation.record(_UNKNOWN, "present", conversation.evidence[_UNKNOWN])
            return self._decide_or_ask()
        self._close_interview()
        return self._plain("chat", "denied", "watch_list", check=True)

    def _ask(self, question_id: str, *before: Block) -> Reply:
        question = self._protocol.questions[question_id]
        self.conversation.pending, self.conversation.repeated = question_id, 0
        self.conversation.asked.append(question_id)
        return self._composer.question(question, *before)

    def _ask_check(self, introduction: str, *before: Block) -> Reply:
        """The danger check in front of the answer that waits."""
        conversation = self.conversation
        conversation.checks = danger_check.open_rows(self._check, conversation, Disposition.CALL_DOCTOR)
        if conversation.pending != danger_check.NAME:
            conversation.pending, conversation.repeated = danger_check.NAME, 0
        if danger_check.NAME not in conversation.asked:
            conversation.asked.append(danger_check.NAME)
        return self._composer.check(conversation.checks, introduction, *before)

    def _with_check(self, reply: Reply) -> Reply:
        """The danger check behind an answer about recovery, and behind every answer while its rows wait."""
        conversation = self.conversation
        wants = reply.custom.get("check", False) or reply.disposition is Disposition.CALL_DOCTOR
        reply = Reply(reply.blocks, {key: value for key, value in reply.custom.items() if key != "check"})
        if "about" in reply.custom or reply.disposition in (Disposition.EMERGENCY, Disposition.SELF_CARE):
            return reply
        if conversation.disposition == Disposition.EMERGENCY.wire:
            return reply
        if wants and not conversation.checks:
            conversation.checks = danger_check.open_rows(self._check, conversation, Disposition.EMERGENCY)
        if reply.disposition is Disposition.CALL_DOCTOR:
            conversation.checks = danger_check.open_rows(self._check, conversation, Disposition.EMERGENCY)
        return self._composer.with_check(reply, conversation.checks) if conversation.checks else reply

    def _plain(self, kind: str, *keys: str, check: bool = False) -> Reply:
        return self._composer.plain(kind, *keys).with_payload(check=check)

    def _block(self, key: str) -> Block:
        return self._composer.block("say", key)

    def _close_interview(self) -> None:
        self.conversation.pending, self.conversation.repeated = "", 0
        self.conversation.asked = []

    # What is no answer

    def _unanswered(self) -> Reply:
        """An aside is answered and the question stays; what can not be understood is asked again, and in the end counts as dangerous."""
        question = self._pending
        assert question is not None
        aside = self._aside() or (self._plain("chat", "aside") if self._heard is Answer.ASIDE else None)
        if aside is not None:
            again = self._composer.question(question).custom
            reply = aside.followed_by(Block("question", question.text))
            return reply.with_payload(about=again["about"], buttons=again["buttons"], check=False)
        conversation = self.conversation
        if conversation.repeated < _MOST_TRIES:
            conversation.repeated += 1
            key = "not_understood" if conversation.repeated == 1 else "buttons_only"
            return self._composer.question(replace(question, text=question.again), self._block(key))
        settle_as_dangerous(question, conversation, self._reading.text)
        conversation.pending, conversation.repeated = "", 0
        if self._is_emergency():
            return self._emergency().followed_by(self._block("not_understood_again"))
        return self._decide_or_ask().followed_by(self._block("not_understood_again"))

    def _unanswered_check(self) -> Reply:
        """The check was answered as a whole, or not at all. Behind an answer a doubt may stay; a Yes makes it wait for the row."""
        conversation = self.conversation
        whole, claims = self._told.all_of_them, self._claims_something()
        aside = None if whole or claims else self._aside()
        if aside is not None:
            return aside
        whole = whole or heard(self._protocol, danger_check.NAME, self._reading).value
        if whole == Answer.ASIDE.value and not claims:
            return self._plain("chat", "aside")
        if whole == "unsure" and conversation.pending != danger_check.NAME:
            return self._composer.check(conversation.checks, "unsure")
        conversation.pending = danger_check.NAME
        if conversation.repeated < _MOST_TRIES:
            conversation.repeated += _MOST_TRIES if whole in ("yes", "unsure") else 1
            key = {"yes": "which", "unsure": "unsure"}.get(whole, "left")
            return self._composer.check(conversation.checks, key, *(() if key != "left" else (self._block("not_understood"),)))
        conversation.record(_ANY_SIGN, "present", self._reading.text)
        return self._emergency().followed_by(self._block("not_sure" if whole == "unsure" else "not_understood_again"))

    def _aside(self) -> Reply | None:
        """The answer to a question or small talk in the middle of the interview; None when it is none."""
        if self._topics() or self.understood.intent in _SILENT or self.understood.intent == "ask_hypothetical":
            return self._talk()
        if self._reading.acts & {*_ABOUT_CHAT, *_PRACTICAL, "aside", "pause", "nonsense"} or self._reading.wordless:
            return self._talk()
        return self._talk() if self._is_sure(*(intent for intent in _TALK if intent not in _SHORT_ANSWERS)) else None

    def _behind_answer(self, question: Reply) -> Reply:
        """A question about a faint doubt, behind the answer to what was surely asked; any other question as it is."""
        topics = self._topics()
        if not self.understood.surely_asks or not (topics or self.understood.intent in _SILENT):
            return question
        answer = self._composer.faq(topics) if topics else self._other_question()
        kept = {key: question.custom[key] for key in ("about", "buttons")}
        return answer.followed_by(*question.blocks).with_payload(**kept, check=False)

    def _talk(self) -> Reply:
        """Nothing is reported: an FAQ, small talk, a supposition, another person, or words that were not understood."""
        acts, intent, topics = self._reading.acts, self.understood.intent, self._topics()
        if self._reading.wordless or "nonsense" in acts:
            return self._plain("chat", "empty" if self._reading.wordless else "greeting")
        practical = self._practical() if self.conversation.disposition else None
        if practical is not None:
            return self._advice_again(practical)
        supposed = [f for f, (status, _) in self.understood.findings.items() if status is Status.HYPOTHETICAL]
        if supposed or intent == "ask_hypothetical":
            return self._suppose(supposed, topics)
        about_chat = next((act for act in _ABOUT_CHAT if act in acts), "")
        if about_chat and not self._is_sure(*(TOPIC_PREFIX + topic.id for topic in topics), *_SILENT):
            return self._plain("chat", f"about_chat.{about_chat}")
        if topics:
            reply = self._composer.faq(topics).with_payload(check=any(topic.recovery for topic in topics))
            return reply.followed_by(self._block("not_in_leaflet")) if self.understood.beyond_leaflet else reply
        if intent in _SILENT or self.understood.topics or (not intent and "about_now" in acts):
            return self._other_question()
        return self._small_talk(intent)

    def _suppose(self, supposed: list[str], topics: list[Topic]) -> Reply:
        self.conversation.supposed = supposed or [_UNKNOWN]
        other = [topic for topic in topics if topic.id != _WHEN_TO_CALL]
        reply = self._composer.supposed(self._protocol.topics[_WHEN_TO_CALL], supposed)
        return (self._composer.faq(other) if other and not supposed else reply).with_payload(check=True)

    def _advice_again(self, practical: Block) -> Reply:
        """A practical question about the advice that stands: its answer, and the advice in one line."""
        if self.conversation.disposition == Disposition.CALL_DOCTOR.wire and self._stood is Disposition.CALL_DOCTOR:
            return self._composer.stands(self.conversation, practical)
        return Reply((practical,), self._plain("chat", "aside").custom)

    def _small_talk(self, intent: str) -> Reply:
        """Nothing is reported and nothing asked. Where a red flag is not out of the question, the danger check is asked."""
        opinions, acts = self._reading.opinions, self._reading.acts
        sure = bool(intent) and self._is_sure(intent)
        if intent in _SHORT_ANSWERS and not sure:
            intent = ""
        if self._reading.foreign:
            return self._plain("out_of_scope", "language")
        if acts & {"relief", "checking_in"} or intent == _RELIEF:
            return self._plain("chat", "good_news", "watch_list", check=True)
        if acts & {"aside", "pause"} and not intent:
            return self._plain("chat", "aside" if self._pending is not None or self._checks else "greeting")
        if opinions and not sure and self._fusion.may_be_red_flag(self._reading) and self._fusion.may_be_complaint(self._reading):
            return self._not_understood()
        if intent == "report_history" and sure:
            return self._plain("chat", "not_a_finding", check=True)
        if self._denies(intent):
            return self._denied()
        if intent in _TALK:
            return self._plain(*_TALK[intent])
        return self._not_understood()

    def _denies(self, intent: str) -> bool:
        """Whether the message says that something is not so, or that all is as it should be."""
        if intent == "deny_symptoms":
            likely = self._reading.opinions[0].best[1] >= self._protocol.thresholds["topic_beside"]
            return likely or bool(self.understood.findings)
        return not intent and (bool(self.understood.findings) or self._says_all_is_normal())

    def _denied(self) -> Reply:
        """What is denied is noted; advice that was given stands."""
        if self._stood is not None and self._stood is not Disposition.SELF_CARE:
            return self._composer.stands(self.conversation, self._block("denied"))
        return self._plain("chat", "denied", "watch_list", check=True)

    def _is_sure(self, *intents: str) -> bool:
        """Whether the classifier is sure that the message means one of these intents."""
        opinions = self._reading.opinions
        return bool(opinions) and opinions[0].probability(set(intents)) >= self._protocol.thresholds["confident"]

    def _says_all_is_normal(self) -> bool:
        return bool(self._reading.opinions) and self._fusion.says_all_is_normal(self._reading)

    def _not_understood(self) -> Reply:
        """Words that were not understood. What may be a complaint is kept, and what could be dangerous is asked."""
        conversation = self.conversation
        before = self._block("not_understood")
        if self._stood is not None and self._stood is not Disposition.SELF_CARE:
            return self._composer.stands(conversation, before)
        if not self._fusion.may_be_complaint(self._reading):
            return self._plain("chat", "not_understood", "say_again", "watch_short")
        again = _UNKNOWN in conversation.evidence
        conversation.evidence.setdefault(_UNKNOWN, self._reading.text)
        if danger_check.open_rows(self._check, conversation, Disposition.CALL_DOCTOR):
            return self._ask_check("first", before)
        if again:
            conversation.record(_UNKNOWN, "present", self._reading.text)
            return self._decide_or_ask()
        return self._composer.say_again(before)

    def _other_question(self) -> Reply:
        key = "no_diagnosis" if self.understood.intent == "ask_diagnosis" else "not_in_leaflet"
        return self._plain("not_in_leaflet", key, "watch_short", check=True)

    def _topics(self) -> list[Topic]:
        """The FAQ topics that were asked about; those about the time before the procedure only to who asks about that time."""
        names = (intent.removeprefix(TOPIC_PREFIX) for intent in self.understood.topics)
        topics = [self._protocol.topics[name] for name in names if name in self._protocol.topics]
        now = "about_now" in self._reading.acts and "about_before" not in self._reading.acts
        return [topic for topic in topics if not (topic.before_procedure and now)]

    def _with_topics(self, reply: Reply) -> Reply:
        """Triage comes first, and the answer to what else was asked follows in the text."""
        answers = [self._composer.topic_text(topic) for topic in self._topics()]
        asks_beyond = self.understood.beyond_leaflet or self.understood.intent in _SILENT or "about_now" in self._reading.acts
        unanswered = (asks_beyond or self.understood.topics) and not (answers and not self.understood.beyond_leaflet)
        if unanswered:
            answers.append(self._block("not_in_leaflet"))
        return reply.with_note(*answers)
