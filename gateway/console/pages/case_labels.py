"""What a case's page calls things."""

from __future__ import annotations

STATUS_NAMES = {
    "present": "present",
    "assumed": "assumed: not answered",
    "absent": "denied",
    "hypothetical": "supposed",
    "historical": "in the past",
    "resolved": "gone now",
    "other_person": "somebody else",
    "not_meant": "not meant",
}
KIND_NAMES = {
    "under_triaged": "Under-triaged: it is more urgent",
    "over_triaged": "Over-triaged: it is less urgent",
    "wrong_finding": "Wrong finding",
    "misunderstood": "Misunderstood",
}
ACCEPTED_NAMES = {
    "emergency": "Emergency",
    "call_doctor": "Call doctor",
    "self_care": "Self-care",
    "ask": "A question to the patient",
    "not_in_leaflet": "The leaflet does not say",
    "chat": "Talk",
    "out_of_scope": "Not its subject",
}
ROW_NAMES = {"asked": "Waits for an answer", "yes": "Yes", "no": "No", "not_sure": "Not sure", "left": "Shown but left"}
HOW_NAMES = {"tap": " by tap", "words": " by words", "": ""}
ATTEMPT_NAMES = {
    "reached": "Reached",
    "voicemail": "Left a voicemail",
    "no_answer": "No answer",
    "wrong_number": "Wrong number",
}
FOLLOWED_NAMES = {"reached": "Yes", "nobody": "Nobody answered", "not_yet": "Not yet", "": "No answer yet"}
WHOSE_NAMES = {"patient": "the patient's own", "helper": "of somebody who helps the patient"}
