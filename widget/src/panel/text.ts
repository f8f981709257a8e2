import { fill } from "../shared/fill";
import type { Answer, Block, Config, Safety } from "../shared/types";

export const ANSWER_LANG = "en";

export function valuesOf(config: Config): Record<string, string> {
  const number = (id: string) => config.contacts.find((contact) => contact.id === id)?.number ?? "";
  return {
    clinic: config.clinic.name,
    hours: config.clinic.hours,
    phone: number("clinic"),
    emergency: number("emergency"),
    after_hours: number("after_hours"),
  };
}

export function linesOf(block: Block): string[] {
  return block.text.split("\n").filter((line) => line.trim() !== "");
}

/** What a screen reader is told about a new answer. */
export function spokenAnswer(answer: Answer, strings: Config["strings"]): string {
  const parts = answer.disposition ? [strings.card[`${answer.disposition}_prefix`]] : [];
  for (const block of answer.blocks) parts.push(...linesOf(block));
  if (answer.buttons?.length) parts.push(fill(strings.chat.choices, { titles: answer.buttons.map((button) => button.title).join(", ") }));
  return parts.join(" ");
}

export function spokenSafety(safety: Safety): string {
  return [safety.heading, ...safety.blocks.reduce<string[]>((lines, block) => [...lines, ...linesOf(block)], [])].join(" ");
}
