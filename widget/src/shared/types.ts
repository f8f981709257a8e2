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
  /** It is the one of the clinic's two numbers that was answered when the page was made. */
  now?: boolean;
}

export interface Safety {
  heading: string;
  blocks: Block[];
}

/** Which of the clinic's two numbers is answered. */
export type ToCall = "clinic" | "after_hours";

export type Writer = "patient" | "helper";
export type Disposition = "emergency" | "call_doctor" | "self_care";

export interface Session {
  writer: Writer;
  ended: boolean;
  started_at: string;
  idle_expires_at: string;
  expires_at: string;
  server_time: string;
  to_call?: ToCall | null;
  /** What the chat is held in, which need not be the panel's. */
  language: string;
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

export interface Button {
  id: string;
  title: string;
}

/** What the patient is told, as a card where it has a disposition. */
export interface Reply {
  blocks: Block[];
  disposition?: Disposition | null;
  buttons?: Button[] | null;
  check?: Check | null;
  sources?: { section: string; quote: string }[] | null;
  /** What the patient may ask for now. */
  offers?: "callback"[] | null;
}

export interface Answer extends Reply {
  reply_to: number | null;
  /** `held`: a nurse holds the chat, and the program says nothing. */
  type: string;
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

/** Whom a nurse is asked to call. */
export interface Callback {
  number: string;
  name?: string | null;
  whose: Writer;
  best?: string | null;
}

/** What the server says about a call before it is asked for. */
export interface CallbackInfo {
  text: string;
  /** A number that was typed in the chat. */
  number: string | null;
  /** When the request was made that is still open. */
  requested_at: string | null;
}

/** The patient's request for a call, and its receipt. */
export interface CallbackEvent extends Stamp {
  kind: "callback";
  callback: Callback;
  blocks: Block[];
}

export interface StaffEvent extends Stamp {
  kind: "staff";
  text: string;
  who: string;
}

/** What became of a request, and whether a nurse holds the chat. */
export interface StatusEvent extends Stamp, Reply {
  kind: "status";
  status: "seen" | "tried" | "wrong_number" | "held" | "handed_back" | "follow_up";
}

export interface FollowupEvent extends Stamp {
  kind: "followup";
  text: string;
  buttons: Button[];
}

export interface FollowedEvent extends Stamp {
  kind: "followed";
  client_id: string;
  text: string;
  reply_to: number;
}

export type ChatEvent = PatientMessage | AnswerEvent | WriterEvent | CallbackEvent | StaffEvent | StatusEvent | FollowupEvent | FollowedEvent;

export interface Summary {
  clinic: string;
  started_at: string;
  printed_at: string;
  writer: Writer;
  items: { at: string; who: "patient" | "assistant" | "nurse"; blocks: Block[]; disposition?: Disposition | null }[];
  advice: Answer | null;
  watch: Block[];
  protocol: { id: string; version: string };
}

/** All that the panel says in a language. */
export interface Words {
  lang: string;
  dir: string;
  strings: Strings;
  clinic: { name: string; demo: boolean; hours: string };
  contacts: Contact[];
  safety: Safety;
}

export interface Config extends Words {
  key: string;
  /** Those that can be chosen, each by its own name. */
  languages: { tag: string; name: string }[];
  parents: string[];
  limits: { text: number; answer_seconds: number };
  api: string;
}
