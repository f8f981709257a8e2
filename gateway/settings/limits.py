"""How often one may ask: the general limits, and an embed key's own."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

from limits import RateLimitItem, parse

from gateway.settings.files import read_yaml
from gateway.settings.model import OwnLimits

_OWN_COUNTED = {"start": ("address", "key"), "message": ("address",)}
_MOST_OPEN = 300
_COUNTED = {"start": ("address", "key"), "message": ("session", "address"), "read": ("session",), "refused": ("address",)}


def read_limits(file: Path, problems: list[str]) -> tuple[dict[tuple[str, str], RateLimitItem], int]:
    """The general limits in a file, by what is counted and for whom, and how many streams one address may have open."""
    content = read_yaml(file, problems)
    limits = {}
    for what, whom in ((what, whom) for what, all_whom in _COUNTED.items() for whom in all_whom):
        entry = content.get(what)
        try:
            limits[what, whom] = parse(str(entry[whom]) if isinstance(entry, dict) else "")
        except (KeyError, ValueError):
            problems.append(f"{file}: {what} needs a limit for {whom}, such as: 20 per minute")
    return limits, _most_open(file, content.get("open"), problems) or _MOST_OPEN


def own_limits(where: str, content: object, problems: list[str]) -> OwnLimits:
    """An embed key's own limits, shaped as in limits.yml, with the networks where they hold."""
    whole = content if isinstance(content, dict) else {}
    networks, rates = [], {}
    for each in whole["networks"] if isinstance(whole.get("networks"), list) else ():
        try:
            found = ip_network(str(each))
        except ValueError:
            problems.append(f"{where}: {each!r} is no network; write 203.0.113.0/24 or 2001:db8:7::/48")
            continue
        if found.version == 6 and found.prefixlen > 64:
            problems.append(
                f"{where}: {each!r} is less than a /64, by which addresses of IPv6 are counted; write {found.supernet(new_prefix=64)}"
            )
        networks.append(found)
    if not networks:
        problems.append(
            f"{where}: limits need networks, the addresses of the hospital for which they hold, such as [203.0.113.0/24]; "
            "a key is no secret, so that anyone else would have them too"
        )
    for what, entry in whole.items():
        if what in ("networks", "open"):
            continue
        for whom, value in entry.items() if isinstance(entry, dict) else (("", ""),):
            if whom not in _OWN_COUNTED.get(str(what), ()):
                allowed = "; ".join(f"{what} for {' and '.join(whom)}" for what, whom in _OWN_COUNTED.items())
                problems.append(
                    f"{where}: limits has {what} for {whom or 'nobody'}; a key can have its own for {allowed}; open for address"
                )
                continue
            try:
                rates[str(what), str(whom)] = parse(str(value))
            except ValueError:
                problems.append(f"{where}: limits, {what}, {whom}: {value!r} is no limit; write 600 per 10 minutes")
    return OwnLimits(tuple(networks), rates, _most_open(where, whole.get("open"), problems))


def _most_open(where: object, content: object, problems: list[str]) -> int | None:
    """How many streams one address may have open, by `open: {address: 300}`; None when nothing is said of it."""
    if content is None:
        return None
    most = content.get("address") if isinstance(content, dict) and set(content) == {"address"} else None
    if not isinstance(most, int) or isinstance(most, bool) or most < 1:
        problems.append(f"{where}: open needs a whole number for address, such as: {{address: {_MOST_OPEN}}}")
        return None
    return most
