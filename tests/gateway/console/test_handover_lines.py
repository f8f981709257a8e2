"""What a nurse reads of each case in a handover, and that it waits on her queue."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

from sqlalchemy import select, update

from gateway.console.cases.acts import Acts
from gateway.console.cases.contact_acts import Attempt, ContactActs
from gateway.console.cases.tier_acts import TierActs
from gateway.console.handover.handovers import Handovers
from gateway.console.services import ConsoleServices
from gateway.records.database import writing
from gateway.records.retention import purge
from gateway.records.tables import audit, conversation_key, handover
from gateway.records.tier import Tier
from tests.gateway.console.begun import conversation_of
from tests.gateway.console.conftest import Hire
from tests.gateway.console.people import Person, case_of
from tests.gateway.support import CANARY, HARMLESS, RED_FLAG, Door

_FEVER = "I have a fever of 101"
_PHONE = "212-664-7665"
_ANY = 999


def _case(door: Door, words: str) -> int:
    patient = door.patient()
    patient.say(words)
    return case_of(door, patient)


def _line(page: str, case: int) -> str:
    """The words of a case's line."""
    start = page.index(f'id="case-{case}"')
    return page[start : page.index("</tr>", start)]


def _moment(services: ConsoleServices, at: datetime) -> str:
    return f"{services.clinic.local(at):%Y-%m-%d %H:%M %Z}"


def _give(person: Person, *reds: int) -> str:
    answer = person.post("/handover", **{f"comment-{case}": "known" for case in reds})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).removeprefix("/console")


def test_a_line_has_the_deciding_words_what_was_done_and_what_is_promised_and_due(
    door: Door, services: ConsoleServices, hire: Hire
) -> None:
    ann, ben = hire("nurse", "Ann Lee"), hire("nurse", "Ben Ray")
    case = _case(door, f"{RED_FLAG} call {_PHONE}")
    now = door.clock()
    with writing(services.records.engine) as connection:
        facts = {"due": (now - timedelta(minutes=1)).isoformat()}
        services.records.add_within(
            connection, conversation_of(services.records, case), "callback", facts, words={"number": _PHONE, "blocks": []}
        )
    services.acts(Acts).acknowledge(case, ann.id, _ANY)
    services.acts(ContactActs).reply(case, ann.id, _ANY, f"I call you from {_PHONE}")
    services.acts(TierActs).lower_to(case, ann.id, Tier.CALL_DOCTOR, "It was the needle")
    services.acts(ContactActs).attempt(case, ann.id, Attempt.VOICEMAIL, f"Her son is at {_PHONE}")
    live = _line(ben.get("/handover").text, case)
    signed = _line(ben.get(_give(ann, case)).text, case)
    for line in (live, signed):
        assert f"{RED_FLAG} call [phone number]" in line
        assert re.search(
            r"Ann Lee tried to reach the patient: left a voicemail, next try due [-0-9: A-Z]+, [-0-9: A-Z]+: Her son is at", line
        )
        assert "Her son is at [phone number]" in line
        assert f"A call by {_moment(services, now - timedelta(minutes=1))} <strong>(overdue)</strong>" in line
        assert "Ann Lee answers in the chat until" in line
        assert "<q>I call you from [phone number]</q>" in line
        assert f"Next try at {_moment(services, door.clock() + timedelta(minutes=10))[:15]}" in line
        assert "Ann Lee asks to make it less urgent (Call doctor): a second person decides" in line
        assert "7665" not in line


def test_what_was_done_last_stands_in_the_words_of_the_cases_history(door: Door, services: ConsoleServices, nurse: Person) -> None:
    case = _case(door, RED_FLAG)
    acts, contact, tiers = services.acts(Acts), services.acts(ContactActs), services.acts(TierActs)
    for act in (
        lambda: acts.acknowledge(case, nurse.id, _ANY),
        lambda: tiers.lower_to(case, nurse.id, Tier.CALL_DOCTOR, "the needle"),
        lambda: tiers.refuse_lowering(case, nurse.id),
        lambda: acts.assign(case, nurse.id, None),
        lambda: contact.hold(case, nurse.id),
        lambda: contact.attempt(case, nurse.id, Attempt.WRONG_NUMBER),
        lambda: contact.reply(case, nurse.id, _ANY, "I read it"),
    ):
        act()
        history = nurse.get(f"/cases/{case}").text.split('<ul class="history">')[1].split("</ul>")[0]
        done = history.split("</span> ")[-1].split("</li>")[0].removesuffix(": the needle")
        assert done.startswith(f"{nurse.name} ")
        assert done.replace('"#entry', f'"/console/cases/{case}#entry') in _line(nurse.get("/handover").text, case)


def test_a_signed_handover_says_what_was_then_and_its_figures_have_no_words(door: Door, services: ConsoleServices, hire: Hire) -> None:
    ann, ben = hire("nurse", "Ann Lee"), hire("nurse", "Ben Ray")
    case = _case(door, RED_FLAG)
    services.acts(Acts).acknowledge(case, ann.id, _ANY)
    services.acts(Acts).note(case, ann.id, "wombatjam at home")
    address = _give(ann, case)
    door.clock.travel(minutes=1)
    services.acts(Acts).note(case, ann.id, "later words")
    line = _line(ben.get(address).text, case)
    assert "wombatjam at home" in line
    assert "later words" not in line
    with services.records.engine.connect() as connection:
        kept = connection.execute(select(handover.c.figures)).scalar_one()
        details = list(connection.scalars(select(audit.c.detail).where(audit.c.act == "view_handover")))
    assert CANARY not in json.dumps([kept, details])
    assert "wombatjam" not in json.dumps([kept, details])
    assert details == [{"handover": int(address.rsplit("/", 1)[1]), "cases": [case]}]
    purge(services.records.engine, door.clock() + timedelta(days=1), dry_run=False)
    line = _line(ben.get(address).text, case)
    assert "Words deleted." in line
    assert CANARY not in line
    assert "wombatjam" not in line


def test_the_most_urgent_stand_first_and_others_only_with_something_due(door: Door, services: ConsoleServices, nurse: Person) -> None:
    sore, quiet, fever, red = (_case(door, words) for words in (HARMLESS, HARMLESS, _FEVER, RED_FLAG))
    services.acts(Acts).acknowledge(sore, nurse.id, _ANY)
    services.acts(ContactActs).attempt(sore, nurse.id, Attempt.NO_ANSWER)
    page = nurse.get("/handover").text
    places = [page.index(f'id="case-{case}"') for case in (red, fever, sore)]
    assert places == sorted(places)
    assert f'id="case-{quiet}"' not in page
    assert "no answer" in _line(page, sore)
    assert "Nothing yet" in _line(page, fever)


def test_closed_cases_are_only_counted(door: Door, services: ConsoleServices, nurse: Person) -> None:
    case, waits = _case(door, _FEVER), _case(door, _FEVER)
    services.acts(Acts).close(case, nurse.id, _ANY, "advised")
    page = nurse.get("/handover").text
    assert "Closed: 1 (Advice given, stays at home 1)" in page
    assert f'New: 2, of these open: <a class="case" href="/console/cases/{waits}">' in page
    assert f"/console/cases/{case}" not in page


def test_a_handover_waits_on_the_queue_of_the_others_until_it_is_taken(door: Door, services: ConsoleServices, hire: Hire) -> None:
    giver, taker = hire("nurse", "Giver"), hire("nurse", "Taker")
    red = _case(door, RED_FLAG)
    assert "A handover waits" not in taker.get("/").text
    address = _give(giver, red)
    number = address.rsplit("/", 1)[1]
    queue = taker.get("/").text
    assert f'<a class="case" href="/console{address}">' in queue
    assert "Giver signed it at" in queue
    assert "with 1 open emergency." in queue
    assert "A handover waits" not in giver.get("/").text
    assert "A handover waits" in taker.get("/handover/waiting", params={"seen": "0"}).text
    assert taker.get("/handover/waiting", params={"seen": number}).status_code == 204
    assert taker.post(f"{address}/take").status_code == 303
    gone = taker.get("/handover/waiting", params={"seen": number})
    assert gone.status_code == 200
    assert "A handover waits" not in gone.text
    assert "A handover waits" not in taker.get("/").text


def test_a_handover_of_before_is_still_read(door: Door, services: ConsoleServices, hire: Hire) -> None:
    giver, taker = hire("nurse", "Giver"), hire("nurse", "Taker")
    red = _case(door, RED_FLAG)
    address = _give(giver, red)
    line = {
        "case": red,
        "tier": 3,
        "state": "open",
        "since": door.clock().isoformat(),
        "rule": "chest_pain",
        "assignee": "",
        "purged": False,
    }
    change = {"new": [red], "closed": [red, red], "escalated": [], "late": []}
    summary = {"acknowledged": 1, "median": 61.0, "slowest_tenth": 61.0, "late": 0}
    old = {"red": [line], "red_seen": [], "call": [], "snoozed": [], "promised": [], "change": change, "summary": summary, "cut": False}
    with writing(services.records.engine) as connection:
        connection.execute(update(handover).values(figures=old))
    page = taker.get(address)
    assert page.status_code == 200, page.text
    assert f"<q>{RED_FLAG}</q>" in _line(page.text, red)
    assert "Closed: 2" in page.text
    assert "half of them within 1 min" in page.text
    signed = Handovers(services.records, services.policy, services.audit_log).read(int(address.rsplit("/", 1)[1]))
    assert signed is not None
    assert signed.shift.summary.median == timedelta(seconds=61)


def test_a_case_whose_words_cannot_be_opened_hides_no_other(door: Door, services: ConsoleServices, nurse: Person) -> None:
    broken, whole = _case(door, RED_FLAG), _case(door, RED_FLAG)
    k, names = conversation_key.c, [conversation_of(services.records, case) for case in (broken, whole)]
    with writing(services.records.engine) as connection:
        anothers = connection.scalar(select(k.wrapped).where(k.conversation_id == names[1]))
        connection.execute(update(conversation_key).where(k.conversation_id == names[0]).values(wrapped=anothers))
    page = nurse.get("/handover").text
    assert "The words cannot be read." in _line(page, broken)
    assert f'name="comment-{broken}"' in page
    assert f"<q>{RED_FLAG}</q>" in _line(page, whole)
