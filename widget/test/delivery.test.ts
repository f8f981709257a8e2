import assert from "node:assert/strict";
import { test } from "node:test";
import type { OutItem, SendResult } from "../src/panel/chat/delivery";
import { FakeTimers, settle } from "./clock";
import { Outbox } from "./outbox";

function setUp(answers: SendResult[], fallback: SendResult = { kind: "unreachable", note: "", after: 0 }) {
  const timers = new FakeTimers();
  const sent: { id: string; at: number }[] = [];
  const states: string[] = [];
  const outbox = new Outbox(
    async (item) => {
      sent.push({ id: item.clientId, at: timers.now() });
      return answers.shift() ?? fallback;
    },
    timers,
    (item) => states.push(`${item.clientId} ${item.state}`),
  );
  return { timers, sent, states, outbox };
}

const stored = (seq: number): SendResult => ({ kind: "stored", seq });
const unreachable: SendResult = { kind: "unreachable", note: "", after: 0 };

test("messages are sent one at a time, in order", async () => {
  const { sent, states, outbox } = setUp([stored(1), stored(2), stored(3)]);
  const items = ["a", "b", "c"].map((id) => outbox.add(id, id));
  assert.equal(sent.length, 1);
  await settle();
  assert.deepEqual(sent.map((one) => one.id), ["a", "b", "c"]);
  assert.deepEqual(items.map((item) => [item.state, item.seq]), [["stored", 1], ["stored", 2], ["stored", 3]]);
  assert.deepEqual(states, ["a sending", "b sending", "c sending", "a stored", "b stored", "c stored"]);
});

test("an outage holds back all later messages and keeps their order", async () => {
  const { timers, sent, outbox } = setUp([unreachable, unreachable, stored(1), stored(2)]);
  const first = outbox.add("a", "a");
  await settle();
  const second = outbox.add("b", "b");
  assert.equal(first.state, "waiting");
  assert.equal(second.state, "waiting");
  await timers.pass(3000);
  assert.deepEqual(sent.map((one) => one.id), ["a", "a", "a", "b"]);
  assert.equal(first.state, "stored");
  assert.equal(second.state, "stored");
});

test("tries again after 1, 2, 4, 8 and then every 15 seconds", async () => {
  const { timers, sent, outbox } = setUp([]);
  outbox.add("a", "a");
  await timers.pass(45000);
  assert.deepEqual(sent.map((one) => one.at), [0, 1000, 3000, 7000, 15000, 30000, 45000]);
});

test("waits as long as the server asks", async () => {
  const { timers, sent, outbox } = setUp([{ kind: "unreachable", note: "busy", after: 5000 }, stored(1)]);
  const item = outbox.add("a", "a");
  await timers.pass(4999);
  assert.equal(sent.length, 1);
  assert.equal(item.note, "busy");
  await timers.pass(1);
  assert.equal(item.state, "stored");
  assert.equal(item.note, "");
});

test("is not delivered after 10 seconds, goes on trying, and turns to saved", async () => {
  const { timers, outbox } = setUp([unreachable, unreachable, unreachable, unreachable, stored(9)]);
  const item = outbox.add("a", "a");
  await timers.pass(9999);
  assert.equal(item.state, "waiting");
  await timers.pass(1);
  assert.equal(item.state, "failed");
  await timers.pass(5000);
  assert.equal(item.state, "stored");
});

test("a sending that never returns is not delivered either", async () => {
  const timers = new FakeTimers();
  const outbox = new Outbox(() => new Promise<SendResult>(() => {}), timers, () => {});
  const item = outbox.add("a", "a");
  await timers.pass(10000);
  assert.equal(item.state, "failed");
});

test("a kick tries at once", async () => {
  const { sent, timers, outbox } = setUp([unreachable, unreachable, unreachable, stored(1)]);
  const item = outbox.add("a", "a");
  await timers.pass(3500);
  assert.equal(sent.length, 3);
  outbox.kick();
  await settle();
  assert.equal(item.state, "stored");
});

test("a refused message does not stop the next one", async () => {
  const { outbox } = setUp([{ kind: "refused", note: "Too long." }, stored(1)]);
  const items = ["a", "b"].map((id) => outbox.add(id, id));
  await settle();
  assert.deepEqual(items.map((item) => [item.state, item.note]), [["refused", "Too long."], ["stored", ""]]);
});

test("what a closed chat did not accept is sent into the next one, buttons as words", async () => {
  const seen: OutItem[] = [];
  const answers: SendResult[] = [{ kind: "closed" }, stored(1), stored(2)];
  const outbox = new Outbox(
    async (item) => {
      seen.push({ ...item });
      return answers.shift()!;
    },
    new FakeTimers(),
    () => {},
  );
  outbox.add("a", "Yes", "button-1");
  outbox.add("b", "more");
  await settle();
  assert.equal(seen.length, 1);
  assert.deepEqual(outbox.unsent.map((item) => item.state), ["failed", "failed"]);
  outbox.resume();
  await settle();
  assert.deepEqual(seen.map((item) => [item.text, item.button]), [["Yes", "button-1"], ["Yes", undefined], ["more", undefined]]);
  assert.equal(outbox.unsent.length, 0);
});

test("the stream may confirm a message before the sending returns", async () => {
  let answer: (result: SendResult) => void = () => {};
  const outbox = new Outbox(() => new Promise((resolve) => (answer = resolve)), new FakeTimers(), () => {});
  const item = outbox.add("a", "a");
  outbox.confirm("a", 4);
  answer(unreachable);
  await settle();
  assert.equal(item.state, "stored");
  assert.equal(item.seq, 4);
});
