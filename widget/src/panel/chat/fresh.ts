import type { Step } from "./step";

const FRESH_FOR = 1000;

/** Buttons, rows and numbers that have just appeared or moved take no tap: it was meant for what stood there before. */
export function holdTaps(step: Step): void {
  step.state.fresh = true;
  step.wait(FRESH_FOR, { type: "fresh_over" }, "fresh");
}

/** What moves under the finger takes no second tap. */
export function afterTap(step: Step): void {
  holdTaps(step);
  step.do({ type: "to_newest" });
  step.do({ type: "focus", id: "words", byFinger: "main" });
}
