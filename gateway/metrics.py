"""Figures for the operator, served on the loopback interface only. No label names a patient."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("aftercare_requests", "Requests by route and status.", ["route", "status"])
SESSIONS = Counter("aftercare_sessions", "Sessions started, by embed key.", ["key"])
MESSAGES = Counter("aftercare_messages", "Messages by what became of them.", ["state"])
ANSWERS = Counter("aftercare_answers", "Answers by who made them and by disposition or kind.", ["by", "outcome"])
FAILSAFE = Counter("aftercare_failsafe", "Answers that were not Rasa's, by cause.", ["cause"])
ANSWER_SECONDS = Histogram(
    "aftercare_answer_seconds", "From a message's storing to its answer's.", buckets=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3, 5, 10)
)
WATCHED = Gauge("aftercare_watch_timestamp_seconds", "When a watch over the nurses' cases last did its work, by its name.", ["work"])
STREAMS = Gauge("aftercare_streams", "Open event streams.")
RASA_UP = Gauge("aftercare_rasa_up", "How many of Rasa's workers answered when /readyz was last asked.")
LIMITS_UP = Gauge("aftercare_limits_up", "Whether the rate limits are counted where the settings say, and not by each gateway alone.")
