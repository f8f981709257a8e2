import type en from "../../strings/en.json";

export type Strings = typeof en;

export interface Block {
  kind: string;
  text: string;
}

export interface Contact {
  id: string;
  number: string;
  href: string;
}

export interface Safety {
  heading: string;
  blocks: Block[];
}

export type Writer = "patient" | "helper";
export type Disposition = "emergency" | "call_doctor" | "self_care";

export interface Session {
  writer: Writer;
  ended: boolean;
  started_at: string;
  idle_expires_at: string;
  expires_at: string;
  server_time: string;
}

export type RowAnswer = "yes" | "no" | "unsure";

export interface Row {
  id: string;
  text: string;
  /** Yes is an emergency. */
  danger: boolean;
}

/** The danger check. */
export interface Check {
  /** Nothing is said before it is answered. */
  waits: boolean;
  rows: Row[];
}

export interface Told {
  text: string;
  answer: RowAnswer;
}

export interface Answer {
  reply_to: number | null;
  type: string;
  disposition?: Disposition | null;
  blocks: Block[];
  buttons?: { id: string; title: string }[] | null;
  check?: Check | null;
  sources?: { section: string; quote: string }[] | null;
  protocol?: { id: string; version: string } | null;
}

interface Stamp {
  seq: number;
  at: string;
}

export interface PatientMessage extends Stamp {
  kind: "message";
  client_id: string;
  text: string;
  rows?: Told[] | null;
}

export interface AnswerEvent extends Stamp, Answer {
  kind: "answer" | "greeting";
}

export interface WriterEvent extends Stamp {
  kind: "writer";
  writer: Writer;
}

export type ChatEvent = PatientMessage | AnswerEvent | WriterEvent;

export interface Summary {
  clinic: string;
  started_at: string;
  printed_at: string;
  writer: Writer;
  items: { at: string; who: "patient" | "assistant"; blocks: Block[]; disposition?: Disposition | null }[];
  advice: Answer | null;
  watch: Block[];
  protocol: { id: string; version: string };
}

export interface Config {
  key: string;
  lang: string;
  dir: string;
  strings: Strings;
  parents: string[];
  clinic: { name: string; demo: boolean; hours: string };
  contacts: Contact[];
  safety: Safety;
  limits: { text: number; answer_seconds: number };
  api: string;
}
