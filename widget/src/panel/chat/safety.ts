import type { Failure } from "../api";
import { speaksAlike, spokenSafety } from "../text";
import { holdTaps } from "./fresh";
import { addLocal } from "./state";
import type { Handlers, Step } from "./step";

/** Shows and says whom to call. */
export function safety(step: Step, reason: "no_answer" | "offline" | "trouble", problem: Failure | null = null): void {
  const { config, state } = step;
  const card = (speaksAlike(config, state.session) && problem?.safety) || config.safety;
  addLocal(state, { type: "safety", reason, safety: card, lang: config.lang });
  holdTaps(step);
  step.tell({ type: "say", text: `${config.strings.card[reason]} ${spokenSafety(card)}` }, { about: reason });
  step.render();
}

export const safetyHandlers: Handlers<"broken"> = {
  /** Nothing may fail without the patient being told whom to call. */
  broken(step) {
    if (!step.state.entries.some((entry) => entry.type === "safety" && entry.reason === "trouble")) safety(step, "trouble");
  },
};
