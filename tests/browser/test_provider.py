"""A nurse who logs in by the hospital's provider, in a browser that keeps cookies of one site from pages of another."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser

from aftercare.protocol import load_library
from gateway.app import create_app
from gateway.records.database import connect, migrate
from gateway.settings import from_environment
from tests.gateway.console.hospital import open_hospital, provider_of
from tests.gateway.support import MASTER_KEY_TEXT, Clock, served


def test_who_comes_back_from_the_provider_is_logged_in_at_once(browser: Browser, tmp_path: Path) -> None:
    """A redirect would not do: the login's cookie goes along only where one of our own pages leads on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ours, clock = (f"http://localhost:{port}",), Clock()
    records = f"sqlite:///{tmp_path / 'records.db'}"
    migrate(connect(records))
    settings = from_environment({"AFTERCARE_MASTER_KEY": MASTER_KEY_TEXT, "AFTERCARE_RECORDS": records}, demo=True)
    with open_hospital(clock) as hospital:
        settings = replace(settings, provider=provider_of(hospital), public_origins=ours, console_origins=ours)
        with served(create_app(settings, load_library(), clock=clock), port):
            page = browser.new_page()
            page.goto(f"{ours[0]}/console/login?next=/console/me")
            page.get_by_role("link", name="Log in with the hospital's account").click()
            page.get_by_role("link", name="I am Anna").click()
            page.wait_for_url(f"{ours[0]}/console/me")
            page.get_by_role("heading", name="Anna Keller", level=1).wait_for()
            page.get_by_role("button", name="Lock").click()
            page.get_by_role("link", name="Unlock with the hospital's account").click()
            page.get_by_role("link", name="I am Anna").click()
            page.wait_for_url(f"{ours[0]}/console/")
            page.get_by_role("heading", name="Queue", level=1).wait_for()
            page.close()
