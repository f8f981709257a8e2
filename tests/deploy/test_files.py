"""The files of deploy/ agree with the code and with each other, and none of them works before it is filled in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from prometheus_client import REGISTRY
from sqlalchemy import create_engine, text

import gateway.metrics  # noqa: F401
from aftercare.protocol import Protocol, load_protocol
from deploy import forget_trackers, render
from deploy.synthetic_patient import Outcome
from gateway.patient_copy import PatientCopy
from gateway.settings import SettingsError, from_environment
from scripts.common import ROOT
from vault.secret import NAMES

DEPLOY = ROOT / "deploy"
_HARDENED = ("NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "CapabilityBoundingSet=", "UMask=0077")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_protocol()


def _example(name: str, *, optional: bool = False) -> dict[str, str]:
    """The settings of an example; with those, if wanted, that stand there as comments."""
    text = (DEPLOY / "env" / f"{name}.env.example").read_text()
    lines = (re.sub(r"^# (?=AFTERCARE_\w+=)", "", text, flags=re.MULTILINE) if optional else text).splitlines()
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines if line and not line.startswith("#"))}


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_nothing_starts_with_the_examples_as_they_stand() -> None:
    with pytest.raises(SettingsError) as refused:
        from_environment(_example("gateway"), demo=False)
    for name in ("PUBLIC_URL", "CONSOLE_URL", "MASTER_KEY", "DAY_KEYS", "AUDIT_KEY", "EMBED", "RETENTION_DAYS", "RASA_URL"):
        assert f"AFTERCARE_{name}" in str(refused.value) or name.lower() in str(refused.value), name
    with pytest.raises(render.RenderError):
        render.configuration(_example("nginx"))


def test_the_examples_name_what_is_read() -> None:
    read = "".join(file.read_text() for folder in ("gateway", "aftercare") for file in (ROOT / folder).rglob("*.py"))
    assert not [name for name in _example("gateway") if f'"{name}"' not in read]
    assert set(_VARIABLE.findall(render.TEMPLATE.read_text())) <= set(_example("nginx"))
    optional = set(_example("nginx", optional=True)) - set(_example("nginx"))
    assert set(_VARIABLE.findall(render.ACTIONS.read_text())) - set(_example("nginx")) == optional
    assert set(_example("rasa", optional=True)) - set(_example("rasa")) == {"AFTERCARE_ACTION_URL"}
    assert set(_VARIABLE.findall((DEPLOY / "rasa" / "endpoints.yml").read_text())) <= {*_example("rasa"), "AFTERCARE_TRACKERS_PASSWORD"}


@pytest.mark.parametrize("example", sorted((DEPLOY / "env").glob("*.example")), ids=lambda file: file.name)
def test_a_shell_can_read_the_examples(example: Path, tmp_path: Path) -> None:
    """Filled in as their comments say: what stands between the quotes arrives as it is, blanks and signs included."""
    filled = tmp_path / "filled.env"
    filled.write_text(re.sub(r"<[^>]*>", 'a $b "c" & d', example.read_text()))
    read = 'set -eua; . "$1"; env -0'
    done = subprocess.run(
        ["sh", "-c", read, "sh", str(filled)], capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]}
    )
    assert not done.stderr
    found = dict(entry.partition("=")[::2] for entry in done.stdout.split("\0") if entry)
    wanted = {name: re.sub(r"<[^>]*>", 'a $b "c" & d', value) for name, value in _example(example.name.partition(".")[0]).items()}
    assert wanted
    assert wanted.items() <= found.items()


def test_redis_and_its_address_agree() -> None:
    settings = dict(line.split(" ", 1) for line in (DEPLOY / "redis.conf").read_text().splitlines() if line and not line.startswith("#"))
    said = re.search(r"LIMITS_STORAGE is (\S+) ", (DEPLOY / "env" / "gateway.env.example").read_text())
    assert said is not None
    address = urlsplit(said[1])
    assert (address.hostname, str(address.port)) == (settings["bind"], settings["port"])
    assert (address.password is None) == ("requirepass" not in settings)


def test_nobody_else_may_connect_to_the_databases() -> None:
    assert "REVOKE ALL ON DATABASE" in (DEPLOY / "docker" / "databases.sh").read_text()
    assert "REVOKE CONNECT ON DATABASE" in (ROOT / "docs" / "operating.md").read_text()


def test_rasa_gets_no_key_and_not_the_records() -> None:
    assert not {"AFTERCARE_MASTER_KEY", "AFTERCARE_AUDIT_KEY", "AFTERCARE_RECORDS"} & set(_example("rasa"))


def test_a_clusters_rasa_has_the_same_stores_as_one_machines() -> None:
    """Rasa goes on in memory, with a warning only, where it does not find a class."""
    cluster, single = _yaml(DEPLOY / "rasa" / "endpoints.yml"), _yaml(ROOT / "endpoints.yml")
    for store in ("tracker_store", "lock_store"):
        assert cluster[store]["type"] == single[store]["type"]
        module, _, name = cluster[store]["type"].rpartition(".")
        assert f"\nclass {name}(" in (ROOT / f"{module.replace('.', '/')}.py").read_text()


def test_the_alerts_ask_for_figures_that_exist() -> None:
    known = {sample.name for metric in REGISTRY.collect() for sample in metric.samples}
    known |= {f"{metric.name}{end}" for metric in REGISTRY.collect() for end in ("", "_total", "_bucket")}
    known |= set(re.findall(r"^(aftercare_\w+)", Outcome("", 1.0).figures(0), re.MULTILINE))
    rules = [rule for group in _yaml(DEPLOY / "prometheus" / "alerts.yml")["groups"] for rule in group["rules"]]
    asked = {name for rule in rules for name in re.findall(r"aftercare_\w+", rule["expr"])}
    assert len(asked) > 5
    assert asked <= known


def test_the_services_stand() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    units = sorted(map(str, (DEPLOY / "systemd").iterdir()))
    done = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "/opt/aftercare/" not in line and str(DEPLOY) in line]
    assert not said


def test_every_service_is_hardened() -> None:
    for unit in (DEPLOY / "systemd").glob("*.service"):
        lines = unit.read_text().splitlines()
        for wanted in (
            "NoNewPrivileges=yes",
            "ProtectSystem=strict",
            "PrivateTmp=yes",
            "CapabilityBoundingSet=",
            "UMask=0077",
            "LimitCORE=0",
        ):
            assert wanted in lines, (unit.name, wanted)


def _settings_of(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / f"{unit}.service").read_text().splitlines():
        name, _, value = line.partition("=")
        found.setdefault(name, []).append(value)
    return found


def test_gateway_rasa_and_actions_have_a_user_each() -> None:
    users = {unit: _settings_of(f"aftercare-{unit}@")["User"] for unit in ("gateway", "rasa", "actions")}
    assert users == {unit: [f"aftercare-{unit}"] for unit in users}
    for file in (DEPLOY / "systemd").glob("*.service"):
        (user,) = _settings_of(file.stem)["User"]
        assert user in (*(f"aftercare-{unit}" for unit in users), "aftercare-probe"), file.name


def test_no_secret_stands_in_an_environment() -> None:
    """A service's environment can be read by every process of its user, and is in many a crash report."""
    examples = {file.name.partition(".")[0] for file in (DEPLOY / "env").glob("*.example")} - {"postgresql"}
    for example in examples:
        assert not set(NAMES) & set(_example(example)), example
    for file in (DEPLOY / "systemd").glob("*.service"):
        settings = _settings_of(file.stem)
        for variable in " ".join(settings.get("Environment", [])).split():
            assert variable.partition("=")[0] not in NAMES, file.name
        for path in settings.get("EnvironmentFile", []):
            assert Path(path).stem in examples, file.name
    compose = (DEPLOY / "compose.yml").read_text()
    assert not [name for name in NAMES if f"{name}:" in compose]


def test_each_service_gets_its_own_secrets_and_no_others() -> None:
    gateway, operations = "AFTERCARE:/etc/aftercare/secrets/gateway", "/etc/aftercare/secrets/operations"
    expected = {
        "aftercare-gateway@": [gateway],
        "aftercare-rasa@": ["AFTERCARE_TRACKERS_PASSWORD:/etc/aftercare/secrets/rasa/TRACKERS_PASSWORD"],
        "aftercare-actions@": [],
        "aftercare-backup": [gateway],
        "aftercare-purge": [gateway, f"AFTERCARE_TRACKERS:{operations}/TRACKERS"],
        "aftercare-synthetic": [f"AFTERCARE_PROBE_KEY:{operations}/PROBE_KEY"],
    }
    assert {file.stem for file in (DEPLOY / "systemd").glob("*.service")} == set(expected)
    for unit, credentials in expected.items():
        assert _settings_of(unit).get("LoadCredential", []) == credentials, unit
        assert {line.partition(":")[0] for line in credentials} - {"AFTERCARE"} <= set(NAMES)
    assert "-m rasa_ext.start run" in _settings_of("aftercare-rasa@")["ExecStart"][0]


def test_compose_and_its_images_name_what_is_there() -> None:
    compose = _yaml(DEPLOY / "compose.yml")
    assert [name for name, service in compose["services"].items() if "profiles" in service] == ["actions-1", "actions-2"]
    for name, service in compose["services"].items():
        assert "build" in service or re.fullmatch(r"[a-z]+:[0-9.]+", service["image"]), name
        assert set(service["networks"]) <= set(compose["networks"]), name
        for file in service.get("env_file", []):
            assert (DEPLOY / f"{file}.example").is_file(), (name, file)
    published = [name for name, service in compose["services"].items() if service.get("ports")]
    assert published == ["nginx"]
    for dockerfile in (DEPLOY / "docker").glob("*.Dockerfile"):
        for source in re.findall(r"^COPY (\S+)", dockerfile.read_text(), re.MULTILINE):
            assert (ROOT / source).exists() or source.startswith(("models/", "widget/dist")), source


def test_the_page_for_the_worst_case_has_the_protocols_words(protocol: Protocol) -> None:
    page, body, copy = render.page(protocol), render.body(protocol), PatientCopy(protocol)
    for language in ("en", "es"):
        for block in copy.safety(language)["blocks"]:
            for line in block["text"].strip().splitlines():
                assert line.strip() in page
    for contact in copy.contacts(None):
        assert f'<a href="{contact["href"]}">{contact["number"]}</a>' in page
    assert copy.error("not_stored") in body


def test_the_page_for_the_worst_case_follows_the_clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "clinic.yml"
    file.write_text(
        "mode: clinic\nname: <b>Spine</b> & Sons\nphone: 212-664-7665\nafter_hours_phone: 212-664-7666\n"
        'hours: always\nemergency_number: "112"\ncrisis_line: "113"\ntime_zone: Europe/Berlin\nopening: {sunday: ["00:00-24:00"]}\n'
    )
    monkeypatch.setenv("AFTERCARE_CLINIC", str(file))
    page = render.page(load_protocol())
    assert "In an emergency call 112 now" in page
    assert "911" not in page
    assert "&lt;b&gt;Spine&lt;/b&gt; &amp; Sons" in page


@pytest.fixture
def filled() -> dict[str, str]:
    places = dict.fromkeys(_VARIABLE.findall(render.TEMPLATE.read_text() + render.ACTIONS.read_text()), "value")
    places["AFTERCARE_CONSOLE_NETWORKS"] = "10.20.0.0/16 2001:db8:20::/48"
    places |= {"AFTERCARE_HTTP_LISTEN": "80 [::]:80", "AFTERCARE_HTTPS_LISTEN": "443 [::]:443"}
    return places | {"AFTERCARE_GATEWAYS": "10.0.0.1:8081 10.0.0.2:8081", "AFTERCARE_ACTIONS": "127.0.0.1:5061"}


def test_nginx_gets_every_gateway(filled: dict[str, str]) -> None:
    made = render.configuration(filled)
    assert "server 10.0.0.1:8081 max_fails" in made
    assert "server 10.0.0.2:8081 max_fails" in made
    assert "${" not in made


def test_nginx_knows_action_servers_where_there_are_any(filled: dict[str, str]) -> None:
    assert "server 127.0.0.1:5061 max_fails" in render.configuration(filled)
    without = {name: value for name, value in filled.items() if name not in ("AFTERCARE_ACTIONS", "AFTERCARE_ACTIONS_LISTEN")}
    assert "actions" not in render.configuration(without)
    with pytest.raises(render.RenderError, match="AFTERCARE_ACTIONS_LISTEN"):
        render.configuration({**filled, "AFTERCARE_ACTIONS_LISTEN": ""})


def test_nginx_listens_for_both_names_on_both_kinds_of_addresses(filled: dict[str, str]) -> None:
    made = render.configuration(filled)
    for listener in ("listen 80;", "listen [::]:80;", "listen 443 ssl http2;", "listen [::]:443 ssl http2;"):
        assert len(re.findall(rf"^    {re.escape(listener)}$", made, re.MULTILINE)) == 2, listener


@pytest.mark.parametrize(
    "name",
    [
        "AFTERCARE_HOST",
        "AFTERCARE_GATEWAYS",
        "AFTERCARE_TLS",
        "AFTERCARE_CONSOLE_NETWORKS",
        "AFTERCARE_HTTP_LISTEN",
        "AFTERCARE_HTTPS_LISTEN",
    ],
)
@pytest.mark.parametrize("value", ["", "a; return 200", "a\nb", "<host>"])
def test_what_nginx_would_misread_is_refused(name: str, value: str, filled: dict[str, str]) -> None:
    with pytest.raises(render.RenderError, match=name):
        render.configuration({**filled, name: value})


def test_rasas_copies_are_forgotten_after_a_day(tmp_path: Path) -> None:
    url, now = f"sqlite:///{tmp_path / 'trackers.db'}", 1_000_000.0
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE events (id INTEGER PRIMARY KEY, sender_id TEXT, timestamp REAL)"))
        for sender, age in [("old", 30), ("old", 25), ("goes on", 40), ("goes on", 1), ("new", 0)]:
            connection.execute(
                text("INSERT INTO events (sender_id, timestamp) VALUES (:sender, :at)"), {"sender": sender, "at": now - age * 3600}
            )
    assert forget_trackers.forget(url, now) == 1
    with engine.connect() as connection:
        assert set(connection.scalars(text("SELECT sender_id FROM events"))) == {"goes on", "new"}
    engine.dispose()


def test_the_scripts_can_be_run() -> None:
    for script in DEPLOY.rglob("*.sh"):
        assert os.access(script, os.X_OK), script.name
        subprocess.run(["sh", "-n", str(script)], check=True)
