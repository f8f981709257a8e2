"""Runs the bot in the foreground until Ctrl-C or SIGTERM: checks the protocol, then starts the servers."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from aftercare.protocol import Protocol, ProtocolError, load_protocol
from scripts.common import GATEWAY_PYTHON, ROOT, RUN, FailureError, run_script, say
from scripts.stack import Stack, start_demo_data

DEMO = """
THIS IS THE DEMO CLINIC. Its name and its telephone numbers are invented: do not give this to a patient.
Name your clinic's own file in AFTERCARE_CLINIC to change that."""

READY = """
Aftercare is running, for this machine only.
  In a browser:    {page}
  In a terminal:   {prefix}make chat
  From a program:  curl -s {url}/webhooks/rest/webhook -d '{{"sender": "me", "message": "I have a fever"}}'
  Logs:            {logs}
  Records:         {records}
{console}
{clinic}
Ctrl-C stops it."""


CONSOLE = """  Nurses' console: {page}
    Make the first account with:  {command}"""


def checked_protocol() -> Protocol:
    """The protocol as the servers will load it.

    Raises:
        FailureError: the protocol is not in order; the message holds every mistake found.
    """
    try:
        return load_protocol()
    except ProtocolError as error:
        raise FailureError(f"The protocol is not in order, so the bot was not started:\n{error}") from None


def first_account(stack: Stack) -> str:
    """How to make the first account of the nurses' console, with what the command cannot know by itself."""
    usual = {"AFTERCARE_GATEWAY_PORT": "8080", "AFTERCARE_RECORDS": f"sqlite:///{RUN / 'records.db'}"}
    ours = {"AFTERCARE_GATEWAY_PORT": str(stack.ports.gateway), "AFTERCARE_RECORDS": stack.records}
    needed = "".join(f"{name}={shlex.quote(value)} " for name, value in ours.items() if value != usual[name])
    python = GATEWAY_PYTHON.relative_to(ROOT)
    return CONSOLE.format(page=f"{stack.gateway}/console", command=f"{needed}{python} -m gateway staff 'Your Name' --role lead")


@contextmanager
def demo_day(stack: Stack, *, demo: bool) -> Iterator[None]:
    """Meanwhile, fill a demo's empty records with a day of invented patients."""
    making = start_demo_data(stack) if demo else None
    try:
        yield
    finally:
        if making is not None:
            making.terminate()
            making.wait()


def main() -> None:
    """Run the bot.

    Raises:
        FailureError: it could not be started, or stopped by itself.
    """
    protocol = checked_protocol()
    demo = protocol.clinic.mode == "demo"
    clinic = DEMO if demo else f"  Clinic:          {protocol.clinic.details['clinic']}"
    say("Starting the bot")
    with Stack.here(say) as stack:
        prefix = "" if stack.ports.rasa == 5005 else f"PORT={stack.ports.rasa} "
        page = os.environ.get("AFTERCARE_PUBLIC_URL") or f"{stack.gateway}/demo"
        console = first_account(stack)
        say(
            READY.format(page=page, url=stack.url, prefix=prefix, logs=RUN / "*.log", records=stack.records, console=console, clinic=clinic)
        )
        with demo_day(stack, demo=demo):
            try:
                stack.wait()
            except KeyboardInterrupt:
                say("\nStopping the bot")
    say("Stopped")


if __name__ == "__main__":
    run_script(main)
