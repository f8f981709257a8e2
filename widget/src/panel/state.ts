import type { Answer, ChatEvent, RowAnswer, Safety, Session, Summary, Writer } from "../shared/types";
import type { OutItem } from "./delivery";
import type { Prefs } from "./prefs";

export type Entry = { key: string; order: number } & (
  | { type: "event"; event: ChatEvent }
  | { type: "mine"; item: OutItem }
  | { type: "safety"; reason: "no_answer" | "offline" | "trouble"; safety: Safety }
  | { type: "answer"; answer: Answer; at: number }
);

export type View = "chat" | "menu" | "summary";

export interface State {
  phase: "starting" | "open" | "expired" | "ended";
  view: View;
  entries: Entry[];
  lastSeq: number;
  session: Session | null;
  offset: number;
  writer: Writer;
  link: "up" | "lost" | "back";
  warning: "warning_idle" | "warning_absolute" | null;
  greeting: boolean;
  confirm: "restart" | "end" | null;
  menuNote: string;
  hint: string;
  draftLength: number;
  newBelow: boolean;
  summary: Summary | "loading" | "failed" | null;
  prefs: Prefs;
  shared: boolean;
  embedded: boolean;
  shown: boolean;
  unread: number;
  answerPending: boolean;
  chosen: string | null;
  /** The rows of the open danger check that have an answer, by their ids. */
  ticks: Record<string, RowAnswer>;
  /** A danger check that may be passed over is shown whole. */
  unfolded: boolean;
  /** Buttons and rows have just appeared: a tap that was meant for something else is not taken. */
  fresh: boolean;
}

export function initialState(prefs: Prefs): State {
  return {
    phase: "starting",
    view: "chat",
    entries: [],
    lastSeq: 0,
    session: null,
    offset: 0,
    writer: "patient",
    link: "up",
    warning: null,
    greeting: false,
    confirm: null,
    menuNote: "",
    hint: "",
    draftLength: 0,
    newBelow: false,
    summary: null,
    prefs,
    shared: false,
    embedded: false,
    shown: true,
    unread: 0,
    answerPending: false,
    chosen: null,
    ticks: {},
    unfolded: false,
    fresh: false,
  };
}

/** Adds an event once; a message of ours keeps its entry and moves to its place. False when it was known. */
export function addEvent(state: State, event: ChatEvent): boolean {
  if (state.entries.some((entry) => entry.type === "event" && entry.event.seq === event.seq)) return false;
  const mine = event.kind === "message" ? state.entries.find((entry) => entry.type === "mine" && entry.item.clientId === event.client_id) : undefined;
  if (mine) mine.order = event.seq;
  else state.entries.push({ key: `e${event.seq}`, order: event.seq, type: "event", event });
  state.lastSeq = Math.max(state.lastSeq, event.seq);
  sort(state);
  return true;
}

/** Gives a stored message of ours its place. */
export function placeMine(state: State, item: OutItem): void {
  const entry = state.entries.find((one) => one.type === "mine" && one.item === item);
  if (entry && item.seq !== undefined) entry.order = item.seq;
  sort(state);
}

type LocalEntry = { type: "mine"; item: OutItem } | { type: "safety"; reason: "no_answer" | "offline" | "trouble"; safety: Safety } | { type: "answer"; answer: Answer; at: number };

let locals = 0;

/** What the server does not know stands after all that it has told so far. */
export function addLocal(state: State, entry: LocalEntry): void {
  locals += 1;
  const newest = state.entries.reduce((order, one) => Math.max(order, one.order), state.lastSeq);
  state.entries.push({ key: `l${locals}`, order: newest + 1e-6, ...entry });
}

function sort(state: State): void {
  state.entries.sort((a, b) => a.order - b.order);
}

/** The entry whose buttons may still be pressed, if any. */
export function lastAnswer(state: State): { key: string; answer: Answer; answered: boolean } | null {
  let answered = false;
  for (let i = state.entries.length - 1; i >= 0; i -= 1) {
    const entry = state.entries[i]!;
    if (entry.type === "mine" || (entry.type === "event" && entry.event.kind === "message")) answered = true;
    if (entry.type === "answer") return { key: entry.key, answer: entry.answer, answered };
    if (entry.type === "event" && (entry.event.kind === "answer" || entry.event.kind === "greeting")) return { key: entry.key, answer: entry.event, answered };
  }
  return null;
}
