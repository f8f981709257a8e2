"""The list of libraries that others wrote (docs/safety/soup.yml), compared with the lock files, and its page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from scripts.common import ROOT

LIST = ROOT / "docs" / "safety" / "soup.yml"
PAGE = ROOT / "docs" / "safety" / "soup.md"
LOCKS = ROOT / "requirements"
WIDGET_LOCK = ROOT / "widget" / "package-lock.json"


def soup() -> dict[str, Any]:
    """What docs/safety/soup.yml says."""
    found: dict[str, Any] = yaml.safe_load(LIST.read_text(encoding="utf-8"))
    return found


def locked(component: Mapping[str, str]) -> set[str]:
    """The releases of a component that its lock file names; with several Pythons there may be two."""
    if component["lock"] == WIDGET_LOCK.name:
        packages = json.loads(WIDGET_LOCK.read_text(encoding="utf-8"))["packages"]
        return {packages[f"node_modules/{component['name']}"]["version"]}
    name = re.escape(component["name"].replace(".", "-").replace("_", "-"))
    return set(re.findall(rf"^{name}==(\S+)", (LOCKS / component["lock"]).read_text(encoding="utf-8"), re.MULTILINE))


def page(listed: Mapping[str, Any]) -> str:
    """The page in Markdown."""
    lines = [
        "# Software of unknown provenance",
        "",
        "What others wrote and Aftercare runs: the parts on which an answer to a patient depends. The packages beneath them are named in",
        "the lock files, each by its hash. Made from [soup.yml](soup.yml) by `make safety`; do not edit by hand. A test compares the",
        "releases with the lock files.",
        "",
        f"Known faults were looked up on {listed['looked_up']} in public records, by hand. “None known” means that the makers knew of",
        "no record, not that somebody audited the code. The clinic looks again every three months and before each release.",
        "",
        "| component | release | used for | how it fails | known faults | why patients are safe from it |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for each in listed["components"]:
        cells = (each["name"], each["version"], each["use"], each["failure"], " ".join(each["faults"]), each["why_safe"])
        lines.append("| " + " | ".join(cell.strip() for cell in cells) + " |")
    lines += ["", "## Platforms", "", "| platform | used for | state | why patients are safe from it |", "| --- | --- | --- | --- |"]
    lines += [f"| {each['name']} | {each['use']} | {each['faults']} | {each['why_safe']} |" for each in listed["platforms"]]
    return "\n".join([*lines, ""])
