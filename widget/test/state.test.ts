import assert from "node:assert/strict";
import { test } from "node:test";
import type { OutItem } from "../src/panel/chat/delivery";
import { addEvent, addLocal, initialState, lastAnswer, placeMine } from "../src/panel/chat/state";
import type { ChatEvent } from "../src/shared/types";

const fresh = () => initialState({ size: "normal", contrast: "normal" });
const message = (seq: number, client_id: string): ChatEvent => ({ kind: "message", seq, at: "", client_id, text: client_id });
const answer = (seq: number): ChatEvent => ({ kind: "answer", seq, at: "", reply_to: null, type: "chat", blocks: [], buttons: [{ id: "b", title: "Yes" }] });
const mine = (clientId: string): OutItem => ({ clientId, text: clientId, state: "sending", at: 0, note: "" });

test("an event is taken once", () => {
  const state = fresh();
  assert.equal(addEvent(state, answer(1)), true);
  assert.equal(addEvent(state, answer(1)), false);
  assert.equal(state.entries.length, 1);
  assert.equal(state.lastSeq, 1);
});

test("events stand in the order of their numbers", () => {
  const state = fresh();
  for (const seq of [3, 1, 2]) addEvent(state, answer(seq));
  assert.deepEqual(state.entries.map((entry) => entry.order), [1, 2, 3]);
  assert.equal(state.lastSeq, 3);
});

test("a message of ours is not shown twice and moves to its place", () => {
  const state = fresh();
  addEvent(state, answer(1));
  const item = mine("a");
  addLocal(state, { type: "mine", item });
  addEvent(state, answer(3));
  addEvent(state, message(4, "a"));
  addEvent(state, message(4, "a"));
  assert.deepEqual(state.entries.map((entry) => entry.type), ["event", "event", "mine"]);
});

test("what is stored out of turn is put in its place", () => {
  const state = fresh();
  const item = mine("a");
  addLocal(state, { type: "mine", item });
  addEvent(state, message(1, "other"));
  item.seq = 2;
  placeMine(state, item);
  assert.deepEqual(state.entries.map((entry) => entry.type), ["event", "mine"]);
});

test("local entries keep the order in which they came", () => {
  const state = fresh();
  addEvent(state, answer(5));
  addLocal(state, { type: "mine", item: mine("a") });
  addLocal(state, { type: "safety", reason: "offline", safety: { heading: "", blocks: [] }, lang: "en" });
  addLocal(state, { type: "mine", item: mine("b") });
  addEvent(state, answer(6));
  assert.deepEqual(state.entries.map((entry) => entry.type), ["event", "mine", "safety", "mine", "event"]);
});

test("buttons are open only while nothing newer was sent", () => {
  const state = fresh();
  addEvent(state, answer(1));
  assert.equal(lastAnswer(state)?.answered, false);
  addLocal(state, { type: "mine", item: mine("a") });
  assert.equal(lastAnswer(state)?.answered, true);
  addEvent(state, answer(3));
  assert.equal(lastAnswer(state)?.key, "e3");
  assert.equal(lastAnswer(state)?.answered, false);
});
