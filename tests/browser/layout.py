"""Measures a document: what sticks out, what is cut off, what is too small to hit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Frame

_NAME = "const name = (e) => `${e.localName}.${e.className || e.id} ${JSON.stringify(e.textContent.trim().slice(0, 40))}`;"

_WALK = """const all = function* (root) {
  for (const e of root.querySelectorAll("*")) { yield e; if (e.shadowRoot) yield* all(e.shadowRoot); }
};
const seen = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest(".vh") && e.getClientRects().length;"""

_STICKING_OUT = f"""() => {{
  {_NAME} {_WALK}
  const found = [], width = document.documentElement.clientWidth;
  const scrolls = (e) => e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(e).overflowX);
  const scroller = (e) => scrolls(e) || (e.parentElement && scroller(e.parentElement));
  if (document.documentElement.scrollWidth > width) found.push(`the page is ${{document.documentElement.scrollWidth}} px wide`);
  for (const e of all(document)) {{
    if (!seen(e)) continue;
    const box = e.getBoundingClientRect();
    const outside = box.right > width + 1 || box.left < -1;
    if (outside && !(e.parentElement && scroller(e.parentElement))) found.push(`${{name(e)}} from ${{box.left}} to ${{box.right}}`);
    if (scrolls(e)) found.push(`${{name(e)}} scrolls sideways`);
  }}
  return found;
}}"""

_CUT = f"""() => {{
  {_NAME} {_WALK}
  const found = [];
  for (const e of all(document)) {{
    if (!seen(e) || !e.textContent.trim()) continue;
    const {{ overflowX, overflowY }} = getComputedStyle(e);
    const hides = (value) => value === "hidden" || value === "clip";
    if (hides(overflowY) && e.scrollHeight > e.clientHeight + 1 && e.clientHeight) found.push(`${{name(e)}} is cut in height`);
    if (hides(overflowX) && e.scrollWidth > e.clientWidth + 1 && e.clientWidth) found.push(`${{name(e)}} is cut in width`);
  }}
  for (const e of all(document)) {{
    if (e.localName !== "button" && !e.matches?.("a.call, a.phone")) continue;
    if (!seen(e)) continue;
    const range = document.createRange(), box = e.getBoundingClientRect();
    range.selectNodeContents(e);
    const text = range.getBoundingClientRect();
    if (text.width && (text.left < box.left - 1 || text.right > box.right + 1 || text.top < box.top - 1 || text.bottom > box.bottom + 1))
      found.push(`the text of ${{name(e)}} is larger than it`);
  }}
  return found;
}}"""

_TOO_SMALL = f"""() => {{
  {_NAME} {_WALK}
  const found = [];
  for (const e of all(document)) {{
    if (!e.matches("button, a[href], summary, textarea, label.option, label.tick, input:not(.option input)") || !seen(e)) continue;
    if (e.closest("main") && !document.querySelector("#main")) continue;
    const {{ width, height }} = e.getBoundingClientRect();
    if (width < 43.9 || height < 43.9) found.push(`${{name(e)}} ${{width.toFixed(1)}} x ${{height.toFixed(1)}}`);
  }}
  return found;
}}"""

_TOO_CLOSE = f"""() => {{
  {_NAME} {_WALK}
  const found = [], boxes = [];
  for (const e of all(document))
    if (e.matches("button, a.call, a.phone, label.option, label.tick, summary") && seen(e)) boxes.push([e, e.getBoundingClientRect()]);
  boxes.forEach(([one, a], i) => boxes.slice(i + 1).forEach(([other, b]) => {{
    const gap = Math.max(b.left - a.right, a.left - b.right, b.top - a.bottom, a.top - b.bottom);
    if (one.parentElement === other.parentElement && gap < 4)
      found.push(`${{name(one)}} and ${{name(other)}} are ${{gap.toFixed(1)}} px apart`);
  }}));
  return found;
}}"""

_LOST_STOPS = f"""() => {{
  {_NAME} {_WALK}
  const found = [];
  for (const e of all(document)) {{
    if (e.localName !== "a" || !seen(e)) continue;
    let next = e.nextSibling;
    while (next?.nodeType === 8) next = next.nextSibling;
    if (next?.nodeType !== 3 || !/^[.,;:)]/.test(next.data)) continue;
    const range = document.createRange();
    range.selectNodeContents(e);
    const text = [...range.getClientRects()].pop();
    range.setStart(next, 0);
    range.setEnd(next, 1);
    if (range.getBoundingClientRect().top >= text.bottom - 2) found.push(`a line begins with the ${{next.data[0]}} after ${{name(e)}}`);
  }}
  return found;
}}"""

_SPACING = """*, *::before, *::after { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }
p { margin-block-end: 2em !important }"""

_MOVING = "() => document.getAnimations().filter((one) => one.playState === 'running').map((one) => one.animationName ?? one.id)"


def sticking_out(frame: Frame) -> list[str]:
    """What does not fit the width."""
    return list(frame.evaluate(_STICKING_OUT))


def cut_off(frame: Frame) -> list[str]:
    """What hides a part of its own text."""
    return list(frame.evaluate(_CUT))


def too_small(frame: Frame) -> list[str]:
    """What is hard to hit with a finger."""
    return list(frame.evaluate(_TOO_SMALL))


def too_close(frame: Frame) -> list[str]:
    """Neighbours that are easily hit in place of each other."""
    return list(frame.evaluate(_TOO_CLOSE))


def lost_stops(frame: Frame) -> list[str]:
    """Lines that begin with what ends a sentence."""
    return list(frame.evaluate(_LOST_STOPS))


def moving(frame: Frame) -> list[str]:
    """What is in motion."""
    return list(frame.evaluate(_MOVING))


@contextmanager
def wide_spacing(frame: Frame) -> Iterator[None]:
    """Text as WCAG 1.4.12 lets readers space it, also in shadow trees."""
    frame.evaluate(
        """(css) => {
          const sheet = new CSSStyleSheet();
          sheet.replaceSync(css);
          window.__spaced = [document, ...[...document.querySelectorAll("*")].map((e) => e.shadowRoot).filter(Boolean)];
          for (const root of window.__spaced) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
        }""",
        _SPACING,
    )
    try:
        yield
    finally:
        frame.evaluate("() => { for (const root of window.__spaced) root.adoptedStyleSheets = root.adoptedStyleSheets.slice(0, -1); }")


@contextmanager
def from_right_to_left(frame: Frame) -> Iterator[None]:
    """The document as if its language were written that way."""
    before = frame.evaluate("() => document.documentElement.dir")
    frame.evaluate("() => { document.documentElement.dir = 'rtl'; }")
    try:
        yield
    finally:
        frame.evaluate("(dir) => { document.documentElement.dir = dir; }", before)


@contextmanager
def double_text(frame: Frame) -> Iterator[None]:
    """Text at 200 %."""
    frame.evaluate(
        "() => { const root = document.documentElement; root.style.fontSize = `${2 * parseFloat(getComputedStyle(root).fontSize)}px`; }"
    )
    try:
        yield
    finally:
        frame.evaluate("() => document.documentElement.style.removeProperty('font-size')")
