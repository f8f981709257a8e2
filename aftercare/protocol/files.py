"""YAML files whose every mapping and list remembers where it stands: file and line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_NESTED = "findings"


class ProtocolError(Exception):
    """A mistake in the protocol's files, one line a mistake: file, line and remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class LinedDict(dict[str, Any]):
    """A mapping that knows where it stands, and where each of its keys does."""

    place: str = ""
    places: dict[str, str]


class LinedList(list[Any]):
    """A list that knows where it stands, and where each of its items does."""

    place: str = ""
    places: list[str]


class _LinedLoader(yaml.SafeLoader):
    file: str = ""


def _mapping(loader: _LinedLoader, node: yaml.MappingNode) -> LinedDict:
    result = LinedDict()
    result.place = f"{loader.file}:{node.start_mark.line + 1}"
    result.places = {}
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        line = key_node.start_mark.line + 1
        if key in result:
            raise yaml.YAMLError(f"line {line}: '{key}' stands twice; remove one of the two")
        result[key] = loader.construct_object(value_node, deep=True)
        result.places[key] = f"{loader.file}:{line}"
    return result


def _sequence(loader: _LinedLoader, node: yaml.SequenceNode) -> LinedList:
    result = LinedList(loader.construct_object(item, deep=True) for item in node.value)
    result.place = f"{loader.file}:{node.start_mark.line + 1}"
    result.places = [f"{loader.file}:{item.start_mark.line + 1}" for item in node.value]
    return result


def _as_written(_: _LinedLoader, node: yaml.ScalarNode) -> str:
    """A date as the text that it is written as, so that the schema can check it."""
    return str(node.value)


_LinedLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_LinedLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_SEQUENCE_TAG, _sequence)
_LinedLoader.add_constructor("tag:yaml.org,2002:timestamp", _as_written)


def read(path: Path) -> LinedDict:
    """Read one YAML file.

    Args:
        path: the file; its top level must be a mapping.

    Returns:
        The mapping, with the places of all that stands in it.

    Raises:
        ProtocolError: when the file is missing, is not YAML, or holds something else than a mapping.
    """
    name = name_of(path)
    try:
        loader = _LinedLoader(path.read_text(encoding="utf-8"))
        loader.file = name
        content = loader.get_single_data()
    except FileNotFoundError as error:
        raise ProtocolError([f"{name}: the file is missing; put it back"]) from error
    except yaml.YAMLError as error:
        raise ProtocolError([f"{name}: not readable as YAML; {str(error).replace(chr(10), ' ')}"]) from error
    if not isinstance(content, LinedDict):
        raise ProtocolError([f"{name}:1: the file must hold named entries at its top level"])
    return content


def name_of(path: Path) -> str:
    """What a file is called in a problem: its name with the folder, of a finding's file with the protocol's."""
    parents = (path.parent.parent.name, path.parent.name) if path.parent.name == _NESTED else (path.parent.name,)
    return "/".join((*parents, path.name))


def read_if_there(path: Path) -> LinedDict:
    """Read a file that may be missing; empty then. It raises what `read` raises for other reasons."""
    return read(path) if path.exists() else collected(f"{name_of(path)}:1", {})


def collected(place: str, entries: Mapping[str, Any]) -> LinedDict:
    """Entries from several files as one mapping; each stands where it says itself, or at `place`."""
    result = LinedDict(entries)
    result.place = place
    result.places = {key: getattr(value, "place", place) for key, value in entries.items()}
    return result


def listed(place: str, items: list[Any]) -> LinedList:
    """Items from several files as one list; each stands where it says itself, or at `place`."""
    result = LinedList(items)
    result.place = place
    result.places = [getattr(item, "place", place) for item in items]
    return result


def merged(base: LinedDict, over: LinedDict) -> LinedDict:
    """What two mappings say together: mappings in them are merged too, of everything else the second's goes before the first's."""
    result = LinedDict(base)
    result.place, result.places = over.place or base.place, base.places | over.places
    for key, value in over.items():
        known = base.get(key)
        result[key] = merged(known, value) if isinstance(known, LinedDict) and isinstance(value, LinedDict) else value
    return result


def replaced(base: LinedDict, over: LinedDict) -> LinedDict:
    """What two mappings say together, where an entry is never mixed of both: the second's goes before the first's as a whole."""
    result = LinedDict({**base, **over})
    result.place, result.places = over.place or base.place, base.places | over.places
    return result


def extended(base: LinedDict, more: LinedDict) -> LinedDict:
    """What two mappings say together, as `merged`; a list that both have holds the items of both."""
    result = merged(base, more)
    for key, value in more.items():
        known = base.get(key)
        if isinstance(known, LinedDict) and isinstance(value, LinedDict):
            result[key] = extended(known, value)
        elif isinstance(known, LinedList) and isinstance(value, LinedList):
            whole = result[key] = LinedList([*known, *value])
            whole.place, whole.places = value.place, [*known.places, *value.places]
    return result


def without(content: LinedDict, *keys: str) -> LinedDict:
    """The same without some keys."""
    result = LinedDict({key: value for key, value in content.items() if key not in keys})
    result.place, result.places = content.place, content.places
    return result


def place_of(content: Any, path: list[str | int]) -> str:
    """The file and line at which the value at `path` stands, or the nearest place above it."""
    place = getattr(content, "place", "")
    for step in path:
        if isinstance(content, LinedDict):
            place = content.places.get(str(step), content.place)
            content = content.get(str(step))
        elif isinstance(content, LinedList) and isinstance(step, int) and step < len(content):
            place, content = content.places[step], content[step]
    return place
