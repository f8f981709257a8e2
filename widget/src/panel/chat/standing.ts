import type { Block, Reply } from "../../shared/types";
import { linesOf } from "../text";
import type { Entry, State } from "./state";

const BESIDE_CARD = ["say", "question", "check"];

/** What stands in the care card itself of what is said with it. */
export function isOfCard(block: Block): boolean {
  return !BESIDE_CARD.includes(block.kind);
}

/** The entry whose care card this one repeats, if any: the first before it with the same level and every line of it. */
export function repeated(state: Readonly<State>, key: string): string | null {
  const at = state.entries.findIndex((entry) => entry.key === key);
  const card = cardOf(state.entries[at]);
  if (!card) return null;
  const first = state.entries.slice(0, at).find((entry) => {
    const before = cardOf(entry);
    return before?.level === card.level && card.lines.every((line) => before.lines.includes(line));
  });
  return first?.key ?? null;
}

/** Whether the patient was told of an emergency: what red flags told stands. */
export function isEmergency(state: Readonly<State>): boolean {
  return state.entries.some((entry) => replyOf(entry).disposition === "emergency");
}

/** What an entry tells the patient, as far as it does. */
export function replyOf(entry: Entry | undefined): Partial<Reply> {
  if (entry?.type === "answer") return entry.answer;
  return entry?.type === "event" ? (entry.event as Partial<Reply>) : {};
}

function cardOf(entry: Entry | undefined): { level: string; lines: string[] } | null {
  const reply = entry?.type === "event" && entry.event.kind !== "answer" ? {} : replyOf(entry);
  const from = reply.blocks?.findIndex((block) => block.kind === "advice") ?? -1;
  if (!reply.disposition || from < 0) return null;
  return { level: reply.disposition, lines: reply.blocks!.slice(from).filter(isOfCard).flatMap(linesOf) };
}
