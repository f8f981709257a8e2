import type { ChatEvent } from "../../shared/types";
import { announceAnswer, freshen, watched, writing } from "./answers";
import { confirm } from "./delivery";
import { act } from "./outgoing";
import { addEvent } from "./state";
import type { Handlers, Step } from "./step";
import { watchEvent } from "./waiting";

/** Takes what was said before, and says nothing. */
export function replay(step: Step, events: readonly ChatEvent[]): void {
  for (const event of events) add(step, event);
  shown(step);
}

/** Takes what is new, and says it. */
export function take(step: Step, events: readonly ChatEvent[]): void {
  for (const event of events) {
    if (add(step, event)) announce(step, event);
  }
  shown(step);
}

function add(step: Step, event: ChatEvent): boolean {
  const isNew = addEvent(step.state, event);
  watched(step, watchEvent(step.state.watch, event));
  if (event.kind === "message") act(step, confirm(step.state.outbox, event.client_id, event.seq));
  if (event.kind === "writer") step.state.writer = event.writer;
  return isNew;
}

function announce(step: Step, event: ChatEvent): void {
  if (event.kind === "writer") step.say(step.config.strings.chat[`writer_${event.writer}`]);
  if (event.kind === "answer" || event.kind === "greeting") announceAnswer(step, event);
}

function shown(step: Step): void {
  freshen(step);
  writing(step);
  step.render();
}

export const incomingHandlers: Handlers<"fed"> = {
  fed: (step, { event }) => take(step, [event]),
};
