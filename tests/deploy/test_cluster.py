"""The cluster under load while its parts die: no message is lost, none is answered twice, and nobody waits in silence."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text

from gateway.records.database import connect
from gateway.records.sealing import Keyring
from gateway.records.store import Event, Records
from gateway.records.tables import triage_case
from tests.deploy.cluster import MASTER_KEY, Cluster, Server, eventually
from tests.deploy.load import API, RED_FLAG, Exchange, Simulated
from vault.day_keys import DayKeys

pytestmark = pytest.mark.timeout(420)

_PATIENTS = 24
_ANSWER_SECONDS = 5.0
_SILENCE_SECONDS = 12.0
_LONGEST_OUTAGE = 25.0


@dataclass
class Aftermath:
    """What came of it.

    Attributes:
        served: after each part came back, by whom a new patient was answered and in how many seconds.
        outages: from when to when a part was away, by name.
    """

    patients: list[Simulated]
    served: dict[str, tuple[str, float]]
    outages: dict[str, tuple[float, float]]
    stored: dict[str, list[Event]]
    figures: str

    @property
    def exchanges(self) -> list[Exchange]:
        return [exchange for patient in self.patients for exchange in patient.exchanges]


class Run:
    """A load, and the accidents in it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        keyring = Keyring([MASTER_KEY], DayKeys(Path(cluster.env["AFTERCARE_DAY_KEYS"])))
        self.records = Records(connect(cluster.env["AFTERCARE_RECORDS"]), keyring)
        self.patients = [Simulated(cluster.url, cluster.trust(), seed) for seed in range(_PATIENTS)]
        self.served: dict[str, tuple[str, float]] = {}
        self.outages: dict[str, tuple[float, float]] = {}

    async def run(self) -> Aftermath:
        cluster, over, began = self.cluster, asyncio.Event(), time.monotonic()
        living = [asyncio.create_task(patient.live(over, first)) for first, patient in enumerate(self.patients)]
        await asyncio.sleep(6)
        await self.serves("at first")
        mending = await self._without_rasa(cluster.rasas[0])
        await self._without("actions", cluster.actions[0])
        await self._without("gateway", cluster.gateways[0])
        await self._without("redis", cluster.redis)
        await self._outage("postgresql", cluster.postgresql.stop, 6, cluster.postgresql.start)
        await mending
        await self.serves("rasa")
        over.set()
        await asyncio.gather(*living)
        seconds = time.monotonic() - began
        stored = {patient.token: await asyncio.to_thread(self._stored, patient) for patient in self.patients}
        for patient in self.patients:
            await patient.close()
        done = Aftermath(self.patients, self.served, self.outages, stored, "")
        done.figures = _figures(done, seconds)
        self.records.engine.dispose()
        return done

    async def serves(self, after: str) -> None:
        """A new patient comes: by whom and how fast they are answered, once the first excitement is over."""
        end = time.monotonic() + 20
        while True:
            patient = Simulated(self.cluster.url, self.cluster.trust())
            await patient.start()
            exchange = await patient.say("My back hurts a bit more")
            (answer,) = [event for event in await asyncio.to_thread(self._stored, patient) if event.reply_to == exchange.seq]
            await patient.close()
            self.served[after] = (answer.facts["by"], exchange.answered - exchange.sent)
            if answer.facts["by"] == "rasa" or time.monotonic() > end:
                return
            await asyncio.sleep(1)

    async def _without_rasa(self, worker: Server) -> asyncio.Task[None]:
        """Kill a worker; it comes back in the background, for that takes long."""
        self.outages["rasa"] = (time.monotonic(), 0.0)
        await asyncio.to_thread(worker.kill)
        await asyncio.sleep(6)
        await self.serves("one Rasa less")
        worker.start()
        return asyncio.create_task(asyncio.to_thread(worker.wait))

    async def _without(self, name: str, server: Server) -> None:
        def back() -> None:
            server.start()
            server.wait()

        await self._outage(name, server.kill, 5, back)

    async def _outage(self, name: str, stop: Callable[[], None], seconds: float, start: Callable[[], None]) -> None:
        began = time.monotonic()
        await asyncio.to_thread(stop)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(start)
        self.outages[name] = (began, time.monotonic())
        await asyncio.sleep(3)
        await self.serves(name)

    def _stored(self, patient: Simulated) -> list[Event]:
        session = self.records.session(patient.token)
        assert session is not None
        return self.records.events(session.conversation)


def _figures(done: Aftermath, seconds: float) -> str:
    waits = sorted(each.answered - each.taken for each in done.exchanges)
    answers = [event.facts for events in done.stored.values() for event in events if event.kind == "answer"]
    by, causes = Counter(facts["by"] for facts in answers), Counter(facts["cause"] for facts in answers if facts["cause"])
    return (
        f"{len(done.exchanges)} messages of {len(done.patients)} patients in {seconds:.0f} s; answered by {dict(by)}, "
        f"not by Rasa because of {dict(causes)}; "
        f"from taken to answered p50 {waits[len(waits) // 2]:.2f} s, p95 {waits[int(len(waits) * 0.95)]:.2f} s, longest {waits[-1]:.1f} s; "
        f"safety cards {sum(each.cards for each in done.exchanges)}; longest request {max(max(e.silences) for e in done.exchanges):.1f} s; "
        f"outages { ({name: round(end - start, 1) for name, (start, end) in done.outages.items() if end}) }; served {done.served}"
    )


@pytest.fixture(scope="module")
def aftermath(cluster: Cluster) -> Aftermath:
    done = asyncio.run(Run(cluster).run())
    print(done.figures)
    return done


def test_no_message_is_lost_and_none_is_stored_twice(aftermath: Aftermath) -> None:
    assert len(aftermath.exchanges) > 5 * _PATIENTS
    for patient in aftermath.patients:
        messages = [event for event in aftermath.stored[patient.token] if event.kind == "message"]
        sent = [(each.client_id, each.seq, each.text) for each in patient.exchanges]
        assert [(event.client_id, event.seq, (event.words or {})["text"]) for event in messages] == sent


def test_every_message_is_answered_once(aftermath: Aftermath) -> None:
    for patient in aftermath.patients:
        replies = [event.reply_to for event in aftermath.stored[patient.token] if event.kind == "answer"]
        assert sorted(filter(None, replies)) == [each.seq for each in patient.exchanges]


def test_red_flags_are_answered_as_emergencies_whatever_is_down(aftermath: Aftermath) -> None:
    asked = [each for each in aftermath.exchanges if each.text == RED_FLAG]
    assert len(asked) > 10
    assert {answer["disposition"] for each in asked for answer in each.answers} == {"emergency"}


def test_nobody_waits_in_silence(aftermath: Aftermath) -> None:
    """Every request brings something within seconds: the answer, or the card with whom to call."""
    assert max(max(each.silences) for each in aftermath.exchanges) < _SILENCE_SECONDS


def test_what_was_taken_is_answered_soon_after_the_accident(aftermath: Aftermath) -> None:
    assert max(each.answered - each.taken for each in aftermath.exchanges) < _LONGEST_OUTAGE


def test_with_a_part_away_patients_notice_nothing(aftermath: Aftermath) -> None:
    """Without an action server or Redis, messages are taken at once and answered as fast as ever."""
    records_away, _ = aftermath.outages["postgresql"]
    for name in ("actions", "redis"):
        start, end = aftermath.outages[name]
        meanwhile = [each for each in aftermath.exchanges if start < each.sent < end and each.answered < records_away]
        assert len(meanwhile) > 5, name
        assert sum(each.cards for each in meanwhile) == 0, name
        assert max(each.answered - each.sent for each in meanwhile) < _ANSWER_SECONDS + 1, name


def test_every_part_that_comes_back_serves_as_before(aftermath: Aftermath) -> None:
    assert set(aftermath.served) == {"at first", "one Rasa less", "actions", "gateway", "redis", "postgresql", "rasa"}
    assert {by for by, _ in aftermath.served.values()} == {"rasa"}
    assert max(seconds for _, seconds in aftermath.served.values()) < _ANSWER_SECONDS


def test_every_process_is_ready_again(aftermath: Aftermath, cluster: Cluster) -> None:
    for server in cluster.servers:
        server.wait(20)
    for gateway in cluster.gateways:
        found = httpx.get(f"http://127.0.0.1:{gateway.port}/readyz", trust_env=False).json()
        assert found == {"records": "ok", "rasa": "ok", "proxies": "ok"}


def test_rasas_conversations_stand_in_their_own_database(aftermath: Aftermath, cluster: Cluster) -> None:
    trackers, records = (connect(cluster.postgresql.url(name)) for name in ("aftercare_trackers", "aftercare_records"))
    with trackers.connect() as connection:
        senders = connection.scalar(text("SELECT count(DISTINCT sender_id) FROM events"))
    with records.connect() as connection:
        tables = set(connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")))
    trackers.dispose()
    records.dispose()
    assert senders is not None
    assert senders >= _PATIENTS
    assert "events" not in tables


def _get(cluster: Cluster, path: str, **request: Any) -> httpx.Response:
    return httpx.get(f"{cluster.url}{path}", verify=cluster.trust(), trust_env=False, **request)


def test_with_every_gateway_down_the_emergency_words_are_still_there(cluster: Cluster) -> None:
    for gateway in cluster.gateways:
        gateway.kill()
    try:
        page = _get(cluster, "/panel/demo")
        post = httpx.post(f"{cluster.url}{API}/session/messages", json={"text": RED_FLAG}, verify=cluster.trust(), trust_env=False)
    finally:
        for gateway in cluster.gateways:
            gateway.start()
        for gateway in cluster.gateways:
            gateway.wait()
    assert eventually(lambda: _get(cluster, "/panel/demo").status_code == 200, 10), "nginx finds them again"
    assert page.status_code == post.status_code == 503
    assert page.headers["content-type"].startswith("text/html")
    assert "In an emergency call 911 now, or go to the ER." in page.text
    assert 'href="tel:911"' in page.text
    body = post.json()
    assert body["error"] == "not_stored"
    assert "911" in body["safety"]["blocks"][0]["text"]
    assert post.headers["retry-after"] == "5"


def test_plain_http_leads_to_https(cluster: Cluster) -> None:
    response = httpx.get(f"http://{cluster.env['AFTERCARE_HTTP_LISTEN']}/demo", trust_env=False, headers={"Host": "localhost"})
    assert (response.status_code, response.headers["location"]) == (301, "https://localhost/demo")


def test_what_is_not_for_patients_is_not_there(cluster: Cluster) -> None:
    for path in ("/readyz", "/healthz", "/fallback.html", "/metrics", "/webhooks/rest/"):
        assert _get(cluster, path).status_code == 404, path


def test_the_security_headers_come_through_once(cluster: Cluster) -> None:
    headers = _get(cluster, "/panel/demo").headers
    assert headers.get_list("strict-transport-security") == ["max-age=63072000; includeSubDomains"]
    assert len(headers.get_list("content-security-policy")) == 1


def test_a_body_above_the_gateways_limit_gets_the_gateways_own_answer(cluster: Cluster) -> None:
    for size in (70_000, 300_000):
        response = httpx.post(f"{cluster.url}{API}/session/messages", content=b"x" * size, verify=cluster.trust(), trust_env=False)
        assert response.status_code == 413
        assert "911" in response.json()["safety"]["blocks"][0]["text"]


def test_an_event_is_streamed_as_soon_as_it_is_there(cluster: Cluster) -> None:
    async def follow() -> list[float]:
        patient = Simulated(cluster.url, cluster.trust())
        await patient.start()
        client = httpx.AsyncClient(base_url=cluster.url, verify=cluster.trust(), timeout=20, trust_env=False)
        headers = {"Authorization": f"Bearer {patient.token}", "Origin": cluster.url}
        seen: list[float] = []
        async with client.stream("GET", f"{API}/session/stream", headers=headers) as stream:
            lines: Awaitable[Any] | None = None
            async for line in stream.aiter_lines():
                if line.startswith("event: greeting"):
                    lines = asyncio.create_task(patient.say("The needle site is a bit sore"))
                if line.startswith("event: answer"):
                    seen.append(time.monotonic())
                    break
            assert lines is not None
            exchange = await lines
            seen.insert(0, exchange.sent)
        await client.aclose()
        await patient.close()
        return seen

    sent, seen = asyncio.run(follow())
    assert seen - sent < _ANSWER_SECONDS


def _cases(cluster: Cluster) -> int:
    engine = connect(cluster.env["AFTERCARE_RECORDS"])
    with engine.connect() as connection:
        found = connection.scalar(select(func.count()).select_from(triage_case)) or 0
    engine.dispose()
    return found


def test_the_synthetic_patient_checks_the_whole_chain_and_calls_no_nurse(cluster: Cluster, tmp_path: Path) -> None:
    before, file = _cases(cluster), tmp_path / "aftercare.prom"
    arguments = ("-m", "deploy.synthetic_patient", "--certificate", str(cluster.certificate), "--textfile", str(file))
    cluster.command(*arguments, env={"AFTERCARE_PROBE_KEY": "synthetic"})
    figures = dict(line.split() for line in file.read_text().splitlines() if not line.startswith("#"))
    assert figures["aftercare_synthetic_up"] == "1"
    assert 0 < float(figures["aftercare_synthetic_seconds"]) < _ANSWER_SECONDS
    assert _cases(cluster) == before
