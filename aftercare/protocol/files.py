"""YAML files whose every mapping and list remembers the line it stands on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


class ProtocolError(Exception):
    """A mistake in the protocol's files, one line a mistake: file, line and remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class LinedDict(dict[str, Any]):
    """A mapping that knows its own line and the line of each key."""

    line: int = 0
    lines: dict[str, int]


class LinedList(list[Any]):
    """A list that knows its own line and the line of each item."""

    line: int = 0
    lines: list[int]


class _LinedLoader(yaml.SafeLoader):
    pass


def _mapping(loader: _LinedLoader, node: yaml.MappingNode) -> LinedDict:
    result = LinedDict()
    result.line = node.start_mark.line + 1
    result.lines = {}
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        line = key_node.start_mark.line + 1
        if key in result:
            raise yaml.YAMLError(f"line {line}: '{key}' stands twice; remove one of the two")
        result[key] = loader.construct_object(value_node, deep=True)
        result.lines[key] = line
    return result


def _sequence(loader: _LinedLoader, node: yaml.SequenceNode) -> LinedList:
    result = LinedList(loader.construct_object(item, deep=True) for item in node.value)
    result.line = node.start_mark.line + 1
    result.lines = [item.start_mark.line + 1 for item in node.value]
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
        The mapping, with line numbers.

    Raises:
        ProtocolError: when the file is missing, is not YAML, or holds something else than a mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _LinedLoader)
    except FileNotFoundError as error:
        raise ProtocolError([f"{path.name}: the file is missing; put it back"]) from error
    except yaml.YAMLError as error:
        raise ProtocolError([f"{path.name}: not readable as YAML; {str(error).replace(chr(10), ' ')}"]) from error
    if not isinstance(content, LinedDict):
        raise ProtocolError([f"{path.name}:1: the file must hold named entries at its top level"])
    return content


def line_at(content: Any, path: list[str | int]) -> int:
    """The line in a file at which the value at `path` stands, or the nearest line above it."""
    line = 1
    for step in path:
        if isinstance(content, LinedDict):
            line = content.lines.get(str(step), content.line)
            content = content.get(str(step))
        elif isinstance(content, LinedList) and isinstance(step, int) and step < len(content):
            line, content = content.lines[step], content[step]
    return line
