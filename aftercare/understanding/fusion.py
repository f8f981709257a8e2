"""Two readers of one message, the lexicon and the classifier, brought together.

The lexicon quotes the patient's words and tells status; the classifier knows wording that no lexicon foresees. Either may report a
red flag; a denial counts only where the lexicon found one. Where they contradict each other about a red flag, the patient is asked.
What decides is an ordered table of steps; each finding keeps the id of the step that decided it.
"""

from __future__ import annotations

from aftercare.protocol.model import Protocol
from aftercare.understanding.lookalikes import without_lookalikes
from aftercare.understanding.reading import Reading, Status
from aftercare.understanding.steps import STEPS
from aftercare.understanding.understood import Intents, Understood, Weighing


class Fusion:
    """Brings lexicon and classifier together by one protocol's thresholds."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._limits = protocol.thresholds
        self._intents = Intents(protocol)

    def understand(self, reading: Reading, *, answering: bool, measuring: bool = False) -> Understood:
        """What the message says.

        Args:
            reading: the lexicon's mentions and the classifier's opinions, of the whole message first and then of its clauses.
            answering: the message answers a question, so that a few words of it are no report of their own.
            measuring: that question asks for a measure, so that the classifier's report of what is measured is no news.
        """
        reading = without_lookalikes(self._protocol, reading)
        weighing = Weighing(self._protocol, self._intents, reading, answering=answering, measuring=measuring)
        for step in STEPS:
            if step.applies(weighing):
                step.run(weighing)
        return weighing.result

    def says_all_is_normal(self, reading: Reading) -> bool:
        """Whether neither reader finds anything in a message, and the classifier is sure that it denies, or tells of no change."""
        whole = reading.opinions[0]
        sure = whole.probability(self._intents.unchanged) >= self._limits["nothing_reported"]
        quiet = all(opinion.probability(self._intents.red) < self._limits["clause_support"] for opinion in reading.opinions)
        return sure and quiet and not reading.with_status(Status.PRESENT)

    def may_be_red_flag(self, reading: Reading) -> bool:
        """Whether the classifier leaves a red flag some chance in the message as a whole."""
        return bool(reading.opinions[0].probability(self._intents.red) >= self._limits["clause_support"])

    def may_be_complaint(self, reading: Reading) -> bool:
        """Whether words that were not understood may tell of a symptom, rather than of none; without the classifier any words may."""
        if not reading.opinions:
            return True
        reports, nothing = (reading.opinions[0].probability(each) for each in (self._intents.finding_of, self._intents.reports_nothing))
        return bool(reports >= self._limits["complaint"] and nothing < self._limits["nothing_beside_unsaid"])

    def hears_red_flag(self, reading: Reading) -> bool:
        """Whether the classifier alone hears a red flag in the message."""
        return bool(reading.opinions) and reading.opinions[0].probability(self._intents.red) >= self._limits["red_flag_certain"]

    def suspects(self, reading: Reading) -> bool:
        """Whether the classifier finds a red flag likely enough to ask about it."""
        return bool(reading.opinions) and reading.opinions[0].probability(self._intents.red) >= self._limits["red_flag_suspect"]
