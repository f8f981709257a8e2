import assert from "node:assert/strict";
import { test } from "node:test";
import { Announcer } from "../src/panel/announce";
import { FakeTimers } from "./clock";

function setUp() {
  const timers = new FakeTimers();
  const polite: [number, string, string][] = [];
  const alert: string[] = [];
  const announcer = new Announcer(
    { say: (text, lang) => polite.push([timers.now(), text, lang]) },
    { say: (text) => alert.push(text) },
    timers,
    () => "es",
  );
  return { timers, polite, alert, announcer };
}

test("two texts in a row are both spoken, with the region emptied between them", async () => {
  const { timers, polite, announcer } = setUp();
  announcer.say("one", "en");
  announcer.say("two");
  await timers.pass(5000);
  assert.deepEqual(polite, [
    [0, "one", "en"],
    [1000, "", "es"],
    [1150, "two", "es"],
    [2150, "", "es"],
  ]);
});

test("an alert goes to its own region only", async () => {
  const { timers, polite, alert, announcer } = setUp();
  announcer.alert("now");
  await timers.pass(6000);
  assert.deepEqual(alert, ["now", ""]);
  assert.equal(polite.length, 0);
});

test("alerts in a row are heard together, each once, until the last one is over", async () => {
  const { timers, alert, announcer } = setUp();
  announcer.alert("Call 911.");
  announcer.alert("Go to the ER.");
  await timers.pass(3000);
  announcer.alert("Call 911.");
  await timers.pass(4000);
  assert.deepEqual(alert, ["Call 911.", "Call 911. Go to the ER.", "Go to the ER. Call 911."]);
  await timers.pass(2000);
  announcer.alert("Now.");
  assert.deepEqual(alert.slice(3), ["", "Now."]);
});
