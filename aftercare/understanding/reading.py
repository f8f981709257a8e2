"""What one message says: the values that understanding hands to deciding, and that travel as Rasa entities."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

LABEL = "label"
CLAIMED = "claimed"
MEASURED = "measured"


class Status(str, Enum):
    """Assertion status of a finding's mention.

    `doubtful` may or may not be denied. `not_meant`: the words stand there and mean no sign of anybody, as a figure of speech does not.
    """

    PRESENT = "present"
    ABSENT = "absent"
    RESOLVED = "resolved"
    HYPOTHETICAL = "hypothetical"
    HISTORICAL = "historical"
    OTHER_PERSON = "other_person"
    DOUBTFUL = "doubtful"
    NOT_MEANT = "not_meant"


@dataclass(frozen=True)
class Mention:
    """One finding in a text: `start` and `end` bound the patient's own words.

    `trigger` is what decided the status, `LABEL` where a yes or a no stands behind the finding's name, `CLAIMED` where words behind it say
    that what was supposed is so. `mended` means that a word of it was misspelt, disguised or another language's, so that
    the classifier could not know it.
    """

    finding: str
    status: Status
    start: int
    end: int
    trigger: str = ""
    mended: bool = False

    @property
    def place(self) -> tuple[int, int]:
        """Where its words begin and end."""
        return self.start, self.end


@dataclass(frozen=True)
class Opinion:
    """What the classifier thinks of a piece of the message: intent names with probabilities, best first.

    `signs` are what the sign reader hears in the piece: finding -> the probability that the piece says the treated person has it. A finding
    that it does not know stands not in it. `distance` is how far the piece is from the nearest training message of its best intent, from 0,
    the same, to 2.
    """

    start: int
    end: int
    ranking: tuple[tuple[str, float], ...]
    signs: Mapping[str, float] = field(default_factory=dict)
    distance: float = 0.0

    def probability(self, intents: Container[str]) -> float:
        """The probability, 0 to 1, that the piece means one of these intents."""
        return sum(probability for intent, probability in self.ranking if intent in intents)

    @property
    def best(self) -> tuple[str, float]:
        """The likeliest intent and its probability; an empty name when there is no ranking."""
        return self.ranking[0] if self.ranking else ("", 0.0)


@dataclass(frozen=True)
class Reading:
    """One message, read.

    `days` counts from the procedure, `lasting` how many days a symptom has lasted, `days_answered` what the text would mean
    as the answer to how long ago the procedure was. `answer` is yes, no, normal (all is
    as it should be), unsure or empty; it is `bare` when the message says
    nothing else, and `apart` when its first sentence does not. `writer` is
    `helper` when the words speak of the treated person as another, `patient` when they say I, else empty. `treated` means that the words
    say outright that the one they speak of had the procedure. `recent` means that a word
    tells of now, or of a change. `acts` are what the message does in the conversation, by the names of
    the language's dialogue.yml. `replies` is what the answer reader takes the message for, were it the answer to each question: question ->
    labels with probabilities, best first.
    """

    text: str
    mentions: tuple[Mention, ...] = ()
    days: int | None = None
    lasting: int | None = None
    days_answered: int | None = None
    numbers: tuple[float, ...] = ()
    answer: str = ""
    bare: bool = False
    apart: bool = False
    acts: frozenset[str] = frozenset()
    writer: str = ""
    treated: bool = False
    recent: bool = False
    well: bool = False
    foreign: bool = False
    wordless: bool = False
    opinions: tuple[Opinion, ...] = field(default=())
    replies: Mapping[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)

    def with_status(self, status: Status) -> dict[str, Mention]:
        """The first mention of each finding that has this status."""
        found: dict[str, Mention] = {}
        for mention in self.mentions:
            if mention.status is status:
                found.setdefault(mention.finding, mention)
        return found

    def evidence(self, mention: Mention) -> str:
        """The patient's own words for a mention."""
        return self.text[mention.start : mention.end]

    def to_entities(self) -> list[dict[str, Any]]:
        """The reading as Rasa entities: one a mention, and one `reading` that holds the rest."""
        entities: list[dict[str, Any]] = [
            {
                "entity": mention.finding,
                "value": mention.status.value,
                "start": mention.start,
                "end": mention.end,
                "trigger": mention.trigger,
                "mended": mention.mended,
            }
            for mention in self.mentions
        ]
        rest = {
            "days": self.days,
            "lasting": self.lasting,
            "days_answered": self.days_answered,
            "numbers": list(self.numbers),
            "answer": self.answer,
            "bare": self.bare,
            "apart": self.apart,
            "acts": sorted(self.acts),
            "writer": self.writer,
            "treated": self.treated,
            "recent": self.recent,
            "well": self.well,
            "foreign": self.foreign,
            "wordless": self.wordless,
            "opinions": [[o.start, o.end, [list(pair) for pair in o.ranking], dict(o.signs), o.distance] for o in self.opinions],
            "replies": {question: [list(pair) for pair in ranking] for question, ranking in self.replies.items()},
        }
        return [*entities, {"entity": "reading", "value": rest, "start": 0, "end": len(self.text)}]

    @classmethod
    def from_entities(cls, text: str, entities: Sequence[Mapping[str, Any]]) -> Reading | None:
        """The reading that `to_entities` wrote, or None when these entities hold none."""
        rest = next((e["value"] for e in entities if e.get("entity") == "reading"), None)
        if not isinstance(rest, Mapping):
            return None
        return cls(
            text=text,
            mentions=tuple(
                Mention(e["entity"], Status(e["value"]), e["start"], e["end"], e["trigger"], e.get("mended", False))
                for e in entities
                if "trigger" in e
            ),
            days=rest["days"],
            lasting=rest["lasting"],
            days_answered=rest["days_answered"],
            numbers=tuple(rest["numbers"]),
            answer=rest["answer"],
            bare=rest["bare"],
            apart=rest["apart"],
            acts=frozenset(rest["acts"]),
            writer=rest["writer"],
            treated=rest["treated"],
            recent=rest["recent"],
            well=rest["well"],
            foreign=rest["foreign"],
            wordless=rest["wordless"],
            opinions=tuple(Opinion(s, e, tuple((n, p) for n, p in ranking), *heard) for s, e, ranking, *heard in rest["opinions"]),
            replies={question: tuple((n, p) for n, p in ranking) for question, ranking in rest["replies"].items()},
        )
