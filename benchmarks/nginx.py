"""nginx with the configuration of deploy/ in front of a gateway, with TLS, on the loopback interface."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deploy import render
from scripts.common import ROOT, FailureError
from scripts.stack import free_port


@dataclass
class Nginx:
    """nginx with the configuration of deploy/, in a folder of its own."""

    folder: Path
    https: int
    process: subprocess.Popen[bytes]

    def pids(self) -> list[int]:
        """The master's and the workers' process ids."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]


@contextmanager
def nginx_in_front(folder: Path, https: int, gateway: int) -> Iterator[Nginx]:
    """Start nginx in front of a gateway.

    Raises:
        FailureError: it is not installed, or did not start.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if program is None:
        raise FailureError("nginx is not installed. On Debian: apt-get install nginx")
    folder.mkdir()
    _make_certificate(folder)
    values = {
        "AFTERCARE_HOST": "localhost", "AFTERCARE_CONSOLE_HOST": "console.localhost", "AFTERCARE_CONSOLE_NETWORKS": "127.0.0.0/8",
        "AFTERCARE_HTTP_LISTEN": f"127.0.0.1:{free_port()}", "AFTERCARE_HTTPS_LISTEN": f"127.0.0.1:{https}",
        "AFTERCARE_GATEWAYS": f"127.0.0.1:{gateway}",
        "AFTERCARE_TLS": str(folder), "AFTERCARE_FALLBACK": str(folder), "AFTERCARE_LOGS": str(folder),
        "AFTERCARE_REQUESTS_PER_ADDRESS": "500",
    }  # fmt: skip
    (folder / "aftercare.conf").write_text(render.configuration(values))
    whole = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text()
    own = {
        r"^user .*;$": "user root;" if os.geteuid() == 0 else "",
        r"^pid .*;$": f"pid {folder}/nginx.pid;",
        r"^error_log .*;$": f"error_log {folder}/error.log;",
        r"/etc/nginx/conf\.d/\*\.conf": f"{folder}/aftercare.conf",
    }
    for old, new in own.items():
        whole, changes = re.subn(old, new, whole, flags=re.MULTILINE)
        assert changes == 1, old
    (folder / "nginx.conf").write_text(whole)
    process = subprocess.Popen([program, "-p", str(folder), "-c", "nginx.conf", "-g", "daemon off;"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", https)) == 0:
                    break
            time.sleep(0.1)
        else:
            raise FailureError(f"nginx does not answer:\n{(folder / 'error.log').read_text()[-2000:]}")
        yield Nginx(folder, https, process)
    finally:
        process.terminate()
        process.wait(20)


def _make_certificate(folder: Path) -> None:
    """A self-signed certificate for localhost."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(private)
