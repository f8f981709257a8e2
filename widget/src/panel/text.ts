import { fill } from "../shared/fill";
import { contactsIn, isOfClinic } from "../shared/tel";
import type { Block, Check, Config, Contact, Reply, Row, Safety, Session, ToCall } from "../shared/types";
import type { OutItem } from "./chat/delivery";

/** The language of what the server says in this chat. */
export function answerLang(session: Session | null): string {
  return session?.language ?? "en";
}

/** Whether the server says of this chat in the panel's language what goes wrong. */
export function speaksAlike(config: Config, session: Session | null): boolean {
  return session?.language === config.lang;
}

/** What fills the placeholders; `{answered}` is the clinic's number that is answered now, its main one where that is not known. */
export function valuesOf(config: Config, session: Session | null): Record<string, string> {
  const number = (id: string) => config.contacts.find((contact) => contact.id === id)?.number ?? "";
  return {
    clinic: config.clinic.name,
    hours: config.clinic.hours,
    phone: number("clinic"),
    emergency: number("emergency"),
    after_hours: number("after_hours"),
    answered: number(answeredNow(config, session) ?? "clinic") || number("clinic"),
  };
}

/** Which of the clinic's two numbers is answered, as the server last said; null where it did not. */
export function answeredNow(config: Config, session: Session | null): ToCall | null {
  return session?.to_call ?? (config.contacts.find((contact) => contact.now)?.id as ToCall | undefined) ?? null;
}

/** Whether advice names one of the clinic's two numbers. */
export function saysToCallClinic(blocks: Block[], contacts: Contact[]): boolean {
  const advice = blocks.filter((block) => block.kind === "advice");
  return contactsIn(advice.map((block) => block.text), contacts).some(isOfClinic);
}

export function linesOf(block: Block): string[] {
  return block.text.split("\n").filter((line) => line.trim() !== "");
}

/** The blocks of an answer, of the danger check its question alone: the card shows its rows. */
export function withoutRows(answer: Reply): Block[] {
  return answer.blocks.map((block) => (answer.check && block.kind === "check" ? { ...block, text: questionOf(block) } : block));
}

/** The first line of a danger check, up to its question mark: what stands behind it is for who has no card. */
function questionOf(block: Block): string {
  const [line = ""] = linesOf(block);
  return /^[^?]*\?/.exec(line)?.[0] ?? line;
}

/** What a row's first radio button is found by. */
export function rowName({ id }: Row): string {
  return `row-${id}`;
}

/** A message as the server takes it. */
export function wordsOf(item: OutItem) {
  const { clientId, text, button, rows } = item;
  if (button) return { client_id: clientId, button };
  return {
    client_id: clientId,
    ...(text || !rows ? { text } : {}),
    ...(rows ? { rows: Object.fromEntries(rows.map(({ id, answer }) => [id, answer])) } : {}),
  };
}

/** Makes one text of several, with a stop behind each: who hears it has no lines to go by. */
function sentences(parts: readonly string[]): string {
  return parts.map((part) => (/[.?!:][”")]*$/.test(part.trim()) ? part : `${part}.`)).join(" ");
}

/** What a screen reader is told about a new answer; `closed`: that the clinic is closed, where it is. */
export function spokenAnswer(answer: Reply, strings: Config["strings"], closed = ""): string {
  const parts = answer.disposition ? [strings.card[`${answer.disposition}_prefix`]] : [];
  if (closed && answer.disposition === "call_doctor") parts.push(closed);
  for (const block of withoutRows(answer)) parts.push(...linesOf(block));
  if (answer.check) parts.push(spokenRows(answer.check, strings.check));
  if (answer.buttons?.length) parts.push(fill(strings.chat.choices, { titles: answer.buttons.map((button) => button.title).join(", ") }));
  return sentences(parts);
}

function spokenRows({ rows }: Check, words: Config["strings"]["check"]): string {
  return rows.length === 1 ? fill(words.spoken_one, { row: rows[0]!.text }) : fill(words.spoken, { count: String(rows.length) });
}

export function spokenSafety(safety: Safety): string {
  return sentences([safety.heading, ...safety.blocks.reduce<string[]>((lines, block) => [...lines, ...linesOf(block)], [])]);
}
