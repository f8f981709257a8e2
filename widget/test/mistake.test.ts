import assert from "node:assert/strict";
import { test } from "node:test";
import { MISTAKE } from "../src/panel/chat/mistake";
import { transcript, type TranscriptActions } from "../src/panel/transcript";
import type { AnswerEvent, Check, Row } from "../src/shared/types";
import es from "../strings/es.json";
import { answer, config, EXPIRED, fed, message, Panel, stored } from "./panel";
import { status } from "./staff";
import { page, written } from "./written";

const words = config.strings;
const chest: Row = { id: "chest", text: "Chest pain?", danger: true };
const fever: Row = { id: "fever", text: "Fever?", danger: false };
const check: Check = { waits: true, rows: [chest, fever] };
const danger: Partial<AnswerEvent> = { disposition: "emergency", blocks: [{ kind: "advice", text: "Call 555-0100." }], offers: ["callback"] };
const MISTAKEN = { type: "mistaken", clientId: "back" } as const;

const ticked = (row: Row, given: "yes" | "no") => ({ type: "row_answered", clientId: `row ${row.id}`, row, answer: given, sure: true }) as const;

function asking(): Panel {
  const panel = Panel.open();
  panel.on(fed(answer(2, null, { check, buttons: [{ id: "yes", title: "Yes" }] })), { type: "fresh_over" });
  return panel;
}

/** A Yes to the chest pain that was sent at once, and its answer. */
function alarmed(): Panel {
  const panel = asking();
  panel.on(ticked(chest, "yes"));
  assert.deepEqual(panel.waits.filter(([type]) => type === "tap_over"), [["tap_over", 60000, "tap"]]);
  assert.equal(offered(panel), "");
  panel.on(stored(3), fed(answer(4, 3, danger)));
  return panel;
}

/** The button that takes the tap back, if it is there. */
function offered(panel: Panel, strings = words): string {
  const { m, chat } = page(panel.state, { strings });
  return /<button[^>]*class="quiet mistake[^]*?<\/button>/.exec(written(transcript(m, chat, {} as TranscriptActions)))?.[0] ?? "";
}

test("below the answer to a tap is a button that takes it back, once it takes taps", () => {
  const panel = alarmed();
  assert.match(offered(panel), /aria-disabled="true"/);
  panel.on(MISTAKEN);
  assert.deepEqual([panel.effects, panel.mine], [[], ["row chest stored"]]);
  panel.on({ type: "fresh_over" });
  assert.doesNotMatch(offered(panel), /aria-disabled|gone/);
  assert.match(offered(panel), new RegExp(words.chat.mistake));
  const { m, chat } = page(panel.state);
  const shown = written(transcript(m, chat, {} as TranscriptActions));
  assert.match(shown, /class="calls">.*<\/a><\/div><button[^>]*class="quiet mistake"/);
});

test("it sends the words that the program reads, once, and it takes no second tap", () => {
  const panel = alarmed();
  panel.on({ type: "fresh_over" });
  panel.on(MISTAKEN);
  assert.deepEqual(panel.asked("send").map(({ item }) => [item.text, item.rows, item.button]), [[words.chat.mistake, undefined, undefined]]);
  assert.equal(MISTAKE, words.chat.mistake);
  assert.equal(offered(panel), "");
  panel.on({ type: "fresh_over" });
  panel.on(MISTAKEN);
  assert.deepEqual(panel.effects, []);
  panel.on(stored(5), fed(answer(6, 5, { check })));
  assert.equal(offered(panel), "");
});

test("in Spanish the button is Spanish, and what it sends is not", () => {
  const panel = alarmed();
  assert.match(offered(panel, es), new RegExp(es.chat.mistake));
  assert.notEqual(es.chat.mistake, MISTAKE);
});

test("after a minute it is gone and its place is kept", () => {
  const panel = alarmed();
  panel.on({ type: "fresh_over" }, { type: "tap_over" });
  assert.match(offered(panel), /quiet mistake gone/);
  panel.on(MISTAKEN);
  assert.deepEqual(panel.effects, []);
});

test("a quick reply and answers that are sent together can be taken back, typed words cannot", () => {
  const button = asking();
  button.on({ type: "pressed", clientId: "b", id: "yes", title: "Yes" }, stored(3), fed(answer(4, 3)));
  assert.notEqual(offered(button), "");
  const together = asking();
  together.on(ticked(chest, "no"), ticked(fever, "no"), { type: "rows_sent", clientId: "all" }, stored(3), fed(answer(4, 3)));
  assert.notEqual(offered(together), "");
  together.say("and sore");
  together.on(stored(5), fed(answer(6, 5)));
  assert.equal(offered(together), "");
  const typed = asking();
  typed.on(ticked(fever, "yes"));
  typed.say("sore");
  typed.on(stored(3), fed(answer(4, 3)));
  assert.equal(offered(typed), "");
});

test("not while a nurse holds the chat, nor when it is over, nor when something was said in another tab, nor below what answers no tap", () => {
  const held = alarmed();
  held.on(fed(status(5, "held")), { type: "fresh_over" });
  assert.equal(offered(held), "");
  held.on(MISTAKEN);
  assert.deepEqual(held.effects, []);
  const over = alarmed();
  over.on({ type: "check_answered", token: "t1", result: EXPIRED, otherwise: null });
  assert.equal(offered(over), "");
  const elsewhere = alarmed();
  elsewhere.on(fed(message(5, "other tab")));
  assert.equal(offered(elsewhere), "");
  elsewhere.on(fed(answer(6, 5)));
  assert.equal(offered(elsewhere), "");
});

test("Send without words says what is missing: words, answers, or Send answers; an answer takes that away", () => {
  const panel = asking();
  const hint = (): string => {
    panel.on({ type: "said_nothing" });
    assert.deepEqual(panel.said, [panel.state.hint]);
    return panel.state.hint;
  };
  assert.equal(hint(), words.composer.empty);
  panel.on(ticked(fever, "no"));
  assert.equal(panel.state.hint, "");
  assert.equal(hint(), words.composer.unsent_rows);
  panel.on(ticked(chest, "no"));
  assert.equal(hint(), words.check.complete);
  panel.on(fed(answer(3, null)));
  assert.equal(panel.state.hint, "");
});
