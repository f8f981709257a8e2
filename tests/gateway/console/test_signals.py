"""What brings cases before the nurses: how many each signal opened, and how often they agreed."""

from __future__ import annotations

import csv
import io

from gateway.console.insights.figures import Book
from gateway.console.services import ConsoleServices
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import HARMLESS, RED_FLAG, Door


def test_each_signal_has_its_cases_and_what_nurses_did_with_them(door: Door, nurse: Person, services: ConsoleServices) -> None:
    numbers = []
    for text in (RED_FLAG, RED_FLAG, "I have a fever of 101"):
        patient = door.patient()
        patient.say(text)
        numbers.append(case_of(door, patient))
    door.patient().say(HARMLESS)
    nurse.post(f"/cases/{numbers[0]}/acknowledge", seen=99)
    nurse.post(f"/cases/{numbers[0]}/close", seen=99, outcome="not_needed")
    nurse.post(f"/cases/{numbers[2]}/disagree", seq=3, kind="over_triaged", accepted="self_care", reason="It was an old scar.")
    counts = {each.name: each for each in Book(services.records, services.policy, services.clinic).read(30, words=False).signals}
    red, call = counts["Emergency"], counts["Call doctor"]
    assert (red.cases, red.acknowledged, red.not_needed, red.over_triaged) == (2, 1, 1, 0)
    assert (call.cases, call.acknowledged, call.not_needed, call.over_triaged) == (1, 0, 0, 1)
    assert (red.queue, counts["Silent"].queue) == ("With the emergencies", "Not in the queue")
    page = nurse.get("/figures").text
    for text in services.policy.signal_reasons.values():
        assert text.replace("'", "&#39;") in page


def test_the_file_has_the_same_figures(door: Door, admin: Person, services: ConsoleServices) -> None:
    door.patient().say(RED_FLAG)
    answer = admin.get("/figures/signals.csv", params={"days": "30"})
    assert "signals-30-days" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["signal"] for row in rows][:2] == ["Emergency", "Call doctor"]
    assert (rows[0]["cases"], rows[0]["reason"]) == ("1", "A rule says that it may be an emergency.")
