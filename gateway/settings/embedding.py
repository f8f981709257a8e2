"""The embed keys: which pages may show the chat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from gateway.settings.addresses import origin_problem
from gateway.settings.files import ROOT, read_yaml, repeated
from gateway.settings.languages import language_problems, read_strings
from gateway.settings.limits import own_limits
from gateway.settings.model import EmbedKey

Keys = Collection[tuple[str, str]]
"""The protocols in force, each by its id and one of its languages, the default's first."""


def embed_keys(name: str, demo: bool, protocols: Keys, problems: list[str]) -> dict[str, EmbedKey]:
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


def _embed_key(where: str, key: str, entry: object, demo: bool, protocols: Keys, problems: list[str]) -> EmbedKey:
    whole = entry if isinstance(entry, dict) else {"language": ""}
    listed = whole.get("origins")
    origins = tuple(map(str, listed)) if isinstance(listed, list) else ()
    problems += filter(None, (origin_problem(where, origin, demo) for origin in origins))
    problems += (f"{where}: {origin!r} is listed twice; write it once" for origin, times in Counter(origins).items() if times > 1)
    if not isinstance(listed, list):
        problems.append(f"{where}: origins must be a list; an empty one, [], is for the gateway's own pages only")
    synthetic = whole.get("synthetic", False)
    if not isinstance(synthetic, bool):
        problems.append(f"{where}: synthetic must be true or false")
    if synthetic and origins:
        problems.append(f"{where}: a synthetic key is for no page; write origins: []")
    protocol = whole.get("protocol")
    ids = list(dict.fromkeys(name for name, _ in protocols))
    if protocol is not None and protocol not in ids:
        known = ", ".join(ids) or "none"
        problems.append(f"{where}: there is no protocol {protocol!r}; in force by AFTERCARE_PROTOCOL: {known}")
    limits = own_limits(where, whole["limits"], problems) if "limits" in whole else None
    if not key.replace("-", "").replace("_", "").isalnum():
        problems.append(f"{where}: a key has letters, digits, - and _ only")
    language, languages = _languages(where, whole, str(protocol or next(iter(ids), "")), protocols, problems)
    return EmbedKey(key, origins, language, synthetic is True, limits, str(protocol or ""), languages)


def _languages(where: str, entry: Mapping[str, object], protocol: str, protocols: Keys, problems: list[str]) -> tuple[str, tuple[str, ...]]:
    """A key's own language, and those that its patients may choose among: none where it does not name them."""
    strings, own = read_strings(ROOT / "widget"), str(entry.get("language", "en"))
    if own not in strings:
        problems.append(f"{where}: language must be one of {', '.join(strings)}")
    if "languages" not in entry:
        return own, ()
    listed, spoken = entry["languages"], [language for name, language in protocols if name == protocol]
    offered = tuple(dict.fromkeys(map(str, listed))) if isinstance(listed, list) else ()
    if own not in offered:
        problems.append(f"{where}: languages must be a list that has the key's own language, {own}")
    for tag in offered:
        problems += (f"{where}: {tag} cannot be offered: {problem}" for problem in language_problems(strings, tag, protocol, spoken))
    return own, offered
