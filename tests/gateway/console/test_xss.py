"""What anybody types stays text on every page: a corpus goes through every field, and every page is read as a browser would."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from gateway.console.services import ConsoleServices
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import Door, Patient

CORPUS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</textarea></title></script><script>alert(1)</script>",
    "javascript:alert(1)",
    "<a href=javascript:alert(1)>x</a>",
    "{{ 7 * 7 }}{% raw %}",
    "<details open ontoggle=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u202e<b>\u0000</b>",
)
_OURS = "/console/static/"
_EXECUTABLE = ("iframe", "object", "embed", "base", "math")


class _Reader(HTMLParser):
    """Collects what would run, or would be an element of somebody else's."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "script" and not given.get("src", "").startswith(_OURS):
            self.foreign.append(f"<script {given}>")
        if tag in _EXECUTABLE or (tag == "img" and not given.get("src", "").startswith(_OURS)):
            self.foreign.append(f"<{tag} {given}>")
        self.foreign += [f"<{tag} {name}>" for name in given if name.startswith("on") or name == "style"]
        links = (given.get(name, "") for name in ("href", "src", "action", "formaction"))
        self.foreign += [f"<{tag} {link}>" for link in links if link.strip().lower().startswith(("javascript:", "data:text"))]


def foreign(page: str) -> list[str]:
    """What stands in a page that is not the console's own."""
    reader = _Reader()
    reader.feed(page)
    return reader.foreign


def test_the_reader_finds_what_would_run() -> None:
    assert all(foreign(f"<p>{text}</p>") for text in CORPUS[:4])


@pytest.fixture
def case(door: Door, lead: Person, nurse: Person, services: ConsoleServices) -> int:
    """A case into whose every field somebody typed the whole corpus."""
    text = " ".join(CORPUS)
    patient: Patient = door.patient()
    patient.say(f"I have a fever of 101. my name is {CORPUS[0]} {CORPUS[1]}")
    patient.say(text)
    number = case_of(door, patient)
    seen = services.records.events(door.name(patient))[-1].seq
    answer = next(event.seq for event in services.records.events(door.name(patient)) if event.disposition)
    lead.post("/views", name=CORPUS[1][:60], view="all", finding=CORPUS[0], rule=CORPUS[2], only=CORPUS[4])
    done = [
        lead.post(f"/cases/{number}/note", text=text),
        lead.post(f"/cases/{number}/disagree", seq=answer, kind="over_triaged", accepted="self_care", reason=text),
        lead.post(f"/cases/{number}/snooze", seen=seen, minutes="60", reason=text),
    ]
    assert [response.status_code for response in done] == [303] * len(done), [response.text[:300] for response in done]
    return number


Reading = Callable[[Person, int], str]
PAGES: dict[str, Reading] = {
    "queue": lambda lead, _: lead.get("/", params={"view": "all"}).text,
    "filter": lambda lead, _: (
        lead.get("/", params=dict.fromkeys(("view", "tier", "finding", "rule", "only", "after", "assignee"), CORPUS[1])).text
    ),
    "live part": lambda lead, _: lead.get("/queue", params={"view": "all", "after": CORPUS[1], "seen": CORPUS[2]}).text,
    "search": lambda lead, _: lead.post("/search", words=" ".join(CORPUS)[:200]).text,
    "case": lambda lead, case: lead.get(f"/cases/{case}").text,
    "print": lambda lead, case: lead.get(f"/cases/{case}/print").text,
    "reviews": lambda lead, _: lead.get("/reviews").text,
    "handover": lambda lead, _: lead.get("/handover").text,
    "figures": lambda lead, _: lead.get("/figures").text,
    "export": lambda lead, _: lead.get("/export").text,
    "audit": lambda lead, _: lead.get("/audit").text,
    "notices": lambda lead, _: lead.get("/notices").text,
    "login": lambda lead, _: lead.get("/login", params={"next": CORPUS[1]}).text,
    "failed login": lambda lead, _: lead.post("/login", name=CORPUS[1], password=CORPUS[0], code="000000", next=CORPUS[4]).text,
    "set-up": lambda lead, _: lead.post("/setup", code=CORPUS[1]).text,
    "not found": lambda lead, _: lead.get(f"/{CORPUS[1]}").text,
}


@pytest.mark.parametrize("name", list(PAGES))
def test_nothing_that_was_typed_runs(name: str, lead: Person, case: int) -> None:
    page = PAGES[name](lead, case)
    assert "<html" in page or 'id="live"' in page
    assert foreign(page) == []


def test_a_draft_that_a_lock_kept_stays_text(lead: Person, case: int) -> None:
    lead.post("/lock")
    locked = lead.post(f"/cases/{case}/note", text=" ".join(CORPUS))
    assert locked.status_code == 423
    assert "alert(1)" in locked.text
    assert foreign(locked.text) == []
