import assert from "node:assert/strict";
import { test } from "node:test";
import en from "../strings/en.json";
import type { OutItem } from "../src/panel/chat/delivery";
import { isAlarm } from "../src/panel/chat/state";
import { spokenAnswer, withoutRows, wordsOf } from "../src/panel/text";
import type { Answer } from "../src/shared/types";
import { FakeTimers } from "./clock";
import { Outbox } from "./outbox";

const row = (id: string, danger: boolean) => ({ id, text: `${id}?`, danger });
const asked: Answer = {
  reply_to: 2,
  type: "question",
  blocks: [
    { kind: "say", text: "I noted that." },
    { kind: "check", text: "Any of these now? Say yes or no.\n1. Chest pain?\n2. Fever?" },
  ],
  check: { waits: true, rows: [row("Chest pain", true), row("Fever", false)] },
};

test("the card's question stands without the rows and without what is for those who have no card", () => {
  assert.deepEqual(withoutRows(asked).map((block) => block.text), ["I noted that.", "Any of these now?"]);
  const { check: _, ...plain } = asked;
  assert.deepEqual(withoutRows(plain), asked.blocks);
});

test("a screen reader is told how many rows follow, and not all of them", () => {
  const words = spokenAnswer(asked, en);
  assert(/2 short questions/.test(words));
  assert(!/Fever/.test(words));
});

test("of one row a screen reader is told the row", () => {
  const words = spokenAnswer({ ...asked, check: { ...asked.check!, rows: asked.check!.rows.slice(0, 1) } }, en);
  assert(words.endsWith(en.check.spoken_one.replace("{row}", asked.check!.rows[0]!.text)));
});

test("only a Yes to a row of danger is sent at once", () => {
  assert.equal(isAlarm(row("a", true), "yes"), true);
  assert.equal(isAlarm(row("a", true), "unsure"), false);
  assert.equal(isAlarm(row("a", true), "no"), false);
  assert.equal(isAlarm(row("a", false), "yes"), false);
});

const item = (more: Partial<OutItem>): OutItem => ({ clientId: "c", text: "", state: "sending", at: 0, note: "", ...more });
const rows: NonNullable<OutItem["rows"]> = [
  { id: "r1", text: "Chest pain?", answer: "no" },
  { id: "r2", text: "Fever?", answer: "yes" },
];

test("a message is a button, words, rows, or words and rows", () => {
  assert.deepEqual(wordsOf(item({ text: "Yes", button: "b" })), { client_id: "c", button: "b" });
  assert.deepEqual(wordsOf(item({ text: "hello" })), { client_id: "c", text: "hello" });
  assert.deepEqual(wordsOf(item({ rows })), { client_id: "c", rows: { r1: "no", r2: "yes" } });
  assert.deepEqual(wordsOf(item({ text: "and sore", rows })), { client_id: "c", text: "and sore", rows: { r1: "no", r2: "yes" } });
});

test("when the chat closes, a Yes that was not accepted becomes words, and a No does not", async () => {
  const clock = new FakeTimers();
  const outbox = new Outbox(() => Promise.resolve({ kind: "unreachable", note: "", after: 0 }), clock, () => undefined);
  const said = outbox.add("a", "", undefined, rows);
  const denied = outbox.add("b", "", undefined, rows.slice(0, 1));
  await Promise.resolve();
  outbox.pause();
  assert.equal(said.text, "Fever: yes");
  assert.equal(said.rows, undefined);
  assert.deepEqual([...outbox.unsent], [said]);
  assert.equal(denied.state, "failed");
});
