"""Those who work at the console, each with a browser of their own, without a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import httpx
import pyotp
from starlette.routing import Mount

from gateway.console.cases.case_view import CaseViews
from gateway.console.identity.sessions import COOKIE
from gateway.console.services import ConsoleServices
from tests.gateway.support import HOME, Door, Patient

PASSWORD = "correct horse battery"


@dataclass
class Person:
    """Somebody at the console.

    Attributes:
        token: the login's cookie; empty before logging in.
        recovery: the recovery codes that were shown when the account was set up.
    """

    door: Door
    name: str
    role: str
    secret: str = ""
    token: str = ""
    csrf: str = ""
    recovery: tuple[str, ...] = ()
    _steps: list[int] = field(default_factory=list)

    @property
    def id(self) -> int:
        found = services_of(self.door).book.named(self.name)
        assert found is not None
        return found.id

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Read a page; `path` stands behind /console."""
        return self._ask("GET", path, **more)

    def post(self, path: str, csrf: str | None = None, origin: str | None = HOME, **fields: Any) -> httpx.Response:
        """Send a form, as from one of our own pages."""
        data = {"csrf": self.csrf if csrf is None else csrf, **fields}
        return self._ask("POST", path, data=data, headers={"Origin": origin} if origin else {})

    def _ask(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        cookie = {"Cookie": f"{COOKIE}={self.token}"} if self.token else {}
        return self.door.client.request(method, f"/console{path}", headers={**cookie, **(headers or {})}, **more)

    def code(self) -> str:
        """A one-time code of the authenticator app that was not used yet."""
        step = int(self.door.clock().timestamp() // 30)
        while step in self._steps:
            step += 1
        self._steps.append(step)
        return pyotp.TOTP(self.secret).generate_otp(step)

    def log_in(self) -> Person:
        """Log in with password and code."""
        answer = self.post("/login", name=self.name, password=PASSWORD, code=self.code())
        assert answer.status_code == 303, answer.text
        found = re.search(rf"{re.escape(COOKIE)}=([^;]+)", answer.headers["set-cookie"])
        assert found is not None
        self.token = found[1]
        login = services_of(self.door).sessions.find(self.token)
        assert login is not None
        self.csrf = login.csrf
        return self


def services_of(door: Door) -> ConsoleServices:
    """The console's parts of a running gateway."""
    console: Any
    (console,) = [route.app for route in door.app.routes if isinstance(route, Mount) and route.path == "/console"]
    while not hasattr(console, "state"):
        console = console.app
    found: ConsoleServices = console.state.services
    return found


def hired(door: Door, name: str, role: str) -> Person:
    """Somebody with an account, set up through the pages and logged in."""
    person = Person(door, name, role)
    _, code = services_of(door).book.invite(name, role)
    page = person.post("/setup", code=code)
    assert page.status_code == 200, page.text
    found = re.search(r'name="secret" value="([A-Z2-7]+)"', page.text)
    assert found is not None
    person.secret = found[1]
    answer = person.post("/setup", code=code, secret=person.secret, password=PASSWORD, again=PASSWORD, one_time=person.code())
    assert answer.status_code == 200, answer.text
    person.recovery = shown_codes(answer.text)
    return person.log_in()


def shown_codes(page: str) -> tuple[str, ...]:
    """The recovery codes on a page."""
    return tuple(re.findall(r"<li><code>(\d{4} \d{4} \d{4})</code></li>", page))


def case_of(door: Door, patient: Patient) -> int:
    """The number of a patient's case."""
    services = services_of(door)
    number = CaseViews(services.records, services.library, services.policy).number_of(door.name(patient))
    assert number is not None
    return number
