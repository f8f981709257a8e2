import type { Told } from "../../shared/types";
import { backoff } from "../timers";

export type DeliveryState = "sending" | "stored" | "waiting" | "failed" | "refused";

export interface OutItem {
  clientId: string;
  text: string;
  button?: string;
  /** Rows of the danger check that were answered. */
  rows?: (Told & { id: string })[];
  /** The followup that is answered, and what was chosen. */
  followup?: { seq: number; answer: string };
  state: DeliveryState;
  at: number;
  /** The server's own words about why it was not accepted. */
  note: string;
  seq?: number;
}

export type SendResult =
  | { kind: "stored"; seq: number }
  | { kind: "unreachable"; note: string; after: number }
  | { kind: "refused"; note: string }
  | { kind: "closed" };

export const UNREACHABLE: SendResult = { kind: "unreachable", note: "", after: 0 };
export const GIVE_UP_AFTER = 10000;

/** What the patient says. */
export type Said = Pick<OutItem, "text" | "button" | "rows" | "followup">;

/** What waits to be stored: sent one at a time, in order, until each is stored or refused. */
export interface Outbox {
  readonly queue: readonly OutItem[];
  readonly failures: number;
  /** The next try waits for its time. */
  readonly retrying: boolean;
  /** The message that is on its way, as it was when it left. */
  readonly sending: OutItem | null;
  /** Try at once after the one that is on its way. */
  readonly again: boolean;
  readonly paused: boolean;
}

export type Todo =
  /** `moved`: into another state. */
  | { type: "changed"; item: OutItem; moved: boolean }
  | { type: "send"; item: OutItem }
  /** `giveUp` is due in GIVE_UP_AFTER. */
  | { type: "watch"; clientId: string }
  /** `retryDue` is due in `ms`. */
  | { type: "retry"; ms: number }
  | { type: "cancel_retry" };

/** The outbox after an event, and what is to be done about it, in order; a sending comes last. */
export interface Turn {
  outbox: Outbox;
  readonly todo: Todo[];
}

const WORDS = { yes: "yes", no: "no", unsure: "not sure" };

export function emptyOutbox(): Outbox {
  return { queue: [], failures: 0, retrying: false, sending: null, again: false, paused: false };
}

export function add(outbox: Outbox, clientId: string, now: number, said: Said): Turn {
  const item: OutItem = { clientId, text: said.text, state: outbox.queue.length && outbox.failures ? "waiting" : "sending", at: now, note: "" };
  if (said.button) item.button = said.button;
  if (said.rows?.length) item.rows = said.rows;
  if (said.followup) item.followup = said.followup;
  const turn: Turn = { outbox: { ...outbox, queue: [...outbox.queue, item] }, todo: [{ type: "changed", item, moved: true }] };
  turn.todo.push({ type: "watch", clientId });
  return pump(turn);
}

/** Tries at once: the internet is back, the page is seen again, or the patient asks for it. */
export function kick(outbox: Outbox): Turn {
  return kicked({ outbox, todo: [] });
}

/** The patient presses "Try again". */
export function retry(outbox: Outbox, clientId: string): Turn {
  const turn: Turn = { outbox, todo: [] };
  const item = outbox.queue.find((one) => one.clientId === clientId);
  if (!item || outbox.paused) return turn;
  set(turn, item, "sending");
  turn.todo.push({ type: "watch", clientId });
  return kicked(turn);
}

/** The device is known to be offline: a message that was just added waits. */
export function hold(outbox: Outbox, clientId: string): Turn {
  const turn: Turn = { outbox, todo: [] };
  const item = outbox.queue.find((one) => one.clientId === clientId);
  if (item?.state === "sending") set(turn, item, "waiting");
  return turn;
}

/** The chat is closed: keep what was not accepted for the next one. Its buttons are gone, their words are not; of its rows each Yes and each doubt becomes words. */
export function pause(outbox: Outbox): Turn {
  const turn: Turn = { outbox: { ...outbox, paused: true }, todo: [] };
  cancelTimer(turn);
  for (const { button: _button, followup: _followup, rows, ...item } of outbox.queue) {
    const text = [item.text, ...(rows ?? []).filter((row) => row.answer !== "no").map(inWords)].filter(Boolean).join("\n");
    put(turn, { ...item, text, state: "failed" });
  }
  change(turn, { queue: turn.outbox.queue.filter((item) => item.text) });
  return turn;
}

export function resume(outbox: Outbox): Turn {
  const turn: Turn = { outbox: { ...outbox, paused: false, failures: 0 }, todo: [] };
  for (const item of outbox.queue) {
    set(turn, item, "sending");
    turn.todo.push({ type: "watch", clientId: item.clientId });
  }
  return pump(turn);
}

export function clear(outbox: Outbox): Turn {
  const turn: Turn = { outbox: { ...outbox, queue: [], failures: 0, paused: false }, todo: [] };
  cancelTimer(turn);
  return turn;
}

/** The stream showed the message before the answer to its sending came. */
export function confirm(outbox: Outbox, clientId: string, seq: number): Turn {
  const turn: Turn = { outbox, todo: [] };
  const item = outbox.queue.find((one) => one.clientId === clientId);
  if (item) finish(turn, item, seq);
  return turn;
}

/** What became of the sending. */
export function answered(outbox: Outbox, result: SendResult): Turn {
  const item = outbox.queue.find((one) => one.clientId === outbox.sending?.clientId);
  const turn: Turn = { outbox: { ...outbox, sending: null }, todo: [] };
  if (item) settle(turn, { ...item, note: "note" in result ? result.note : "" }, result);
  if (turn.outbox.again) {
    change(turn, { again: false });
    cancelTimer(turn);
  }
  return pump(turn);
}

export function retryDue(outbox: Outbox): Turn {
  return pump({ outbox: { ...outbox, retrying: false }, todo: [] });
}

export function giveUp(outbox: Outbox, clientId: string): Turn {
  const turn: Turn = { outbox, todo: [] };
  const item = outbox.queue.find((one) => one.clientId === clientId);
  if (item && !outbox.paused) set(turn, item, "failed");
  return turn;
}

/** The message that is on its way, as it is now. */
export function onItsWay(outbox: Outbox): OutItem | null {
  return outbox.queue.find((one) => one.clientId === outbox.sending?.clientId) ?? outbox.sending;
}

/** An answered row as words that the program reads. */
function inWords(row: Told): string {
  return `${row.text.replace(/\?$/, "")}: ${WORDS[row.answer]}`;
}

function kicked(turn: Turn): Turn {
  if (turn.outbox.sending) {
    change(turn, { again: true });
    return turn;
  }
  cancelTimer(turn);
  return pump(turn);
}

function pump(turn: Turn): Turn {
  const { sending, paused, retrying, queue } = turn.outbox;
  const [first] = queue;
  if (!first || sending || paused || retrying) return turn;
  if (first.state === "waiting") set(turn, first, "sending");
  const item = turn.outbox.queue[0]!;
  change(turn, { sending: item });
  turn.todo.push({ type: "send", item });
  return turn;
}

function settle(turn: Turn, item: OutItem, result: SendResult): void {
  put(turn, item);
  switch (result.kind) {
    case "stored":
      change(turn, { failures: 0 });
      finish(turn, item, result.seq);
      break;
    case "refused":
      set(turn, item, "refused");
      change(turn, { failures: 0, queue: turn.outbox.queue.filter((one) => one.clientId !== item.clientId) });
      break;
    case "unreachable":
      change(turn, { failures: turn.outbox.failures + 1 });
      for (const one of turn.outbox.queue) if (one.state === "sending") set(turn, one, "waiting");
      if (!turn.outbox.paused) {
        change(turn, { retrying: true });
        turn.todo.push({ type: "retry", ms: Math.max(backoff(turn.outbox.failures), result.after) });
      }
      break;
    case "closed": {
      const { outbox, todo } = pause(turn.outbox);
      turn.outbox = outbox;
      turn.todo.push(...todo);
    }
  }
}

function finish(turn: Turn, item: OutItem, seq: number): void {
  put(turn, { ...item, seq, note: "", state: "stored" });
  change(turn, { queue: turn.outbox.queue.filter((one) => one.clientId !== item.clientId) });
}

function set(turn: Turn, item: OutItem, state: DeliveryState): void {
  if (item.state !== state) put(turn, { ...item, state });
}

function put(turn: Turn, item: OutItem): void {
  const before = turn.outbox.queue.find((one) => one.clientId === item.clientId);
  change(turn, { queue: turn.outbox.queue.map((one) => (one === before ? item : one)) });
  turn.todo.push({ type: "changed", item, moved: before?.state !== item.state });
}

function change(turn: Turn, to: Partial<Outbox>): void {
  turn.outbox = { ...turn.outbox, ...to };
}

function cancelTimer(turn: Turn): void {
  if (!turn.outbox.retrying) return;
  change(turn, { retrying: false });
  turn.todo.push({ type: "cancel_retry" });
}
