import assert from "node:assert/strict";
import { test } from "node:test";
import { failure, type Failure } from "../src/panel/api";
import type { Effect } from "../src/panel/chat/effects";
import { reducer } from "../src/panel/chat/reduce";
import type { CallbackEvent, CallbackInfo } from "../src/shared/types";
import { answer, config, ENDED, EXPIRED, fed, NO_NETWORK, ok, Panel, started } from "./panel";
import { request, status } from "./staff";

const words = config.strings;
const info = (change: Partial<CallbackInfo> = {}): CallbackInfo => ({ text: "A nurse reads it on Monday.", number: null, requested_at: null, ...change });
const told = (change: Partial<CallbackInfo> = {}) => ({ type: "callback_info_answered", result: ok(info(change)), token: "t1" }) as const;
const filled = (number: string) => ({ type: "callback_filled", change: { number } }) as const;
const sent = (clientId: string) => ({ type: "callback_sent", clientId }) as const;
const taken = (event: CallbackEvent, token = "t1") => ({ type: "callback_answered", result: ok(event), token }) as const;
const refused = (result: Failure, token = "t1") => ({ type: "callback_answered", result, token }) as const;
const fields = (panel: Panel) => {
  const { number, name, best, whose } = panel.state.callback!;
  return { number, name, best, whose };
};

function asking(number = "555-0142"): Panel {
  const panel = Panel.open();
  panel.on({ type: "opened_callback" }, told(), filled(number));
  return panel;
}

test("the form opens at its title, asks what is to be said about calls, and says it", () => {
  const panel = Panel.open();
  panel.on({ type: "opened_callback" });
  assert.deepEqual([panel.state.view, panel.state.callback?.info], ["callback", "loading"]);
  assert.deepEqual(panel.asked("callback_info"), [{ type: "callback_info", token: "t1" }]);
  assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "callback-title" }]);
  panel.on(told({ number: "555-0142" }));
  assert.deepEqual(panel.done("say"), [{ type: "say", text: "A nurse reads it on Monday.", lang: "en" }]);
  assert.equal(fields(panel).number, "555-0142");
});

test("what is typed before the server has answered stays, and so does what is typed before the form is left", () => {
  const panel = Panel.open();
  panel.on({ type: "opened_callback" }, filled("5"), told({ number: "555-0142" }));
  assert.equal(fields(panel).number, "5");
  panel.on(filled(""), { type: "callback_filled", change: { best: "noon" } }, { type: "went_to", view: "chat" }, { type: "opened_callback" }, told({ number: "555-0142" }));
  assert.deepEqual(fields(panel), { number: "", name: "", best: "noon", whose: null });
  assert.deepEqual(panel.said, []);
});

test("an open request stands in the form, to be changed", () => {
  const panel = Panel.open();
  panel.on(fed(request(2, { number: "555-0100", name: "Ada", whose: "helper" })));
  panel.on({ type: "opened_callback" }, told({ number: "555-0142", requested_at: "2024-05-01T09:00:00Z" }));
  assert.deepEqual(fields(panel), { number: "555-0100", name: "Ada", best: "", whose: "helper" });
  const other = Panel.open();
  other.on(fed(request(2, { number: "555-0100", name: "Ada" })));
  other.on({ type: "opened_callback" }, told({ number: "555-0142" }));
  assert.deepEqual(fields(other), { number: "555-0142", name: "", best: "", whose: null });
});

test("without what is to be said the form can be sent all the same; a dead chat is found out", () => {
  const panel = Panel.open();
  panel.on({ type: "opened_callback" }, filled("555-0142"), { type: "callback_info_answered", result: NO_NETWORK, token: "t1" });
  assert.equal(panel.state.callback?.info, "failed");
  assert.deepEqual(panel.on(sent("c")).filter(({ type }) => type === "request").length, 1);
  panel.on({ type: "opened_callback" });
  assert.equal(panel.state.callback?.info, "loading");
  panel.on({ type: "callback_info_answered", result: EXPIRED, token: "t1" });
  assert.equal(panel.state.phase, "expired");
});

test("a number is asked for in words, beside the field, and the field gets the focus", () => {
  const panel = asking("call me");
  panel.on(sent("c"));
  assert.deepEqual(panel.asked("callback"), []);
  assert.equal(panel.state.callback?.error, words.callback.number_missing);
  assert.deepEqual(panel.said, [words.callback.number_missing]);
  assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "callback-number" }]);
  panel.on({ type: "callback_filled", change: { name: "Ada" } });
  assert.equal(panel.state.callback?.error, words.callback.number_missing);
  panel.on(filled("5"));
  assert.equal(panel.state.callback?.error, "");
});

test("a number that the server cannot read: its words in its language, ours in another", () => {
  const unreadable = refused(failure(422, { error: "number_unreadable", message: "Add the area code." }, null));
  const panel = asking("12");
  panel.on(sent("c"));
  panel.on(unreadable);
  assert.equal(panel.state.callback?.error, "Add the area code.");
  assert.deepEqual([panel.state.callback?.sending, panel.state.callback?.problem, fields(panel).number], [false, "", "12"]);
  assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "callback-number" }]);
  const spanish = reducer({ ...config, lang: "es" });
  const sending = asking("12");
  sending.on(sent("c"));
  assert.equal(spanish(sending.state, { ...unreadable, now: 0 }).state.callback?.error, words.callback.number_unreadable);
});

test("what is sent has what was filled in, and is the writer's own number unless another is chosen", () => {
  const panel = asking(" 555-0142 ");
  panel.on({ type: "callback_filled", change: { name: "  ", best: "noon " } });
  panel.on(sent("c"));
  assert.deepEqual(panel.asked("callback"), [{ type: "callback", token: "t1", clientId: "c", wanted: { number: "555-0142", whose: "patient", best: "noon" } }]);
  const helper = asking();
  helper.on({ type: "chose_writer", writer: "helper" });
  helper.on(sent("c"));
  assert.equal(helper.asked("callback")[0]?.wanted.whose, "helper");
  const chosen = asking();
  chosen.on({ type: "callback_filled", change: { whose: "helper" } }, sent("c"));
  assert.equal(chosen.asked("callback")[0]?.wanted.whose, "helper");
});

test("a request that is stored is shown and said once, and the form is empty", () => {
  const panel = asking();
  panel.on(sent("c"));
  panel.on(sent("d"));
  assert.deepEqual(panel.asked("callback"), []);
  panel.on(taken(request(3)), fed(request(3)));
  assert.deepEqual([panel.state.callback, panel.state.view], [null, "chat"]);
  assert.deepEqual(panel.shown, ["greeting 1", "callback 3"]);
  assert.deepEqual(panel.said, ["The nurses have it."]);
  assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "words", byFinger: "main" }]);
});

test("its receipt does not hide from the feed what came before it", () => {
  const panel = asking();
  panel.on(sent("c"), taken(request(3)));
  assert.equal(panel.state.lastSeq, 1);
  panel.on(fed(answer(2, null)), fed(request(3)));
  assert.deepEqual([panel.shown, panel.state.lastSeq], [["greeting 1", "answer 2", "callback 3"], 3]);
});

test("no network, a busy server: all stays, it is said, and the same words go again with the same id", () => {
  for (const [problem, says] of [[NO_NETWORK, words.callback.unanswered], [failure(503, { message: "Busy." }, null), words.callback.failed], [failure(429, {}, "9"), words.callback.failed]] as const) {
    const panel = asking();
    panel.on({ type: "callback_filled", change: { name: "Ada", best: "noon" } }, sent("c"));
    panel.on(refused(problem));
    assert.deepEqual(panel.said, [says.replace("{answered}", "555-0100")]);
    assert.deepEqual([panel.state.view, panel.state.callback?.sending, panel.state.callback?.problem], ["callback", false, panel.said[0]]);
    assert.deepEqual(fields(panel), { number: "555-0142", name: "Ada", best: "noon", whose: null });
    assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "callback-problem" }]);
    panel.on(sent("d"));
    assert.deepEqual([panel.asked("callback")[0]?.clientId, panel.state.callback?.problem], ["c", ""]);
    panel.on(refused(problem), filled("555-0143"));
    panel.on(sent("e"));
    assert.equal(panel.asked("callback")[0]?.clientId, "e");
  }
});

test("left while it is on its way: the form comes back only if it was not sent", () => {
  const panel = asking();
  panel.on(sent("c"), { type: "went_to", view: "menu" });
  const before = panel.state;
  panel.on(refused(NO_NETWORK));
  assert.equal(panel.state.view, "callback");
  panel.state = before;
  panel.on(taken(request(2)));
  assert.equal(panel.state.view, "menu");
  assert.deepEqual(panel.done("focus"), []);
});

test("an emergency in the words of a request that is refused is shown before all else, also when it is known", () => {
  const emergency = { reply_to: null, type: "triage", disposition: "emergency" as const, blocks: [{ kind: "advice", text: "Call now." }] };
  for (const [status, error] of [[503, "not_stored"], [422, "number_unreadable"], [401, "session_expired"]] as const) {
    const panel = asking();
    panel.on(sent("c"));
    panel.on(refused(failure(status, { error, answer: emergency }, null)));
    assert.equal(panel.done("alert").length, 1);
    assert.deepEqual([panel.state.view, panel.state.callback?.sending, fields(panel).number], ["chat", false, "555-0142"]);
    assert.deepEqual(panel.shown, ["greeting 1", "answer now"]);
    assert.deepEqual(panel.done("focus").slice(-1), [{ type: "focus", id: "main" }]);
    if (status === 401) continue;
    panel.on({ type: "opened_callback" }, sent("d"), refused(failure(status, { error, answer: emergency }, null)));
    assert.deepEqual([panel.state.view, panel.done("focus").slice(-1)], ["chat", [{ type: "focus", id: "main" }]]);
  }
});

test("a chat that closes keeps the form, says so, and the next chat begins with it", () => {
  for (const closing of [refused(EXPIRED), { type: "feed_closed", code: "session_expired" } as const]) {
    const panel = asking();
    if (closing.type === "callback_answered") panel.on(sent("c"));
    panel.on(closing);
    assert.deepEqual([panel.state.phase, panel.state.view, panel.state.callback?.interrupted, panel.state.callback?.sending], ["expired", "chat", true, false]);
    assert.equal(panel.said.filter((one) => one === words.expiry.unsent_call).length, 1);
    assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "main" }]);
    panel.on({ type: "started_new", clientId: "x", draft: "" }, started("t2"));
    assert.equal(panel.state.view, "callback");
    assert.deepEqual(panel.asked("callback_info"), [{ type: "callback_info", token: "t2" }]);
    assert.deepEqual([panel.state.callback?.problem, fields(panel).number, panel.state.callback?.interrupted], [words.callback.interrupted, "555-0142", false]);
    assert.deepEqual(panel.done("focus").slice(-1), [{ type: "focus", id: "callback-problem" }]);
    panel.on(sent("d"));
    assert.equal(panel.asked("callback")[0]?.token, "t2");
  }
});

test("who writes on in a new chat finds the form in the menu, not over the answer", () => {
  const panel = asking();
  panel.on({ type: "feed_closed", code: "session_expired" }, { type: "said", clientId: "a", text: "a" }, started("t2"));
  assert.equal(panel.state.view, "chat");
  panel.on({ type: "opened_callback" });
  assert.deepEqual([fields(panel).number, panel.state.callback?.problem], ["555-0142", words.callback.interrupted]);
});

test("a request that was on its way when the chat closed may still be stored", () => {
  const panel = asking();
  panel.on(sent("c"), { type: "feed_closed", code: "session_expired" });
  assert(!panel.said.includes(words.expiry.unsent_call));
  panel.on(taken(request(2)));
  assert.equal(panel.state.callback, null);
  assert.deepEqual(panel.shown, ["greeting 1", "callback 2"]);
});

test("a receipt from a chat that was left does not count for the next one", () => {
  const panel = asking();
  panel.on(sent("c"), { type: "feed_closed", code: "session_expired" }, { type: "started_new", clientId: "x", draft: "" }, started("t2"));
  panel.on(taken(request(9)));
  assert.deepEqual(panel.shown, ["greeting 1"]);
  panel.on(sent("d"));
  panel.on(taken(request(9)));
  assert.deepEqual([panel.shown, panel.state.callback?.sending], [["greeting 1"], true]);
});

test("the form is not forced on who left it before the chat closed", () => {
  const panel = asking();
  panel.on({ type: "went_to", view: "chat" }, { type: "feed_closed", code: "session_expired" });
  assert.equal(panel.state.callback?.interrupted, false);
  panel.on({ type: "started_new", clientId: "x", draft: "" }, started("t2"));
  assert.deepEqual([panel.state.view, fields(panel).number], ["chat", "555-0142"]);
  const sending = asking();
  sending.on(sent("c"), { type: "went_to", view: "menu" }, { type: "feed_closed", code: "session_expired" });
  assert.equal(sending.state.callback?.interrupted, true);
});

test("what is to be said about calls is of this chat, and said only in the form", () => {
  const panel = Panel.open();
  panel.on({ type: "opened_callback" }, { ...told(), token: "t0" });
  assert.equal(panel.state.callback?.info, "loading");
  panel.on({ type: "went_to", view: "chat" }, told());
  assert.deepEqual([panel.said, panel.state.callback?.info], [[], info()]);
});

test("a request that is stored shows that the connection is back", () => {
  const panel = asking();
  panel.on({ type: "feed_down" }, sent("c"), taken(request(2)));
  assert.equal(panel.state.link, "back");
});

test("a chat that has ended keeps nothing of the form, and none is opened without a chat", () => {
  const resuming = new Panel();
  resuming.on({ type: "loaded", token: "t1" });
  assert.deepEqual(resuming.on({ type: "opened_callback" }), []);
  const panel = asking();
  panel.on(sent("c"), refused(ENDED));
  assert.deepEqual([panel.state.phase, panel.state.callback], ["ended", null]);
  panel.on({ type: "opened_callback" });
  assert.deepEqual([panel.effects, panel.state.view], [[], "chat"]);
});

test("an answer that cannot be read stops nothing for good", () => {
  const panel = asking();
  panel.on(sent("c"));
  panel.on({ type: "unreadable", request: "callback" });
  assert.equal(panel.said.length, 1);
  panel.on(sent("d"));
  assert.equal(panel.asked("callback")[0]?.clientId, "c");
  panel.on({ type: "unreadable", request: "callback_info" });
  assert.equal(panel.state.callback?.info, "failed");
});

test("a wrong number leads to the form, where the new one replaces it", () => {
  const panel = Panel.open();
  panel.on(fed(request(2)), fed(status(3, "wrong_number", { offers: ["callback"] })));
  panel.on({ type: "opened_callback" }, told({ requested_at: "2024-05-01T09:00:00Z" }), filled("555-0143"));
  panel.on(sent("d"));
  assert.deepEqual(panel.asked("callback").map(({ wanted }) => wanted.number), ["555-0143"]);
});

test("what is typed in the form goes to the server and nowhere else", () => {
  const panel = Panel.open();
  const all: Effect[] = [];
  const on = (...events: Parameters<Panel["on"]>) => all.push(...panel.on(...events));
  on({ type: "opened_callback" }, told(), filled("marmalade 1"), { type: "callback_filled", change: { name: "marmalade", best: "marmalade" } }, sent("c"), refused(NO_NETWORK));
  on(sent("d"), refused(EXPIRED), { type: "started_new", clientId: "x", draft: "" }, started("t2"), sent("e"), { type: "left" }, { type: "ended", clearDevice: true });
  const leaky = all.filter((effect) => JSON.stringify(effect).includes("marmalade"));
  assert.deepEqual([...new Set(leaky.map((effect) => (effect.type === "request" ? effect.request.type : effect.type)))], ["callback"]);
});
