import assert from "node:assert/strict";
import { test } from "node:test";
import { StreamParser } from "../src/panel/stream";

const TEXT = ': hello\r\n\r\nevent: session\r\ndata: {"a":1}\r\n\r\nid: 7\nevent: answer\ndata: {"seq":7,\ndata: "x":"é"}\n\nevent: ended\ndata: {}\n\n';
const EVENTS = [
  { event: "session", id: "", data: '{"a":1}' },
  { event: "answer", id: "7", data: '{"seq":7,\n"x":"é"}' },
  { event: "ended", id: "7", data: "{}" },
];

test("reads events whole", () => {
  assert.deepEqual(new StreamParser().push(TEXT), EVENTS);
});

test("reads events from chunks of any size", () => {
  for (let size = 1; size < 12; size += 1) {
    const parser = new StreamParser();
    const events = [];
    for (let at = 0; at < TEXT.length; at += size) events.push(...parser.push(TEXT.slice(at, at + size)));
    assert.deepEqual(events, EVENTS, `chunks of ${size}`);
  }
});

test("an unfinished event is not given out", () => {
  const parser = new StreamParser();
  assert.deepEqual(parser.push("event: answer\ndata: {}\n"), []);
  assert.equal(parser.push("\n").length, 1);
});
