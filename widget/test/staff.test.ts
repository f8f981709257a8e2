import assert from "node:assert/strict";
import { test } from "node:test";
import { failure } from "../src/panel/api";
import { isHeld, offering, openFollowup } from "../src/panel/chat/contact";
import { lastAnswer, openCheck } from "../src/panel/chat/state";
import type { Check } from "../src/shared/types";
import { answer, EXPIRED, fed, GREETING, message, NO_NETWORK, notSent, ok, Panel, session, started, stored } from "./panel";
import { followed, followup, held, request, staff, status } from "./staff";

const offers = ["callback" as const];
const pressed = (clientId: string, seq = 2, id = "reached") => ({ type: "followup_pressed", clientId, seq, id, title: "Yes" }) as const;

function following(): Panel {
  const panel = Panel.open();
  panel.on(fed(followup(2)), { type: "fresh_over" });
  return panel;
}

test("a nurse's message is said politely with who wrote it, and counts as unread while the panel is closed", () => {
  const panel = Panel.open();
  panel.on(fed(staff(2)), fed(staff(2)));
  assert.deepEqual(panel.said, ["Ann, nurse: I will call you."]);
  assert.deepEqual(panel.done("alert"), []);
  assert.deepEqual(panel.shown, ["greeting 1", "staff 2"]);
  panel.on({ type: "embedded", closes: true, shown: false });
  panel.on(fed(staff(3)), fed(status(4, "tried")), fed(followup(5)));
  assert.deepEqual(panel.done("unread").map(({ count }) => count), [1, 2, 3]);
});

test("a nurse holds the chat from held to handed back, whatever else becomes of a request, and as long as the chat is open", () => {
  const panel = Panel.open();
  assert.equal(isHeld(panel.state), false);
  panel.on(fed(status(2, "seen")));
  assert.equal(isHeld(panel.state), false);
  panel.on(fed(status(3, "held")), fed(status(4, "tried")), fed(answer(5, null)));
  assert.equal(isHeld(panel.state), true);
  panel.on(fed(status(6, "handed_back")), fed(status(7, "tried")));
  assert.equal(isHeld(panel.state), false);
  panel.on(fed(status(8, "held")), { type: "feed_closed", code: "session_expired" });
  assert.equal(isHeld(panel.state), false);
});

test("a message that a nurse gets is answered with nothing: no wait, no entry, nothing said", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on(stored(2));
  assert.equal(panel.state.answerPending, true);
  panel.on(fed(held(3, 2)));
  assert.deepEqual(panel.done("cancel").map(({ name }) => name), ["answer 2", "writing", "still"]);
  assert.equal(panel.state.answerPending, false);
  assert.deepEqual(panel.shown, ["greeting 1", "a"]);
  assert.deepEqual([panel.said, panel.state.lastSeq], [[], 3]);
});

test("a status is said; with an emergency it is an alert, and the chat takes the place of what is shown", () => {
  const panel = Panel.open();
  panel.on(fed(status(2, "seen")));
  assert.deepEqual(panel.said, ["status seen."]);
  for (const view of ["menu", "callback"] as const) {
    panel.on({ type: "went_to", view });
    panel.on(fed(status(view === "menu" ? 3 : 4, "follow_up", { disposition: "emergency" })));
    assert.deepEqual([panel.done("alert").length, panel.said], [1, []]);
    assert.equal(panel.state.view, "chat");
    assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "main" }]);
  }
  panel.on(fed(status(5, "follow_up", { disposition: "emergency" })));
  assert.deepEqual(panel.done("focus"), []);
  panel.on({ type: "went_to", view: "menu" }, fed(status(6, "tried")));
  assert.equal(panel.state.view, "menu");
});

test("a call is offered behind the newest reply that offers one", () => {
  const panel = Panel.open();
  assert.equal(offering(panel.state), null);
  panel.on(fed(answer(2, null, { offers })), fed(answer(3, null)));
  assert.equal(offering(panel.state), "e2");
  panel.on(fed(status(4, "wrong_number", { offers })));
  assert.equal(offering(panel.state), "e4");
});

test("no call is offered above an emergency instruction, above the request for it, or in a chat that is over", () => {
  const panel = Panel.open();
  panel.on(fed(answer(2, null, { offers })), fed(answer(3, null, { disposition: "emergency" })));
  assert.equal(offering(panel.state), null);
  panel.on(fed(answer(4, null, { disposition: "emergency", offers })));
  assert.equal(offering(panel.state), "e4");
  panel.on(fed(request(5)));
  assert.equal(offering(panel.state), null);
  panel.on(fed(status(6, "wrong_number", { offers })));
  assert.equal(offering(panel.state), "e6");
  panel.on({ type: "feed_closed", code: "session_expired" });
  assert.equal(offering(panel.state), null);
});

test("an emergency that came with a refusal takes the offer away, too", () => {
  const panel = Panel.open();
  panel.on(fed(answer(2, null, { offers })));
  panel.say("a");
  panel.on(notSent(failure(503, { answer: { reply_to: null, type: "triage", disposition: "emergency", blocks: [] } }, null)));
  assert.equal(offering(panel.state), null);
});

test("a followup is asked aloud, takes no tap for a second, and is answered by one", () => {
  const panel = Panel.open();
  panel.on(fed(followup(2)));
  assert.deepEqual(panel.said, ["Did you reach them? Choose an answer: Yes, Nobody answered, Not yet."]);
  assert.deepEqual(panel.waits, [["fresh_over", 1000, "fresh"]]);
  panel.on(pressed("f"));
  assert.deepEqual(panel.effects, []);
  panel.on({ type: "fresh_over" });
  panel.on(pressed("f"));
  assert.deepEqual(panel.asked("send").map(({ item }) => item.followup), [{ seq: 2, answer: "reached" }]);
  assert.deepEqual(panel.mine, ["f sending"]);
  assert.deepEqual(panel.effects.slice(-2), [{ type: "to_newest" }, { type: "focus", id: "words", byFinger: "main" }]);
  panel.on(pressed("g"));
  assert.deepEqual([panel.effects, panel.mine], [[], ["f sending"]]);
});

test("what was chosen is stored once, and no answer is waited for", () => {
  const panel = following();
  panel.on(pressed("f"));
  panel.on({ type: "send_answered", token: "t1", result: ok(followed(3, 2, "f")) }, fed(followed(3, 2, "f")));
  assert.deepEqual(panel.mine, ["f stored"]);
  assert.deepEqual(panel.shown, ["greeting 1", "followup 2", "f"]);
  assert.deepEqual([panel.waits, panel.state.answerPending, panel.state.watch.open], [[], false, []]);
  assert.deepEqual(panel.state.outbox.queue, []);
});

test("offline it waits and goes again with its id; the stream may show it before its receipt, or after a refusal of the repeat", () => {
  const panel = following();
  panel.on(pressed("f"));
  panel.on(notSent(NO_NETWORK));
  assert.deepEqual(panel.mine, ["f waiting"]);
  panel.on({ type: "retry_due" });
  assert.deepEqual(panel.asked("send").map(({ item }) => [item.clientId, item.followup]), [["f", { seq: 2, answer: "reached" }]]);
  const gone = failure(409, { error: "button_gone", message: "Gone." }, null);
  const before = panel.state;
  panel.on(fed(followed(3, 2, "f")), notSent(gone));
  assert.deepEqual(panel.mine, ["f stored"]);
  panel.state = before;
  panel.on(notSent(gone));
  assert.deepEqual([panel.mine, panel.done("give_back")], [["f refused"], []]);
  assert.equal(openFollowup(panel.state)?.seq, 2);
  panel.on(fed(followed(3, 2, "f")));
  assert.deepEqual(panel.mine, ["f stored"]);
  assert.equal(openFollowup(panel.state), null);
});

test("only the last followup is open, until it is followed or the chat is over", () => {
  const panel = following();
  panel.on(fed(followup(3)), { type: "fresh_over" });
  assert.equal(openFollowup(panel.state)?.seq, 3);
  panel.on(pressed("f", 2));
  assert.deepEqual(panel.effects, []);
  panel.on(fed(followed(4, 3, "elsewhere")));
  assert.equal(openFollowup(panel.state), null);
  assert.deepEqual(panel.shown.slice(-1), ["followed 4"]);
  panel.on(fed(followup(5)));
  assert.equal(openFollowup(panel.state)?.seq, 5);
  panel.on({ type: "feed_closed", code: "session_expired" });
  assert.equal(openFollowup(panel.state), null);
});

test("a chat that closes over what was chosen keeps its words for the next", () => {
  const panel = following();
  panel.on(pressed("f"));
  panel.on(notSent(EXPIRED));
  assert.deepEqual(panel.state.outbox.queue.map(({ text, followup: of, state }) => [text, of, state]), [["Yes", undefined, "failed"]]);
});

test("a followup and its answer leave the danger check open, with the rows that have an answer", () => {
  const check: Check = { waits: true, rows: [{ id: "fever", text: "Fever?", danger: false }] };
  const panel = Panel.open();
  panel.on(fed(answer(2, null, { check })), { type: "fresh_over" });
  panel.on({ type: "row_answered", clientId: "r", row: check.rows[0]!, answer: "no", sure: true });
  panel.on(fed(followup(3)), { type: "fresh_over" });
  panel.on(pressed("f", 3));
  assert.deepEqual(openCheck(panel.state), check);
  assert.deepEqual(panel.state.ticks, { fever: "no" });
  assert.equal(lastAnswer(panel.state)?.answered, false);
});

test("a resumed chat has its nurse, its offer and its followup, and says nothing of them", () => {
  const panel = new Panel();
  panel.on({ type: "loaded", token: "t1" });
  const events = [GREETING, message(2, "a"), answer(3, 2, { offers }), status(4, "held"), staff(5), held(6, 2), followup(7)];
  panel.on({ type: "resume_answered", lang: "en", token: "t1", result: ok({ events, session: session() }) });
  assert.deepEqual([isHeld(panel.state), offering(panel.state), openFollowup(panel.state)?.seq], [true, "e3", 7]);
  assert.deepEqual(panel.said, []);
  assert.equal(panel.state.fresh, true);
  panel.on({ type: "restarted" }, { type: "restart_answered", result: ok({ token: "t2", session: session(), events: [GREETING] }), old: null });
  assert.deepEqual([isHeld(panel.state), offering(panel.state), openFollowup(panel.state)], [false, null, null]);
});

test("kinds that this panel does not know are passed over", () => {
  const panel = new Panel();
  panel.on({ type: "loaded", token: null }, { type: "tab_told", token: null });
  const unknown = { kind: "later", seq: 2, at: "" } as unknown as ReturnType<typeof staff>;
  panel.on(started("t1", [GREETING, unknown]));
  assert.deepEqual([panel.state.phase, panel.state.lastSeq, panel.said], ["open", 2, ["Hello."]]);
});
