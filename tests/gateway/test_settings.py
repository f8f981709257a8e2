"""The gateway does not start on a mistake in its environment, and says which variable to mend, and how."""

from __future__ import annotations

import base64
import secrets
import stat
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml

import gateway.settings.environment
import gateway.settings.keys
from gateway.console.policy import DEFAULT
from gateway.settings import SettingsError, from_environment
from tests.gateway.support import MASTER_KEY, MASTER_KEY_TEXT, ROOT
from vault.day_keys import DayKeys

_CLINIC_PAGES = "keys:\n  spine:\n    origins: [https://spine.example]\n    language: es\n"


@pytest.fixture
def embed(tmp_path: Path) -> Path:
    file = tmp_path / "embed.yml"
    file.write_text(_CLINIC_PAGES)
    return file


@pytest.fixture
def day_keys(tmp_path: Path) -> Path:
    folder = tmp_path / "day-keys"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def clinic(embed: Path, day_keys: Path, tmp_path: Path) -> dict[str, str]:
    """An environment in which a real clinic's gateway starts."""
    rota = [{"step": "second nurse", "email": [], "webhook": ["pager"]}]
    (tmp_path / "policy.yml").write_text(yaml.safe_dump({**yaml.safe_load(DEFAULT.read_text()), "rota": rota}))
    return {
        "AFTERCARE_POLICY": str(tmp_path / "policy.yml"),
        "AFTERCARE_WEBHOOKS": "pager=https://pager.example/hook",
        "AFTERCARE_WEBHOOK_KEY": "k" * 32,
        "AFTERCARE_PUBLIC_URL": "https://chat.example",
        "AFTERCARE_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "AFTERCARE_EMBED": str(embed),
        "AFTERCARE_AUDIT_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "AFTERCARE_DAY_KEYS": str(day_keys),
    }


def _problems(environ: dict[str, str], *, demo: bool = False) -> str:
    with pytest.raises(SettingsError) as caught:
        from_environment(environ, demo=demo)
    return str(caught.value)


def test_a_clinic_that_sets_everything_starts(clinic: dict[str, str]) -> None:
    settings = from_environment(clinic, demo=False)
    assert settings.public_origins == ("https://chat.example",)
    assert settings.secure
    assert settings.embed_keys["spine"].origins == ("https://spine.example",)
    assert settings.embed_keys["spine"].language == "es"
    assert settings.host == "127.0.0.1"
    assert settings.metrics_port is None
    assert not settings.maintenance
    assert settings.retention == timedelta(days=365)


@pytest.mark.parametrize(
    "name", ["AFTERCARE_PUBLIC_URL", "AFTERCARE_MASTER_KEY", "AFTERCARE_EMBED", "AFTERCARE_AUDIT_KEY", "AFTERCARE_DAY_KEYS"]
)
def test_outside_the_demo_nothing_secret_or_of_the_clinic_has_a_default(name: str, clinic: dict[str, str]) -> None:
    del clinic[name]
    said = _problems(clinic)
    assert name in said
    assert "set it" in said or "make one" in said or "copy" in said
    assert len(said.splitlines()) == 1


def test_outside_the_demo_no_key_is_made_up(clinic: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.settings.keys, "RUN", tmp_path / "run")
    del clinic["AFTERCARE_MASTER_KEY"]
    _problems(clinic)
    assert not (tmp_path / "run").exists()


def test_every_mistake_is_told_at_once() -> None:
    said = _problems({"AFTERCARE_GATEWAY_PORT": "none", "AFTERCARE_RETENTION_DAYS": "0"})
    for name in ("GATEWAY_PORT", "RETENTION_DAYS", "PUBLIC_URL", "MASTER_KEY", "DAY_KEYS", "EMBED", "AUDIT_KEY", "POLICY"):
        assert f"AFTERCARE_{name}" in said, name
    assert len(said.splitlines()) == 8


@pytest.mark.parametrize("name", ["AFTERCARE_GATEWAY_PORT", "AFTERCARE_METRICS_PORT", "AFTERCARE_RETENTION_DAYS"])
@pytest.mark.parametrize("value", ["-1", "65.5", "99999999", "eighty", "1e3", "0x50", "²"])
def test_a_number_out_of_its_range_is_refused(name: str, value: str, clinic: dict[str, str]) -> None:
    said = _problems(clinic | {name: value})
    assert name in said
    assert "whole number from" in said


@pytest.mark.parametrize(
    "value",
    ["http://chat.example", "chat.example", "https://chat.example/path", "https://", "ftp://chat.example", "https://[::1", "*"],
)
def test_a_public_address_that_is_no_encrypted_origin_is_refused(value: str, clinic: dict[str, str]) -> None:
    said = _problems(clinic | {"AFTERCARE_PUBLIC_URL": value})
    assert "AFTERCARE_PUBLIC_URL" in said
    assert "https" in said


@pytest.mark.parametrize("origin", ["http://spine.example", "spine.example", "https://spine.example/", "null", "'*'", "5"])
def test_a_page_that_is_no_encrypted_origin_is_refused(origin: str, clinic: dict[str, str], embed: Path) -> None:
    embed.write_text(f"keys: {{spine: {{origins: [{origin}]}}}}")
    said = _problems(clinic)
    assert str(embed) in said
    assert "spine" in said
    assert "https" in said


@pytest.mark.parametrize(
    "origin",
    ["https://a.example; script-src *", "https://a.example b.example", "https://*.example", "https://user:word@a.example"],
)
def test_a_page_that_would_change_the_panels_policy_is_refused(origin: str, clinic: dict[str, str], embed: Path) -> None:
    embed.write_text(f"keys: {{spine: {{origins: ['{origin}']}}}}")
    assert str(embed) in _problems(clinic)


def test_encryption_is_not_asked_of_the_demo() -> None:
    settings = from_environment({"AFTERCARE_MASTER_KEY": MASTER_KEY_TEXT}, demo=True)
    assert settings.public_origins[0].startswith("http://127.0.0.1")
    assert not settings.secure


@pytest.mark.parametrize(
    "value",
    [
        base64.b64encode(b"short").decode(),
        base64.b64encode(bytes(range(31))).decode(),
        base64.b64encode(bytes(range(33))).decode(),
        base64.b64encode(bytes(32)).decode(),
        base64.b64encode(b"ab" * 16).decode(),
        "not base64!",
        "ключ",
        "a" * 44,
        f"{base64.b64encode(MASTER_KEY).decode()},{base64.b64encode(bytes(32)).decode()}",
        ",",
    ],
    ids=["short", "31", "33", "zeros", "two-bytes", "no-base64", "no-ascii", "one-letter", "second-weak", "comma"],
)
@pytest.mark.parametrize("demo", [False, True])
def test_a_short_or_weak_master_key_is_refused(value: str, demo: bool, clinic: dict[str, str]) -> None:
    said = _problems(clinic | {"AFTERCARE_MASTER_KEY": value}, demo=demo)
    assert "AFTERCARE_MASTER_KEY" in said
    assert "python -m gateway new-key" in said
    assert value not in said or value == ","


def test_several_master_keys_are_taken_in_order(clinic: dict[str, str]) -> None:
    keys = [secrets.token_bytes(32) for _ in range(3)]
    clinic["AFTERCARE_MASTER_KEY"] = " , ".join(base64.b64encode(key).decode() for key in keys)
    assert from_environment(clinic, demo=False).master_keys == tuple(keys)


def test_the_demos_made_up_keys_are_kept_for_this_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.settings.keys, "RUN", tmp_path / "run")
    first, second = from_environment({}, demo=True), from_environment({}, demo=True)
    assert (first.master_keys, first.audit_key) == (second.master_keys, second.audit_key)
    assert len(first.master_keys[0]) == len(first.audit_key) == 32
    assert first.audit_key != first.master_keys[0]
    files = list((tmp_path / "run").iterdir())
    assert len(files) == 2
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)


@pytest.mark.parametrize(
    "content",
    [
        "start: {address: 5 per minute}\n",
        "start: {address: often, key: 5 per minute}\nmessage: {session: 1 per minute, address: 1 per minute}\n",
        "[]",
        "start: [",
        "start: 5 per minute",
    ],
)
def test_a_limits_file_with_a_mistake_is_refused(content: str, clinic: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "limits.yml"
    file.write_text(content)
    said = _problems(clinic | {"AFTERCARE_LIMITS": str(file)})
    assert str(file) in said
    assert "needs a limit for" in said
    assert "20 per minute" in said


def test_a_limits_file_says_how_many_streams_one_address_holds(clinic: dict[str, str], tmp_path: Path) -> None:
    whole = (ROOT / "gateway" / "limits.yml").read_text()
    file = tmp_path / "limits.yml"
    for content, most in ((whole, 300), (whole.replace("address: 300", "address: 12"), 12), (whole.partition("open:")[0], 300)):
        file.write_text(content)
        assert from_environment(clinic | {"AFTERCARE_LIMITS": str(file)}, demo=False).most_open == most
    for wrong in ("open: 12", "open: {address: 0}", "open: {address: many}", "open: {session: 3}", "open: {address: true}"):
        file.write_text(whole.partition("open:")[0] + wrong)
        assert "open needs a whole number for address" in _problems(clinic | {"AFTERCARE_LIMITS": str(file)})


_OWN = "keys: {spine: {origins: [https://spine.example], limits: %s}}"


def test_a_key_may_have_limits_of_its_own(clinic: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "embed.yml"
    file.write_text(
        _OWN % '{networks: [203.0.113.0/24, "2001:db8:7::/48"], start: {address: 600 per hour, key: 9 per minute}, open: {address: 1500}}'
    )
    key = from_environment(clinic | {"AFTERCARE_EMBED": str(file)}, demo=False).embed_keys["spine"]
    own = key.limits
    assert own is not None
    assert {each: str(limit) for each, limit in own.rates.items()} == {
        ("start", "address"): "600 per 1 hour",
        ("start", "key"): "9 per 1 minute",
    }
    assert own.most_open == 1500
    assert key.own_limits("203.0.113.9") is own
    assert key.own_limits("2001:db8:7:1::/64") is own
    for elsewhere in ("203.0.114.9", "2001:db8:8::/64", "unknown", ""):
        assert key.own_limits(elsewhere) is None


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ("[]", "limits need networks"),
        ("{start: {address: 9 per minute}}", "limits need networks"),
        ("{networks: [], start: {address: 9 per minute}}", "limits need networks"),
        ("{networks: [hospital]}", "is no network"),
        ("{networks: [203.0.113.7/24]}", "is no network"),
        ('{networks: ["2001:db8::/80"]}', "write 2001:db8::/64"),
        ("{networks: [203.0.113.0/24], start: {address: often}}", "is no limit"),
        ("{networks: [203.0.113.0/24], refused: {address: 9 per minute}}", "refused for address"),
        ("{networks: [203.0.113.0/24], read: {session: 9 per minute}}", "read for session"),
        ("{networks: [203.0.113.0/24], strat: 9}", "strat for nobody"),
        ("{networks: [203.0.113.0/24], open: {address: -1}}", "open needs a whole number"),
    ],
)
def test_a_keys_own_limits_with_a_mistake_are_refused(limits: str, said: str, clinic: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "embed.yml"
    file.write_text(_OWN % limits)
    problems = _problems(clinic | {"AFTERCARE_EMBED": str(file)})
    assert f"{file}, key spine" in problems
    assert said in problems


@pytest.mark.parametrize("name", ["AFTERCARE_LIMITS", "AFTERCARE_EMBED"])
def test_a_file_that_is_not_there_is_named(name: str, clinic: dict[str, str], tmp_path: Path) -> None:
    assert f"{tmp_path / 'missing.yml'} cannot be read" in _problems(clinic | {name: str(tmp_path / "missing.yml")})


@pytest.mark.parametrize("name", ["AFTERCARE_LIMITS", "AFTERCARE_EMBED"])
def test_a_file_that_is_no_text_is_named(name: str, clinic: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "binary.yml"
    file.write_bytes(b"\xff\xfe\x00\x01")
    assert str(file) in _problems(clinic | {name: str(file)})


@pytest.mark.parametrize(
    "content",
    [
        "keys: {}",
        "",
        "[]",
        "keys: {spine: {origins: [https://a.example], language: fr}}",
        "keys: {'a/b': {origins: []}}",
        "keys: {'\"><script>': {origins: []}}",
        "keys: {spine: {origins: }}",
        "keys: {spine: {origins: 5}}",
        "keys: {spine: {origins: https://a.example}}",
        "keys: {spine: nothing}",
        "keys: {spine: {origins: ['https://[::1']}}",
    ],
)
def test_an_embed_file_with_a_mistake_is_refused(content: str, clinic: dict[str, str], embed: Path) -> None:
    embed.write_text(content)
    assert str(embed) in _problems(clinic)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AFTERCARE_RECORDS", "nonsense"),
        ("AFTERCARE_RECORDS", "mysql://records"),
        ("AFTERCARE_RASA_URL", "nonsense"),
        ("AFTERCARE_RASA_URL", "ftp://rasa"),
        ("AFTERCARE_LIMITS_STORAGE", "nonsense"),
        ("AFTERCARE_LIMITS_STORAGE", "memory://"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused(name: str, value: str, clinic: dict[str, str]) -> None:
    assert name in _problems(clinic | {name: value})


def test_a_widget_that_is_not_built_is_told(clinic: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.settings.environment, "ROOT", tmp_path)
    assert "make setup" in _problems(clinic)


@pytest.mark.parametrize(("value", "expected"), [("", False), ("0", False), ("1", True)])
def test_maintenance_is_switched_on_by_one(value: str, expected: bool, clinic: dict[str, str]) -> None:
    assert from_environment(clinic | {"AFTERCARE_MAINTENANCE": value}, demo=False).maintenance is expected


def test_the_settings_tell_no_key_when_they_are_printed(clinic: dict[str, str]) -> None:
    settings = from_environment(clinic, demo=False)
    assert repr(settings.master_keys[0]) not in repr(settings)


@pytest.mark.parametrize("demo", [True, False])
def test_the_folder_of_the_days_keys_is_for_this_user_alone(demo: bool, clinic: dict[str, str], day_keys: Path) -> None:
    assert from_environment(clinic, demo=demo).day_keys == day_keys
    day_keys.chmod(0o750)
    assert "chmod 0700" in _problems(clinic, demo=demo)
    day_keys.chmod(0o700)
    DayKeys(day_keys).make_ahead(date(2026, 1, 1), 1)
    (key,) = day_keys.iterdir()
    assert stat.S_IMODE(key.stat().st_mode) == 0o400
    key.chmod(0o440)
    assert "chmod 0400" in _problems(clinic, demo=demo)
    assert "install -d -m 0700" in _problems(clinic | {"AFTERCARE_DAY_KEYS": str(day_keys / "nowhere")}, demo=demo)
    assert "is no folder" in _problems(clinic | {"AFTERCARE_DAY_KEYS": str(key)}, demo=demo)


def _with_protocol(embed: Path, protocol: str) -> None:
    embed.write_text(f"keys: {{spine: {{origins: [https://spine.example], language: es, protocol: {protocol}}}}}")


def test_an_embed_key_names_its_protocol(clinic: dict[str, str], embed: Path) -> None:
    _with_protocol(embed, "second")
    key = from_environment(clinic, demo=False, protocols=[("first", "en"), ("second", "en")]).embed_keys["spine"]
    assert (key.protocol, key.language, key.bound) == ("second", "es", ("second", "es"))


def test_an_embed_key_that_names_none_is_the_defaults(clinic: dict[str, str], embed: Path) -> None:
    assert from_environment(clinic, demo=False, protocols=[("first", "en"), ("second", "en")]).embed_keys["spine"].protocol == ""
    _with_protocol(embed, "null")
    assert from_environment(clinic, demo=False, protocols=[("first", "en"), ("second", "en")]).embed_keys["spine"].protocol == ""


@pytest.mark.parametrize("protocol", ["third", "''", "[first]", "{first: 1}", "7", "First", "false"])
def test_an_embed_key_with_an_unknown_protocol_is_told_which_there_are(protocol: str, clinic: dict[str, str], embed: Path) -> None:
    _with_protocol(embed, protocol)
    with pytest.raises(SettingsError) as caught:
        from_environment(clinic, demo=False, protocols=[("first", "en"), ("second", "en"), ("first", "es")])
    (line,) = str(caught.value).splitlines()
    assert f"{embed}, key spine: there is no protocol" in line
    assert line.endswith("in force by AFTERCARE_PROTOCOL: first, second")


def test_who_does_not_say_which_protocols_there_are_can_name_none(clinic: dict[str, str], embed: Path) -> None:
    _with_protocol(embed, "first")
    assert "in force by AFTERCARE_PROTOCOL: none" in _problems(clinic)
