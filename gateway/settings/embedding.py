"""The embed keys: which pages may show the chat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from gateway.settings.addresses import origin_problem
from gateway.settings.files import ROOT, read_yaml, repeated
from gateway.settings.limits import own_limits
from gateway.settings.model import EmbedKey

_LANGUAGES = ("en", "es")


def embed_keys(name: str, demo: bool, protocols: Collection[str], problems: list[str]) -> dict[str, EmbedKey]:
    """The embed keys in a file, by name; those of the demo's own file where none is named."""
    if not name and not demo:
        problems.append("AFTERCARE_EMBED is not set; copy gateway/embed.yml, write the clinic's pages into it, and name the copy.")
        return {}
    file = Path(name) if name else ROOT / "gateway" / "embed.yml"
    entries = read_yaml(file, problems).get("keys")
    problems += (f"{file}: the key {key} is written twice; give each page's key a name of its own" for key in repeated(file, "keys"))
    found = entries.items() if isinstance(entries, dict) else ()
    keys = {str(key): _embed_key(f"{file}, key {key}", str(key), entry, demo, protocols, problems) for key, entry in found}
    if not keys:
        problems.append(f"{file} has no keys; see gateway/embed.yml.")
    return keys


def _embed_key(where: str, key: str, entry: object, demo: bool, protocols: Collection[str], problems: list[str]) -> EmbedKey:
    whole = entry if isinstance(entry, dict) else {"language": ""}
    listed, language = whole.get("origins"), whole.get("language", "en")
    origins = tuple(map(str, listed)) if isinstance(listed, list) else ()
    problems += filter(None, (origin_problem(where, origin, demo) for origin in origins))
    problems += (f"{where}: {origin!r} is listed twice; write it once" for origin, times in Counter(origins).items() if times > 1)
    if not isinstance(listed, list):
        problems.append(f"{where}: origins must be a list; an empty one, [], is for the gateway's own pages only")
    if language not in _LANGUAGES:
        problems.append(f"{where}: language must be one of {', '.join(_LANGUAGES)}")
    synthetic = whole.get("synthetic", False)
    if not isinstance(synthetic, bool):
        problems.append(f"{where}: synthetic must be true or false")
    if synthetic and origins:
        problems.append(f"{where}: a synthetic key is for no page; write origins: []")
    protocol = whole.get("protocol")
    if protocol is not None and protocol not in protocols:
        known = ", ".join(dict.fromkeys(protocols)) or "none"
        problems.append(f"{where}: there is no protocol {protocol!r}; in force by AFTERCARE_PROTOCOL: {known}")
    limits = own_limits(where, whole["limits"], problems) if "limits" in whole else None
    if not key.replace("-", "").replace("_", "").isalnum():
        problems.append(f"{where}: a key has letters, digits, - and _ only")
    return EmbedKey(key, origins, language, synthetic is True, limits, str(protocol or ""))
