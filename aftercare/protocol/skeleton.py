"""Begins a new protocol: a folder that checks, to be filled with the clinic's own leaflet, findings, rules and questions."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from aftercare.protocol.compose import CLINICAL, PROTOCOLS
from aftercare.protocol.files import ProtocolError, read

_SKELETON = CLINICAL / "skeleton"
_ID = re.compile(r"[a-z][a-z0-9_]{1,39}")
_TAKEN = (("rules", "rules", "id"), ("danger_check", "rows", "fact"), ("interview", "questions", "id"))


def begin(name: str, protocols: Path = PROTOCOLS) -> Path:
    """Make the folder of a new protocol; it takes every shared rule, row and question.

    Args:
        name: its id: small letters, figures and underscores.
        protocols: the folder in which it is made.

    Returns:
        The folder.

    Raises:
        ProtocolError: the name is no id, or there is such a folder.
    """
    folder = protocols / name
    if not _ID.fullmatch(name):
        raise ProtocolError([f"'{name}' is no id; write two to forty small letters, figures and underscores, a letter first"])
    if folder.exists():
        raise ProtocolError([f"{folder} is there already; choose another id"])
    shutil.copytree(_SKELETON, folder)
    leaflet = folder / "leaflet.yml"
    digest = hashlib.sha256((folder / "leaflet.txt").read_bytes()).hexdigest()
    leaflet.write_text(leaflet.read_text(encoding="utf-8").replace("{sha256}", digest), encoding="utf-8")
    for file, entries, key in _TAKEN:
        shared = read(CLINICAL / f"{file}.yml")[entries]
        lines = [f"# Taken from clinical/{file}.yml; what stands beside `use` goes before what stands there.", f"{entries}:"]
        (folder / f"{file}.yml").write_text("\n".join([*lines, *(f"  - use: {entry[key]}" for entry in shared), ""]), encoding="utf-8")
    return folder
