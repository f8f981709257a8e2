"use strict";
// While a mouse button, a finger or the space bar is down, nothing moves or is exchanged beneath it: the browser would make no click of it.
const press = (() => {
  const LONGEST = 3_000, CLICK_COMES_WITHIN = 400;
  const CLICKED_BY_SPACE = "button, summary, input[type=checkbox], input[type=radio]";
  const waiting = new Map();
  let isDown = false, limit, over;

  const settle = () => {
    clearTimeout(limit);
    clearTimeout(over);
    isDown = false;
    const works = [...waiting.values()];
    waiting.clear();
    for (const work of works) work();
  };
  // A release that never shows, such as one outside the window, holds nothing back for longer than this.
  const begin = () => {
    clearTimeout(over);
    if (isDown) return;
    isDown = true;
    limit = setTimeout(settle, LONGEST);
  };
  const end = (within) => {
    if (!isDown) return;
    clearTimeout(over);
    over = setTimeout(settle, within);
  };
  const bySpace = (event) => event.key === " " && event.target.matches?.(CLICKED_BY_SPACE);

  addEventListener("pointerdown", begin, true);
  for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, () => end(CLICK_COMES_WITHIN), true);
  addEventListener("keydown", (event) => { if (bySpace(event) && !event.repeat) begin(); }, true);
  addEventListener("keyup", (event) => { if (event.key === " ") end(CLICK_COMES_WITHIN); }, true);
  addEventListener("click", () => end(0), true);

  return {
    down: () => isDown,
    // Do it once nothing is down any more, at once where nothing is; of several of one name, the last.
    later: (name, work) => {
      if (isDown) waiting.set(name, work);
      else work();
    },
  };
})();
