"""Runs axe in a document."""

from __future__ import annotations

from collections.abc import Iterable

from playwright.sync_api import Frame

from tests.browser.words import ROOT

AXE = ROOT / "widget" / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
BEST_PRACTICE = ("best-practice",)
_RUN = """({ tags, rules }) =>
  axe.run(document, { runOnly: { type: "tag", values: tags }, rules, iframes: false, resultTypes: ["violations"] })
  .then(({ violations }) => violations.map((one) =>
    `${one.id}: ${one.help}: ` + one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " " + node.failureSummary).join(" | ")))"""


def violations(frame: Frame, tags: Iterable[str]) -> list[str]:
    """What axe finds; the page's policy must be bypassed.

    Where the system chooses the colours, their contrast is not measured: axe takes the page's own for them.
    """
    forced = frame.evaluate("() => matchMedia('(forced-colors: active)').matches")
    rules = {"color-contrast": {"enabled": False}} if forced else {}
    if not frame.evaluate("() => 'axe' in window"):
        frame.evaluate(AXE.read_text(encoding="utf-8"))
    return list(frame.evaluate(_RUN, {"tags": list(tags), "rules": rules}))
