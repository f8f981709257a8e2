import type { Told } from "../shared/types";
import { backoff, type Timers } from "./timers";

export type DeliveryState = "sending" | "stored" | "waiting" | "failed" | "refused";

export interface OutItem {
  clientId: string;
  text: string;
  button?: string;
  /** Rows of the danger check that were answered. */
  rows?: (Told & { id: string })[];
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

export const GIVE_UP_AFTER = 10000;

const WORDS = { yes: "yes", no: "no", unsure: "not sure" };

/** An answered row as words that the program reads. */
function inWords(row: Told): string {
  return `${row.text.replace(/\?$/, "")}: ${WORDS[row.answer]}`;
}

/** Sends one message at a time, in order, until each is stored or refused. */
export class Outbox {
  private queue: OutItem[] = [];
  private failures = 0;
  private timer: number | null = null;
  private sending = false;
  private again = false;
  private paused = false;

  constructor(
    private send: (item: OutItem) => Promise<SendResult>,
    private timers: Timers,
    private changed: (item: OutItem) => void,
  ) {}

  get unsent(): readonly OutItem[] {
    return this.queue;
  }

  add(clientId: string, text: string, button?: string, rows?: OutItem["rows"]): OutItem {
    const item: OutItem = { clientId, text, state: this.queue.length && this.failures ? "waiting" : "sending", at: this.timers.now(), note: "" };
    if (button) item.button = button;
    if (rows?.length) item.rows = rows;
    this.queue.push(item);
    this.changed(item);
    this.watch(item);
    void this.pump();
    return item;
  }

  /** Tries at once: the internet is back, the page is seen again, or the patient asks for it. */
  kick(): void {
    if (this.sending) {
      this.again = true;
      return;
    }
    this.cancelTimer();
    void this.pump();
  }

  /** The patient presses "Try again". */
  retry(item: OutItem): void {
    if (!this.queue.includes(item) || this.paused) return;
    this.set(item, "sending");
    this.watch(item);
    this.kick();
  }

  /** The chat is closed: keep what was not accepted for the next one. Its buttons are gone, their words are not; of its rows each Yes and each doubt becomes words. */
  pause(): void {
    this.paused = true;
    this.cancelTimer();
    for (const item of this.queue) {
      delete item.button;
      item.text = [item.text, ...(item.rows ?? []).filter((row) => row.answer !== "no").map(inWords)].filter(Boolean).join("\n");
      delete item.rows;
      this.set(item, "failed");
    }
    this.queue = this.queue.filter((item) => item.text);
  }

  resume(): void {
    this.paused = false;
    this.failures = 0;
    for (const item of this.queue) {
      this.set(item, "sending");
      this.watch(item);
    }
    void this.pump();
  }

  clear(): void {
    this.queue = [];
    this.cancelTimer();
    this.failures = 0;
    this.paused = false;
  }

  /** The stream showed the message before the answer to its sending came. */
  confirm(clientId: string, seq: number): void {
    const item = this.queue.find((one) => one.clientId === clientId);
    if (item) this.finish(item, seq);
  }

  private async pump(): Promise<void> {
    const item = this.queue[0];
    if (!item || this.sending || this.paused || this.timer !== null) return;
    this.sending = true;
    if (item.state === "waiting") this.set(item, "sending");
    const result = await this.send(item).catch((): SendResult => ({ kind: "unreachable", note: "", after: 0 }));
    this.sending = false;
    if (this.queue.includes(item)) this.settle(item, result);
    if (this.again) {
      this.again = false;
      this.cancelTimer();
    }
    void this.pump();
  }

  private settle(item: OutItem, result: SendResult): void {
    item.note = "note" in result ? result.note : "";
    switch (result.kind) {
      case "stored":
        this.failures = 0;
        this.finish(item, result.seq);
        break;
      case "refused":
        this.failures = 0;
        this.queue = this.queue.filter((one) => one !== item);
        this.set(item, "refused");
        break;
      case "unreachable":
        this.failures += 1;
        for (const one of this.queue) if (one.state === "sending") this.set(one, "waiting");
        if (!this.paused) {
          this.timer = this.timers.set(() => {
            this.timer = null;
            void this.pump();
          }, Math.max(backoff(this.failures), result.after));
        }
        break;
      case "closed":
        this.pause();
    }
  }

  private finish(item: OutItem, seq: number): void {
    this.queue = this.queue.filter((one) => one !== item);
    item.seq = seq;
    item.note = "";
    this.set(item, "stored");
  }

  private watch(item: OutItem): void {
    this.timers.set(() => {
      if (!this.paused && this.queue.includes(item)) this.set(item, "failed");
    }, GIVE_UP_AFTER);
  }

  private set(item: OutItem, state: DeliveryState): void {
    if (item.state === state) return;
    item.state = state;
    this.changed(item);
  }

  private cancelTimer(): void {
    if (this.timer !== null) this.timers.clear(this.timer);
    this.timer = null;
  }
}
