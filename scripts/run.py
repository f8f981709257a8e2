"""Runs the bot in the foreground until Ctrl-C or SIGTERM: checks the protocol, then starts the servers."""

from __future__ import annotations

import os
from pathlib import Path

from aftercare.protocol import ProtocolError, load_protocol
from scripts.common import RUN, FailureError, port_from, run_script, say
from scripts.stack import Ports, Stack

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
{clinic}
Ctrl-C stops it."""


def checked_clinic() -> str:
    """Check the protocol as the servers will load it, and return what to tell the operator about its clinic.

    Raises:
        FailureError: the protocol is not in order; the message holds every mistake found.
    """
    try:
        clinic = load_protocol().clinic
    except ProtocolError as error:
        raise FailureError(f"The protocol is not in order, so the bot was not started:\n{error}") from None
    return DEMO if clinic.mode == "demo" else f"  Clinic:          {clinic.details['clinic']}"


def main() -> None:
    """Run the bot.

    Raises:
        FailureError: it could not be started, or stopped by itself.
    """
    ports = Ports(port_from("PORT", 5005), port_from("AFTERCARE_ACTION_PORT", 5055), port_from("AFTERCARE_GATEWAY_PORT", 8080))
    db = Path(os.environ.get("AFTERCARE_DB") or RUN / "conversations.db").resolve()
    clinic = checked_clinic()
    say("Starting the bot")
    with Stack(ports, db, logs=RUN, report=say) as stack:
        prefix = "" if ports.rasa == 5005 else f"PORT={ports.rasa} "
        page = os.environ.get("AFTERCARE_PUBLIC_URL") or f"{stack.gateway}/demo"
        say(READY.format(page=page, url=stack.url, prefix=prefix, logs=RUN / "*.log", records=stack.records, clinic=clinic))
        try:
            stack.wait()
        except KeyboardInterrupt:
            say("\nStopping the bot")
    say("Stopped")


if __name__ == "__main__":
    run_script(main)
