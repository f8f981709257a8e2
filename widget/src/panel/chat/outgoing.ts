import { answerLang, speaksAlike } from "../text";
import { watched, writing } from "./answers";
import * as delivery from "./delivery";
import { addLocal, placeMine, updateMine } from "./state";
import type { Handlers, Step } from "./step";
import { watchStored } from "./waiting";

/** Opens a chat, or resumes the one whose token is known; waits until that is known. */
export function connect(step: Step): void {
  const { state } = step;
  if (state.looking || state.connecting) return;
  state.connecting = true;
  step.do({ type: "cancel", name: "start" });
  if (state.token) step.ask({ type: "resume", token: state.token });
  else startChat(step);
}

export function startChat(step: Step): void {
  step.do({ type: "keep_token", token: null });
  step.state.token = null;
  step.ask({ type: "start", writer: step.state.writer });
}

/** The try to connect is over: the message that waits for it leaves, or waits on. */
export function connected(step: Step, open: boolean): void {
  const { state } = step;
  state.connecting = false;
  if (!state.sendOnceOpen) return;
  state.sendOnceOpen = false;
  if (open) send(step, delivery.onItsWay(state.outbox)!);
  else act(step, delivery.answered(state.outbox, delivery.UNREACHABLE));
}

/** Takes a message of the patient's. */
export function post(step: Step, clientId: string, said: delivery.Said): void {
  const turn = delivery.add(step.state.outbox, clientId, step.now, said);
  const item = turn.outbox.queue[turn.outbox.queue.length - 1]!;
  addLocal(step.state, { type: "mine", item });
  act(step, turn);
  if (step.state.link === "lost") act(step, delivery.hold(step.state.outbox, clientId));
  step.render();
}

/** Takes over what the outbox came to. */
export function act(step: Step, { outbox, todo }: delivery.Turn): void {
  step.state.outbox = outbox;
  for (const one of todo) {
    if (one.type === "changed") {
      updateMine(step.state, one.item);
      if (one.moved) moved(step, one.item);
    }
    if (one.type === "watch") step.wait(delivery.GIVE_UP_AFTER, { type: "give_up_due", clientId: one.clientId });
    if (one.type === "retry") step.wait(one.ms, { type: "retry_due" }, "retry");
    if (one.type === "cancel_retry") step.do({ type: "cancel", name: "retry" });
    if (one.type === "send") deliver(step, one.item);
  }
}

function moved(step: Step, item: delivery.OutItem): void {
  const { state } = step;
  const words = step.config.strings.delivery;
  if (item.state === "stored") {
    placeMine(state, item);
    if (!item.followup) watched(step, watchStored(state.watch, item.seq!));
    writing(step);
  }
  step.forget(item.clientId);
  if (item.state === "failed" && state.phase !== "expired") undelivered(step, item, step.fill(words.failed));
  if (item.state === "refused") refused(step, item);
  step.render();
}

/** The server gives its reason in the chat's language. */
function refused(step: Step, item: delivery.OutItem): void {
  const words = step.config.strings.delivery.refused;
  if (speaksAlike(step.config, step.state.session)) return undelivered(step, item, `${words} ${item.note}`);
  undelivered(step, item, words);
  if (item.note) step.tell({ type: "say", text: item.note, lang: answerLang(step.state.session) }, { counts: false, about: item.clientId });
}

function undelivered(step: Step, { clientId }: delivery.OutItem, text: string): void {
  step.tell({ type: "say", text }, { about: clientId });
}

function deliver(step: Step, item: delivery.OutItem): void {
  const { token, phase } = step.state;
  if (!token && (phase === "expired" || phase === "ended")) return act(step, delivery.answered(step.state.outbox, { kind: "closed" }));
  if (token && phase !== "starting") return send(step, item);
  step.state.sendOnceOpen = true;
  connect(step);
}

function send(step: Step, item: delivery.OutItem): void {
  step.ask({ type: "send", token: step.state.token!, item });
}

export const outgoingHandlers: Handlers<"retried" | "retry_due" | "give_up_due" | "start_due"> = {
  retried(step, { clientId }) {
    act(step, delivery.retry(step.state.outbox, clientId));
    step.do({ type: "kick_feed" });
    step.render();
  },
  retry_due: (step) => act(step, delivery.retryDue(step.state.outbox)),
  give_up_due: (step, { clientId }) => act(step, delivery.giveUp(step.state.outbox, clientId)),
  start_due: (step) => connect(step),
};
