"""`python -m gateway check`: reads the whole set-up, tries every address, and tells in one table what is missing or weak.

It sends no notice and no patient's data: to a mail server it logs in, of a webhook it asks for the headers, of the others whether they
are there.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from aftercare.protocol import Library, ProtocolError
from gateway.check import parts, servers
from gateway.check.found import Found, State
from gateway.patient_copy import is_demo
from gateway.settings import SettingsError, from_environment
from vault.secret import SecretError, with_secrets

__all__ = ["Found", "State", "check", "findings"]


def check(environ: Mapping[str, str], load: Callable[[], Library]) -> int:
    """Print the table of this set-up; the exit code is 1 when something is missing.

    Args:
        environ: the variables that configure the gateway.
        load: reads the protocols.
    """
    found = sorted(findings(environ, load), key=lambda each: each.state)
    width = max(len(each.part) for each in found)
    for each in found:
        print(f"{each.state.name.lower():8}{each.part:{width}}  {each.said}")
    missing, weak = (sum(each.state == state for each in found) for state in (State.MISSING, State.WEAK))
    print(f"\n{missing} missing, {weak} weak.")
    return int(missing > 0)


def findings(environ: Mapping[str, str], load: Callable[[], Library]) -> list[Found]:
    """Everything that was looked at. Addresses are tried when the settings are right, all at the same time."""
    try:
        library = load()
        demo = is_demo(library)
        settings = from_environment(environ, demo=demo, protocols=[protocol.key for protocol in library])
        environment = with_secrets(environ)
    except (ProtocolError, SettingsError, SecretError) as error:
        return [Found("settings", State.MISSING, line) for line in str(error).splitlines()]
    read = [
        *parts.protocols(library),
        *parts.told_by_settings(settings, demo),
        *parts.embed_keys(settings, library.default.id),
        *parts.secrets(environ, settings, demo),
        *parts.files(environ),
        *parts.certificate(environ),
    ]
    tries = [
        lambda: servers.records(settings),
        lambda: servers.trackers(environment),
        lambda: servers.limits_storage(settings),
        lambda: servers.mail(settings),
        lambda: servers.login(settings),
    ]
    tries += [lambda url=url: servers.rasa(url) for url in settings.rasa_urls]  # type: ignore[misc]
    tries += [lambda name=name: servers.webhook(name, settings.webhooks[name]) for name in settings.webhooks]  # type: ignore[misc]
    with ThreadPoolExecutor(len(tries)) as pool:
        return [*read, *(each for done in pool.map(lambda attempt: list(attempt()), tries) for each in done)]
