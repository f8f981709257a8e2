import assert from "node:assert/strict";
import { test } from "node:test";
import { failure } from "../src/panel/api";
import type { PanelEvent } from "../src/panel/chat/events";
import { answer, config, ENDED, EXPIRED, fed, GREETING, NO_NETWORK, notSent, ok, Panel, session, stored } from "./panel";

const words = config.strings;
const types = (panel: Panel) => panel.effects.flatMap((effect) => (effect.type === "request" ? [`ask ${effect.request.type}`] : effect.type === "render" ? [] : [effect.type]));
const next = { token: "t2", session: session(), events: [GREETING] };

test("a restart gets the new chat first, tells the other tabs, ends the old one, and then changes over", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on({ type: "restarted" });
  assert.deepEqual(panel.asked("restart"), [{ type: "restart", writer: "patient", old: "t1" }]);
  panel.on({ type: "restart_answered", result: ok(next), old: "t1" });
  assert.deepEqual(types(panel), ["stop_feed", "tell_restarted", "ask end_old"]);
  assert.equal(panel.state.token, "t1");
  panel.on({ type: "old_ended", next });
  assert.equal(panel.state.token, "t2");
  assert.deepEqual(panel.shown, ["greeting 1"]);
  assert.deepEqual(types(panel), ["stop_feed", "stop_feed", "keep_token", "feed", "say", "focus"]);
  assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "words" }]);
});

test("on a shared computer other tabs learn of a restart that the old chat is over, and not the new token", () => {
  const panel = Panel.open();
  panel.on({ type: "chose_shared", shared: true });
  assert.deepEqual(panel.done("keep_in_memory"), [{ type: "keep_in_memory", shared: true }]);
  panel.on({ type: "restart_answered", result: ok(next), old: "t1" });
  assert.deepEqual(types(panel), ["stop_feed", "tell_ended", "ask end_old"]);
});

test("a restart that fails says so and changes nothing", () => {
  const panel = Panel.open();
  panel.on({ type: "asked", confirm: "restart" });
  assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "confirm-yes" }]);
  panel.on({ type: "restart_answered", result: failure(503, {}, null), old: "t1" });
  assert.deepEqual(panel.said, [words.menu.failed]);
  assert.deepEqual([panel.state.phase, panel.state.token, panel.state.confirm, panel.state.menuNote], ["open", "t1", null, words.menu.failed]);
  assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "ask-restart" }]);
});

test("the end: told to the other tabs when the server took it, or knew it", () => {
  for (const result of [ok(null), ENDED]) {
    const panel = Panel.open();
    panel.on({ type: "ended", clearDevice: false });
    assert.deepEqual(panel.asked("end"), [{ type: "end", token: "t1", clearDevice: false }]);
    panel.on({ type: "end_answered", result, token: "t1", clearDevice: false });
    assert.equal(panel.state.phase, "ended");
    assert.deepEqual(panel.done("tell_ended"), [{ type: "tell_ended", token: "t1" }]);
    assert.deepEqual(panel.done("forget_prefs"), []);
    assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "main" }]);
  }
});

test("an end that fails leaves the chat open, but a device is cleared whatever the server says", () => {
  const panel = Panel.open();
  panel.on({ type: "end_answered", result: NO_NETWORK, token: "t1", clearDevice: false });
  assert.equal(panel.state.phase, "open");
  assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "ask-end" }]);
  panel.on({ type: "end_answered", result: NO_NETWORK, token: "t1", clearDevice: true });
  assert.equal(panel.state.phase, "ended");
  assert.equal(panel.done("forget_prefs").length, 1);
});

test("who ends a chat whose place another tab's took meanwhile ends that one", () => {
  const panel = Panel.open();
  panel.on({ type: "ended", clearDevice: false }, { type: "tab_restarted", from: "t1", token: "t2" });
  panel.on({ type: "end_answered", result: ok(null), token: "t1", clearDevice: false });
  assert.deepEqual(panel.asked("end").map(({ token }) => token), ["t2"]);
  assert.notEqual(panel.state.phase, "ended");
  panel.on({ type: "end_answered", result: ok(null), token: "t2", clearDevice: false });
  assert.equal(panel.state.phase, "ended");
});

test("a shared computer ends the chat when the page is left, another does not", () => {
  const panel = Panel.open();
  assert.deepEqual(panel.on({ type: "left" }), []);
  panel.on({ type: "chose_shared", shared: true });
  panel.on({ type: "left" });
  assert.deepEqual(types(panel).slice(0, 2), ["leave", "tell_ended"]);
  assert.equal(panel.state.phase, "ended");
});

test("other tabs: an end and a restart of this chat count, of another they do not", () => {
  const panel = Panel.open();
  panel.on({ type: "tab_ended", token: "other" }, { type: "tab_restarted", from: "other", token: "t3" });
  assert.deepEqual(panel.effects, []);
  panel.on({ type: "tab_restarted", from: "t1", token: "t2" });
  assert.equal(panel.state.phase, "starting");
  assert.deepEqual(panel.asked("resume"), [{ type: "resume", token: "t2" }]);
  panel.on({ type: "tab_ended", token: "t2" });
  assert.equal(panel.state.phase, "ended");
});

test("who writes is taken back when the server does not take it", () => {
  const panel = Panel.open();
  panel.on({ type: "chose_writer", writer: "helper" });
  assert.equal(panel.state.writer, "helper");
  assert.deepEqual(panel.asked("writer"), [{ type: "writer", token: "t1", writer: "helper", before: "patient" }]);
  panel.on({ type: "writer_answered", token: "t1", result: failure(429, { message: "Too fast." }, null), before: "patient" });
  assert.equal(panel.state.writer, "patient");
  assert.deepEqual(panel.said, ["Too fast."]);
  panel.on({ type: "writer_answered", token: "t1", result: EXPIRED, before: "patient" });
  assert.equal(panel.state.phase, "expired");
});

test("the summary is loading, there, or failed; without a chat it has failed at once", () => {
  const panel = Panel.open();
  panel.on({ type: "opened_summary" });
  assert.deepEqual([panel.state.view, panel.state.summary], ["summary", "loading"]);
  panel.on({ type: "summary_answered", token: "t1", result: NO_NETWORK });
  assert.equal(panel.state.summary, "failed");
  panel.on({ type: "summary_answered", token: "t1", result: EXPIRED });
  assert.deepEqual([panel.state.phase, panel.state.view], ["expired", "chat"]);
  panel.on({ type: "opened_summary" });
  assert.deepEqual([panel.state.summary, panel.done("request")], ["failed", []]);
});

test("text size is kept; what is typed is counted and said to be too long once", () => {
  const panel = Panel.open();
  panel.on({ type: "chose_prefs", change: { size: "large" } });
  assert.deepEqual(panel.done("keep_prefs"), [{ type: "keep_prefs", prefs: { size: "large", contrast: "normal" } }]);
  panel.on({ type: "typed", length: 21 }, { type: "typed", length: 22 });
  assert.equal(panel.said.length, 1);
  panel.on({ type: "said_nothing" }, { type: "said_nothing" });
  assert.deepEqual(panel.said, [words.composer.empty]);
});

/** A panel that the page has closed; what is told on opening it, and what the launcher was told last. */
function closed(): { panel: Panel; counts: number[]; on: Panel["on"]; opened(): string[] } {
  const panel = Panel.open();
  const counts: number[] = [];
  const on: Panel["on"] = (...events) => {
    panel.on(...events);
    counts.push(...panel.done("unread").map(({ count }) => count));
    return panel.effects;
  };
  on({ type: "embedded", closes: true, shown: false });
  const opened = () => {
    on({ type: "shown", shown: true });
    return panel.said;
  };
  return { panel, counts, on, opened };
}

test("what went wrong while the panel is closed is unread, and said when it is opened, once", () => {
  const { panel, counts, on, opened } = closed();
  on({ type: "said", clientId: "a", text: "a" }, stored(2));
  on({ type: "said", clientId: "b", text: "b" }, notSent(failure(422, { message: "Too long." }, null)));
  on({ type: "answer_due" });
  on({ type: "said", clientId: "c", text: "c" }, { type: "give_up_due", clientId: "c" });
  on({ type: "feed_down" }, { type: "broken" });
  assert.deepEqual([panel.said, counts], [[], [1, 2, 3, 4, 5]]);
  const [refused, noAnswer, undelivered, lost, offline, trouble] = opened();
  assert.deepEqual([refused, lost], [`${words.delivery.refused} Too long.`, words.link.lost]);
  for (const [said, begin] of [[noAnswer, words.card.no_answer], [undelivered, "Not delivered. Call"], [offline, words.card.offline], [trouble, words.card.trouble]]) assert(said!.startsWith(begin!), said);
  assert.deepEqual([panel.said.length, counts.pop()], [6, 0]);
  on({ type: "shown", shown: false }, { type: "shown", shown: true });
  assert.deepEqual([panel.said, panel.done("unread")], [[], []]);
});

test("what has passed while the panel is closed is neither unread nor said when it is opened", () => {
  const passing: PanelEvent[][] = [
    [{ type: "feed_down" }, { type: "feed_up" }],
    [{ type: "feed_down" }, { type: "said", clientId: "a", text: "a" }, { type: "give_up_due", clientId: "a" }, { type: "feed_up" }, stored(2)],
    [{ type: "said", clientId: "a", text: "a" }, stored(2), { type: "answer_due" }, fed({ ...answer(3, 2), type: "held" })],
    [{ type: "feed_down" }, { type: "feed_closed", code: "session_ended" }],
  ];
  for (const events of passing) {
    const { counts, on, opened } = closed();
    on(...events);
    assert(counts.length > 1 && counts.pop() === 0, JSON.stringify(events));
    assert.deepEqual(opened(), events[1]!.type === "feed_closed" ? [`${words.expiry.ended_title}. ${words.expiry.ended}`] : []);
  }
});

test("messages that come while the panel is closed are counted until it is shown", () => {
  const panel = Panel.open();
  panel.on({ type: "embedded", closes: true, shown: false });
  panel.on(fed(answer(2, null)), fed(answer(3, null)));
  assert.deepEqual(panel.done("unread").map(({ count }) => count), [1, 2]);
  assert.deepEqual(panel.done("focus"), []);
  panel.on({ type: "shown", shown: true });
  assert.deepEqual(panel.done("unread"), [{ type: "unread", count: 0 }]);
  assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "words", byFinger: "main" }]);
});
