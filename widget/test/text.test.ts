import assert from "node:assert/strict";
import { test } from "node:test";
import { failure, isPassing } from "../src/panel/api";
import { spokenAnswer } from "../src/panel/text";
import { backoff } from "../src/panel/timers";
import { fill } from "../src/shared/fill";
import en from "../strings/en.json";

test("placeholders are filled and unknown ones stay", () => {
  assert.equal(fill("Call {phone} or {x}, {phone}.", { phone: "1" }), "Call 1 or {x}, 1.");
});

test("an answer is spoken with its level, its words and its buttons", () => {
  const spoken = spokenAnswer(
    { disposition: "emergency", blocks: [{ kind: "advice", text: "Call 911 now.\n\nDo not wait." }], buttons: [{ id: "1", title: "Yes" }, { id: "2", title: "No" }] },
    en,
  );
  assert.equal(spoken, "Emergency advice: Call 911 now. Do not wait. Choose an answer: Yes, No.");
});

test("who hears an answer hears where each line ends", () => {
  const text = "Call the nurse line: 555-0199\nThe leaflet says: “Rest” (Quick Facts)\nWhy?";
  assert.equal(spokenAnswer({ blocks: [{ kind: "say", text }] }, en), "Call the nurse line: 555-0199. The leaflet says: “Rest” (Quick Facts). Why?");
});

test("only passing troubles are tried again", () => {
  for (const status of [0, 408, 429, 500, 503]) assert.equal(isPassing(failure(status, null, null)), true);
  for (const status of [400, 401, 403, 404, 409, 413, 422]) assert.equal(isPassing(failure(status, null, null)), false);
  assert.equal(failure(429, {}, "3").retryAfter, 3000);
});

test("the wait between tries grows to 15 seconds", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 99].map(backoff), [1000, 2000, 4000, 8000, 15000, 15000]);
});
