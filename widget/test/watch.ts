import { NO_WATCH, type Watched, watchEvent, watchStopped, watchStored } from "../src/panel/chat/waiting";
import type { Timers } from "../src/panel/timers";
import type { ChatEvent } from "../src/shared/types";

/** Runs the watch for answers on a clock: `late` is called once for each stored message without one. */
export class AnswerWatch {
  private watch = NO_WATCH;
  private waits = new Map<number, number>();

  constructor(
    private ms: number,
    private timers: Timers,
    private late: (seq: number) => void,
  ) {}

  get waiting(): boolean {
    return this.watch.open.length > 0;
  }

  stored(seq: number): void {
    this.act(watchStored(this.watch, seq));
  }

  seen(event: ChatEvent): void {
    this.act(watchEvent(this.watch, event));
  }

  stop(): void {
    this.act(watchStopped(this.watch));
  }

  private act({ watch, begun, over }: Watched): void {
    this.watch = watch;
    for (const seq of over) this.timers.clear(this.waits.get(seq)!);
    for (const seq of begun) this.waits.set(seq, this.timers.set(() => this.late(seq), this.ms));
  }
}
