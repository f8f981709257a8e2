import type { Answer, Callback, CallbackEvent, CallbackInfo, ChatEvent, FollowedEvent, RowAnswer, Safety, Session, Summary, Words, Writer } from "../shared/types";

export interface Failure {
  ok: false;
  status: number;
  code: string;
  message: string;
  safety: Safety | null;
  answer: Answer | null;
  retryAfter: number;
}

export type Result<T> = { ok: true; status: number; data: T } | Failure;

export interface Stored {
  state: "stored" | "answered";
  seq: number;
  session?: Session;
}

export interface Started {
  token: string;
  session: Session;
  events: ChatEvent[];
}

export interface History {
  events: ChatEvent[];
  session: Session;
}

const TIMEOUT = 10000;
const SEND_TIMEOUT = 6000;

interface Options {
  base?: string;
  token?: string;
  body?: unknown;
  timeout?: number;
  keepalive?: boolean;
  signal?: AbortSignal;
}

export class Api {
  constructor(private base: string) {}

  start(key: string, language: string, writer: Writer) {
    return this.call<Started>("POST", "/sessions", { body: { key, language, writer } });
  }

  session(token: string) {
    return this.call<Session>("GET", "/session", { token });
  }

  extend(token: string) {
    return this.call<Session>("POST", "/session/extend", { token });
  }

  writer(token: string, writer: Writer) {
    return this.call<Session>("PUT", "/session/writer", { token, body: { writer } });
  }

  send(token: string, message: { client_id: string; text?: string; button?: string; rows?: Record<string, RowAnswer> }) {
    return this.call<Stored>("POST", "/session/messages", { token, body: message, timeout: SEND_TIMEOUT });
  }

  followup(token: string, choice: { client_id: string; seq: number; answer: string }) {
    return this.call<FollowedEvent>("POST", "/session/followup", { token, body: choice, timeout: SEND_TIMEOUT });
  }

  callbackInfo(token: string) {
    return this.call<CallbackInfo>("GET", "/session/callback", { token });
  }

  callback(token: string, wanted: Callback & { client_id: string }) {
    return this.call<CallbackEvent>("POST", "/session/callback", { token, body: wanted });
  }

  events(token: string, after: number, wait: number, signal?: AbortSignal) {
    const options: Options = { token, timeout: TIMEOUT + wait * 1000 };
    if (signal) options.signal = signal;
    return this.call<History>("GET", `/session/events?after=${after}&wait=${wait}`, options);
  }

  summary(token: string) {
    return this.call<Summary>("GET", "/session/summary", { token });
  }

  /** The panel's words in a language, which stand beside its page. */
  words(key: string, lang: string) {
    return this.call<Words>("GET", `/panel/${encodeURIComponent(key)}/words?lang=${encodeURIComponent(lang)}`, { base: "" });
  }

  end(token: string, { clear = false, keepalive = false } = {}) {
    return this.call<null>("DELETE", `/session?clear_device=${clear}`, { token, keepalive });
  }

  stream(token: string, after: number, signal: AbortSignal): Promise<Response> {
    return fetch(`${this.base}/session/stream`, {
      headers: { Accept: "text/event-stream", Authorization: `Bearer ${token}`, "Last-Event-ID": String(after) },
      cache: "no-store",
      signal,
    });
  }

  private async call<T>(method: string, path: string, options: Options): Promise<Result<T>> {
    const abort = new AbortController();
    const stop = () => abort.abort();
    const timer = setTimeout(stop, options.timeout ?? TIMEOUT);
    options.signal?.addEventListener("abort", stop);
    try {
      const headers: Record<string, string> = { Accept: "application/json" };
      if (options.token) headers["Authorization"] = `Bearer ${options.token}`;
      const init: RequestInit = { method, headers, cache: "no-store", signal: abort.signal, keepalive: options.keepalive ?? false };
      if (options.body !== undefined) {
        headers["Content-Type"] = "application/json";
        init.body = JSON.stringify(options.body);
      }
      const response = await fetch((options.base ?? this.base) + path, init);
      if (!response.ok) return failure(response.status, await response.json().catch(() => ({})), response.headers.get("Retry-After"));
      return { ok: true, status: response.status, data: response.status === 204 ? (null as T) : ((await response.json()) as T) };
    } catch {
      return failure(0, {}, null);
    } finally {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", stop);
    }
  }
}

export function failure(status: number, body: Partial<{ error: string; message: string; safety: Safety; answer: Answer }> | null, retryAfter: string | null): Failure {
  return {
    ok: false,
    status,
    code: body?.error ?? (status ? "unknown" : "network"),
    message: body?.message ?? "",
    safety: body?.safety ?? null,
    answer: body?.answer ?? null,
    retryAfter: Math.max(0, Number(retryAfter) || 0) * 1000,
  };
}

/** Worth another try with the same client id. */
export function isPassing(problem: Failure): boolean {
  return problem.status === 0 || problem.status === 408 || problem.status === 429 || problem.status >= 500;
}
