"""Python runs this at its start when the folder is on PYTHONPATH: the gateway's clock is then moved by the seconds in a file.

AFTERCARE_SOAK_CLOCK names the file. All other clocks, and those that only count on, stay right.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_CLOCK_OF = "gateway.records.store"
_FILE = Path(os.environ.get("AFTERCARE_SOAK_CLOCK", "/nowhere"))


class _MovingLoader(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        right = module.utc_now

        def moved() -> datetime:
            now: datetime = right()
            return now + timedelta(seconds=float(_FILE.read_text() if _FILE.exists() else 0))

        module.__dict__["utc_now"] = moved


class _MovingFinder(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != _CLOCK_OF:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _MovingLoader(spec.loader)
        return spec


sys.meta_path.insert(0, _MovingFinder())
