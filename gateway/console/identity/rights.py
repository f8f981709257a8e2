"""Which role may do what, from rights.yml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

ROLES = ("nurse", "lead", "auditor", "admin")


def _read() -> Mapping[str, frozenset[str]]:
    content = yaml.safe_load(Path(__file__).with_suffix(".yml").read_text(encoding="utf-8"))
    rights = {str(right): frozenset(map(str, roles)) for right, roles in content.items()}
    unknown = {role for roles in rights.values() for role in roles if role not in ROLES}
    if unknown:
        raise ValueError(f"rights.yml names roles that do not exist: {', '.join(sorted(unknown))}; the roles are {', '.join(ROLES)}")
    return rights


RIGHTS = _read()


def may(role: str, right: str) -> bool:
    """Whether a role has a right.

    Raises:
        KeyError: rights.yml has no such right.
    """
    return role in RIGHTS[right]
