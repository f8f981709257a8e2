import type { ChatEvent } from "../../shared/types";
import { announceReply, freshen, watched, writing } from "./answers";
import { confirm } from "./delivery";
import { holdTaps } from "./fresh";
import { act } from "./outgoing";
import { addEvent, insertEvent, isSaid } from "./state";
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

/** Takes what came as the answer to a request; the feed brings it again. */
export function takeAnswered(step: Step, event: ChatEvent): void {
  if (insertEvent(step.state, event)) announce(step, event);
  shown(step);
}

function add(step: Step, event: ChatEvent): boolean {
  const isNew = addEvent(step.state, event);
  watched(step, watchEvent(step.state.watch, event));
  if (isSaid(event)) act(step, confirm(step.state.outbox, event.client_id, event.seq));
  if (event.kind === "writer") step.state.writer = event.writer;
  if (isNew && (event.kind === "followup" || event.kind === "status")) holdTaps(step);
  return isNew;
}

function announce(step: Step, event: ChatEvent): void {
  if (event.kind === "writer") step.say(step.config.strings.chat[`writer_${event.writer}`]);
  if (event.kind === "answer" || event.kind === "greeting" || event.kind === "callback" || event.kind === "status") announceReply(step, event);
  if (event.kind === "staff") announceReply(step, { blocks: [{ kind: "say", text: `${event.who}: ${event.text}` }] });
  if (event.kind === "followup") announceReply(step, { blocks: [{ kind: "question", text: event.text }], buttons: event.buttons });
}

function shown(step: Step): void {
  freshen(step);
  writing(step);
  step.render();
}

export const incomingHandlers: Handlers<"fed"> = {
  fed: (step, { event }) => take(step, [event]),
};
