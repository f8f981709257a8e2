"""How nurses are notified: webhooks, e-mail, and whether the policy's rota reaches somebody."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.settings.keys import KEY_BYTES
from gateway.settings.model import Settings

_WEBHOOK = re.compile(r"(?P<scheme>https?)://[^\s/?#@]+(?:[/?][^\s#]*)?")
_SMTP = re.compile(r"smtps?://(?:[^\s/@]+@)?[^\s/@:]+(?::(?P<port>[0-9]{1,5}))?")
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def webhooks(value: str, demo: bool, problems: list[str]) -> dict[str, str]:
    """Addresses by name, from `name=https://...` entries separated by blanks."""
    found: dict[str, str] = {}
    for number, entry in enumerate(value.split(), 1):
        name, _, address = entry.partition("=")
        parts = _WEBHOOK.fullmatch(address)
        if not _NAME.fullmatch(name) or parts is None:
            problems.append(f"AFTERCARE_WEBHOOKS: entry {number} is no name with an address; write name=https://...")
        elif parts["scheme"] == "http" and not demo:
            problems.append(f"AFTERCARE_WEBHOOKS: {name} is not encrypted; use https")
        elif name in found:
            problems.append(f"AFTERCARE_WEBHOOKS: {name} has two addresses; give each its own name")
        found[name] = address
    return found


def delivery_problems(settings: Settings, demo: bool) -> Iterator[str]:
    """What keeps the policy's rota from reaching somebody."""
    named = {name for step in settings.policy.rota for name in step.webhook}
    missing = sorted(named - set(settings.webhooks))
    if missing:
        yield f"The policy names webhooks without an address: {', '.join(missing)}; set AFTERCARE_WEBHOOKS to name=https://..."
    if settings.webhooks and len(settings.webhook_key) < KEY_BYTES:
        yield f"AFTERCARE_WEBHOOK_KEY must have {KEY_BYTES} characters or more; it signs what is sent to webhooks"
    server = _SMTP.fullmatch(settings.smtp)
    if settings.smtp and (server is None or int(server["port"] or 1) not in range(1, 65_536)):
        yield (
            "AFTERCARE_SMTP is no address of a mail server; write smtp://host:port or smtps://user:password@host, "
            "with %40 for an @ and %2F for a / in the password"
        )
    if settings.smtp and not _MAIL.fullmatch(settings.mail_from):
        yield "AFTERCARE_MAIL_FROM is not set; set it to the address that e-mails come from"
    wrong = [address for step in settings.policy.rota for address in step.email if not _MAIL.fullmatch(address)]
    if wrong:
        yield f"The policy's rota has e-mail addresses that are none: {', '.join(wrong)}; write team@example.org"
    if any(step.email for step in settings.policy.rota) and not settings.smtp:
        yield "The policy names e-mail addresses, and AFTERCARE_SMTP is not set; set it to the mail server, smtp://host:port"
    if not demo and not any(step.email or step.webhook for step in settings.policy.rota):
        yield (
            "The policy's rota reaches nobody: no one would be notified of an emergency that no nurse acknowledges; copy "
            "gateway/console/policy.yml, write e-mail addresses or names of webhooks into it, and name the copy in AFTERCARE_POLICY."
        )
