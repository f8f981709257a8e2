"""Where the settings' files are, and how they are read."""

from __future__ import annotations

from collections import Counter
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


def repeated(file: Path, name: str) -> list[str]:
    """The keys that stand twice in one mapping of a file, of which YAML would silently take the last; none where it cannot be read."""
    try:
        whole = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return []
    top = whole.value if isinstance(whole, yaml.MappingNode) else []
    mapping = next((value for key, value in top if key.value == name and isinstance(value, yaml.MappingNode)), None)
    times = Counter(str(key.value) for key, _ in mapping.value) if mapping else Counter()
    return [key for key, count in times.items() if count > 1]
