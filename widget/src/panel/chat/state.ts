import type { Answer, ChatEvent, Check, Row, RowAnswer, Safety, Session, Summary, Told, Writer } from "../../shared/types";
import type { Prefs } from "../prefs";
import type { CallbackForm } from "./contact";
import { emptyOutbox, type Outbox, type OutItem } from "./delivery";
import type { Spoken } from "./effects";
import { NO_WATCH, type Watch } from "./waiting";

type Kind =
  | { type: "event"; event: ChatEvent }
  | { type: "mine"; item: OutItem }
  | { type: "safety"; reason: "no_answer" | "offline" | "trouble"; safety: Safety; lang: string }
  | { type: "answer"; answer: Answer; at: number };

type LocalKind = Exclude<Kind, { type: "event" }>;

export type Entry = { readonly key: string; readonly order: number } & Readonly<Kind>;

/** What is said once the chat is opened. */
export interface Untold {
  readonly told: Spoken;
  /** It is unread until then. */
  readonly counts: boolean;
  /** What it holds for: once that is over it is not said any more. */
  readonly about: string;
}

export type View = "chat" | "menu" | "summary" | "callback";

/** All that the panel knows. What stands in its fields is replaced, never changed. */
export interface State {
  phase: "starting" | "open" | "expired" | "ended";
  view: View;
  entries: readonly Entry[];
  /** How many entries were made here. */
  locals: number;
  lastSeq: number;
  token: string | null;
  session: Session | null;
  /** What the server's clock is ahead of ours. */
  offset: number;
  writer: Writer;
  /** Whether there is a chat to resume is not known yet. */
  looking: boolean;
  /** A chat is being opened or resumed. */
  connecting: boolean;
  startFailures: number;
  /** The chat whose place the one that is being opened takes. */
  leaving: string | null;
  /** The server is being asked whether the chat is over. */
  checking: boolean;
  link: "up" | "lost" | "back";
  outbox: Outbox;
  /** The first message of the outbox leaves as soon as a chat is open. */
  sendOnceOpen: boolean;
  watch: Watch;
  warning: "warning_idle" | "warning_absolute" | null;
  greeting: boolean;
  confirm: "restart" | "end" | null;
  menuNote: string;
  /** The language that was chosen last, while its words are asked for. */
  choosing: string | null;
  hint: string;
  draftLength: number;
  /** What is out of sight at the bottom: a new message, or the rest of what is shown. */
  below: "new" | "more" | null;
  /** What the patient said, by a tap, that the first words will be. */
  topic: "symptom" | "question" | null;
  summary: Summary | "loading" | "failed" | null;
  callback: CallbackForm | null;
  prefs: Prefs;
  shared: boolean;
  /** Whether the page can close the panel. */
  closes: boolean;
  shown: boolean;
  /** What came in, and is not said yet. */
  untold: readonly Untold[];
  answerPending: boolean;
  /** How an answer that is not there yet is shown. */
  typing: "writing" | "still" | null;
  chosen: string | null;
  /** The rows of the open danger check that have an answer, by their ids. */
  ticks: Readonly<Record<string, RowAnswer>>;
  /** The row that was still without an answer when the answers were to be sent. */
  missing: string | null;
  /** A danger check that may be passed over is shown whole. */
  unfolded: boolean;
  /** Buttons, rows and numbers have just appeared: a tap that was meant for something else is not taken. */
  fresh: boolean;
  /** The answer whose buttons and rows appeared last. */
  freshKey: string;
  /** The message that was the last tap; `over`: it cannot be taken back any more. */
  tap: { readonly clientId: string; readonly over: boolean } | null;
}

export function initialState(prefs: Prefs): State {
  return {
    phase: "starting",
    view: "chat",
    entries: [],
    locals: 0,
    lastSeq: 0,
    token: null,
    session: null,
    offset: 0,
    writer: "patient",
    looking: true,
    connecting: false,
    startFailures: 0,
    leaving: null,
    checking: false,
    link: "up",
    outbox: emptyOutbox(),
    sendOnceOpen: false,
    watch: NO_WATCH,
    warning: null,
    greeting: false,
    confirm: null,
    menuNote: "",
    choosing: null,
    hint: "",
    draftLength: 0,
    below: null,
    topic: null,
    summary: null,
    callback: null,
    prefs,
    shared: false,
    closes: false,
    shown: true,
    untold: [],
    answerPending: false,
    typing: null,
    chosen: null,
    ticks: {},
    missing: null,
    unfolded: false,
    fresh: false,
    freshKey: "",
    tap: null,
  };
}

/** Adds an event of the feed once. False when it was known, or is not shown. */
export function addEvent(state: State, event: ChatEvent): boolean {
  state.lastSeq = Math.max(state.lastSeq, event.seq);
  return !(event.kind === "answer" && event.type === "held") && insertEvent(state, event);
}

/** Adds an event once, and the feed may still bring older ones; a message of ours keeps its entry and moves to its place. False when it was known. */
export function insertEvent(state: State, event: ChatEvent): boolean {
  const { seq } = event;
  if (state.entries.some((entry) => entry.type === "event" && entry.event.seq === seq)) return false;
  const mine = isSaid(event) ? state.entries.find((entry) => entry.type === "mine" && entry.item.clientId === event.client_id) : undefined;
  if (mine?.type === "mine") {
    const item: OutItem = { ...mine.item, seq, note: "", state: "stored" };
    state.entries = state.entries.map((entry) => (entry === mine ? { ...mine, order: seq, item } : entry));
  } else state.entries = [...state.entries, { key: `e${seq}`, order: seq, type: "event", event }];
  sort(state);
  return true;
}

/** What the patient said, and may have been sent from here. */
export function isSaid(event: ChatEvent): event is Extract<ChatEvent, { client_id: string }> {
  return event.kind === "message" || event.kind === "followed";
}

/** Shows a message of ours as it is now. */
export function updateMine(state: State, item: OutItem): void {
  state.entries = state.entries.map((entry) => (isMine(entry, item) ? { ...entry, item } : entry));
}

/** Gives a stored message of ours its place. */
export function placeMine(state: State, item: OutItem): void {
  const { seq } = item;
  if (seq !== undefined) state.entries = state.entries.map((entry) => (isMine(entry, item) ? { ...entry, order: seq } : entry));
  sort(state);
}

/** What the server does not know stands after all that it has told so far. */
export function addLocal(state: State, entry: LocalKind): void {
  state.locals += 1;
  const newest = state.entries.reduce((order, one) => Math.max(order, one.order), state.lastSeq);
  state.entries = [...state.entries, { key: `l${state.locals}`, order: newest + 1e-6, ...entry }];
}

function isMine(entry: Entry, item: OutItem): entry is Entry & { type: "mine" } {
  return entry.type === "mine" && entry.item.clientId === item.clientId;
}

function sort(state: State): void {
  state.entries = [...state.entries].sort((a, b) => a.order - b.order);
}

/** The entry whose buttons may still be pressed, if any. */
export function lastAnswer(state: Readonly<State>): { key: string; answer: Answer; answered: boolean } | null {
  let answered = false;
  for (let i = state.entries.length - 1; i >= 0; i -= 1) {
    const entry = state.entries[i]!;
    if ((entry.type === "mine" && !entry.item.followup) || (entry.type === "event" && entry.event.kind === "message")) answered = true;
    if (entry.type === "answer") return { key: entry.key, answer: entry.answer, answered };
    if (entry.type === "event" && (entry.event.kind === "answer" || entry.event.kind === "greeting")) return { key: entry.key, answer: entry.event, answered };
  }
  return null;
}

/** Whether a question waits for its answer. */
export function isAsked(state: Readonly<State>): boolean {
  const last = lastAnswer(state);
  if (!last || last.answered || state.phase !== "open") return false;
  const { buttons, check, blocks } = last.answer;
  return Boolean(buttons?.length || check?.waits) || blocks.some((block) => block.kind === "question");
}

/** Whether nothing was said yet, by anybody but the greeting. */
export function isFirstScreen(state: Readonly<State>): boolean {
  return state.phase === "open" && isUnsaid(state);
}

/** The same, also while the chat is being opened. */
export function isUnsaid(state: Readonly<State>): boolean {
  return (state.phase === "open" || state.phase === "starting") && state.entries.every((entry) => entry.type === "event" && isBeforeAll(entry.event));
}

/** Whether this comes before anybody has said anything. */
export function isBeforeAll({ kind }: ChatEvent): boolean {
  return kind === "greeting" || kind === "writer";
}

/** The danger check that may still be answered, if any. */
export function openCheck(state: Readonly<State>): Check | null {
  const last = lastAnswer(state);
  return last && !last.answered && state.phase === "open" ? (last.answer.check ?? null) : null;
}

/** The rows of the open danger check that have an answer. */
export function ticked(state: Readonly<State>): (Told & { id: string })[] {
  const { ticks } = state;
  return (openCheck(state)?.rows ?? []).flatMap(({ id, text }) => (ticks[id] ? [{ id, text, answer: ticks[id] }] : []));
}

/** The first row of the open danger check that has no answer, if any. */
export function firstLeft(state: Readonly<State>): Row | undefined {
  return openCheck(state)?.rows.find(({ id }) => !state.ticks[id]);
}

/** How many rows of the open danger check have no answer. */
export function rowsLeft(state: Readonly<State>): number {
  return (openCheck(state)?.rows.length ?? 0) - ticked(state).length;
}

/** A Yes that is sent at once. */
export function isAlarm(row: Row, answer: RowAnswer): boolean {
  return row.danger && answer === "yes";
}
