"""Makes docs/configuration.md: every environment variable of every part, with its default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.settings import VARIABLES, Variable
from vault.secret import NAMES

_YES = "yes"
_ACTION_SERVERS = "with action servers of their own"
_COMPOSE = "with `deploy/compose.yml`"
_PASSWORDS = ("POSTGRES_PASSWORD", "AFTERCARE_RECORDS_PASSWORD")

_CLINIC = (
    Variable(
        "AFTERCARE_CLINIC",
        "the clinic's own `clinic.yml`: name, telephone numbers, time zone, opening hours and holidays",
        otherwise="the protocol's own, an invented clinic in demo mode",
        needed=_YES,
    ),
    Variable(
        "AFTERCARE_PROTOCOL",
        "the folders of the protocols in force, with commas between them, the default one first",
        otherwise="the one that `protocols/default.yml` names",
    ),
)
_RASA = (
    Variable(
        "AFTERCARE_ACTION_URL",
        "the webhook of an action server that Rasa asks, `http://127.0.0.1:5055/webhook`",
        otherwise="the custom action runs in Rasa's process",
        needed=_ACTION_SERVERS,
    ),
    Variable(
        "AFTERCARE_TRACKER_KEYS",
        "the folder of the keys that seal Rasa's conversations, of the workers' user alone and in no backup",
        otherwise="they are in each worker's memory, and a worker that starts anew asks the gateway how a conversation stands",
    ),
    Variable("AFTERCARE_TRACKERS_HOST", "the host of the PostgreSQL that holds Rasa's conversations", needed=_YES),
    Variable("AFTERCARE_TRACKERS_PORT", "its port", needed=_YES),
    Variable("AFTERCARE_TRACKERS_DB", "its database", needed=_YES),
    Variable("AFTERCARE_TRACKERS_USER", "its user", needed=_YES),
    Variable("AFTERCARE_TRACKERS_PASSWORD", "the password of that user", needed=_YES),
    Variable("RASA_TELEMETRY_ENABLED", "Rasa's own: `false` keeps it from reporting to its makers", needed=_YES),
    Variable("SANIC_HOST", "Rasa's own: the address that a worker or an action server listens on", needed=_YES),
)
_NGINX = (
    Variable("AFTERCARE_HOST", "the public name, without https://", needed=_YES),
    Variable("AFTERCARE_CONSOLE_HOST", "the console's own name, as in `AFTERCARE_CONSOLE_URL`", needed=_YES),
    Variable("AFTERCARE_CONSOLE_NETWORKS", "the networks from which the console may be reached, with blanks between them", needed=_YES),
    Variable("AFTERCARE_HTTP_LISTEN", "the listeners for HTTP, `port` or `address:port`, with blanks between them", needed=_YES),
    Variable("AFTERCARE_HTTPS_LISTEN", "the listeners for HTTPS, in the same form", needed=_YES),
    Variable("AFTERCARE_GATEWAYS", "`host:port` of each gateway, with blanks between them", needed=_YES),
    Variable(
        "AFTERCARE_REQUESTS_PER_ADDRESS",
        "how many requests of one address, of IPv6 of one /64, are served at the same time; more than the greatest number for `open` in "
        "the files of limits and of embed keys",
        needed=_YES,
    ),
    Variable(
        "AFTERCARE_TLS",
        "the folder of `fullchain.pem` and `privkey.pem`; `python -m gateway check` looks at them",
        needed=_YES,
    ),
    Variable("AFTERCARE_FALLBACK", "the folder of the pages that are shown when no gateway answers", needed=_YES),
    Variable("AFTERCARE_LOGS", "the folder of nginx's logs", needed=_YES),
    Variable("AFTERCARE_ACTIONS", "`host:port` of each action server, with blanks between them", needed=_ACTION_SERVERS),
    Variable("AFTERCARE_ACTIONS_LISTEN", "`address:port` where Rasa's workers reach the action servers", needed=_ACTION_SERVERS),
)
_OPERATIONS = (
    Variable(
        "AFTERCARE_TRACKERS",
        "the address of the database of Rasa's conversations, from which they are deleted, and which is backed up",
        needed=_YES,
    ),
    Variable(
        "AFTERCARE_BACKUPS",
        "the folder of the backups; `python -m gateway check` says when the days' keys are in it",
        needed=_YES,
    ),
    Variable("AFTERCARE_PROBE_KEY", "the synthetic patient's embed key, the one with `synthetic: true`", needed=_YES),
    Variable("AFTERCARE_GATEWAY_PYTHON", "the Python that backup and restore start", otherwise="`.venv-gateway/bin/python`"),
    Variable("POSTGRES_PASSWORD", "the password of PostgreSQL's superuser", needed=_COMPOSE),
    Variable("AFTERCARE_RECORDS_PASSWORD", "the password of the records' user, as `AFTERCARE_RECORDS` has it", needed=_COMPOSE),
)
_MACHINE = (
    Variable("AFTERCARE_PYTHON", "the Python for the gateway and the scripts, 3.11 to 3.13", otherwise="one is looked for"),
    Variable("AFTERCARE_PYTHON310", "the Python for Rasa, 3.10", otherwise="one is looked for"),
    Variable("PORT", "Rasa's port", default="5005"),
    Variable("AFTERCARE_DB", "the file of Rasa's conversations", otherwise="`.run/conversations.db`"),
    Variable(
        "AFTERCARE_ACTION_PORT",
        "starts an action server on this port and lets Rasa ask it",
        otherwise="the custom action runs in Rasa's process",
    ),
    *(
        Variable(name, f"{meaning}; set by `make run` itself")
        for name, meaning in (
            ("AFTERCARE_ROOT", "this project's folder"),
            ("AFTERCARE_MODEL", "the file of the model that Rasa loads"),
            ("AFTERCARE_ACTION_SERVER", "whether an action server is started"),
            ("AFTERCARE_UID", "the user whom the servers run as"),
        )
    ),
)
PARTS: Mapping[str, tuple[Variable, ...]] = {
    "The clinic and its protocols: gateway, Rasa, action servers, nginx's configuration": _CLINIC,
    "The gateway": VARIABLES,
    "Rasa": _RASA,
    "nginx, by `python -m deploy.render`": _NGINX,
    "Backup, forgetting, the synthetic patient, compose": _OPERATIONS,
    "`make` on a developer's machine": _MACHINE,
}


def page() -> str:
    """The whole page, in Markdown."""
    lines = [
        "# Configuration",
        "",
        "Every environment variable. Written by `make generate`, from `gateway/settings/variables.py` and",
        "`scripts/configuration.py`; do not edit by hand. A variable that is empty counts as not set. The gateway refuses to start while",
        "something is missing or wrong, and names every mistake at once; `python -m gateway check` also tries every address.",
        "",
        "`needed` is about a real clinic; the demo needs none of them. A `secret` may stand in a file instead, which its user alone can",
        "read: `AFTERCARE_MASTER_KEY_FILE=<file>`, or a file of the variable's name among systemd's credentials (`LoadCredential`);",
        "[operating.md](operating.md) has the rest.",
    ]
    for part, variables in PARTS.items():
        lines += ["", f"## {part}", "", *_table(variables)]
    return "\n".join([*lines, ""])


def _table(variables: Iterable[Variable]) -> list[str]:
    return [
        "| variable | what for | default | needed | secret |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {' | '.join(_cells(variable))} |" for variable in variables),
    ]


def _cells(variable: Variable) -> tuple[str, ...]:
    default = f"`{variable.default}`" if variable.default else variable.otherwise or "none"
    secret = "in the environment alone" if variable.name in _PASSWORDS else "yes" if variable.name in NAMES else "no"
    return f"`{variable.name}`", variable.meaning, default, variable.needed or "no", secret
