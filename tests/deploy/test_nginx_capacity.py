"""What nginx counts as one address, and that it and its files are enough for the chats that are promised."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scripts.common import ROOT
from scripts.stack import free_port
from tests.deploy.cluster import nginx_binary

_NGINX = ROOT / "deploy" / "nginx"
_PROMISED = 3_000
_CONF = """
daemon off;
pid nginx.pid;
error_log error.log;
%(user)s
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Real-IP;
    %(map)s
    limit_req_zone $aftercare_network zone=once:1m rate=1r/m;
    server { listen 127.0.0.1:%(port)d; location / { limit_req zone=once; root %(folder)s; try_files /page =404; } }
}
"""


def _number(name: str, file: Path) -> int:
    found = re.search(rf"^\s*{name}[ =](\d+);?$", file.read_text(), re.MULTILINE)
    assert found is not None, f"{file.name} has no {name}"
    return int(found[1])


def test_files_and_connections_are_enough_for_the_chats_that_are_promised() -> None:
    assert f"{_PROMISED:,}" in (ROOT / "docs" / "operating.md").read_text()
    main = _NGINX / "nginx.conf"
    assert _number("worker_connections", main) >= 2.5 * _PROMISED
    assert _number("worker_rlimit_nofile", main) >= 2 * _number("worker_connections", main)
    for name in ("gateway", "rasa", "actions"):
        unit = ROOT / "deploy" / "systemd" / f"aftercare-{name}@.service"
        assert _number("LimitNOFILE", unit) >= (5 * _PROMISED if name == "gateway" else 4_096)


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[str]:
    """The address of an nginx that lets each address, as aftercare.conf has it, in once a minute."""
    program = nginx_binary()
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("nginx is not installed, and CI has to test with it")
        pytest.skip("nginx is not installed; on Debian: apt-get install nginx")
    block = re.search(r"^map \$binary_remote_addr .*?^}", (_NGINX / "aftercare.conf").read_text(), re.MULTILINE | re.DOTALL)
    assert block is not None
    port, user = free_port(), "user root;" if os.geteuid() == 0 else ""
    (tmp_path / "page").write_text("in")
    (tmp_path / "nginx.conf").write_text(_CONF % {"user": user, "map": block[0], "port": port, "folder": tmp_path})
    process = subprocess.Popen([program, "-p", str(tmp_path), "-c", "nginx.conf"], stderr=subprocess.DEVNULL)
    for _ in range(50):
        time.sleep(0.1)
        if (tmp_path / "nginx.pid").exists():
            break
    yield f"http://127.0.0.1:{port}/"
    process.terminate()
    process.wait(10)


def test_nginx_counts_a_house_once(counting: str) -> None:
    came = [
        "2001:db8:1:2::1",
        "2001:db8:1:2:ffff::9",
        "2001:db8:1:3::1",
        "2001:db8::1",
        "2001:db8::2",
        "203.0.113.7",
        "203.0.113.8",
        "203.0.113.7",
    ]
    with httpx.Client(trust_env=False) as client:
        found = [client.get(counting, headers={"X-Real-IP": address}).status_code for address in came]
    assert found == [200, 503, 200, 200, 503, 200, 200, 503]
