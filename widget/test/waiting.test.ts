import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatEvent } from "../src/shared/types";
import { FakeTimers } from "./clock";
import { AnswerWatch } from "./watch";

const answer = (seq: number, reply_to: number | null): ChatEvent => ({ kind: "answer", seq, at: "", reply_to, type: "chat", blocks: [] });
const message = (seq: number): ChatEvent => ({ kind: "message", seq, at: "", client_id: "c", text: "t" });

function setUp() {
  const timers = new FakeTimers();
  const late: number[] = [];
  return { timers, late, watch: new AnswerWatch(6000, timers, (seq) => late.push(seq)) };
}

test("says once that an answer is late, and goes on waiting", async () => {
  const { timers, late, watch } = setUp();
  watch.stored(3);
  watch.seen(message(3));
  await timers.pass(5999);
  assert.deepEqual(late, []);
  await timers.pass(20000);
  assert.deepEqual(late, [3]);
  assert.equal(watch.waiting, true);
  watch.seen(answer(4, 3));
  assert.equal(watch.waiting, false);
});

test("an answer in time is not late", async () => {
  const { timers, late, watch } = setUp();
  watch.stored(3);
  await timers.pass(5000);
  watch.seen(answer(4, 3));
  await timers.pass(5000);
  assert.deepEqual(late, []);
});

test("an answer that came before the message was known as stored counts", async () => {
  const { timers, late, watch } = setUp();
  watch.seen(answer(4, 3));
  watch.stored(3);
  await timers.pass(9000);
  assert.deepEqual(late, []);
  assert.equal(watch.waiting, false);
});

test("an answer to the first of two messages leaves the second open", async () => {
  const { timers, late, watch } = setUp();
  watch.stored(3);
  watch.stored(4);
  watch.seen(answer(5, 3));
  await timers.pass(6000);
  assert.deepEqual(late, [4]);
});
