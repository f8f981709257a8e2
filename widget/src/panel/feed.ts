import type { ChatEvent, Session } from "../shared/types";
import type { Api } from "./api";
import { StreamParser, type StreamEvent } from "./stream";
import { backoff } from "./timers";

export interface FeedListener {
  lastSeq(): number;
  event(event: ChatEvent): void;
  session(session: Session): void;
  /** The token is dead (with the server's code) or the stream says that the chat is over (without). */
  closed(code?: string): void;
  up(): void;
  down(): void;
}

type Outcome = "ended" | "dropped" | "failed" | "not_streaming" | "closed";

const FIRST_BYTE = 5000;
const SILENCE = 40000;
const SHORT_LIFE = 2000;
const WAIT = 25;

/** Brings the events of one session: by a stream, or by long polls where streams do not get through. */
export class Feed {
  private stopped = new AbortController();
  private wake: (() => void) | null = null;
  private polling = false;
  private streamed = false;
  private failures = 0;

  constructor(
    private api: Api,
    private token: string,
    private listener: FeedListener,
  ) {
    void this.run();
  }

  stop(): void {
    this.stopped.abort();
    this.wake?.();
  }

  kick(): void {
    this.wake?.();
  }

  private get over(): boolean {
    return this.stopped.signal.aborted;
  }

  private async run(): Promise<void> {
    while (!this.over) {
      const outcome = this.polling ? await this.poll() : await this.stream();
      if (this.over || outcome === "closed") return;
      if (outcome === "failed") {
        this.failures += 1;
        if (this.polling) this.listener.down();
        else if (this.failures >= 2) {
          this.polling = true;
          continue;
        }
        await this.pause(backoff(this.failures));
      } else if (outcome === "not_streaming") {
        this.polling = true;
      } else if (outcome === "dropped") {
        await this.pause(300);
      }
    }
  }

  private async stream(): Promise<Outcome> {
    const abort = new AbortController();
    const stop = () => abort.abort();
    this.stopped.signal.addEventListener("abort", stop);
    const opened = Date.now();
    const dropped = (): Outcome => (Date.now() - opened < SHORT_LIFE ? "failed" : "dropped");
    let heard = false;
    let guard = setTimeout(stop, FIRST_BYTE);
    try {
      const response = await this.api.stream(this.token, this.listener.lastSeq(), abort.signal);
      if (response.status === 401) return this.close(await code(response));
      if (!response.ok) return "failed";
      if (!response.body || !response.headers.get("Content-Type")?.startsWith("text/event-stream")) return "not_streaming";
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      const parser = new StreamParser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return heard ? dropped() : "failed";
        clearTimeout(guard);
        guard = setTimeout(stop, SILENCE);
        if (!heard) this.isUp();
        heard = this.streamed = true;
        for (const event of parser.push(decoder.decode(value, { stream: true }))) {
          if (event.event === "ended") return this.close();
          if (event.event === "crowded") return "not_streaming";
          this.take(event);
        }
      }
    } catch {
      if (heard) return dropped();
      return abort.signal.aborted && !this.over ? "not_streaming" : "failed";
    } finally {
      clearTimeout(guard);
      stop();
      this.stopped.signal.removeEventListener("abort", stop);
    }
  }

  private take(event: StreamEvent): void {
    if (!event.data) return;
    if (event.event === "session") this.listener.session(JSON.parse(event.data) as Session);
    else this.listener.event(JSON.parse(event.data) as ChatEvent);
  }

  private async poll(): Promise<Outcome> {
    const recovering = this.failures > 0;
    const result = await this.api.events(this.token, this.listener.lastSeq(), recovering ? 0 : WAIT, this.stopped.signal);
    if (this.over) return "closed";
    if (!result.ok) return result.status === 401 ? this.close(result.code) : "failed";
    this.isUp();
    if (recovering && this.streamed) this.polling = false;
    this.listener.session(result.data.session);
    for (const event of result.data.events) this.listener.event(event);
    return result.data.session.ended ? this.close("session_ended") : "ended";
  }

  private isUp(): void {
    this.failures = 0;
    this.listener.up();
  }

  private close(reason?: string): Outcome {
    this.stopped.abort();
    this.listener.closed(reason);
    return "closed";
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

async function code(response: Response): Promise<string> {
  const body = (await response.json().catch(() => ({}))) as { error?: string };
  return body.error ?? "unauthorized";
}
