"""Python runs this at its start when the folder is on PYTHONPATH: parts of the product then raise while a file says so.

AFTERCARE_TEST_FAULT names the file; it holds `extractor`, `action`, `action hangs` or nothing. The error carries the patient's words, as
errors do. Words with `quicksand` in them are read for ever.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any


def _wanted() -> str:
    file = Path(os.environ.get("AFTERCARE_TEST_FAULT", ""))
    return file.read_text() if file.is_file() else ""


def _fail_when(fault: str, words: object) -> None:
    if _wanted() == fault:
        raise ValueError(f"made to fail at {words!r}")


def _break_extractor(module: ModuleType) -> None:
    sound: Callable[[Any, list[Any]], list[Any]] = module.FindingExtractor.process

    def process(self: Any, messages: list[Any]) -> list[Any]:
        _fail_when("extractor", [message.get("text") for message in messages])
        return sound(self, messages)

    module.FindingExtractor.process = process


class _BrokenReaders:
    """What the action alone gets for the readers that all parts of the process share."""

    def __init__(self, sound: Any) -> None:
        self._sound = sound

    async def respond(self, conversation: Any, reading: Any, today: Any, **more: Any) -> Any:
        _fail_when("action", reading.text)
        while _wanted() == "action hangs":
            await asyncio.sleep(0.05)
        return await self._sound.respond(conversation, reading, today, **more)


def _break_action(module: ModuleType) -> None:
    sound = module.readers
    vars(module)["readers"] = lambda: _BrokenReaders(sound())


def _break_core(module: ModuleType) -> None:
    sound = module.Core.read

    def read(self: Any, key: Any, text: str, today: Any) -> Any:
        while "quicksand" in text:
            pass
        return sound(self, key, text, today)

    module.Core.read = read


_BREAK = {
    "readers.served": _break_core,
    "rasa_ext.finding_extractor": _break_extractor,
    "actions.respond": _break_action,
}


class _BreakingLoader(Loader):
    def __init__(self, loader: Loader, break_it: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._break = break_it

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._break(module)


class _BreakingFinder(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in _BREAK:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _BreakingLoader(spec.loader, _BREAK[name])
        return spec


sys.meta_path.insert(0, _BreakingFinder())
