import assert from "node:assert/strict";
import { test } from "node:test";
import { failure } from "../src/panel/api";
import type { PanelEvent } from "../src/panel/chat/events";
import { answer, config, ENDED, EXPIRED, GREETING, message, NO_NETWORK, notSent, NOW, ok, Panel, session, started, stored } from "./panel";

const MINUTE = 60000;
const words = config.strings;
const types = (panel: Panel) => panel.effects.map((effect) => (effect.type === "request" ? `ask ${effect.request.type}` : effect.type));

test("starting: a known token is resumed, else the other tabs are asked, else a chat is started", () => {
  const known = new Panel();
  known.on({ type: "loaded", token: "t1" });
  assert.deepEqual(known.asked("resume"), [{ type: "resume", token: "t1" }]);
  const tab = new Panel();
  tab.on({ type: "loaded", token: null });
  assert.deepEqual(types(tab), ["ask_tabs"]);
  tab.on({ type: "tab_told", token: "t2" });
  assert.deepEqual(tab.asked("resume"), [{ type: "resume", token: "t2" }]);
  const alone = new Panel();
  alone.on({ type: "loaded", token: null }, { type: "tab_told", token: null });
  assert.deepEqual(alone.asked("start"), [{ type: "start", writer: "patient" }]);
  assert.equal(alone.state.phase, "starting");
});

test("starting: it connects once, however often it is woken", () => {
  const panel = new Panel();
  panel.on({ type: "loaded", token: "t1" });
  panel.on({ type: "woken" }, { type: "start_due" }, { type: "tab_told", token: "t1" });
  assert.deepEqual(panel.done("request"), []);
});

test("starting: whatever happens before it is known whether there is a chat, it is resumed, and what was typed goes into it", () => {
  const panel = new Panel();
  panel.on({ type: "woken" }, { type: "said", clientId: "a", text: "a" }, { type: "woken" });
  assert.deepEqual([panel.done("request"), panel.done("keep_token"), panel.mine], [[], [], ["a sending"]]);
  panel.on({ type: "loaded", token: "t1" });
  assert.deepEqual(panel.done("request").map(({ request }) => request), [{ type: "resume", token: "t1" }]);
  panel.on({ type: "resume_answered", lang: "en", token: "t1", result: ok({ events: [GREETING], session: session() }) });
  assert.deepEqual(panel.asked("send").map(({ token, item }) => [token, item.clientId]), [["t1", "a"]]);
});

test("open: a started chat is kept, followed from its begin, and its greeting said", () => {
  const panel = new Panel();
  panel.on({ type: "loaded", token: null }, { type: "tab_told", token: null });
  panel.on(started("t1"));
  assert.equal(panel.state.phase, "open");
  assert.deepEqual(panel.done("keep_token"), [{ type: "keep_token", token: "t1" }]);
  assert.deepEqual(panel.done("feed"), [{ type: "feed", token: "t1", after: 0 }]);
  assert.deepEqual(panel.done("say"), [{ type: "say", text: "Hello.", lang: "en" }]);
});

test("open: a resumed chat is shown and nothing of it said", () => {
  const panel = new Panel();
  panel.on({ type: "loaded", token: "t1" });
  panel.on({ type: "resume_answered", lang: "en", token: "t1", result: ok({ events: [GREETING, message(2, "a"), answer(3, 2)], session: session({ writer: "helper" }) }) });
  assert.equal(panel.state.phase, "open");
  assert.equal(panel.state.writer, "helper");
  assert.deepEqual(panel.shown, ["greeting 1", "message 2", "answer 3"]);
  assert.deepEqual(panel.said, []);
});

test("a chat that is over is not resumed, one that cannot be reached is tried again", () => {
  for (const result of [ok({ events: [], session: session({ ended: true }) }), EXPIRED, ENDED]) {
    const panel = new Panel();
    panel.on({ type: "loaded", token: "t1" });
    panel.on({ type: "resume_answered", lang: "en", token: "t1", result });
    assert.deepEqual(types(panel), ["keep_token", "ask start"]);
  }
  const panel = new Panel();
  panel.on({ type: "loaded", token: "t1" });
  panel.on({ type: "resume_answered", lang: "en", token: "t1", result: NO_NETWORK });
  panel.on({ type: "start_due" });
  assert.deepEqual(panel.asked("resume"), [{ type: "resume", token: "t1" }]);
});

test("a start that fails shows the greeting and whom to call once, and is tried after 1, 2, 4 seconds or as the server asks", () => {
  const panel = new Panel();
  panel.on({ type: "loaded", token: null }, { type: "tab_told", token: null });
  const waits = [NO_NETWORK, failure(500, {}, null), failure(429, {}, "9"), NO_NETWORK].map((result) => {
    panel.on({ type: "start_answered", lang: "en", result }, { type: "start_due" });
    return panel.waits[0]?.[1];
  });
  assert.deepEqual(waits, [1000, 2000, 9000, 8000]);
  assert.deepEqual(panel.shown, ["offline"]);
  assert.equal(panel.state.greeting, true);
  panel.on(started("t1"));
  assert.equal(panel.state.greeting, false);
  assert.equal(panel.said[0], words.link.back);
});

test("the end is warned of once, by the server's clock", () => {
  const panel = Panel.open();
  panel.now = NOW + 24 * MINUTE;
  panel.on({ type: "tick" });
  assert.deepEqual(panel.effects, []);
  panel.now = NOW + 28.5 * MINUTE;
  panel.on({ type: "tick" }, { type: "tick" });
  assert.equal(panel.state.warning, "warning_idle");
  assert.equal(panel.said.length, 1);
  panel.on({ type: "kept_open" });
  assert.deepEqual(panel.asked("extend"), [{ type: "extend", token: "t1" }]);
  assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "words", byFinger: "main" }], "its button goes");
  const at = (minutes: number) => new Date(NOW + minutes * MINUTE).toISOString();
  panel.on({ type: "extend_answered", token: "t1", result: ok(session({ server_time: at(28.5), idle_expires_at: at(58) })) });
  assert.equal(panel.state.warning, null);
  assert.equal(panel.said.length, 1);
  panel.on({ type: "fed_session", session: session({ server_time: at(238.5), idle_expires_at: at(260) }) });
  assert.equal(panel.state.warning, "warning_absolute");
});

test("that the chat closes soon is said when the panel is opened, if it still does", () => {
  for (const extended of [false, true]) {
    const panel = Panel.open();
    panel.on({ type: "embedded", closes: true, shown: false });
    panel.now = NOW + 28.5 * MINUTE;
    panel.on({ type: "tick" });
    assert.deepEqual([panel.said, panel.done("unread")], [[], []]);
    if (extended) panel.on({ type: "fed_session", session: session({ server_time: new Date(panel.now).toISOString(), idle_expires_at: new Date(panel.now + 30 * MINUTE).toISOString() }) });
    panel.on({ type: "shown", shown: true });
    assert.equal(panel.said.length, extended ? 0 : 1);
  }
});

test("a chat whose time is over asks the server once, and believes it", () => {
  const panel = Panel.open();
  panel.now = NOW + 31 * MINUTE;
  panel.on({ type: "tick" }, { type: "tick" });
  assert.deepEqual(panel.asked("check"), [{ type: "check", token: "t1", otherwise: null }]);
  panel.on({ type: "check_answered", token: "t1", result: NO_NETWORK, otherwise: null });
  assert.equal(panel.state.phase, "open");
  panel.on({ type: "tick" });
  assert.equal(panel.asked("check").length, 1);
  panel.on({ type: "check_answered", token: "t1", result: EXPIRED, otherwise: null });
  assert.equal(panel.state.phase, "expired");
});

test("expired: what was shown stays, what was not sent is kept, and numbers are said last", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on({ type: "feed_closed", code: "session_expired" });
  assert.equal(panel.state.phase, "expired");
  assert.deepEqual(panel.shown, ["greeting 1", "a"]);
  assert.deepEqual(panel.mine, ["a failed"]);
  assert.deepEqual(panel.done("keep_token"), [{ type: "keep_token", token: null }]);
  assert.deepEqual(panel.done("clear_draft"), []);
  assert.equal(panel.said.length, 2);
  assert.equal(panel.said[1], `${words.expiry.expired_title}. ${words.expiry.expired} Call 911.`);
});

test("expired: what is typed next starts a chat, into which all goes that was not sent", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on({ type: "feed_closed", code: "session_expired" }, { type: "send_answered", token: "t1", result: EXPIRED });
  panel.on({ type: "said", clientId: "b", text: "b" });
  assert.equal(panel.state.phase, "starting");
  assert.deepEqual(panel.shown, ["a", "b"]);
  assert.equal(panel.asked("start").length, 1);
  panel.on(started("t2"));
  assert.deepEqual(panel.asked("send").map(({ token, item }) => [token, item.clientId]), [["t2", "a"]]);
  panel.on(stored(2, "t2"));
  assert.deepEqual(panel.asked("send").map(({ item }) => item.clientId), ["b"]);
});

test("expired: starting anew sends the draft and empties it; nothing else is sent", () => {
  const panel = Panel.open();
  panel.on({ type: "feed_closed", code: "session_expired" });
  panel.on({ type: "started_new", clientId: "d", draft: "draft" });
  assert.deepEqual(panel.done("clear_draft").length, 1);
  assert.deepEqual(panel.shown, ["d"]);
  assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "words" }]);
  panel.on(started("t2"));
  assert.deepEqual(panel.asked("send").map(({ item }) => item.text), ["draft"]);
});

test("ended: nothing of the chat is left", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on({ type: "feed_closed", code: undefined });
  assert.deepEqual(panel.asked("check"), [{ type: "check", token: "t1", otherwise: "session_ended" }]);
  panel.on({ type: "check_answered", token: "t1", result: NO_NETWORK, otherwise: "session_ended" });
  assert.equal(panel.state.phase, "ended");
  assert.equal(panel.state.token, null);
  assert.equal(panel.state.session, null);
  assert.deepEqual([panel.shown, panel.state.outbox.queue], [[], []]);
  assert.deepEqual(panel.said, [`${words.expiry.ended_title}. ${words.expiry.ended}`]);
  assert.equal(panel.done("clear_draft").length, 1);
  assert.deepEqual(panel.done("keep_token"), [{ type: "keep_token", token: null }]);
  panel.on({ type: "send_answered", token: "t1", result: ENDED });
  assert.equal(panel.state.phase, "ended");
});

test("an answer that was on its way when another chat took this one's place does nothing to it", () => {
  const old = session({ writer: "helper", language: "es" });
  const late: PanelEvent[] = [ok(old), EXPIRED, ENDED, NO_NETWORK].flatMap((result) => [
    { type: "check_answered", token: "t1", result, otherwise: "session_ended" },
    { type: "extend_answered", token: "t1", result },
    { type: "writer_answered", token: "t1", result, before: "helper" },
  ]);
  for (const problem of [EXPIRED, ENDED, NO_NETWORK]) late.push({ type: "summary_answered", token: "t1", result: problem }, notSent(problem));
  for (const event of late) {
    const panel = Panel.open();
    panel.on({ type: "feed_closed", code: undefined }, { type: "tab_restarted", from: "t1", token: "t2" });
    panel.on({ type: "resume_answered", lang: "en", token: "t2", result: ok({ events: [GREETING], session: session() }) });
    const { phase, token, session: own, writer, link, summary, menuNote } = panel.state;
    panel.on(event);
    const { state } = panel;
    assert.deepEqual([state.phase, state.token, state.session, state.writer, state.link, state.summary, state.menuNote], [phase, token, own, writer, link, summary, menuNote], JSON.stringify(event));
    assert.deepEqual(panel.said, []);
    panel.on({ type: "feed_closed", code: undefined });
    assert.equal(panel.asked("check").length, event.type === "check_answered" ? 1 : 0, "it may be asked about again");
  }
});

test("a chat that another took the place of while it was being resumed is not shown, and the other is resumed", () => {
  for (const result of [ok({ events: [GREETING, message(2, "a")], session: session({ language: "es" }) }), EXPIRED, NO_NETWORK]) {
    const panel = new Panel();
    panel.on({ type: "loaded", token: "t1" }, { type: "tab_restarted", from: "t1", token: "t2" });
    panel.on({ type: "resume_answered", lang: "en", token: "t1", result });
    assert.deepEqual([panel.asked("resume"), panel.asked("start"), panel.shown], [[{ type: "resume", token: "t2" }], [], []]);
    panel.on({ type: "resume_answered", lang: "en", token: "t2", result: ok({ events: [GREETING], session: session() }) });
    assert.deepEqual([panel.state.phase, panel.state.token, panel.shown], ["open", "t2", ["greeting 1"]]);
  }
});

test("a message whose fate became known only when a new chat had begun goes into that, and an emergency in it is told", () => {
  const emergency = { reply_to: null, type: "triage", disposition: "emergency" as const, blocks: [{ kind: "advice", text: "Call now." }] };
  for (const late of [stored(9), notSent(failure(401, { error: "session_expired", answer: emergency }, null))]) {
    const panel = Panel.open();
    panel.say("a");
    panel.on({ type: "feed_closed", code: "session_expired" }, { type: "started_new", clientId: "d", draft: "" }, started("t2"));
    panel.on(late);
    assert.deepEqual([panel.state.phase, panel.mine], ["open", ["a waiting"]]);
    assert.equal(panel.done("alert").length, "answer" in (late as { result: object }).result ? 1 : 0);
    panel.on({ type: "retry_due" });
    assert.deepEqual(panel.asked("send").map(({ token, item }) => [token, item.clientId]), [["t2", "a"]]);
  }
});

test("a stream that says it is over is asked about: the server may know that time did it", () => {
  const panel = Panel.open();
  panel.on({ type: "feed_closed", code: undefined }, { type: "check_answered", token: "t1", result: EXPIRED, otherwise: "session_ended" });
  assert.equal(panel.state.phase, "expired");
});

test("an answer that cannot be read stops nothing for good", () => {
  const panel = new Panel();
  panel.on({ type: "loaded", token: null }, { type: "tab_told", token: null });
  panel.say("a");
  panel.on({ type: "unreadable", request: "start" });
  assert.deepEqual(panel.mine, ["a waiting"]);
  panel.on({ type: "woken" });
  assert.equal(panel.asked("start").length, 1);
  const open = Panel.open();
  open.on({ type: "feed_closed", code: undefined }, { type: "unreadable", request: "check" });
  open.on({ type: "feed_closed", code: undefined });
  assert.equal(open.asked("check").length, 1);
});
