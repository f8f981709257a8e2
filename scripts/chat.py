"""A terminal chat with the running bot. It keeps no history: what a patient types is health data."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
from prompt_toolkit import PromptSession
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from aftercare.protocol import Library, load_library
from scripts.common import FailureError, port_from, run_script

DISPOSITIONS = {
    "emergency": ("EMERGENCY", "bold red"),
    "call_doctor": ("CALL YOUR DOCTOR", "bold yellow"),
    "self_care": ("CARE AT HOME", "bold green"),
}
TYPES = {
    "question": ("QUESTION", "bold cyan"),
    "faq": ("FROM THE LEAFLET", "bold blue"),
    "not_in_leaflet": ("NOT IN THE LEAFLET", "bold magenta"),
    "chat": ("AFTERCARE", "bold white"),
    "out_of_scope": ("NOT SOMETHING I CAN ANSWER", "bold magenta"),
}
STATUS_STYLES = {"present": "red", "absent": "green"}

Message = dict[str, Any]


def title_of(custom: Message) -> tuple[str, str]:
    """Return the words and the style that say what kind of answer this is; a disposition goes first."""
    known = [DISPOSITIONS.get(custom.get("disposition") or ""), TYPES.get(custom.get("type") or "")]
    parts = [part for part in known if part] or [TYPES["chat"]]
    return " · ".join(words for words, _ in parts), parts[0][1]


def measured_facts(library: Library) -> frozenset[str]:
    """Return what questions with a scale are about: to them a number is an answer, and no button's number."""
    return frozenset(question.about for protocol in library for question in protocol.questions.values() if question.scale)


def body_of(messages: list[Message], custom: Message, buttons: list[Message], numbered: bool) -> Iterator[RenderableType]:
    """Yield the parts of an answer from top to bottom: text, findings, rules, sources, buttons, and the danger check's rows."""
    text = "\n\n".join(message["text"] for message in messages if message.get("text"))
    check = next((block["text"] for block in custom.get("blocks", ()) if block["kind"] == "check"), "")
    yield Text(text.replace(check, "").rstrip() if check else text)
    if custom.get("findings"):
        table = Table("finding", "status", "your words", box=None, padding=(0, 2, 0, 0), header_style="dim")
        for finding in custom["findings"]:
            evidence = finding.get("evidence") or ""
            quoted = evidence if isinstance(evidence, str) else ", ".join(map(str, evidence))
            table.add_row(
                Text(finding["code"].replace("_", " ")),
                Text(finding["status"], style=STATUS_STYLES.get(finding["status"], "yellow")),
                Text(quoted),
            )
        yield Padding(table, (1, 0, 0, 0))
    if custom.get("rules"):
        yield Padding(Text(f"Rules: {', '.join(custom['rules'])}", style="dim"), (1, 0, 0, 0))
    for source in custom.get("sources") or []:
        quote = Text.assemble(f"“{source['quote']}”", (f"\n  — leaflet, {source['section']}", "dim"))
        yield Padding(quote, (1, 0, 0, 2))
    for number, button in enumerate(buttons, start=1):
        mark = f"{number}." if numbered else "-"
        yield Padding(Text(f"{mark} {button['title']}", style="cyan"), (1 if number == 1 else 0, 0, 0, 0))
    if check:
        yield from rows_of(check, custom["rows"])


def rows_of(check: str, rows: list[Message]) -> Iterator[RenderableType]:
    """Yield the danger check: its question, and a line for each row, by the number that answers it; red where a Yes is an emergency."""
    yield Padding(Text(check.partition("\n")[0], style="bold"), (1, 0, 0, 0))
    for number, row in enumerate(rows, start=1):
        yield Text.assemble(
            (f"{number:3}. ", "cyan"), (row["text"], "red" if row.get("tier") == "emergency" else ""), ("  Yes / No / Not sure", "dim")
        )


def show(console: Console, messages: list[Message], measured: frozenset[str]) -> list[Message]:
    """Draw one answer of the bot and return the buttons that have numbers, in the order of these: none where a number is an answer."""
    if not messages:
        console.print("[dim]The bot gave no answer. Please say it in other words.[/dim]")
        return []
    custom: Message = next((message["custom"] for message in messages if message.get("custom")), {})
    buttons = [b for message in messages for b in message.get("buttons") or []] or custom.get("buttons") or []
    numbered = custom.get("about") not in measured
    title, style = title_of(custom)
    console.print(
        Panel(
            Group(*body_of(messages, custom, buttons, numbered)),
            title=f"[{style}]{escape(title)}[/]",
            title_align="left",
            border_style=style,
            padding=(1, 2),
        )
    )
    return buttons if numbered else []


def chosen(text: str, buttons: list[Message]) -> str:
    """Return what is sent for a typed line: the payload of the button that it numbers, or the line itself."""
    return str(buttons[int(text) - 1]["payload"]) if text.isdecimal() and 0 < int(text) <= len(buttons) else text


def call(bot: httpx.Client, method: str, path: str, body: Message | None = None) -> Any:
    """Send one request to the bot and return the JSON it answers with.

    Raises:
        FailureError: the bot does not answer, or answers with an error.
    """
    try:
        answer = bot.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json()
    except httpx.ConnectError:
        problem = f"The bot is not running at {bot.base_url}. Start it in another terminal with: make run"
    except (httpx.HTTPError, ValueError) as error:
        problem = f"The bot did not answer properly ({error}). Look into .run/rasa.log, then try again."
    raise FailureError(f"{problem}\nIf this is an emergency, do not wait: call your emergency number.")


def reader(console: Console) -> Callable[[], str]:
    """Return what reads the patient's next line: an editable prompt, or plain lines when stdin is a pipe.

    The function returned raises EOFError at the end of the input.
    """
    if sys.stdin.isatty():
        session: PromptSession[str] = PromptSession(reserve_space_for_menu=0)
        return lambda: session.prompt("you> ")

    def read() -> str:
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        console.print(f"you> {line.rstrip()}", markup=False)
        return line

    return read


def main() -> None:
    """Chat until /quit or the end of the input.

    Raises:
        FailureError: the bot cannot be reached.
    """
    console = Console(highlight=False)
    read = reader(console)
    sender = uuid4().hex
    measured = measured_facts(load_library())
    buttons: list[Message] = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port_from('PORT', 5005)}", timeout=60, trust_env=False) as bot:
        call(bot, "GET", "/webhooks/rest/")
        console.print("[dim]Type what you feel or want to know, or a button's number. /quit leaves.[/dim]")
        while True:
            try:
                text = read().strip()
            except (EOFError, KeyboardInterrupt):
                return
            if text == "/quit":
                return
            if not text:
                continue
            body = {"sender": sender, "message": chosen(text, buttons)}
            buttons = show(console, call(bot, "POST", "/webhooks/rest/webhook", body), measured)


if __name__ == "__main__":
    run_script(main)
