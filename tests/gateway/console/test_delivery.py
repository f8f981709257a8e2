"""The outbox: e-mails and webhooks through real servers, tried again, given up, brought once; and the gateway's own watch."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Engine, func, insert, select

import gateway.app
from gateway.console.notify.delivery import NoticeDelivery, signature
from gateway.console.notify.escalation import Escalation
from gateway.console.policy import Step
from gateway.records.database import connect, writing
from gateway.records.tables import audit, notice
from gateway.settings import Settings
from tests.gateway.console.people import Person, case_of, hired, services_of
from tests.gateway.support import CANARY, RED_FLAG, Clock, Door, clinic_in

_KEY = b"k" * 32
_ROTA = (Step("second nurse", ("ward@a.example",), ("pager",)), Step("doctor", (), ()))


@dataclass
class Pager:
    """A webhook of this machine.

    Attributes:
        heard: headers and body of every request.
        answers: statuses of the next answers; 200 when there are none.
        seconds: how long it takes to answer.
    """

    address: str = ""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Post:
    """A mail server of this machine."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answers:
            return self.answers.pop(0)
        self.raw.append(envelope.content)
        self.letters.append(BytesParser(policy=default).parsebytes(envelope.content))
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=True)


@pytest.fixture
def pager() -> Iterator[Pager]:
    found = Pager()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(found.seconds)
            status = found.answers.pop(0) if found.answers else 200
            self.send_response(status)
            if status in (301, 302, 307, 308):
                self.send_header("Location", f"{found.address}/elsewhere")
            self.end_headers()
            self.wfile.write(f"answer with {CANARY}".encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def open_post() -> Iterator[Callable[..., Post]]:
    running: list[Controller] = []

    def start(**more: Any) -> Post:
        post = Post(_free_port())
        controller = Controller(post, hostname="127.0.0.1", port=post.port, authenticator=post.authenticate, **more)
        controller.start()
        running.append(controller)
        return post

    yield start
    for each in running:
        each.stop()


@pytest.fixture
def post(open_post: Callable[..., Post]) -> Post:
    return open_post()


@pytest.fixture
def reaching(settings: Settings, pager: Pager, post: Post) -> Settings:
    """Settings with which notices arrive."""
    policy = replace(settings.policy, rota=_ROTA, retries=(timedelta(seconds=10), timedelta(minutes=1)))
    return replace(
        settings,
        policy=policy,
        mail_from="aftercare@clinic.example",
        console_origins=("https://console.example",),
        webhooks={"pager": f"{pager.address}/hook"},
        webhook_key=_KEY,
        smtp=f"smtp://127.0.0.1:{post.port}",
    )


@pytest.fixture
def outbox(engine: Engine, reaching: Settings, clock: Clock) -> NoticeDelivery:
    return NoticeDelivery(engine, reaching, clock, clinic_in("America/New_York"))


def _put(engine: Engine, clock: Clock, channel: str, recipient: str, **changes: Any) -> int:
    """Put a notice into the outbox."""
    body = {"about": "case", "case": 7, "tier": "emergency", "reason": "", "minutes": 5, "step": "second nurse"}
    body |= {"at": datetime(2026, 3, 2, 6, 7, tzinfo=UTC).isoformat(), "link": "https://console.example/console/cases/7", **changes}
    with writing(engine) as connection:
        row = {
            "level": 1,
            "channel": channel,
            "recipient": recipient,
            "body": body,
            "created_at": clock(),
            "due_at": clock(),
            "attempts": 0,
        }
        connection.execute(insert(notice).values(**row))
        return int(connection.scalar(select(func.max(notice.c.id))))


def _row(engine: Engine, number: int) -> Any:
    with engine.connect() as connection:
        return connection.execute(select(notice).where(notice.c.id == number)).one()


def test_a_webhook_is_called_with_a_signature_that_can_be_checked(
    outbox: NoticeDelivery, engine: Engine, clock: Clock, pager: Pager
) -> None:
    number = _put(engine, clock, "webhook", "pager")
    assert outbox.deliver() == 1
    ((headers, body),) = pager.heard
    assert json.loads(body) == {"notice": number, "level": 1, **_row(engine, number).body}
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == f"aftercare-notice-{number}"
    assert headers["aftercare-signature"] == signature(_KEY, headers["aftercare-timestamp"], body)
    assert headers["aftercare-signature"] != signature(b"x" * 32, headers["aftercare-timestamp"], body)
    assert abs(int(headers["aftercare-timestamp"]) - clock().timestamp()) < 10
    row = _row(engine, number)
    assert (row.attempts, row.due_at, row.problem, row.given_up_at) == (1, None, None, None)
    assert row.sent_at is not None
    assert outbox.deliver() == 0


def test_the_signature_is_hmac_sha256_over_timestamp_and_body() -> None:
    assert signature(b"key", "1700000000", b'{"case":7}') == "2be1fbfa24ac729cb49fb0b4114472704c2c3e3849f98dab99cd663b8ea31659"


def test_a_letter_says_what_to_do(outbox: NoticeDelivery, engine: Engine, clock: Clock, post: Post) -> None:
    number = _put(engine, clock, "email", "ward@a.example")
    assert outbox.deliver() == 1
    (letter,) = post.letters
    assert (letter["to"], letter["from"]) == ("ward@a.example", "aftercare@clinic.example")
    assert letter["message-id"] == f"<aftercare-notice-{number}@clinic.example>"
    assert letter["subject"] == "Case 7, Emergency: nobody acknowledged it for 5 minutes"
    content = letter.get_content()
    for part in ("second nurse", "2026-03-02 01:07 EST", "https://console.example/console/cases/7", "no patient data"):
        assert part in content
    assert _row(engine, number).sent_at is not None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tier": "none", "reason": "failed"}, "safety card only"),
        ({"tier": "none", "reason": "asking"}, "did not answer"),
        ({"about": "silence", "minutes": 240}, "No patient has opened a chat for 240 minutes"),
    ],
)
def test_every_sort_of_letter_has_its_words(
    outbox: NoticeDelivery, engine: Engine, clock: Clock, post: Post, changes: dict[str, Any], said: str
) -> None:
    _put(engine, clock, "email", "ward@a.example", **changes)
    outbox.deliver()
    assert said in " ".join(post.letters[0].get_content().split())


def test_a_failure_is_tried_again_later_and_then_arrives(outbox: NoticeDelivery, engine: Engine, clock: Clock, pager: Pager) -> None:
    number = _put(engine, clock, "webhook", "pager")
    pager.answers = [503]
    assert outbox.deliver() == 1
    row = _row(engine, number)
    assert (row.attempts, row.problem, row.sent_at) == (1, "HTTP 503", None)
    assert timedelta(seconds=8) < row.due_at - clock() <= timedelta(seconds=10)
    assert outbox.deliver() == 0
    clock.travel(seconds=10)
    assert outbox.deliver() == 1
    row = _row(engine, number)
    assert (row.attempts, row.problem, row.due_at) == (2, None, None)
    assert row.sent_at is not None
    assert len({headers["idempotency-key"] for headers, _ in pager.heard}) == 1


def test_after_the_last_try_it_is_given_up(
    outbox: NoticeDelivery, engine: Engine, clock: Clock, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    number = _put(engine, clock, "email", "ward@a.example")
    post.answers = [f"451 not now {CANARY}"] * 9
    for _ in range(9):
        outbox.deliver()
        clock.travel(hours=1)
    row = _row(engine, number)
    assert (row.attempts, row.problem, row.due_at, row.sent_at) == (3, "SMTPDataError", None, None)
    assert row.given_up_at is not None
    assert "notice given up" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_is_not_followed(outbox: NoticeDelivery, engine: Engine, clock: Clock, pager: Pager, status: int) -> None:
    number = _put(engine, clock, "webhook", "pager")
    pager.answers = [status]
    outbox.deliver()
    assert len(pager.heard) == 1
    assert _row(engine, number).problem == f"HTTP {status}"


def test_a_webhook_that_takes_too_long_is_not_waited_for(
    outbox: NoticeDelivery, engine: Engine, clock: Clock, pager: Pager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.console.notify.delivery._SECONDS", 0.2)
    number = _put(engine, clock, "webhook", "pager")
    pager.seconds = 1.5
    outbox.deliver()
    assert _row(engine, number).problem == "ReadTimeout"


def test_the_environments_proxy_is_not_asked(
    outbox: NoticeDelivery, engine: Engine, clock: Clock, pager: Pager, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{_free_port()}")
    _put(engine, clock, "webhook", "pager")
    outbox.deliver()
    assert len(pager.heard) == 1


def test_what_can_not_be_reached_does_not_stop_the_others(
    engine: Engine, reaching: Settings, clock: Clock, pager: Pager, post: Post
) -> None:
    settings = replace(reaching, webhooks={"gone": f"http://127.0.0.1:{_free_port()}", "pager": pager.address})
    gone, unknown = _put(engine, clock, "webhook", "gone"), _put(engine, clock, "webhook", "forgotten")
    _put(engine, clock, "webhook", "pager")
    _put(engine, clock, "email", "ward@a.example")
    assert NoticeDelivery(engine, settings, clock, clinic_in("UTC")).deliver() == 4
    assert (_row(engine, gone).problem, _row(engine, unknown).problem) == ("ConnectError", "no address")
    assert (len(pager.heard), len(post.letters)) == (1, 1)


def test_a_notice_without_a_mail_server_says_so(engine: Engine, reaching: Settings, clock: Clock) -> None:
    number = _put(engine, clock, "email", "ward@a.example")
    NoticeDelivery(engine, replace(reaching, smtp=""), clock, clinic_in("UTC")).deliver()
    assert _row(engine, number).problem == "no mail server"


def test_a_new_notice_goes_before_one_that_failed(outbox: NoticeDelivery, engine: Engine, clock: Clock, pager: Pager) -> None:
    old = _put(engine, clock, "webhook", "pager")
    pager.answers = [500]
    outbox.deliver()
    clock.travel(minutes=1)
    new = _put(engine, clock, "webhook", "pager")
    outbox.deliver()
    assert [json.loads(body)["notice"] for _, body in pager.heard] == [old, new, old]


def test_two_deliverers_send_nothing_twice(
    engine: Engine, records_url: str, reaching: Settings, clock: Clock, pager: Pager, post: Post
) -> None:
    numbers = [_put(engine, clock, "webhook", "pager") for _ in range(12)]
    letters = [_put(engine, clock, "email", f"ward{each}@a.example") for each in range(4)]
    pager.seconds = 0.02
    start = threading.Barrier(2)

    def deliver() -> int:
        own = connect(records_url)
        start.wait(10)
        try:
            return NoticeDelivery(own, reaching, clock, clinic_in("UTC")).deliver()
        finally:
            own.dispose()

    with ThreadPoolExecutor(2) as pool:
        tried = [each.result() for each in [pool.submit(deliver), pool.submit(deliver)]]
    assert sum(tried) == 16
    assert all(tried), "both had something to do"
    assert sorted(json.loads(body)["notice"] for _, body in pager.heard) == numbers
    assert sorted(letter["to"] for letter in post.letters) == [f"ward{each}@a.example" for each in range(4)]
    assert all(_row(engine, number).sent_at for number in numbers + letters)


def test_of_two_that_see_the_same_notice_one_gets_it(engine: Engine, reaching: Settings, clock: Clock, pager: Pager) -> None:
    _put(engine, clock, "webhook", "pager")
    still = clock()
    first, second = (NoticeDelivery(engine, reaching, lambda: still, clinic_in("UTC")) for _ in range(2))
    claimed = first._claim()
    assert claimed is not None
    assert second._claim() is None
    assert claimed[1] > still


def test_what_a_gateway_left_when_it_died_is_sent_by_another(outbox: NoticeDelivery, engine: Engine, clock: Clock, pager: Pager) -> None:
    number = _put(engine, clock, "webhook", "pager")
    assert outbox._claim() is not None
    assert outbox.deliver() == 0
    clock.travel(minutes=2)
    assert outbox.deliver() == 1
    assert len(pager.heard) == 1
    assert _row(engine, number).sent_at is not None


def _certificate(folder: Path) -> ssl.SSLContext:
    """What a mail server of this machine shows, and the file by which it is known."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    (folder / "mail.crt").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "mail.key").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "mail.crt", folder / "mail.key")
    return context


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_mail_servers_password_goes_over_an_encrypted_line(
    scheme: str,
    engine: Engine,
    reaching: Settings,
    clock: Clock,
    open_post: Callable[..., Post],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = _certificate(tmp_path)
    post = open_post(**({"tls_context": context} if scheme == "smtp" else {"ssl_context": context, "auth_require_tls": False}))
    settings = replace(reaching, smtp=f"{scheme}://nurse:p%40ss%2Fword@127.0.0.1:{post.port}")
    number = _put(engine, clock, "email", "ward@a.example")
    NoticeDelivery(engine, settings, clock, clinic_in("UTC")).deliver()
    assert _row(engine, number).problem == "SSLCertVerificationError"
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "mail.crt"))
    clock.travel(minutes=1)
    NoticeDelivery(engine, settings, clock, clinic_in("UTC")).deliver()
    assert (_row(engine, number).problem, len(post.letters)) == (None, 1)
    assert post.logins == [(b"nurse", b"p@ss/word")]


def test_a_password_is_not_told_to_a_server_that_does_not_encrypt(
    engine: Engine, reaching: Settings, clock: Clock, open_post: Callable[..., Post]
) -> None:
    post = open_post(auth_require_tls=False)
    number = _put(engine, clock, "email", "ward@a.example")
    NoticeDelivery(engine, replace(reaching, smtp=f"smtp://nurse:word@127.0.0.1:{post.port}"), clock, clinic_in("UTC")).deliver()
    assert (_row(engine, number).problem, post.logins, post.letters) == ("mail server does not encrypt", [], [])


def _wait_for(what: Callable[[], Any], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.app, "_ESCALATE_SECONDS", 0.05)


def _changes(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in ("policy", "webhooks", "webhook_key", "smtp", "mail_from", "console_origins")}


@pytest.mark.usefixtures("often")
def test_the_running_gateway_tells_the_rota_and_no_patients_word(
    open_door: Callable[..., Door], reaching: Settings, pager: Pager, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    door = open_door(**_changes(reaching))
    patient = door.patient()
    patient.say(RED_FLAG)
    before = patient.events()
    time.sleep(0.3)
    assert (pager.heard, post.letters) == ([], [])
    door.clock.travel(minutes=5)
    _wait_for(lambda: pager.heard and post.letters)
    number = case_of(door, patient)
    assert json.loads(pager.heard[0][1])["case"] == number
    assert f"/console/cases/{number}" in post.letters[0].get_content()
    sent = str(pager.heard) + str(post.raw) + caplog.text
    for secret in (CANARY, "chest", door.name(patient), patient.token):
        assert secret not in sent
    new = [event for event in patient.events() if event not in before]
    assert {event["kind"] for event in new} <= {"followup"}, "the patient is told nothing of it"


@pytest.mark.usefixtures("often")
def test_a_watch_that_fails_goes_on(
    open_door: Callable[..., Door], reaching: Settings, pager: Pager, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    look = Escalation.look
    failures: list[int] = []

    def shaky(self: Escalation) -> int:
        if len(failures) < 3:
            failures.append(1)
            raise RuntimeError(CANARY)
        return look(self)

    monkeypatch.setattr(Escalation, "look", shaky)
    door = open_door(**_changes(reaching))
    door.patient().say(RED_FLAG)
    door.clock.travel(minutes=5)
    _wait_for(lambda: pager.heard)
    assert "RuntimeError" in caplog.text
    assert CANARY not in caplog.text


def test_the_page_shows_given_up_notices_first_and_the_rota(open_door: Callable[..., Door], reaching: Settings) -> None:
    door = open_door(policy=reaching.policy)
    patient, services = door.patient(), services_of(door)
    patient.say(RED_FLAG)
    door.clock.travel(minutes=10)
    nurse = hired(door, "Nina Nurse", "nurse")
    escalation = Escalation(services.records, services.settings, services.audit_log, services.clinic)
    escalation.look()
    escalation.look()
    page = nurse.get("/notices")
    assert page.status_code == 200, page.text
    text = page.text[page.text.index("What was told") :]
    assert text.index("Nobody to tell") < text.index("ward@a.example")
    assert "second nurse" in page.text[: page.text.index("What was told")]
    assert f"/console/cases/{case_of(door, patient)}" in text
    assert CANARY not in page.text


def test_the_page_is_for_those_who_see_the_queue_and_for_admins(admin: Person, auditor: Person, nurse: Person) -> None:
    assert (admin.get("/notices").status_code, auditor.get("/notices").status_code) == (200, 403)
    assert "Nobody was told anything yet" in nurse.get("/notices").text


def test_looking_at_the_notices_is_on_record(nurse: Person) -> None:
    nurse.get("/notices")
    engine = services_of(nurse.door).records.engine
    with engine.connect() as connection:
        entry = connection.execute(select(audit).order_by(audit.c.seq.desc()).limit(1)).one()
    assert (entry.act, entry.staff_id, entry.detail) == ("view_notices", nurse.id, {"shown": 0})
