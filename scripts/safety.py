"""Runs the tests that the hazard log names and the enumeration of the rules; writes docs/safety/traceability.md and soup.md."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator

from aftercare.protocol import Protocol, load_protocol
from scripts.common import RASA_PYTHON, ROOT, TOOLS_PYTHON, FailureError, run_script, say
from scripts.rule_space import RuleSpace, emergencies
from scripts.soup import PAGE as SOUP_PAGE
from scripts.soup import page as soup_page
from scripts.soup import soup

SAFETY = ROOT / "docs" / "safety"
HAZARDS = SAFETY / "hazards.yml"
SCHEMA = SAFETY / "hazards.schema.json"
PAGE = SAFETY / "traceability.md"
SAMPLE = 4_000
# The risk of a hazard by likelihood (rows, 1 to 5) and severity (columns, 1 to 5); the manner of DCB0129's matrix.
MATRIX = ((1, 1, 2, 2, 3), (1, 2, 2, 3, 4), (2, 2, 3, 3, 4), (2, 3, 3, 4, 5), (3, 4, 4, 5, 5))
ACCEPTABLE = 2

Hazard = Mapping[str, Any]


@dataclass
class Result:
    """How a test went, over all its parameters."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        """Passed, or what is wrong."""
        if not self.passed + self.failed + self.skipped:
            return "**not run**"
        if self.failed or self.skipped:
            return f"**{self.failed} failed, {self.skipped} skipped**, {self.passed} passed"
        return f"passed ({self.passed})" if self.passed > 1 else "passed"

    @property
    def good(self) -> bool:
        """Whether it ran, and passed in every part."""
        return self.passed > 0 and not self.failed and not self.skipped


@dataclass
class Results:
    """The results by test, `path::function`."""

    by_test: dict[str, Result] = field(default_factory=dict)

    def of(self, test: str) -> Result:
        """The result of a test that the log names."""
        return self.by_test.get(test, Result())

    def read(self, report: Path) -> None:
        """Add what a JUnit report tells."""
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            module, _, cls = case.get("classname", "").partition(".Test")
            name = re.sub(r"\[.*", "", case.get("name", ""), flags=re.DOTALL)
            parts = [f"{module.replace('.', '/')}.py", *([f"Test{cls}"] if cls else []), name]
            result = self.by_test.setdefault("::".join(parts), Result())
            if case.find("failure") is not None or case.find("error") is not None:
                result.failed += 1
            elif case.find("skipped") is not None:
                result.skipped += 1
            else:
                result.passed += 1


def hazards(file: Path = HAZARDS) -> list[Hazard]:
    """The hazard log, checked against its schema.

    Raises:
        FailureError: an entry is not as docs/safety/hazards.schema.json says, or an id stands twice.
    """
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    errors = list(Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).iter_errors(content))
    if errors:
        lines = (f"{file.name}: {'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors)
        raise FailureError("The hazard log is not as its schema says:\n" + "\n".join(lines))
    found: list[Hazard] = content["hazards"]
    ids = [hazard["id"] for hazard in found] + [control["id"] for hazard in found for control in hazard.get("controls", ())]
    twice = [each for each, times in Counter(ids).items() if times > 1]
    strange = [c["id"] for hazard in found for c in hazard.get("controls", ()) if not c["id"].startswith(hazard["id"] + "-")]
    if twice or strange:
        raise FailureError(f"The hazard log names twice: {twice}; under another hazard: {strange}")
    return found


def named_tests(log: Sequence[Hazard]) -> list[str]:
    """Every test that a control names, once, in order."""
    return list(dict.fromkeys(test for hazard in log for control in hazard.get("controls", ()) for test in control["tests"]))


def risk(estimate: Mapping[str, int]) -> int:
    """The risk, 1 to 5, of a severity and a likelihood."""
    return MATRIX[estimate["likelihood"] - 1][estimate["severity"] - 1]


def run(tests: Sequence[str]) -> Results:
    """Run these tests, each in the environment that it belongs to."""
    results = Results()
    of_rasa = [test for test in tests if test.startswith("tests/rasa/")]
    others = [test for test in tests if test not in of_rasa]
    with tempfile.TemporaryDirectory() as folder:
        for python, chosen, more in (
            (TOOLS_PYTHON, others, []),
            (RASA_PYTHON, of_rasa, ["--asyncio-mode=auto", "--disable-warnings", "-W", "default"]),
        ):
            if chosen:
                report = Path(folder) / "report.xml"
                subprocess.run([python, "-m", "pytest", "-q", f"--junitxml={report}", *more, *chosen], cwd=ROOT, check=False)
                if not report.exists():
                    raise FailureError("pytest wrote no report; what it said stands above.")
                results.read(report)
    return results


def enumeration(protocol: Protocol) -> tuple[list[str], list[str]]:
    """The rows of the page about the rule space, and what was found wrong."""
    space = RuleSpace(protocol)
    parts, classes, answers, chance = space.by_parts(), space.by_classes(), space.answers(), space.by_chance(SAMPLE)
    never_holds, never_decides = space.silent_rules()
    combinations = sum(1 << len(part) for part in space.parts)
    rows = [
        f"| findings, rules | {len(protocol.findings)} findings make 2^{len(protocol.findings)} sets; {len(protocol.rules)} rules |",
        f"| by parts | {combinations:,} combinations in {len(space.parts)} parts, {parts.looked_at:,} checks, "
        f"{len(parts.problems)} wrong |",
        f"| by classes | {len(space.urgencies):,} combinations of {len(space.classes)} classes, {classes.looked_at:,} checks, "
        f"{len(classes.problems)} wrong |",
        f"| drawn from all sets | {SAMPLE:,} sets, code, parts and classes compared, {len(chance.problems)} wrong |",
        f"| 'not sure' to each of {len(protocol.questions)} questions and {len(protocol.danger_check.rows)} rows of the danger check | "
        f"in every combination, {answers.looked_at:,} checks, {len(answers.problems)} wrong |",
        f"| red flags that no row of the danger check asks about | {_list(space.unasked())} |",
        f"| rules that can never hold | {_list(rule.id for rule in never_holds)} |",
        f"| rules that hold and never decide | {_list(rule.id for rule in never_decides)} |",
        f"| smallest emergencies | {len(emergencies(protocol))} |",
    ]
    return rows, [*parts.problems, *classes.problems, *chance.problems, *answers.problems, *(rule.id for rule in never_holds)]


def page(log: Sequence[Hazard], results: Results, protocol: Protocol, space: Sequence[str]) -> str:
    """The traceability page in Markdown."""
    tests = named_tests(log)
    controls = [control for hazard in log for control in hazard.get("controls", ())]
    unacceptable = [hazard["id"] for hazard in log if risk(hazard["after"]) > ACCEPTABLE]
    lines = [
        "# Traceability",
        "",
        "Each hazard, its controls, the tests that show them, and how these went when this page was written. Made by",
        "",
        "    make safety",
        "",
        "from [hazards.yml](hazards.yml); do not edit by hand. The numbers are explained in the",
        "[risk management plan](risk-management-plan.md). Severity, likelihood and risk are the makers' estimates; nobody has signed them.",
        "",
        f"Protocol: {protocol.id}, version {protocol.version}",
        "",
        "| | |",
        "| --- | --- |",
        f"| hazards | {len(log)}, of which {sum('controls' not in hazard for hazard in log)} with no control in the software |",
        f"| controls | {len(controls)} |",
        f"| tests named | {len(tests)}; {sum(results.of(test).good for test in tests)} passed, "
        f"{sum(not results.of(test).good for test in tests)} did not |",
        f"| single cases of these tests | {sum(results.of(test).passed for test in tests):,} passed |",
        f"| risk after controls above {ACCEPTABLE} | {len(unacceptable)}: {_list(unacceptable)} |",
        "",
        "## The rules, in every combination",
        "",
        "How the combinations are made few, and why nothing is left out, stands in `scripts/rule_space.py`.",
        "",
        "| | |",
        "| --- | --- |",
        *space,
        "",
        "## Hazards",
        "",
        "| id | hazard | risk before | risk after | controls |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| [{hazard['id']}](#{hazard['id'].lower()}) | {hazard['hazard']} | {_risk(hazard['before'])} | {_risk(hazard['after'])} | "
            f"{len(hazard.get('controls', ())) or 'none'} |"
            for hazard in log
        ),
    ]
    for hazard in log:
        lines += ["", *_section(hazard, results)]
    return "\n".join([*lines, ""])


def _section(hazard: Hazard, results: Results) -> list[str]:
    lines = [
        f"### {hazard['id']}",
        "",
        f"**{hazard['hazard']}.** {hazard['cause']} {hazard['effect']} *Harm:* {hazard['harm']} *Known from:* {hazard['known_from']}",
        "",
        f"Before: {_estimate(hazard['before'])}. After: {_estimate(hazard['after'])}.",
        "",
    ]
    if "uncontrolled" in hazard:
        lines += [f"**No control in the software.** {hazard['uncontrolled'].strip()}", ""]
    else:
        lines += ["| control | what it does | test | result |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {control['id']} | {control['what']} | `{test}` | {results.of(test)} |"
            for control in hazard["controls"]
            for test in control["tests"]
        ]
        lines.append("")
    if "clinic" in hazard:
        lines += [f"*The clinic's part, which no test shows:* {' '.join(hazard['clinic'])}", ""]
    return [*lines, f"*Left:* {hazard['left'].strip()}"]


def _risk(estimate: Mapping[str, int]) -> str:
    found = risk(estimate)
    return f"**{found}**" if found > ACCEPTABLE else str(found)


def _estimate(estimate: Mapping[str, int]) -> str:
    return f"severity {estimate['severity']}, likelihood {estimate['likelihood']}, risk {risk(estimate)}"


def _list(names: Any) -> str:
    return ", ".join(names) or "none"


def main() -> None:
    """Run the tests and the enumeration, write the page, and fail when a control is not shown."""
    log, protocol = hazards(), load_protocol()
    SOUP_PAGE.write_text(soup_page(soup()), encoding="utf-8")
    tests = named_tests(log)
    say(f"Running the {len(tests)} tests that the hazard log names.")
    results = run(tests)
    say("Going through every combination of findings.")
    space, wrong = enumeration(protocol)
    PAGE.write_text(page(log, results, protocol, space), encoding="utf-8")
    say("\n".join(row.strip("| ").replace(" | ", ": ") for row in space))
    not_shown = [test for test in tests if not results.of(test).good]
    say(f"{PAGE.relative_to(ROOT)}: {len(log)} hazards, {len(tests) - len(not_shown)} of {len(tests)} tests passed.")
    if not_shown or wrong:
        raise FailureError("Not shown:\n" + "\n".join([*not_shown, *wrong[:20]]))


if __name__ == "__main__":
    run_script(main)
