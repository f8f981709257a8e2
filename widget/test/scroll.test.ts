import assert from "node:assert/strict";
import { test } from "node:test";
import { Scroller } from "../src/panel/scroll";

const HEIGHT = 100;

/** A box that holds these items, each with its class and height, and that scrolls as a browser's. */
function boxOf(items: [string, number][]): HTMLElement {
  const scrollHeight = items.reduce((sum, [, height]) => sum + height, 0);
  let scrolled = 0;
  const above = (at: number) => items.slice(0, at).reduce((sum, [, height]) => sum + height, 0);
  const querySelectorAll = (selector: string) =>
    items.flatMap(([className], at) => (selector.split(", ").includes(`.${className}`) ? [{ className, querySelector: () => null, getBoundingClientRect: () => ({ top: above(at) - scrolled }) }] : []));
  const box = {
    get scrollTop() {
      return scrolled;
    },
    set scrollTop(to: number) {
      scrolled = Math.max(0, Math.min(to, scrollHeight - HEIGHT));
    },
    scrollHeight,
    clientHeight: HEIGHT,
    getBoundingClientRect: () => ({ top: 0 }),
    querySelectorAll,
    querySelector: (selector: string) => querySelectorAll(selector)[0] ?? null,
  };
  return box as unknown as HTMLElement;
}

test("of what is taller than the box its start is shown, whoever wrote it", () => {
  for (const kind of ["program", "nurse", "status"]) {
    const box = boxOf([
      ["you", 300],
      [kind, 250],
    ]);
    new Scroller(() => box).toNewest();
    assert.equal(box.scrollTop, 300 - 8, kind);
  }
});

test("what is held stays where it is seen while all above it grows", () => {
  const box = boxOf([["you", 300]]);
  let top = 40;
  new Scroller(() => box).hold({ getBoundingClientRect: () => ({ top }) } as unknown as HTMLElement, () => (top = 130));
  assert.equal(box.scrollTop, 90);
});

test("what is brought into sight is so by the box alone", () => {
  const box = boxOf([["you", 300]]);
  new Scroller(() => box).to({ getBoundingClientRect: () => ({ top: 90 }) } as unknown as HTMLElement);
  assert.equal(box.scrollTop, 90 - 8);
});
