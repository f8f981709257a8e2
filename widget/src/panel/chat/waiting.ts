import type { ChatEvent } from "../../shared/types";

/** The stored messages without an answer, and up to which one all are answered. */
export interface Watch {
  readonly open: readonly number[];
  readonly answered: number;
}

/** The watch after an event, whose waits begin, and whose end. */
export interface Watched {
  watch: Watch;
  begun: number[];
  over: readonly number[];
}

export const NO_WATCH: Watch = { open: [], answered: 0 };

export function watchStored(watch: Watch, seq: number): Watched {
  if (seq <= watch.answered || watch.open.includes(seq)) return { watch, begun: [], over: [] };
  return { watch: { ...watch, open: [...watch.open, seq] }, begun: [seq], over: [] };
}

export function watchEvent(watch: Watch, event: ChatEvent): Watched {
  if (event.kind === "message") return watchStored(watch, event.seq);
  if (event.kind === "answer") return answeredUpTo(watch, event.reply_to ?? event.seq);
  return { watch, begun: [], over: [] };
}

export function watchStopped(watch: Watch): Watched {
  return { watch: NO_WATCH, begun: [], over: watch.open };
}

function answeredUpTo(watch: Watch, last: number): Watched {
  const answered = Math.max(watch.answered, last);
  return { watch: { open: watch.open.filter((seq) => seq > answered), answered }, begun: [], over: watch.open.filter((seq) => seq <= answered) };
}
