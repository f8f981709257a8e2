"""The summary: on the screen, on paper, in a file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat import Device, Panel, text_of
from tests.browser.words import FEVER, NUMB_LEGS, SORE, WORDS

SUMMARY = WORDS["summary"]


def _open(panel: Panel) -> Locator:
    panel.open_menu()
    panel.menu_item("summary").click()
    expect(panel.root.locator(".log, .summary .care")).not_to_have_count(0)
    return panel.root.get_by_role("article")


def _control(panel: Panel, name: str) -> Locator:
    return panel.root.get_by_role("article").get_by_role("button", name=SUMMARY[name], exact=True)


@pytest.fixture
def panel(device: Device) -> Panel:
    """After three messages, the most urgent in the middle."""
    page = device.panel()
    for text in (SORE, NUMB_LEGS, "Thank you."):
        page.say(text)
    return page


def test_summary_holds_what_was_said_advised_and_when_to_seek_help(panel: Panel) -> None:
    said = text_of(_open(panel))
    for part in (SORE, NUMB_LEGS, "Call 911 now", "Demo Spine Clinic", "vertebroplasty", SUMMARY["program"], "chest pain"):
        assert part in said
    for heading in ("title", "advised", "watch", "said"):
        expect(panel.root.get_by_role("heading", name=SUMMARY[heading])).to_be_visible()
    advised = said[said.index(SUMMARY["advised"]) : said.index(SUMMARY["said"])]
    assert "This is an emergency" in advised
    expect(panel.root.get_by_role("heading", name=SUMMARY["title"])).to_be_focused()


def test_summary_goes_back_to_the_chat(panel: Panel) -> None:
    _open(panel)
    _control(panel, "back").click()
    expect(panel.box).to_be_visible()
    expect(panel.menu_button).to_be_focused()
    panel.say("Bye")


def test_summary_of_an_empty_chat_says_that_no_advice_was_given(device: Device) -> None:
    panel = device.panel()
    panel.open_menu()
    panel.menu_item("summary").click()
    expect(panel.root.get_by_role("article")).to_contain_text(SUMMARY["none"])


def test_print_button_prints(panel: Panel) -> None:
    panel.page.evaluate("() => { window.print = () => { window.__printed = (window.__printed ?? 0) + 1; }; }")
    _open(panel)
    _control(panel, "print").click()
    assert panel.page.evaluate("() => window.__printed") == 1


def test_paper_holds_the_summary_alone_in_black_on_white(panel: Panel, tmp_path: Path) -> None:
    _open(panel)
    panel.page.emulate_media(media="print", color_scheme="dark")
    expect(panel.root.locator("header")).to_be_hidden()
    expect(panel.root.locator(".phones")).to_be_hidden()
    expect(panel.box).to_be_hidden()
    expect(_control(panel, "print")).to_be_hidden()
    expect(panel.root.locator(".log")).to_be_visible()
    colours = panel.frame.evaluate(
        """() => [...document.querySelectorAll(".summary, .summary *")].filter((e) => e.checkVisibility())
          .map((e) => getComputedStyle(e).color)"""
    )
    assert set(colours) == {"rgb(0, 0, 0)"}
    file = tmp_path / "summary.pdf"
    panel.page.pdf(path=file)
    assert file.read_bytes().startswith(b"%PDF")
    text = _text(file)
    if text:
        for part in (SORE, NUMB_LEGS, "Call 911 now", SUMMARY["title"]):
            assert part in text
        assert SUMMARY["save"] not in text


def test_paper_holds_the_dialogue_when_the_chat_itself_is_printed(panel: Panel, tmp_path: Path) -> None:
    panel.page.emulate_media(media="print")
    expect(panel.box).to_be_hidden()
    expect(panel.mine.first).to_be_visible()
    file = tmp_path / "chat.pdf"
    panel.page.pdf(path=file)
    text = _text(file)
    assert not text or all(part in text for part in (SORE, NUMB_LEGS, "Call 911 now"))


def test_saved_file_holds_the_same(panel: Panel) -> None:
    _open(panel)
    with panel.page.expect_download() as download:
        _control(panel, "save").click()
    assert download.value.suggested_filename == SUMMARY["file"]
    text = Path(download.value.path()).read_text(encoding="utf-8")
    for part in (SORE, NUMB_LEGS, "Call 911 now", SUMMARY["title"], SUMMARY["program"], "vertebroplasty"):
        assert part in text
    assert "undefined" not in text
    assert "<" not in text


def test_summary_can_be_saved_from_the_clinics_page(device: Device) -> None:
    panel = device.open()
    panel.say(FEVER)
    _open(panel)
    with panel.page.expect_download() as download:
        _control(panel, "save").click()
    assert FEVER in Path(download.value.path()).read_text(encoding="utf-8")


def test_summary_that_can_not_be_loaded_shows_the_numbers(device: Device) -> None:
    device.watch.tolerate("net::ERR_")
    panel = device.panel()
    panel.page.route("**/session/summary", lambda route: route.abort())
    said = _open(panel)
    expect(said).to_contain_text(SUMMARY["failed"])
    expect(said.get_by_role("link", name="Call 911")).to_be_visible()


def _text(file: Path) -> str:
    """The words of a PDF, where pdftotext is installed."""
    tool = shutil.which("pdftotext")
    done = subprocess.run([tool, file, "-"], capture_output=True, text=True, check=True).stdout if tool else ""
    return " ".join(done.split())
