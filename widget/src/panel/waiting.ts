import type { ChatEvent } from "../shared/types";
import type { Timers } from "./timers";

/** Watches for answers that do not come: `late` is called once for each stored message without one. */
export class AnswerWatch {
  private open = new Map<number, number>();
  private answered = 0;

  constructor(
    private ms: number,
    private timers: Timers,
    private late: (seq: number) => void,
  ) {}

  get waiting(): boolean {
    return this.open.size > 0;
  }

  stored(seq: number): void {
    if (seq <= this.answered || this.open.has(seq)) return;
    this.open.set(
      seq,
      this.timers.set(() => this.late(seq), this.ms),
    );
  }

  seen(event: ChatEvent): void {
    if (event.kind === "message") this.stored(event.seq);
    if (event.kind === "answer") this.answeredUpTo(event.reply_to ?? event.seq);
  }

  stop(): void {
    for (const timer of this.open.values()) this.timers.clear(timer);
    this.open.clear();
    this.answered = 0;
  }

  private answeredUpTo(last: number): void {
    this.answered = Math.max(this.answered, last);
    for (const [seq, timer] of this.open) {
      if (seq > this.answered) continue;
      this.timers.clear(timer);
      this.open.delete(seq);
    }
  }
}
