"""Runs the bot like `make run`, and takes in what is changed meanwhile.

The gateway starts again when its sources change, Rasa too when those of the core do; the widget is built, and the model trained, where they
are made of what changed. What cannot be taken in, such as a protocol with a mistake, is reported, and what runs goes on. Every step is a
process of its own, so that it runs the code as it is now.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Set
from contextlib import suppress
from pathlib import Path

from watchfiles import watch

from scripts.common import ROOT, TOOLS_PYTHON, run_script, say
from scripts.run import READY, checked_protocol, first_account
from scripts.stack import Stack

STEPS = ("aftercare.protocol", "scripts.rasa_project", "scripts.setup", "scripts.train")
_KNOWLEDGE = ("languages", "clinical", "protocols")
_GATEWAY = ("gateway", "vault", "widget")
_BOTH = ("aftercare", "readers", "actions", "rasa_ext", "encoder", "config.yml", *_KNOWLEDGE)
# What a step writes itself.
_MADE = ("widget/dist", "widget/node_modules")


def servers_of(changed: Set[str]) -> set[str]:
    """The servers that run what changed: files by their paths in the project's folder."""
    sources = [name for name in changed if not name.startswith(_MADE) and "__pycache__" not in name]
    roots = {name.split("/")[0] for name in sources}
    return ({"gateway"} if roots & {*_GATEWAY, *_BOTH} else set()) | ({"rasa"} if roots & {*_BOTH} else set())


def take_in(stack: Stack, servers: Set[str]) -> None:
    """Build and train what has changed, and start the servers again, unless a step fails."""
    for step in STEPS:
        done = subprocess.run([TOOLS_PYTHON, "-m", step], cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            say(f"Not taken in; what runs goes on:\n{(done.stdout + done.stderr).strip()}")
            return
    for server in sorted(servers):
        with suppress(ProcessLookupError):
            os.kill(stack.pids[server], signal.SIGTERM)
    say(f"Started again: {', '.join(sorted(servers))}")


def main() -> None:
    """Run the bot and watch its sources until Ctrl-C.

    Raises:
        FailureError: it could not be started.
    """
    checked_protocol()
    say("Starting the bot")
    with Stack.here(say) as stack:
        page, console, logs = f"{stack.gateway}/demo", first_account(stack), stack.logs / "*.log"
        say(READY.format(page=page, url=stack.url, prefix="", logs=logs, records=stack.records, console=console, clinic=""))
        for changes in watch(ROOT, raise_interrupt=False):
            if servers := servers_of({Path(name).relative_to(ROOT).as_posix() for _, name in changes}):
                take_in(stack, servers)


if __name__ == "__main__":
    run_script(main)
