/** The clock that the timed parts run on; tests put their own in its place. */
export interface Timers {
  now(): number;
  set(run: () => void, ms: number): number;
  clear(id: number): void;
}

export const realTimers: Timers = {
  now: () => Date.now(),
  set: (run, ms) => window.setTimeout(run, ms),
  clear: (id) => window.clearTimeout(id),
};

const STEPS = [1000, 2000, 4000, 8000, 15000];

export function backoff(failures: number): number {
  return STEPS[Math.min(Math.max(failures, 1), STEPS.length) - 1]!;
}
