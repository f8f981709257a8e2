"""The environment variables that the gateway is configured by, each declared once."""

from __future__ import annotations

from dataclasses import dataclass

YES = "yes"


@dataclass(frozen=True)
class Variable:
    """An environment variable.

    Attributes:
        meaning: what it is for, in Markdown.
        default: its value where it is not set, or empty.
        otherwise: what holds where it is not set, if that is no value, in Markdown.
        needed: `yes` when a clinic must set it, the circumstances in which it must, or empty.
    """

    name: str
    meaning: str
    default: str = ""
    otherwise: str = ""
    needed: str = ""


VARIABLES = (
    Variable(
        "AFTERCARE_PUBLIC_URL",
        "the address that patients' browsers use, https",
        otherwise="`http://127.0.0.1` and `http://localhost` with the gateway's port, in the demo",
        needed=YES,
    ),
    Variable(
        "AFTERCARE_EMBED",
        "the file of embed keys, which clinic pages may show the chat; like `gateway/embed.yml`",
        otherwise="`gateway/embed.yml`, in the demo",
        needed=YES,
    ),
    Variable(
        "AFTERCARE_MASTER_KEY",
        "what the conversations' keys are wrapped with: 32 random bytes in base64 (`python -m gateway new-key`); several, separated by "
        "commas, to change it",
        otherwise="made up in `.run`, in the demo",
        needed=YES,
    ),
    Variable(
        "AFTERCARE_AUDIT_KEY",
        "seals the audit: 32 random bytes in base64, not one of the master keys, and not known to who keeps the database",
        otherwise="made up in `.run`, in the demo",
        needed=YES,
    ),
    Variable(
        "AFTERCARE_DAY_KEYS",
        'the folder of the days\' keys, of this user alone and in no backup; [operating.md](operating.md), "The keys of the days"',
        otherwise="beside the SQLite file, or `.run/day-keys`, in the demo",
        needed=YES,
    ),
    Variable(
        "AFTERCARE_RECORDS",
        "the records' database: `sqlite:////srv/aftercare/records.db`, `postgresql+psycopg://user:password@host/name`",
        otherwise="SQLite, `.run/records.db`",
        needed="with several gateways",
    ),
    Variable("AFTERCARE_GATEWAY_HOST", "the address that the gateway listens on", default="127.0.0.1"),
    Variable("AFTERCARE_GATEWAY_PORT", "the port that the gateway listens on", default="8080"),
    Variable(
        "AFTERCARE_TRUSTED_PROXIES",
        "addresses of the proxies in front, whose `X-Forwarded-For` is believed; where one is not named, all patients share one address's "
        "limits, and `/readyz` says so",
        needed="behind a proxy",
    ),
    Variable(
        "AFTERCARE_RASA_URL",
        "where Rasa listens; several workers with commas between them, each conversation stays with one",
        default="http://127.0.0.1:5005",
    ),
    Variable("AFTERCARE_RETENTION_DAYS", "how many days words are kept", default="365"),
    Variable("AFTERCARE_LIMITS", "the file of rate limits, like `gateway/limits.yml`", otherwise="`gateway/limits.yml`"),
    Variable(
        "AFTERCARE_LIMITS_STORAGE",
        "where requests are counted against their limits: `async+memory://`, or `async+redis://host` for several gateways",
        default="async+memory://",
        needed="with several gateways",
    ),
    Variable("AFTERCARE_METRICS_PORT", "the port of the Prometheus figures, on 127.0.0.1; 0 is none", default="0"),
    Variable("AFTERCARE_CONSOLE_URL", "an address of the console's own, https", otherwise="the console is under the public address"),
    Variable(
        "AFTERCARE_POLICY",
        "the clinic's limits, rota and choices for its nurses, a copy of `gateway/console/policy.yml`; the rota must reach somebody",
        otherwise="`gateway/console/policy.yml`, whose rota reaches nobody: for the demo alone",
        needed=YES,
    ),
    Variable(
        "AFTERCARE_SMTP",
        "the mail server for escalations, `smtp://host:port` or `smtps://user:password@host`",
        needed="where the policy names e-mail addresses",
    ),
    Variable("AFTERCARE_MAIL_FROM", "the address that e-mails come from", needed="with `AFTERCARE_SMTP`"),
    Variable(
        "AFTERCARE_WEBHOOKS",
        "webhooks by name, `name=https://...` with blanks between",
        needed="where the policy names webhooks",
    ),
    Variable(
        "AFTERCARE_WEBHOOK_KEY",
        "signs what is sent to webhooks, 32 characters or more; `Aftercare-Signature` is HMAC-SHA256 with the key over "
        "`Aftercare-Timestamp` and the body, in hex",
        needed="with `AFTERCARE_WEBHOOKS`",
    ),
    Variable(
        "AFTERCARE_OIDC_ISSUER",
        "the issuer of the hospital's login, https; it must send `auth_time`, and the second factor is its task",
        otherwise="staff log in with accounts of the console's own",
    ),
    Variable("AFTERCARE_OIDC_CLIENT", "our client at the hospital's login", needed="with `AFTERCARE_OIDC_ISSUER`"),
    Variable("AFTERCARE_OIDC_SECRET", "our client's secret", needed="with `AFTERCARE_OIDC_ISSUER`"),
    Variable(
        "AFTERCARE_OIDC_ROLES",
        "which of the login's groups is which role: `group=nurse other=lead`",
        needed="with `AFTERCARE_OIDC_ISSUER`",
    ),
    Variable("AFTERCARE_OIDC_CLAIM", "the claim that lists a user's groups", default="groups"),
    Variable("AFTERCARE_MAINTENANCE", "`1`: messages are refused with the clinic's numbers, red flags are answered all the same"),
)
