"""Puts a protocol's knowledge together: the language's, what all procedures share, and its own, which goes before the rest.

A list of the protocol takes an entry of clinical/ by `use: <name>`; what stands beside `use` goes before what stands there. Text for people
stands in every entry under the code of its language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aftercare.protocol.files import (
    LinedDict,
    ProtocolError,
    collected,
    extended,
    listed,
    merged,
    place_of,
    read,
    read_if_there,
    replaced,
    without,
)

Content = Mapping[str, LinedDict]
HOUSE = Path(__file__).resolve().parents[2]
LANGUAGES, CLINICAL, PROTOCOLS = HOUSE / "languages", HOUSE / "clinical", HOUSE / "protocols"
LANGUAGE_FILES = (
    *("tokens", "clauses", "assertion", "answers", "dialogue", "measures"),
    *("spelling", "idioms", "other_languages", "words"),
)
_NAMING = ("yields_to", "milder", "refined_by")


@dataclass(frozen=True)
class Sources:
    """Where a protocol's knowledge stands.

    Attributes:
        folder: the protocol's own.
        clinic: the clinic's file.
        language: the language's code.
        languages: the folder with a folder for each language.
        clinical: what all procedures share.
    """

    folder: Path
    clinic: Path
    language: str
    languages: Path = LANGUAGES
    clinical: Path = CLINICAL

    @property
    def wording(self) -> str:
        """The name of the files that hold what the patient reads in this language."""
        return f"wording.{self.language}.yml"

    @property
    def words(self) -> str:
        """The name of the files that hold word classes of this language."""
        return f"words.{self.language}.yml"

    def files(self) -> dict[str, Path]:
        """Every file that the knowledge comes from, by a name that says nothing of where the folders lie; in the order of the names."""
        folders = {"language": self.languages / self.language, "clinical": self.clinical, "protocol": self.folder}
        found = {"protocol/leaflet.txt": self.folder / "leaflet.txt"}
        for name, folder in folders.items():
            paths = (path for pattern in ("*.yml", "findings/*.yml") for path in folder.glob(pattern))
            found |= {f"{name}/{path.relative_to(folder).as_posix()}": path for path in paths}
        return dict(sorted(found.items()))


def languages_of(folder: Path) -> list[str]:
    """The codes of the languages that a protocol speaks: those in which it has its wording, English first."""
    codes = [path.name.split(".")[1] for path in folder.glob("wording.*.yml")]
    return sorted(codes, key=lambda code: (code != "en", code))


def compose(sources: Sources) -> dict[str, LinedDict]:
    """The content of all files, by what it is about (`rules`, `findings`, `language/clauses`, ...).

    Raises:
        ProtocolError: a file is missing or unreadable, or takes what clinical/ does not have.
    """
    own, shared, code = sources.folder, sources.clinical, sources.language
    content = {f"language/{name}": read(sources.languages / code / f"{name}.yml") for name in LANGUAGE_FILES}
    content |= {
        "leaflet": read(own / "leaflet.yml"),
        "clinic": read(sources.clinic),
        "meanings": read(shared / "meanings.yml"),
        "faq": read(own / "faq.yml"),
        "thresholds": replaced(read(shared / "thresholds.yml"), read_if_there(own / "thresholds.yml")),
        "scales": merged(read(shared / "scales.yml"), read_if_there(own / "scales.yml")),
        "wording": merged(read(shared / sources.wording), read(own / sources.wording)),
        "words": extended(
            extended(content["language/words"], read(shared / sources.words)),
            read_if_there(own / sources.words),
        ),
    }
    problems: list[str] = []
    for name, entries, key in (("rules", "rules", "id"), ("interview", "questions", "id"), ("danger_check", "rows", "fact")):
        content[name] = _taken(read(shared / f"{name}.yml"), read(own / f"{name}.yml"), entries, key, problems)
    content["findings"] = _findings(sources)
    if problems:
        raise ProtocolError(problems)
    _localize(content, code)
    _leave_out_unused(content, set(_stems(own / "findings")))
    return content


def _taken(shared: LinedDict, own: LinedDict, entries: str, key: str, problems: list[str]) -> LinedDict:
    """A protocol's list with the shared entries that it takes; `shared` keeps the names of all that could be taken."""
    known = {entry[key]: entry for entry in shared[entries]}
    items = []
    for item in own.get(entries, ()):
        if not isinstance(item, LinedDict) or "use" not in item:
            items.append(item)
        elif item["use"] in known:
            items.append(merged(known[item["use"]], without(item, "use")))
        else:
            problems.append(f"{item.place}: clinical/ has no '{item['use']}' in its {entries}; correct the name")
    whole = merged(without(shared, entries), without(own, entries))
    whole[entries] = listed(place_of(own, [entries]), items)
    whole["shared"] = listed(shared.place, list(known.values()))
    whole.places = whole.places | {entries: place_of(own, [entries])}
    return whole


def _stems(folder: Path) -> list[str]:
    return [path.stem for path in sorted(folder.glob("*.yml"))]


def _findings(sources: Sources) -> LinedDict:
    """Every finding, one file each; a protocol's file of the same name goes before the shared one."""
    found: dict[str, Any] = {}
    for folder in (sources.clinical / "findings", sources.folder / "findings"):
        for name in _stems(folder):
            content = read(folder / f"{name}.yml")
            found[name] = merged(found[name], content) if name in found else content
    return collected("findings", {"findings": collected("findings", found)})


def _localize(content: dict[str, LinedDict], code: str) -> None:
    """Lift what entries say in the language to where the rest of them stands."""
    findings = content["findings"]["findings"]
    content["findings"]["findings"] = collected("findings", {name: _in(entry, code) for name, entry in findings.items()})
    for name, entries in (("interview", "questions"), ("danger_check", "rows")):
        content[name][entries] = listed(content[name][entries].place, [_in(entry, code) for entry in content[name][entries]])
    topics = content["faq"].get("topics")
    if isinstance(topics, LinedDict):
        content["faq"]["topics"] = collected(topics.place, {name: _in(entry, code) for name, entry in topics.items()})
    buttons = content["interview"].get("default_buttons")
    if isinstance(buttons, LinedDict):
        content["interview"]["default_buttons"] = buttons.get(code, [])


def _in(entry: Any, code: str) -> Any:
    if not isinstance(entry, LinedDict) or not isinstance(entry.get(code), LinedDict):
        return entry
    lifted = merged(without(entry, *(name for name in entry if name in _known_languages())), entry[code])
    lifted.place = entry.place
    return lifted


def _known_languages() -> set[str]:
    return {path.name for path in LANGUAGES.iterdir()}


def _leave_out_unused(content: dict[str, LinedDict], own: set[str]) -> None:
    """Drop the shared findings that nothing of this protocol needs, and every mention of them."""
    findings = content["findings"]["findings"]
    needed = own | set(_needed(content))
    dropped = set(findings) - needed
    kept = {name: _without_names(entry, _NAMING, dropped) for name, entry in findings.items() if name in needed}
    content["findings"]["findings"] = collected(findings.place, kept)
    rows = [_without_names(row, ("opened_by",), dropped) for row in content["danger_check"]["rows"]]
    content["danger_check"]["rows"] = listed(content["danger_check"]["rows"].place, rows)


def _needed(content: Content) -> Iterable[str]:
    for rule in content["rules"]["rules"]:
        yield from (*rule.get("all", ()), *rule.get("any", ()), *rule.get("ask_when", ()))
    for row in content["danger_check"]["rows"]:
        yield from (row.get("yes", ""), *row.get("no", ()), *(name for each in row.get("closed_by", ()) for name in each))
    for question in content["interview"]["questions"]:
        yield from question.get("covers", ())
        for button in question.get("buttons", ()):
            yield from (*button.get("is", ()), *button.get("not", ()))
    for scale in content["scales"].values():
        yield from (*(band["finding"] for band in scale.get("bands", ())), scale.get("rules_out", ""), scale.get("later", ""))


def _without_names(entry: Any, keys: Iterable[str], dropped: set[str]) -> Any:
    result = merged(entry, without(entry, *entry))
    for key in keys:
        if key in result:
            result[key] = listed(place_of(entry, [key]), [name for name in result[key] if name not in dropped])
    return result
