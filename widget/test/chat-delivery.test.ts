import assert from "node:assert/strict";
import { test } from "node:test";
import { failure } from "../src/panel/api";
import type { Effect } from "../src/panel/chat/effects";
import { answer, config, EXPIRED, fed, message, NO_NETWORK, notSent, Panel, started, stored } from "./panel";

const words = config.strings;
const sent = (panel: Panel) => panel.asked("send").map(({ item }) => item.clientId);

test("a message is shown, sent, watched for ten seconds, and takes its place when it is stored", () => {
  const panel = Panel.open();
  panel.say("a");
  assert.deepEqual(panel.mine, ["a sending"]);
  assert.deepEqual(sent(panel), ["a"]);
  assert.deepEqual(panel.waits, [["give_up_due", 10000]]);
  panel.on(stored(2));
  assert.deepEqual(panel.mine, ["a stored"]);
  assert.deepEqual(panel.state.entries.map((entry) => entry.order), [1, 2]);
});

test("messages are sent one at a time, in order", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.say("b");
  assert.deepEqual(sent(panel), []);
  panel.on(stored(2));
  assert.deepEqual(sent(panel), ["b"]);
});

test("offline: said once, shown once, and all that is written waits", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on(notSent(NO_NETWORK));
  assert.deepEqual(panel.said, [words.link.lost, `${words.card.offline} Call 911.`]);
  assert.deepEqual(panel.waits, [["fresh_over", 1000, "fresh"], ["retry_due", 1000, "retry"]]);
  panel.say("b");
  assert.deepEqual(sent(panel), []);
  assert.deepEqual(panel.mine, ["a waiting", "b waiting"]);
  panel.on({ type: "feed_down" }, { type: "retry_due" }, notSent(NO_NETWORK));
  assert.deepEqual(panel.said, []);
  assert.deepEqual(panel.waits, [["retry_due", 2000, "retry"]]);
  assert.deepEqual(panel.shown, ["greeting 1", "a", "offline", "b"]);
});

test("back: said, shown for five seconds, and what waits leaves at once, in order", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on(notSent(NO_NETWORK));
  panel.say("b");
  panel.on({ type: "feed_up" });
  assert.deepEqual(panel.said, [words.link.back]);
  assert.deepEqual(panel.waits, [["back_over", 5000]]);
  assert.deepEqual(panel.done("cancel"), [{ type: "cancel", name: "retry" }]);
  assert.deepEqual(sent(panel), ["a"]);
  assert.equal(panel.state.link, "back");
  panel.on(stored(2), { type: "back_over" });
  assert.deepEqual(sent(panel), ["b"]);
  assert.equal(panel.state.link, "up");
});

test("a second outage while the first is still shown as over stays", () => {
  const panel = Panel.open();
  panel.on({ type: "feed_down" }, { type: "feed_up" }, { type: "feed_down" }, { type: "back_over" });
  assert.equal(panel.state.link, "lost");
});

test("a device that is known to be offline shows a new message as waiting, though it is tried", () => {
  const panel = Panel.open();
  panel.on({ type: "feed_down" });
  panel.say("a");
  assert.deepEqual(panel.mine, ["a waiting"]);
  assert.deepEqual(sent(panel), ["a"]);
});

test("woken: everything is tried at once", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on(notSent(NO_NETWORK));
  panel.on({ type: "woken" });
  assert.equal(panel.done("kick_feed").length, 1);
  assert.deepEqual(sent(panel), ["a"]);
});

test("after ten seconds it is not delivered, which is said; trying again sends it at once", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on(notSent(NO_NETWORK));
  panel.on({ type: "give_up_due", clientId: "a" });
  assert.deepEqual(panel.mine, ["a failed"]);
  assert.equal(panel.said.length, 1);
  panel.on({ type: "retried", clientId: "a" });
  assert.deepEqual(panel.mine, ["a sending"]);
  assert.deepEqual(sent(panel), ["a"]);
  panel.on(stored(2), { type: "give_up_due", clientId: "a" });
  assert.deepEqual(panel.mine, ["a stored"]);
});

test("a server that is busy is given its time, and its own words, card and answer are shown", () => {
  const panel = Panel.open();
  panel.say("a");
  const safety = { heading: "Own card.", blocks: [] };
  const emergency = { reply_to: null, type: "triage", disposition: "emergency" as const, blocks: [{ kind: "advice", text: "Call now." }] };
  const busy = failure(503, { message: "Busy.", safety, answer: emergency }, "7");
  panel.on(notSent(busy));
  assert.equal(panel.done("alert").length, 1);
  assert.deepEqual(panel.said, [words.link.lost, `${words.card.offline} Own card.`]);
  assert.deepEqual(panel.waits.pop(), ["retry_due", 7000, "retry"]);
  assert.deepEqual(panel.shown, ["greeting 1", "a", "answer now", "offline"]);
  panel.on({ type: "retry_due" }, notSent(busy));
  assert.equal(panel.done("alert").length, 0);
  assert.deepEqual(panel.shown, ["greeting 1", "a", "answer now", "offline"]);
});

test("what is refused is given back, a button's words are not; the next one is sent", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.say("b");
  panel.on(notSent(failure(422, { message: "Too long." }, null)));
  assert.deepEqual(panel.done("give_back"), [{ type: "give_back", text: "a" }]);
  assert.deepEqual(panel.said, [`${words.delivery.refused} Too long.`]);
  assert.deepEqual(panel.mine, ["a refused", "b sending"]);
  assert.deepEqual(sent(panel), ["b"]);
  panel.on(stored(2), { type: "pressed", clientId: "c", id: "yes", title: "Yes" });
  panel.on(notSent(failure(422, {}, null)));
  assert.deepEqual(panel.done("give_back"), []);
});

test("a chat that has expired keeps the message, and says that it was not delivered before it says why", () => {
  const panel = Panel.open();
  panel.on({ type: "pressed", clientId: "a", id: "yes", title: "Yes" });
  panel.on(notSent(EXPIRED));
  assert.equal(panel.state.phase, "expired");
  assert.deepEqual(panel.state.outbox.queue.map(({ text, button, state }) => [text, button, state]), [["Yes", undefined, "failed"]]);
  assert.equal(panel.said.length, 2);
  panel.on({ type: "retried", clientId: "a" }, { type: "give_up_due", clientId: "a" }, { type: "woken" });
  assert.deepEqual([sent(panel), panel.said], [[], []]);
});

test("what is written while the chat starts leaves when it is open, or waits", () => {
  const panel = new Panel();
  panel.on({ type: "loaded", token: null }, { type: "tab_told", token: null });
  panel.say("a");
  assert.deepEqual(panel.done("request"), []);
  panel.on({ type: "start_answered", lang: "en", result: NO_NETWORK });
  assert.deepEqual(panel.mine, ["a waiting"]);
  panel.on({ type: "retry_due" });
  assert.equal(panel.asked("start").length, 1);
  panel.on(started("t1"));
  assert.deepEqual(panel.asked("send").map(({ token, item }) => [token, item.clientId]), [["t1", "a"]]);
});

test("the stream may show a message before its receipt comes: it is stored once, whatever the receipt says", () => {
  for (const receipt of [stored(2), notSent(NO_NETWORK), notSent(failure(422, {}, null))]) {
    const panel = Panel.open();
    panel.say("a");
    panel.on(fed(message(2, "a")), fed(answer(3, 2)));
    panel.on(receipt);
    assert.deepEqual(panel.mine, ["a stored"]);
    assert.deepEqual(panel.shown.filter((one) => one !== "offline"), ["greeting 1", "a", "answer 3"]);
    assert.deepEqual(panel.state.outbox.queue, []);
  }
});

test("a receipt that cannot be read is no receipt", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on({ type: "unreadable", request: "send" });
  assert.deepEqual(panel.mine, ["a waiting"]);
  assert.deepEqual(panel.waits, [["retry_due", 1000, "retry"]]);
});

test("a restart forgets what was not sent, and a late receipt of it does nothing to the new chat", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on({ type: "tab_restarted", from: "t1", token: "t2" });
  panel.on({ type: "resume_answered", lang: "en", token: "t1", result: EXPIRED }, started("t2"));
  panel.on(stored(9));
  assert.deepEqual(panel.shown, ["greeting 1"]);
  assert.deepEqual(panel.state.watch.open, []);
});

test("the patient's words go to the server and back into the text box, and nowhere else", () => {
  const panel = new Panel();
  const all: Effect[] = [];
  const on = (...events: Parameters<Panel["on"]>) => all.push(...panel.on(...events));
  const said = (clientId: string) => ({ type: "said" as const, clientId, text: "marmalade" });
  on({ type: "loaded", token: null }, { type: "tab_told", token: null }, said("a"), started("t1"));
  on(notSent(NO_NETWORK), { type: "give_up_due", clientId: "a" }, { type: "retried", clientId: "a" }, notSent(failure(422, { message: "No." }, null)));
  on(said("b"), notSent(EXPIRED), said("c"), started("t2"), stored(2), { type: "restarted" }, { type: "ended", clearDevice: true });
  const told = all.filter((effect) => JSON.stringify(effect).includes("marmalade"));
  assert.deepEqual([...new Set(told.map((effect) => (effect.type === "request" ? effect.request.type : effect.type)))], ["send", "give_back"]);
});
