"""What the console is told by its environment: keys, addresses of webhooks and mail, the policy, the hospital's provider."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.console.policy import DEFAULT
from gateway.settings import SettingsError, from_environment
from tests.gateway.support import MASTER_KEY_TEXT

_KEY = "k" * 32
_PROVIDER = {
    "AFTERCARE_OIDC_ISSUER": "https://login.clinic.example/realms/staff/",
    "AFTERCARE_OIDC_CLIENT": "aftercare",
    "AFTERCARE_OIDC_SECRET": "not-to-be-printed",
    "AFTERCARE_OIDC_ROLES": "Nurses=nurse CN=Leads=lead",
}
_HOOK = {"AFTERCARE_WEBHOOKS": "pager=https://pager.example/hook?key=a=b", "AFTERCARE_WEBHOOK_KEY": _KEY}
_MAIL = {"AFTERCARE_SMTP": "smtps://nurse:p%40ss@mail.example:465", "AFTERCARE_MAIL_FROM": "aftercare@clinic.example"}


@pytest.fixture
def clinic(tmp_path: Path) -> dict[str, str]:
    """An environment in which a real clinic's gateway starts."""
    file = tmp_path / "embed.yml"
    file.write_text("keys:\n  spine:\n    origins: [https://spine.example]\n    language: en\n")
    (tmp_path / "clinics-policy.yml").write_text(yaml.safe_dump({**yaml.safe_load(DEFAULT.read_text()), "rota": _rota(webhook=["pager"])}))
    tmp_path.chmod(0o700)
    return _HOOK | {
        "AFTERCARE_POLICY": str(tmp_path / "clinics-policy.yml"),
        "AFTERCARE_PUBLIC_URL": "https://chat.example",
        "AFTERCARE_MASTER_KEY": _new_key(),
        "AFTERCARE_AUDIT_KEY": _new_key(),
        "AFTERCARE_EMBED": str(file),
        "AFTERCARE_DAY_KEYS": str(tmp_path),
    }


@pytest.fixture
def policy(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Write a policy with changes, and return the variable that names it."""

    def write(**changes: Any) -> dict[str, str]:
        file = tmp_path / "policy.yml"
        file.write_text(yaml.safe_dump({**yaml.safe_load(DEFAULT.read_text(encoding="utf-8")), **changes}))
        return {"AFTERCARE_POLICY": str(file)}

    return write


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _problems(environ: dict[str, str], *, demo: bool = False) -> str:
    with pytest.raises(SettingsError) as caught:
        from_environment(environ, demo=demo)
    return str(caught.value)


def _rota(**step: list[str]) -> list[dict[str, Any]]:
    return [{"step": "second nurse", "email": [], "webhook": [], **step}]


def test_a_clinic_needs_neither_mail_nor_a_provider(clinic: dict[str, str]) -> None:
    settings = from_environment(clinic, demo=False)
    assert (settings.smtp, settings.provider) == ("", None)
    assert settings.console_origins == ("https://chat.example",)


def test_outside_the_demo_the_audit_key_has_no_default(clinic: dict[str, str]) -> None:
    del clinic["AFTERCARE_AUDIT_KEY"]
    said = _problems(clinic)
    assert "AFTERCARE_AUDIT_KEY" in said
    assert "python -m gateway new-key" in said


@pytest.mark.parametrize(
    "value", ["short", "not base64!", "ключ", base64.b64encode(bytes(32)).decode(), base64.b64encode(b"x" * 31).decode()]
)
@pytest.mark.parametrize("demo", [False, True])
def test_a_weak_audit_key_is_refused_and_not_printed(value: str, demo: bool, clinic: dict[str, str]) -> None:
    said = _problems(clinic | {"AFTERCARE_AUDIT_KEY": value}, demo=demo)
    assert "AFTERCARE_AUDIT_KEY" in said
    assert value not in said


@pytest.mark.parametrize("demo", [False, True])
def test_the_audit_key_is_none_of_the_master_keys(demo: bool, clinic: dict[str, str]) -> None:
    shared = _new_key()
    clinic |= {"AFTERCARE_MASTER_KEY": f"{_new_key()},{shared}", "AFTERCARE_AUDIT_KEY": shared}
    assert "AFTERCARE_AUDIT_KEY is one of the master keys" in _problems(clinic, demo=demo)


def test_the_console_may_have_an_address_of_its_own(clinic: dict[str, str]) -> None:
    settings = from_environment(clinic | {"AFTERCARE_CONSOLE_URL": "https://nurses.example/"}, demo=False)
    assert settings.console_origins == ("https://nurses.example",)


@pytest.mark.parametrize("value", ["http://nurses.example", "nurses.example", "https://nurses.example/console", "*"])
def test_a_console_address_that_is_no_encrypted_origin_is_refused(value: str, clinic: dict[str, str]) -> None:
    assert "AFTERCARE_CONSOLE_URL" in _problems(clinic | {"AFTERCARE_CONSOLE_URL": value})


def test_webhooks_have_names_addresses_and_a_key(clinic: dict[str, str]) -> None:
    settings = from_environment(clinic | _HOOK, demo=False)
    assert settings.webhooks == {"pager": "https://pager.example/hook?key=a=b"}
    assert settings.webhook_key == _KEY.encode()


@pytest.mark.parametrize(
    "value",
    [
        "https://pager.example/token",
        "pager=",
        "=https://pager.example",
        "pager=pager.example",
        "pager=https://",
        "pager=https:///token",
        "p/=https://a.example",
    ],
)
def test_a_webhook_without_a_name_or_an_address_is_refused_and_not_printed(value: str, clinic: dict[str, str]) -> None:
    said = _problems(clinic | {"AFTERCARE_WEBHOOKS": f"fine=https://a.example {value}", "AFTERCARE_WEBHOOK_KEY": _KEY})
    assert "AFTERCARE_WEBHOOKS: entry 2" in said
    assert "token" not in said


def test_two_webhooks_have_two_names(clinic: dict[str, str]) -> None:
    twice = {"AFTERCARE_WEBHOOKS": "pager=https://a.example pager=https://b.example"}
    assert "pager has two addresses" in _problems(clinic | _HOOK | twice)


def test_only_the_demo_calls_webhooks_unencrypted(clinic: dict[str, str]) -> None:
    plain = _HOOK | {"AFTERCARE_WEBHOOKS": "pager=http://127.0.0.1:9000/hook"}
    assert "not encrypted" in _problems(clinic | plain)
    settings = from_environment({"AFTERCARE_MASTER_KEY": MASTER_KEY_TEXT, **plain}, demo=True)
    assert settings.webhooks == {"pager": "http://127.0.0.1:9000/hook"}


@pytest.mark.parametrize("key", ["", "k" * 31])
def test_webhooks_are_signed_with_a_long_key(key: str, clinic: dict[str, str]) -> None:
    assert "AFTERCARE_WEBHOOK_KEY" in _problems(clinic | _HOOK | {"AFTERCARE_WEBHOOK_KEY": key})


def test_a_webhook_of_the_rota_has_an_address(clinic: dict[str, str], policy: Callable[..., dict[str, str]]) -> None:
    said = _problems(clinic | _HOOK | policy(rota=_rota(webhook=["pager", "siren"])))
    assert "siren" in said
    assert "AFTERCARE_WEBHOOKS" in said
    assert from_environment(clinic | _HOOK | policy(rota=_rota(webhook=["pager"])), demo=False).policy.rota[0].webhook == ("pager",)


def test_a_rota_that_reaches_nobody_is_for_the_demo_alone(clinic: dict[str, str]) -> None:
    silent = clinic | {"AFTERCARE_POLICY": ""}
    said = _problems(silent)
    assert "rota reaches nobody" in said
    assert "AFTERCARE_POLICY" in said
    assert not [step for step in from_environment(silent, demo=True).policy.rota if step.email or step.webhook]


def test_one_step_that_reaches_somebody_is_enough_to_start(clinic: dict[str, str], policy: Callable[..., dict[str, str]]) -> None:
    from_environment(clinic | policy(rota=[*_rota(), *_rota(webhook=["pager"])]), demo=False)


def test_mail_goes_to_a_server(clinic: dict[str, str], policy: Callable[..., dict[str, str]]) -> None:
    rota = policy(rota=_rota(email=["ward@clinic.example"]))
    settings = from_environment(clinic | _MAIL | rota, demo=False)
    assert (settings.smtp, settings.mail_from) == (_MAIL["AFTERCARE_SMTP"], "aftercare@clinic.example")
    assert "AFTERCARE_SMTP is not set" in _problems(clinic | rota)


@pytest.mark.parametrize(
    "value",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example:0",
        "smtp://mail.example:70000",
        "smtp://a:secret@word@mail.example",
        "smtp://mail.example/x",
    ],
)
def test_a_mail_server_without_an_address_is_refused_and_not_printed(value: str, clinic: dict[str, str]) -> None:
    said = _problems(clinic | _MAIL | {"AFTERCARE_SMTP": value})
    assert "AFTERCARE_SMTP is no address" in said
    assert "secret" not in said


@pytest.mark.parametrize("value", ["", "clinic.example", "a@b@c.example", "Clinic <a@b.example>", "a@b.example\nBcc: c@d.example"])
def test_mail_comes_from_an_address(value: str, clinic: dict[str, str]) -> None:
    assert "AFTERCARE_MAIL_FROM" in _problems(clinic | _MAIL | {"AFTERCARE_MAIL_FROM": value})


def test_the_rota_has_addresses_that_are_some(clinic: dict[str, str], policy: Callable[..., dict[str, str]]) -> None:
    said = _problems(clinic | _MAIL | policy(rota=_rota(email=["ward@clinic.example", "Nina Nurse"])))
    assert "Nina Nurse" in said
    assert "ward@clinic.example" not in said


@pytest.mark.parametrize(
    "changes",
    [
        {"limits": {"emergency": "soon", "call_doctor": "1 hour"}},
        {"rota": []},
        {"retries": []},
        {"silence": {"after": "1 hour", "from": "25:00", "to": "18:00"}},
        {"more": 1},
    ],
    ids=str,
)
def test_a_policy_with_a_mistake_is_refused(changes: dict[str, Any], clinic: dict[str, str], policy: Callable[..., dict[str, str]]) -> None:
    said = _problems(clinic | policy(**changes))
    assert "policy.yml" in said
    assert "see gateway/console/policy.yml" in said


def test_a_policy_that_is_not_there_is_named(clinic: dict[str, str], tmp_path: Path) -> None:
    assert f"{tmp_path / 'missing.yml'} cannot be read" in _problems(clinic | {"AFTERCARE_POLICY": str(tmp_path / "missing.yml")})


def test_a_provider_maps_its_groups_to_roles(clinic: dict[str, str]) -> None:
    provider = from_environment(clinic | _PROVIDER, demo=False).provider
    assert provider is not None
    assert provider.issuer == "https://login.clinic.example/realms/staff"
    assert provider.roles == {"Nurses": "nurse", "CN=Leads": "lead"}
    assert provider.claim == "groups"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"AFTERCARE_OIDC_ISSUER": ""}, "AFTERCARE_OIDC_ISSUER is not"),
        ({"AFTERCARE_OIDC_ISSUER": "login.clinic.example"}, "is no address"),
        ({"AFTERCARE_OIDC_ISSUER": "https://login.clinic.example/a b"}, "is no address"),
        ({"AFTERCARE_OIDC_ISSUER": "https://login.clinic.example/?realm=a"}, "is no address"),
        ({"AFTERCARE_OIDC_ISSUER": "https://user@login.clinic.example"}, "is no address"),
        ({"AFTERCARE_OIDC_ISSUER": "http://login.clinic.example"}, "not encrypted"),
        ({"AFTERCARE_OIDC_CLIENT": ""}, "AFTERCARE_OIDC_CLIENT"),
        ({"AFTERCARE_OIDC_SECRET": ""}, "AFTERCARE_OIDC_SECRET"),
        ({"AFTERCARE_OIDC_ROLES": ""}, "AFTERCARE_OIDC_ROLES"),
        ({"AFTERCARE_OIDC_ROLES": "Nurses"}, "AFTERCARE_OIDC_ROLES"),
        ({"AFTERCARE_OIDC_ROLES": "=nurse"}, "AFTERCARE_OIDC_ROLES"),
        ({"AFTERCARE_OIDC_ROLES": "Nurses=king"}, "AFTERCARE_OIDC_ROLES"),
        ({"AFTERCARE_OIDC_ROLES": "Nurses=nurse Nurses=admin"}, "AFTERCARE_OIDC_ROLES"),
    ],
    ids=str,
)
def test_a_provider_with_a_mistake_is_refused(changes: dict[str, str], said: str, clinic: dict[str, str]) -> None:
    found = _problems(clinic | _PROVIDER | changes)
    assert said in found
    assert "not-to-be-printed" not in found
    assert len(found.splitlines()) == 1


def test_the_settings_tell_no_secret_of_the_console_when_they_are_printed(clinic: dict[str, str]) -> None:
    settings = from_environment(clinic | _HOOK | _MAIL | _PROVIDER, demo=False)
    for secret in (repr(settings.audit_key), _KEY, "pager.example/hook", "p%40ss", "not-to-be-printed"):
        assert secret not in repr(settings)
