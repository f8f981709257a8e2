import assert from "node:assert/strict";
import { test } from "node:test";
import type { Check, Row } from "../src/shared/types";
import { transcript, type TranscriptActions } from "../src/panel/transcript";
import { isMeant } from "../src/panel/view";
import { answer, config, fed, message, NO_NETWORK, notSent, Panel, session, stored } from "./panel";
import { status } from "./staff";
import { page, written } from "./written";

const words = config.strings;
const chest: Row = { id: "chest", text: "Chest pain?", danger: true };
const fever: Row = { id: "fever", text: "Fever?", danger: false };
const check: Check = { waits: true, rows: [chest, fever] };

function asking(): Panel {
  const panel = Panel.open();
  panel.on(fed(answer(2, null, { check, buttons: [{ id: "yes", title: "Yes" }] })), { type: "fresh_over" });
  return panel;
}

const ticked = (row: Row, given: "yes" | "no", sure = true) => ({ type: "row_answered", clientId: `row ${row.id}`, row, answer: given, sure }) as const;

test("an answer is said once in its own language, however often it comes", () => {
  const panel = Panel.open();
  panel.on(fed(answer(2, null)), fed(answer(2, null)));
  assert.deepEqual(panel.done("say"), [{ type: "say", text: "answer 2.", lang: "en" }]);
  assert.deepEqual(panel.shown, ["greeting 1", "answer 2"]);
  assert.equal(panel.state.lastSeq, 2);
});

test("what comes in while the chat is closed is said when it is opened, once", () => {
  const panel = Panel.open();
  panel.on({ type: "embedded", closes: true, shown: false });
  for (const event of [fed(answer(2, null)), fed(answer(3, null, { disposition: "emergency" }))]) {
    panel.on(event);
    assert.deepEqual([panel.said, panel.done("alert")], [[], []]);
  }
  panel.on({ type: "shown", shown: true });
  assert.deepEqual([panel.said, panel.done("alert").length], [["answer 2."], 1]);
  panel.on({ type: "shown", shown: false }, { type: "shown", shown: true });
  assert.deepEqual([panel.said, panel.done("alert")], [[], []]);
});

test("a chat that is a part of the page is heard before the patient has gone into it", () => {
  const panel = Panel.open();
  panel.on({ type: "embedded", closes: false, shown: false });
  panel.on(fed(answer(2, null)), fed(answer(3, null, { disposition: "emergency" })));
  assert.deepEqual([panel.said, panel.done("alert").length], [["answer 2."], 1]);
  panel.on({ type: "shown", shown: true });
  assert.deepEqual([panel.said, panel.done("alert")], [[], []]);
});

test("an emergency is an alert and not said politely", () => {
  const panel = Panel.open();
  panel.on(fed(answer(2, null, { disposition: "emergency" })));
  assert.equal(panel.done("alert").length, 1);
  assert.equal(panel.done("make_room").length, 1);
  assert.deepEqual(panel.said, []);
});

test("events stand in the order of their numbers, whatever order they come in", () => {
  const panel = Panel.open();
  panel.on(fed(answer(4, 2)), fed(message(2, "other")), fed(answer(3, null)));
  assert.deepEqual(panel.shown, ["greeting 1", "message 2", "answer 3", "answer 4"]);
  assert.equal(panel.state.lastSeq, 4);
  panel.on({ type: "feed_closed", code: undefined }, { type: "check_answered", token: "t1", result: { ok: true, status: 200, data: session() }, otherwise: null });
  assert.equal(panel.state.lastSeq, 4);
});

test("an answer that is late: shown and said to be written after 1 second, still after 3, each once, whom to call after 6, and then it comes", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on(stored(2));
  assert.deepEqual(panel.waits, [
    ["answer_due", 6000, "answer 2"],
    ["typing_due", 1000, "writing"],
    ["typing_due", 3000, "still"],
  ]);
  assert.deepEqual([panel.state.answerPending, panel.state.typing], [true, null]);
  panel.on({ type: "typing_due", typing: "writing" });
  assert.deepEqual([panel.said, panel.state.typing], [[words.chat.writing], "writing"]);
  panel.on({ type: "typing_due", typing: "still" });
  assert.deepEqual([panel.said, panel.state.typing], [[words.chat.still], "still"]);
  panel.on({ type: "answer_due" });
  assert.deepEqual(panel.said, [`${words.card.no_answer} Call 911.`]);
  assert.equal(panel.state.answerPending, true);
  panel.on(fed(answer(3, 2)));
  assert.deepEqual(panel.done("cancel").map(({ name }) => name), ["answer 2", "writing", "still"]);
  assert.deepEqual([panel.state.answerPending, panel.state.typing], [false, null]);
  assert.deepEqual(panel.shown, ["greeting 1", "a", "no_answer", "answer 3"]);
});

test("an answer in time is not said to be written", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on(stored(2), fed(answer(3, 2)));
  panel.on({ type: "typing_due", typing: "writing" });
  assert.deepEqual([panel.said, panel.state.typing], [[], null]);
});

test("an answer that came before the receipt is not waited for", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on(fed(answer(3, 2)));
  panel.on(stored(2));
  assert.deepEqual(panel.waits, []);
  assert.deepEqual(panel.shown, ["greeting 1", "a", "answer 3"]);
});

test("the end of a chat ends the waits for its answers", () => {
  const panel = Panel.open();
  panel.say("a");
  panel.on(stored(2));
  panel.on({ type: "feed_closed", code: "session_expired" });
  assert.deepEqual(panel.done("cancel"), [{ type: "cancel", name: "answer 2" }]);
  assert.equal(panel.state.answerPending, false);
});

test("what is sent with a row missing leads to that row, which says so until it is answered", () => {
  const panel = asking();
  panel.on(ticked(chest, "no"), { type: "rows_sent", clientId: "b" });
  assert.deepEqual([panel.mine, panel.state.missing], [[], "fever"]);
  assert.deepEqual([panel.said, panel.done("focus")], [[words.check.missing], [{ type: "focus", id: "row-fever" }]]);
  const shown = () => {
    const { m, chat } = page(panel.state);
    return written(transcript(m, chat, {} as TranscriptActions));
  };
  assert.match(shown(), /<fieldset class="row" aria-describedby="missing-fever".*Fever\?<\/legend><p class="error" id="missing-fever">/);
  panel.on(ticked(fever, "no"));
  assert.doesNotMatch(shown(), /missing-fever/);
  panel.on({ type: "rows_sent", clientId: "b" });
  assert.deepEqual(panel.mine, ["b sending"]);
});

test("for a second after a tap, and after a card or a line with numbers came, no tap dials", () => {
  const panel = asking();
  panel.on({ type: "pressed", clientId: "b", id: "yes", title: "Yes" });
  const moves: (() => unknown)[] = [
    () => panel.on(fed(answer(4, 3, { disposition: "emergency", blocks: [{ kind: "advice", text: "Call 911." }] }))),
    () => panel.on(fed(status(5, "tried"))),
    () => panel.on(notSent(NO_NETWORK)),
  ];
  for (const move of [() => undefined, ...moves]) {
    move();
    assert.equal(panel.state.fresh, true, String(move));
    panel.on({ type: "fresh_over" });
    assert.equal(panel.state.fresh, false);
  }
});

test("a key or a screen reader dials at once, a finger when the second is over", () => {
  assert.deepEqual([isMeant({ detail: 0 }, true), isMeant({ detail: 1 }, true), isMeant({ detail: 2 }, true)], [true, false, false]);
  assert.equal(isMeant({ detail: 1 }, false), true);
});

test("buttons and rows that have just appeared take no tap for a second", () => {
  const panel = Panel.open();
  panel.on(fed(answer(2, null, { check, buttons: [{ id: "yes", title: "Yes" }] })));
  assert.deepEqual(panel.waits, [["fresh_over", 1000, "fresh"]]);
  assert.equal(panel.done("make_room").length, 1);
  panel.on({ type: "pressed", clientId: "b", id: "yes", title: "Yes" }, ticked(chest, "yes"));
  assert.deepEqual([panel.effects, panel.mine, panel.state.ticks], [[], [], {}]);
  panel.on({ type: "fresh_over" });
  panel.on({ type: "pressed", clientId: "b", id: "yes", title: "Yes" });
  assert.deepEqual(panel.mine, ["b sending"]);
  assert.deepEqual(panel.effects.slice(-2), [{ type: "to_newest" }, { type: "focus", id: "words", byFinger: "main" }]);
});

test("a sure Yes that is an emergency is sent at once with all that was answered; one passed on the way is not", () => {
  const panel = asking();
  panel.on(ticked(fever, "no"), ticked(chest, "yes", false));
  assert.deepEqual(panel.asked("send"), []);
  assert.deepEqual(panel.said, [words.check.complete]);
  panel.on(ticked(chest, "yes"));
  assert.deepEqual(panel.asked("send").map(({ item }) => item.rows?.map(({ id, answer: given }) => [id, given])), [[["chest", "yes"], ["fever", "no"]]]);
  assert.deepEqual(panel.effects.slice(-2), [{ type: "to_newest" }, { type: "focus", id: "words", byFinger: "main" }]);
});

test("rows go with what is typed, and are closed by it", () => {
  const panel = asking();
  panel.on({ type: "rows_sent", clientId: "empty" });
  assert.deepEqual(panel.asked("send"), []);
  panel.on(ticked(fever, "yes"));
  panel.say("a");
  assert.deepEqual(panel.asked("send").map(({ item }) => [item.text, item.rows?.length]), [["a", 1]]);
  panel.on(ticked(chest, "yes"));
  assert.deepEqual(panel.effects, []);
});

test("a new answer begins with no row answered, folded", () => {
  const panel = asking();
  panel.on({ type: "unfolded", focus: "row-chest" }, { type: "fresh_over" }, ticked(fever, "no"));
  assert.deepEqual([panel.state.unfolded, panel.state.ticks], [true, { fever: "no" }]);
  panel.on(fed(answer(3, null, { check })));
  assert.deepEqual([panel.state.unfolded, panel.state.ticks, panel.state.fresh], [false, {}, true]);
});

test("who writes is told and said when it changes elsewhere", () => {
  const panel = Panel.open();
  panel.on(fed({ kind: "writer", seq: 2, at: "", writer: "helper" }));
  assert.equal(panel.state.writer, "helper");
  assert.deepEqual(panel.said, [words.chat.writer_helper]);
});

test("what fails on the page shows whom to call, once", () => {
  const panel = Panel.open();
  panel.on({ type: "broken" }, { type: "broken" });
  assert.deepEqual(panel.shown, ["greeting 1", "trouble"]);
  assert.deepEqual(panel.said, [`${words.card.trouble} Call 911.`]);
});

test("the same state and event lead to the same, and the state that was is not changed", () => {
  const panel = asking();
  const before = panel.state;
  const copy = JSON.stringify(before);
  const first = [panel.say("a"), panel.state];
  panel.state = before;
  assert.deepEqual([panel.say("a"), panel.state], first);
  assert.equal(JSON.stringify(before), copy);
});
