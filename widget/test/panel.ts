import { failure, type Failure } from "../src/panel/api";
import type { Effect, Request } from "../src/panel/chat/effects";
import type { PanelEvent } from "../src/panel/chat/events";
import { reducer } from "../src/panel/chat/reduce";
import { initialState, type State } from "../src/panel/chat/state";
import type { AnswerEvent, ChatEvent, Config, Session } from "../src/shared/types";
import en from "../strings/en.json";

export const NOW = Date.parse("2024-05-01T10:00:00Z");
const MINUTE = 60000;

export const config: Config = {
  key: "demo",
  lang: "en",
  dir: "ltr",
  languages: [],
  strings: en,
  parents: [],
  clinic: { name: "Clinic", demo: true, hours: "9 to 5" },
  contacts: [{ id: "clinic", number: "555-0100", href: "tel:5550100" }],
  safety: { heading: "Call 911.", blocks: [] },
  limits: { text: 20, answer_seconds: 6 },
  api: "",
};

export function session(change: Partial<Session> = {}): Session {
  const at = (minutes: number) => new Date(NOW + minutes * MINUTE).toISOString();
  return { writer: "patient", ended: false, started_at: at(0), server_time: at(0), idle_expires_at: at(30), expires_at: at(240), language: "en", ...change };
}

export function answer(seq: number, reply_to: number | null, change: Partial<AnswerEvent> = {}): AnswerEvent {
  return { kind: "answer", seq, at: "", reply_to, type: "chat", blocks: [{ kind: "say", text: `answer ${seq}` }], ...change };
}

export function message(seq: number, client_id: string): ChatEvent {
  return { kind: "message", seq, at: "", client_id, text: client_id };
}

export const GREETING = answer(1, null, { kind: "greeting", blocks: [{ kind: "say", text: "Hello." }] });
export const EXPIRED = failure(401, { error: "session_expired" }, null);
export const ENDED = failure(401, { error: "session_ended" }, null);
export const NO_NETWORK = failure(0, {}, null);

export function ok<T>(data: T): { ok: true; status: number; data: T } {
  return { ok: true, status: 200, data };
}

type Of<T extends Effect["type"]> = Extract<Effect, { type: T }>;
type Asked<T extends Request["type"]> = Extract<Request, { type: T }>;

/** A panel without a page: the state after each event, and all that was to be done. What goes into the reducer is frozen. */
export class Panel {
  state: Readonly<State> = frozen(initialState({ size: "normal", contrast: "normal" }));
  effects: readonly Effect[] = [];
  now = NOW;
  private reduce = reducer(config);

  /** What is to be done about these events. */
  on(...events: PanelEvent[]): readonly Effect[] {
    this.effects = events.flatMap((event) => {
      const { state, effects } = this.reduce(this.state, frozen({ ...event, now: this.now }));
      this.state = frozen(state);
      return effects;
    });
    return this.effects;
  }

  /** With an open chat and its greeting. */
  static open(): Panel {
    const panel = new Panel();
    panel.on({ type: "loaded", token: null }, { type: "tab_told", token: null }, started("t1"), { type: "fresh_over" });
    return panel;
  }

  say(clientId: string): readonly Effect[] {
    return this.on({ type: "said", clientId, text: clientId });
  }

  /** What the last events wanted done, of one type. */
  done<T extends Effect["type"]>(type: T): Of<T>[] {
    return this.effects.filter((effect): effect is Of<T> => effect.type === type);
  }

  asked<T extends Request["type"]>(type: T): Asked<T>[] {
    return this.done("request").flatMap(({ request }) => (request.type === type ? [request as Asked<T>] : []));
  }

  /** What was said politely. */
  get said(): string[] {
    return this.done("say").map((effect) => effect.text);
  }

  get waits(): [string, number, string?][] {
    return this.done("wait").map(({ event, ms, name }) => (name ? [event.type, ms, name] : [event.type, ms]));
  }

  /** The states of the patient's messages, in the order shown. */
  get mine(): string[] {
    return this.state.entries.flatMap((entry) => (entry.type === "mine" ? [`${entry.item.clientId} ${entry.item.state}`] : []));
  }

  /** What is shown, in order. */
  get shown(): string[] {
    return this.state.entries.map((entry) => {
      if (entry.type === "mine") return entry.item.clientId;
      if (entry.type === "safety") return entry.reason;
      return entry.type === "event" ? `${entry.event.kind} ${entry.event.seq}` : "answer now";
    });
  }
}

export function started(token: string, events: ChatEvent[] = [GREETING]): PanelEvent {
  return { type: "start_answered", result: ok({ token, session: session(), events }), lang: "en" };
}

export function stored(seq: number, token = "t1"): PanelEvent {
  return { type: "send_answered", result: ok({ state: "stored" as const, seq }), token };
}

export function notSent(problem: Failure, token = "t1"): PanelEvent {
  return { type: "send_answered", result: problem, token };
}

export function fed(event: ChatEvent): PanelEvent {
  return { type: "fed", event };
}

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}
