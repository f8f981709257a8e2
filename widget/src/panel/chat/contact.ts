import type { Callback, CallbackInfo, FollowupEvent, Writer } from "../../shared/types";
import { replyOf } from "./standing";
import type { Entry, State } from "./state";

export interface CallbackFields {
  readonly number: string;
  readonly name: string;
  readonly best: string;
  /** Null: the patient, or the helper who writes. */
  readonly whose: Writer | null;
}

/** The request for a call, as far as it is filled in. It is kept until it is stored or the chat is left. */
export interface CallbackForm extends CallbackFields {
  readonly info: CallbackInfo | "loading" | "failed";
  /** The last try. The same words go with the same id, so that they are stored once. */
  readonly tried: { token: string; clientId: string; wanted: Callback } | null;
  readonly sending: boolean;
  /** What is wrong with the number. */
  readonly error: string;
  /** Why it was not sent. */
  readonly problem: string;
  /** The chat closed over it: the next one begins with it. */
  readonly interrupted: boolean;
}

/** The followup that may still be answered, if any. */
export function openFollowup(state: Readonly<State>): FollowupEvent | null {
  const last = newest(state, (entry) => (entry.type === "event" && entry.event.kind === "followup" ? entry.event : undefined));
  if (!last || state.phase !== "open" || state.entries.some((entry) => followed(entry) === last.seq)) return null;
  return last;
}

/** The followup that an entry answers, if any. One that was refused answers none. */
function followed(entry: Entry): number | undefined {
  if (entry.type === "mine") return entry.item.state === "refused" ? undefined : entry.item.followup?.seq;
  return entry.type === "event" && entry.event.kind === "followed" ? entry.event.reply_to : undefined;
}

/** The entry that a call is offered behind, if any: the newest that offers one, but neither above an emergency instruction nor above the request. */
export function offering(state: Readonly<State>): string | null {
  const found = newest<string | null>(state, (entry) => {
    if (entry.type === "event" && entry.event.kind === "callback") return null;
    const reply = replyOf(entry);
    if (reply.offers?.includes("callback")) return entry.key;
    return reply.disposition === "emergency" ? null : undefined;
  });
  return (state.phase === "open" && found) || null;
}

/** The patient's last request for a call, if any. */
export function lastCallback(state: Readonly<State>): Callback | undefined {
  return newest(state, (entry) => (entry.type === "event" && entry.event.kind === "callback" ? entry.event.callback : undefined));
}

/** Whether a nurse holds the chat. */
export function isHeld(state: Readonly<State>): boolean {
  const last = newest(state, (entry) => {
    const status = entry.type === "event" && entry.event.kind === "status" ? entry.event.status : undefined;
    return status === "held" || status === "handed_back" ? status : undefined;
  });
  return last === "held" && state.phase === "open";
}

/** What the newest entry says that says anything. */
function newest<T>(state: Readonly<State>, say: (entry: Entry) => T | undefined): T | undefined {
  for (let i = state.entries.length - 1; i >= 0; i -= 1) {
    const said = say(state.entries[i]!);
    if (said !== undefined) return said;
  }
  return undefined;
}
