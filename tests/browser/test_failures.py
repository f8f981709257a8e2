"""Parts of the bot are killed, hang or are locked while a patient writes: the patient learns whom to call, and nothing is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest
from playwright.sync_api import expect

from scripts.stack import Stack
from tests.browser import layout
from tests.browser.chat import Device, Panel, tel_links, text_of
from tests.browser.clinic import Site
from tests.browser.conftest import NewDevice, new_stack
from tests.browser.server import Server
from tests.browser.words import CANARY, CHEST, EMERGENCY, FEVER, NUMB_LEGS, SORE, TEL, WEAK_LEGS, WORDS, WORSE

RESTART_SECONDS = 60.0
HEALTH = {"gateway": "/readyz", "rasa": "/webhooks/rest/", "actions": "/health"}


@pytest.fixture(scope="module")
def own_site() -> Iterator[Site]:
    with Site().running() as running:
        yield running


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory, own_site: Site) -> Iterator[Stack]:
    """A bot that these tests break; it has an action server, which can be broken apart from Rasa."""
    with new_stack(tmp_path_factory.mktemp("own_stack"), own_site, actions=True) as running:
        yield running


@pytest.fixture
def stack(own_stack: Stack) -> Stack:
    return own_stack


@pytest.fixture
def site(own_site: Site, stack: Stack) -> Site:
    return own_site


@pytest.fixture
def server(stack: Stack) -> Iterator[Server]:
    connection = Server(stack)
    yield connection
    connection.close()


@pytest.fixture
def device(new_device: NewDevice) -> Device:
    """A computer whose console may say that the network failed."""
    computer = new_device()
    computer.watch.tolerate(r"net::ERR_|status of 503|Failed to execute 'postMessage'")
    return computer


@pytest.fixture(autouse=True)
def all_is_well_before_and_after(stack: Stack) -> Iterator[None]:
    for name in HEALTH:
        _wait_for(stack, name)
    yield
    for file in stack.logs.iterdir():
        if file.is_file():
            assert CANARY not in file.read_text(errors="replace").lower(), file.name


def _wait_for(stack: Stack, name: str) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + RESTART_SECONDS
    while time.monotonic() < end:
        with suppress(httpx.HTTPError):
            address = f"http://127.0.0.1:{getattr(stack.ports, name)}{HEALTH[name]}"
            if httpx.get(address, timeout=1, trust_env=False).is_success:
                return
        time.sleep(0.1)
    pytest.fail(f"{name} does not answer after {RESTART_SECONDS:.0f} s")


def _kill(stack: Stack, name: str) -> int:
    pid = stack.pids[name]
    os.kill(pid, signal.SIGKILL)
    return pid


@contextmanager
def _hanging(stack: Stack, name: str) -> Iterator[None]:
    pid = stack.pids[name]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def _down(stack: Stack, name: str) -> Iterator[None]:
    """Killed, and its successor held before it listens: connections are refused."""
    killed = _kill(stack, name)
    while stack.pids[name] == killed:
        time.sleep(0.02)
    successor = stack.pids[name]
    os.kill(successor, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(successor, signal.SIGCONT)


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    start = time.monotonic()
    yield
    taken = time.monotonic() - start
    assert taken <= seconds, f"{taken:.1f} s"


def test_emergency_within_6_seconds_while_rasa_hangs(device: Device, stack: Stack) -> None:
    panel = device.open()
    with _hanging(stack, "rasa"), _within(6):
        panel.type(f"{NUMB_LEGS} {CANARY}")
        expect(panel.card(EMERGENCY)).to_be_visible()


def test_interview_goes_on_while_rasa_hangs(device: Device, stack: Stack) -> None:
    panel = device.open()
    expect(panel.say(WEAK_LEGS)).to_contain_text(WORSE)
    with _hanging(stack, "rasa"):
        expect(panel.press("No")).to_contain_text(CHEST)
    panel.tick(CHEST, "yes")
    expect(panel.card(EMERGENCY)).to_be_visible()


def test_program_that_writes_is_shown_and_said_once(device: Device, stack: Stack) -> None:
    panel = device.open()
    with _hanging(stack, "rasa"):
        panel.type(SORE)
        expect(panel.root.locator(".writing")).to_contain_text(WORDS["chat"]["writing"])
        assert layout.moving(panel.frame)
        expect(panel.answers).to_have_count(2)
    expect(panel.root.locator(".writing")).to_have_count(0)
    panel.page.wait_for_timeout(2_500)
    spoken = panel.frame.evaluate("() => window.__spy.polite")
    assert spoken.count(WORDS["chat"]["writing"]) == 1


def test_dots_stand_still_for_those_who_asked_for_less_motion(new_device: NewDevice, stack: Stack) -> None:
    panel = new_device(reduced_motion="reduce").open()
    with _hanging(stack, "rasa"):
        panel.type(SORE)
        expect(panel.root.locator(".dots")).to_be_visible()
        assert layout.moving(panel.frame) == []
        expect(panel.answers).to_have_count(2)


@pytest.mark.parametrize("fault", ["killed", "hanging"])
def test_emergency_within_6_seconds_without_the_action_server(fault: str, device: Device, stack: Stack) -> None:
    panel = device.open()
    if fault == "killed":
        _kill(stack, "actions")
        with _within(6):
            panel.type(NUMB_LEGS)
            expect(panel.card(EMERGENCY)).to_be_visible()
    else:
        with _hanging(stack, "actions"), _within(6):
            panel.type(NUMB_LEGS)
            expect(panel.card(EMERGENCY)).to_be_visible()


def test_killed_gateway_costs_no_words_and_the_safety_card_is_there_within_8_seconds(device: Device, stack: Stack, server: Server) -> None:
    panel = device.open()
    expect(panel.say(WEAK_LEGS)).to_contain_text(WORSE)
    token = panel.token
    with _down(stack, "gateway"):
        with _within(8):
            panel.type(f"No {CANARY}")
            expect(panel.safety).to_have_count(1)
        assert {TEL["emergency"], TEL["clinic"]} <= tel_links(panel.safety)
        _names_the_danger_signs(panel)
        expect(panel.mine.last).to_contain_text(f"No {CANARY}")
        expect(panel.mine.last).to_contain_text(WORDS["delivery"]["waiting"])
        panel.box.fill("half a sentence")
    expect(panel.answers).to_have_count(3, timeout=40_000)
    expect(panel.box).to_have_value("half a sentence")
    expect(panel.answers.last).to_contain_text(CHEST)
    assert server.messages(token) == [WEAK_LEGS, f"No {CANARY}"]
    panel.box.fill("")
    panel.tick(CHEST, "yes")
    expect(panel.card(EMERGENCY)).to_be_visible()


def test_hanging_gateway_is_noticed(device: Device, stack: Stack) -> None:
    panel = device.open()
    with _hanging(stack, "gateway"):
        start = time.monotonic()
        panel.type(NUMB_LEGS)
        expect(panel.safety).to_be_visible(timeout=20_000)
        taken = time.monotonic() - start
        assert {TEL["emergency"], TEL["clinic"]} <= tel_links(panel.safety)
        expect(panel.mine.last).to_contain_text(NUMB_LEGS)
    expect(panel.card(EMERGENCY)).to_be_visible(timeout=20_000)
    expect(panel.mine).to_have_count(1)
    assert taken <= 8, f"the safety card came after {taken:.1f} s"


def test_launcher_has_a_safety_card_when_the_gateway_is_gone_before_the_chat_is_opened(device: Device, stack: Stack) -> None:
    clinic = device.visit()
    with _down(stack, "gateway"):
        clinic.launcher.click()
        expect(clinic.card).to_be_visible(timeout=8_000)
        assert set(TEL.values()) <= tel_links(clinic.card)
        assert clinic.focused == WORDS["launcher"]["card_label"]
    _wait_for(stack, "gateway")
    clinic.card.get_by_role("button", name=WORDS["launcher"]["try_again"]).click()
    clinic.panel.ready()
    expect(clinic.card).to_have_count(0)


def test_locked_records_are_told_with_numbers_and_the_message_arrives_later(device: Device, server: Server) -> None:
    panel = device.open()
    token = panel.token
    with server.locked():
        panel.type(FEVER)
        expect(panel.safety).to_be_visible(timeout=20_000)
        assert {TEL["emergency"], TEL["clinic"]} <= tel_links(panel.safety)
        expect(panel.mine.last).to_contain_text("I could not save your message", timeout=20_000)
        assert {TEL["emergency"], TEL["clinic"]} <= tel_links(panel.mine.last)
    expect(panel.answers).to_have_count(2, timeout=40_000)
    expect(panel.mine).to_have_count(1)
    expect(panel.mine.last).to_contain_text(WORDS["delivery"]["stored"])
    assert server.messages(token) == [FEVER]


def test_emergency_is_answered_at_once_while_the_records_are_locked(device: Device, server: Server) -> None:
    panel = device.open()
    with server.locked(), _within(8):
        panel.type(NUMB_LEGS)
        expect(panel.card(EMERGENCY)).to_be_visible()
    expect(panel.mine.last).to_contain_text(WORDS["delivery"]["stored"], timeout=40_000)
    assert server.messages(panel.token) == [NUMB_LEGS]


def test_emergency_within_6_seconds_when_rasa_is_killed(device: Device, stack: Stack) -> None:
    panel = device.open()
    _kill(stack, "rasa")
    with _within(6):
        panel.type(NUMB_LEGS)
        expect(panel.card(EMERGENCY)).to_be_visible()
    panel.say("Thank you.")
    expect(panel.card(EMERGENCY)).to_be_visible()


def _names_the_danger_signs(panel: Panel) -> None:
    said = text_of(panel.safety)
    for sign in ("chest pain", "trouble breathing", "leak pee", "numb between the legs", "faint or cannot walk"):
        assert sign in said
