"""One cluster for all tests that need a whole one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.cluster import Cluster, PostgreSql, missing_programs


def _require(*names: str) -> None:
    missing = [name for name in missing_programs() if name in names]
    if not missing:
        return
    sentence = f"not installed: {', '.join(missing)}"
    if os.environ.get("CI"):
        pytest.fail(f"{sentence}, and CI has to test with it")
    pytest.skip(f"{sentence}; on Debian: apt-get install {' '.join(missing)}")


def _folder(prefix: str) -> Path:
    """A folder that a database's own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AFTERCARE_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running cluster; whoever breaks a part of it mends it."""
    _require("postgresql", "redis-server", "nginx")
    folder = _folder("aftercare-cluster-")
    made = Cluster(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server() -> Iterator[PostgreSql]:
    """A PostgreSQL server alone."""
    _require("postgresql")
    folder = _folder("aftercare-postgresql-")
    made = PostgreSql(folder / "postgresql")
    try:
        made.create()
        yield made
        made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
