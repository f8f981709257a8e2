import { isHeld } from "./contact";
import { afterTap } from "./fresh";
import { post } from "./outgoing";
import { lastAnswer, type State } from "./state";
import type { Handlers, Step } from "./step";

const TAKEN_BACK_FOR = 60000;

/** What takes a tap back, as the program reads it: in English, whatever language the panel speaks. */
export const MISTAKE = "I tapped that by mistake";

/** This message was a tap: it can be taken back for a while. */
export function tapped(step: Step, clientId: string): void {
  step.state.tap = { clientId, over: false };
  step.wait(TAKEN_BACK_FOR, { type: "tap_over" }, "tap");
}

/** The answer to the last tap, as long as nothing else was said; `over`: it cannot be taken back any more. */
export function tapAnswer(state: Readonly<State>): { key: string; over: boolean } | null {
  const { tap, phase, entries } = state;
  const last = lastAnswer(state);
  if (!tap || !last || last.answered || phase !== "open" || isHeld(state)) return null;
  const isIt = entries.some((entry) => entry.type === "mine" && entry.item.clientId === tap.clientId && entry.item.seq === last.answer.reply_to);
  return isIt ? { key: last.key, over: tap.over } : null;
}

export const mistakeHandlers: Handlers<"mistaken" | "tap_over"> = {
  mistaken(step, { clientId }) {
    const answer = tapAnswer(step.state);
    if (step.state.fresh || !answer || answer.over) return;
    post(step, clientId, { text: MISTAKE });
    afterTap(step);
  },
  tap_over(step) {
    const { tap } = step.state;
    if (tap) step.state.tap = { ...tap, over: true };
    step.render();
  },
};
