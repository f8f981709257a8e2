"""The hospital's OpenID provider."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.console.identity.rights import ROLES
from gateway.settings.model import Provider

_ISSUER = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?")


def provider(values: Mapping[str, str], demo: bool, problems: list[str]) -> Provider | None:
    """The provider in these values; None where no issuer is set."""
    issuer = values["AFTERCARE_OIDC_ISSUER"].rstrip("/")
    if not issuer:
        if values["AFTERCARE_OIDC_CLIENT"]:
            problems.append("AFTERCARE_OIDC_CLIENT is set, and AFTERCARE_OIDC_ISSUER is not; set it to the provider's address, https://...")
        return None
    entries = [entry.rpartition("=")[::2] for entry in values["AFTERCARE_OIDC_ROLES"].split()]
    roles = dict(entries)
    found = Provider(
        issuer=issuer,
        client_id=values["AFTERCARE_OIDC_CLIENT"],
        client_secret=values["AFTERCARE_OIDC_SECRET"],
        roles=roles,
        claim=values["AFTERCARE_OIDC_CLAIM"],
    )
    if not _ISSUER.fullmatch(issuer):
        problems.append("AFTERCARE_OIDC_ISSUER is no address; write https://...")
    elif issuer.startswith("http:") and not demo:
        problems.append("AFTERCARE_OIDC_ISSUER is not encrypted; use https")
    if not found.client_id or not found.client_secret:
        problems.append("AFTERCARE_OIDC_CLIENT and AFTERCARE_OIDC_SECRET are not set; the provider gives them")
    if not roles or len(roles) < len(entries) or "" in roles or any(role not in ROLES for role in roles.values()):
        problems.append(f"AFTERCARE_OIDC_ROLES must map each group to one role ({', '.join(ROLES)}): group=nurse other-group=lead")
    return found
