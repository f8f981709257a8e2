import assert from "node:assert/strict";
import { test } from "node:test";
import { readToLauncher, readToPanel } from "../src/shared/messages";

test("known messages to the panel are read", () => {
  const hello = { aftercare: 1, type: "hello", theme: { accent: "#000", accentText: "#fff" }, open: true };
  assert.deepEqual(readToPanel(hello), hello);
  assert.deepEqual(readToPanel({ ...hello, open: null }), { ...hello, open: null });
  assert.deepEqual(readToPanel({ aftercare: 1, type: "open" }), { aftercare: 1, type: "open" });
  assert.deepEqual(readToPanel({ aftercare: 1, type: "close" }), { aftercare: 1, type: "close" });
});

test("known messages to the launcher are read", () => {
  assert.deepEqual(readToLauncher({ aftercare: 1, type: "ready" }), { aftercare: 1, type: "ready" });
  assert.deepEqual(readToLauncher({ aftercare: 1, type: "unread", count: 2 }), { aftercare: 1, type: "unread", count: 2 });
});

test("everything else is ignored", () => {
  const wrong: unknown[] = [
    null,
    undefined,
    "ready",
    1,
    [],
    {},
    { type: "open" },
    { aftercare: 2, type: "open" },
    { aftercare: 1, type: "shout" },
    { aftercare: 1, type: "open", text: "x" },
    { aftercare: 1, type: "hello" },
    { aftercare: 1, type: "hello", theme: {}, open: "yes" },
    { aftercare: 1, type: "hello", theme: { accent: 1 }, open: true },
    { aftercare: 1, type: "hello", theme: { url: "x" }, open: true },
    { aftercare: 1, type: "hello", theme: { accent: "x".repeat(201) }, open: true },
    { aftercare: 1, type: "unread" },
    { aftercare: 1, type: "unread", count: -1 },
    { aftercare: 1, type: "unread", count: 1.5 },
    { aftercare: 1, type: "unread", count: "1" },
  ];
  for (const data of wrong) {
    assert.equal(readToPanel(data), null, JSON.stringify(data));
    assert.equal(readToLauncher(data), null, JSON.stringify(data));
  }
});

test("the gateway's page tells whether the page around it may show the chat", () => {
  for (const refused of [null, "key", "origin"]) {
    const told = { aftercare: 1, type: "embedding", refused, begun: false };
    assert.deepEqual(readToLauncher(told), told);
    assert.equal(readToPanel(told), null);
  }
  const wrong = [{ refused: "why", begun: false }, { refused: null }, { refused: null, begun: 1 }, { refused: null, begun: true, token: "x" }];
  for (const fields of wrong) assert.equal(readToLauncher({ aftercare: 1, type: "embedding", ...fields }), null);
});
