"""The running bot, a clinic's web site with the chat on it, and Chromium in front of both."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from playwright.sync_api import Browser, BrowserType, expect, sync_playwright

from scripts.common import ROOT
from scripts.stack import Ports, Stack
from tests.browser.chat import Device
from tests.browser.clinic import KEY, Site
from tests.browser.nurses import Nurse
from tests.browser.server import Server

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PLENTY = {
    "start": {"address": "10000 per minute", "key": "10000 per minute"},
    "message": {"session": "10000 per minute", "address": "10000 per minute"},
    "read": {"session": "10000 per minute"},
    "refused": {"address": "10000 per minute"},
}
POLICY = ROOT / "gateway" / "console" / "policy.yml"
CLINIC = ROOT / "protocols" / "vertebroplasty" / "clinic.yml"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NO_FLOOD = {"emergencies": 1000, "again": "60 minutes"}
"""All patients of these tests write from one address."""

# What the driver switches off, patients have: storage for frames of other sites, and pages that are kept for the way back.
AS_AT_HOME = ("--disable-features=HttpsUpgrades,MediaRouter,OptimizationHints",)

expect.set_options(timeout=8_000)

NewDevice = Callable[..., Device]


def new_stack(folder: Path, site: Site, *, actions: bool = False) -> Stack:
    """A bot that this site may show, of its own ports, records and logs, with or without an action server; not started.

    Its clinic's telephone is answered at any hour, so that no test sees something else in the evening.
    """
    embed, limits, policy, clinic = (folder / f"{name}.yml" for name in ("embed", "limits", "policy", "clinic"))
    embed.write_text(yaml.safe_dump({"keys": {KEY: {"origins": [site.origin, site.origin_of_another_site], "language": "en"}}}))
    limits.write_text(yaml.safe_dump(PLENTY))
    policy.write_text(yaml.safe_dump(_loaded(POLICY) | {"flood": NO_FLOOD}))
    clinic.write_text(yaml.safe_dump(_loaded(CLINIC) | {"opening": {day: ["00:00-24:00"] for day in DAYS}}))
    files = {"EMBED": embed, "LIMITS": limits, "POLICY": policy, "CLINIC": clinic}
    env = {f"AFTERCARE_{name}": str(file) for name, file in files.items()}
    stack = Stack(Ports.free(actions=actions), folder / "conversations.db", folder / "logs", env)
    site.show_chat_of(stack.gateway)
    return stack


def _loaded(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def browsers() -> Iterator[BrowserType]:
    with sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="session")
def browser(browsers: BrowserType) -> Iterator[Browser]:
    """Debian's Chromium."""
    with browsers.launch(executable_path=chromium(), args=ARGUMENTS) as running:
        yield running


@pytest.fixture(scope="module")
def browser_at_home(browsers: BrowserType) -> Iterator[Browser]:
    """Debian's Chromium as it comes."""
    without = ["--disable-back-forward-cache"]
    with browsers.launch(executable_path=chromium(), args=[*ARGUMENTS, *AS_AT_HOME], ignore_default_args=without) as running:
        yield running


def chromium() -> str:
    found = shutil.which("chromium")
    if not found:
        pytest.fail("These tests need Debian's Chromium; run: apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def shared_site() -> Iterator[Site]:
    with Site().running() as site:
        yield site


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory: pytest.TempPathFactory, shared_site: Site) -> Iterator[Stack]:
    """The running bot that harmless tests share."""
    with new_stack(tmp_path_factory.mktemp("stack"), shared_site) as running:
        yield running


@pytest.fixture(scope="session")
def shared_server(shared_stack: Stack) -> Iterator[Server]:
    server = Server(shared_stack)
    yield server
    server.close()


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    return shared_stack


@pytest.fixture
def site(shared_site: Site, stack: Stack) -> Site:
    """The clinic's web site, with the chat of the running bot."""
    return shared_site


@pytest.fixture
def unlisted(site: Site) -> Iterator[Site]:
    """A site that no key lists."""
    with Site().running() as running:
        running.show_chat_of(site.gateway)
        yield running


@pytest.fixture
def server(shared_server: Server) -> Server:
    return shared_server


@pytest.fixture
def new_device(browser: Browser, site: Site) -> Iterator[NewDevice]:
    """Make a browser with its own storage. After the test: nothing was blocked, logged, raised or asked of strangers."""
    made: list[Device] = []

    def make(**options: Any) -> Device:
        made.append(Device(browser, site, options))
        return made[-1]

    yield make
    for device in made:
        device.close()
    complaints = [complaint for device in made for complaint in device.watch.complaints]
    assert not complaints, complaints


@pytest.fixture
def device(new_device: NewDevice) -> Device:
    """A desktop computer."""
    return new_device()


@pytest.fixture(scope="session")
def ward_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running bot of the console's own, so that the queue holds what these tests put into it."""
    with Site().running() as site, new_stack(tmp_path_factory.mktemp("ward"), site) as running:
        yield running


@pytest.fixture(scope="module")
def ward(ward_stack: Stack) -> Iterator[Server]:
    """The patients of the console's bot; the queue has one page, and each file of tests finds it empty."""
    server = Server(ward_stack)
    server.close_cases()
    yield server
    server.close()


@pytest.fixture
def hire(browser: Browser, ward_stack: Stack) -> Iterator[Callable[..., Nurse]]:
    """Somebody at the console, set up and logged in. After the test: nothing was blocked, raised or asked of strangers."""
    made: list[Nurse] = []

    def make(role: str = "nurse", **options: Any) -> Nurse:
        made.append(Nurse(browser, ward_stack, f"Nurse {uuid4().int % 10**8:08}", role, **options))
        return made[-1].set_up().log_in()

    yield make
    for nurse in made:
        nurse.close()
    complaints = [complaint for nurse in made for complaint in nurse.watch.complaints]
    assert not complaints, complaints
