"""The figures as files: the same numbers, on record, without words, and names only for who leads the team."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import select

from gateway.console.cases.acts import Acts
from gateway.console.insights.tables import NAMES
from gateway.console.services import ConsoleServices
from gateway.records.tables import audit
from tests.gateway.console.begun import said
from tests.gateway.console.conftest import Hire
from tests.gateway.console.people import Person
from tests.gateway.support import CANARY, Door


def _table(person: Person, name: str) -> list[list[str]]:
    answer = person.get(f"/figures/{name}.csv", params={"days": "7"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_each_table_is_a_file_without_words_and_on_record(door: Door, services: ConsoleServices, lead: Person) -> None:
    heard = [{"finding": "fever", "code": "fever", "status": "present", "evidence": CANARY}]
    case = said(services.records, "emergency", ("red_flag",), codes=[["fever", "present"]])
    said(services.records, type="not_in_leaflet", meaning="ask_not_in_leaflet", heard=heard)
    services.acts(Acts).acknowledge(case, lead.id, 99)
    services.acts(Acts).close(case, lead.id, 99, "not_needed")
    page = lead.get("/figures").text
    for name in NAMES:
        table = _table(lead, name)
        assert all(len(row) == len(table[0]) for row in table), name
        assert CANARY not in str(table), name
    linked = {name for name in NAMES if f"/console/figures/{name}.csv?days=30" in page}
    assert set(NAMES) - linked == {"callbacks", "follow_up", "danger_check", "danger_check_rows"}, "what has nothing in it has no link"
    assert _table(lead, "acknowledgement")[1][:2] == ["emergency", "1"]
    assert _table(lead, "outcomes") == [
        ["outcome", "all", "emergency", "call_doctor", "self_care", "none"],
        ["not_needed", "1", "1", "0", "0", "0"],
    ]
    assert _table(lead, "leaflet_silent")[1:] == [["ask_not_in_leaflet", "", "fever", "1"]]
    with services.records.engine.connect() as connection:
        details = list(connection.scalars(select(audit.c.detail).where(audit.c.act == "view_figures").order_by(audit.c.seq)))
    assert details[1] == {"days": 7, "table": NAMES[0], "format": "csv"}


@pytest.mark.parametrize(("role", "sees"), [("nurse", False), ("auditor", False), ("lead", True), ("admin", True)])
def test_names_of_the_team_are_for_leads_and_admins(services: ConsoleServices, hire: Hire, role: str, sees: bool) -> None:
    busy = hire("nurse", "=Busy Bee")
    services.acts(Acts).acknowledge(said(services.records, "emergency", ("red_flag",)), busy.id, 99)
    person = hire(role)
    rows = _table(person, "nurses")
    assert rows[-1][:3] == ["all (1)", "1", "1"]
    assert [row[0] for row in rows[1:-1]] == (["'=Busy Bee"] if sees else [])
    assert ("Busy Bee" in person.get("/figures").text) is sees


def test_a_table_that_does_not_exist_is_not_found(lead: Person) -> None:
    assert lead.get("/figures/words.csv").status_code == 404
