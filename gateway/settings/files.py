"""Where the settings' files are, and how they are read."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / ".run"


def read_yaml(file: Path, problems: list[str]) -> dict[str, object]:
    """What stands in a file by name; nothing where it holds something else, or cannot be read, which is added to `problems`."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        problems.append(f"{file} cannot be read ({type(error).__name__}); correct the file or its name.")
        return {}
    return content if isinstance(content, dict) else {}
