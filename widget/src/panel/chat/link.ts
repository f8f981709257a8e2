import type { Failure } from "../api";
import { kick } from "./delivery";
import { act } from "./outgoing";
import { safety } from "./safety";
import type { Handlers, Step } from "./step";

const BACK_FOR = 5000;

export function lost(step: Step, problem: Failure | null): void {
  if (step.state.link === "lost") return;
  step.state.link = "lost";
  step.tell({ type: "say", text: step.config.strings.link.lost }, { counts: false, about: "offline" });
  safety(step, "offline", problem);
}

export function up(step: Step): void {
  if (step.state.link !== "lost") return;
  step.state.link = "back";
  step.state.entries = step.state.entries.filter((entry) => entry.type !== "safety" || entry.reason !== "offline");
  step.forget("offline");
  step.say(step.config.strings.link.back);
  step.wait(BACK_FOR, { type: "back_over" });
  act(step, kick(step.state.outbox));
  step.render();
}

export const linkHandlers: Handlers<"feed_up" | "feed_down" | "back_over"> = {
  feed_up: up,
  feed_down: (step) => lost(step, null),
  back_over(step) {
    if (step.state.link === "back") step.state.link = "up";
    step.render();
  },
};
