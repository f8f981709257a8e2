import assert from "node:assert/strict";
import { test } from "node:test";
import { Drawing } from "../src/panel/drawing";
import type { Config, Words } from "../src/shared/types";
import es from "../strings/es.json";
import { config } from "./panel";

const SPANISH: Words = { lang: "es", dir: "ltr", strings: es, clinic: config.clinic, contacts: config.contacts, safety: config.safety };

function setUp(isBad: (own: Config) => boolean = () => false) {
  const own = { ...config };
  const shown: string[] = [];
  const paint = () => {
    if (isBad(own)) throw new Error("cannot be drawn");
    shown.push(own.strings.title);
  };
  return { own, shown, drawing: new Drawing(own, paint, () => shown.push("served")) };
}

test("all that changes at once is drawn once", async () => {
  const { shown, drawing } = setUp();
  drawing.soon();
  drawing.soon();
  assert.deepEqual(shown, []);
  await Promise.resolve();
  assert.equal(shown.length, 1);
});

test("what cannot be drawn gives way to what the server sent, for good, and is reported", () => {
  let bad = true;
  const { shown, drawing } = setUp(() => bad);
  assert.throws(() => drawing.now(), /cannot be drawn/);
  bad = false;
  drawing.now();
  assert.deepEqual(shown, ["served"]);
});

test("new words are drawn at once; words that cannot be drawn are not taken", () => {
  const { own, shown, drawing } = setUp();
  assert.equal(drawing.speak(SPANISH), true);
  assert.deepEqual([own.lang, shown], ["es", [es.title]]);
  for (const words of [{ ...SPANISH, strings: {} }, { ...SPANISH, strings: undefined }, null]) {
    const bad = setUp(({ lang, strings }) => lang === "es" && !strings?.title);
    assert.equal(bad.drawing.speak(words as unknown as Words), words === null);
    assert.deepEqual([bad.own, bad.shown], [config, [config.strings.title]]);
  }
});

test("where nothing can be drawn any more, not even the words as they were, what the server sent is shown", () => {
  const { shown, drawing } = setUp(() => true);
  assert.throws(() => drawing.speak(SPANISH));
  assert.deepEqual(shown, ["served"]);
});
