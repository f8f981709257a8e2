import type { Timers } from "../src/panel/timers";

/** Timers that run only when told to. */
export class FakeTimers implements Timers {
  private time = 0;
  private next = 1;
  private jobs = new Map<number, { at: number; run: () => void }>();

  now(): number {
    return this.time;
  }

  set(run: () => void, ms: number): number {
    this.jobs.set(this.next, { at: this.time + ms, run });
    return this.next++;
  }

  clear(id: number): void {
    this.jobs.delete(id);
  }

  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const due = [...this.jobs].filter(([, job]) => job.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      this.time = due[1].at;
      this.jobs.delete(due[0]);
      due[1].run();
    }
    this.time = end;
    await settle();
  }
}

export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
}
