import assert from "node:assert/strict";
import { test } from "node:test";
import { callbackView } from "../src/panel/callback";
import { composer } from "../src/panel/composer";
import { menu, type MenuActions } from "../src/panel/menu";
import { summaryText, summaryView } from "../src/panel/summary";
import { transcript } from "../src/panel/transcript";
import { panel as wholePanel } from "../src/panel/view";
import type { Config, Summary } from "../src/shared/types";
import { answer, config, fed, message, NO_NETWORK, notSent, ok, Panel } from "./panel";
import { followed, followup, held, request, staff, status } from "./staff";
import { page, written } from "./written";

const words = config.strings;
const offers = ["callback" as const];
const actions = {} as never;
const ASK = words.callback.ask;

function chatOf(panel: Panel, change: Partial<Config> = {}): string {
  const { m, chat } = page(panel.state, change);
  return written(transcript(m, chat, actions));
}

function formOf(panel: Panel): string {
  const { m, chat } = page(panel.state);
  return written(callbackView(m, chat, actions));
}

function whole(panel: Panel): string {
  const { m, chat } = page(panel.state);
  return written(wholePanel(m, chat, { transcript: {}, menu: {}, summary: {}, callback: {}, composer: {} } as never));
}

function asking(number: string): Panel {
  const panel = Panel.open();
  const result = ok({ text: "A nurse reads it on Monday.\nCall 555-0100 at night.", number: null, requested_at: null });
  panel.on({ type: "opened_callback" }, { type: "callback_info_answered", result, token: "t1" }, { type: "callback_filled", change: { number } });
  return panel;
}

test("a nurse's message has a sign and who wrote it, and its numbers can be called", () => {
  const panel = Panel.open();
  panel.on(fed(staff(2, "I call you.\nOr call 555-0100.")));
  const [, item = ""] = /(<li class="nurse">.*?<\/li>)/.exec(chatOf(panel)) ?? [];
  assert.match(item, /aria-hidden="true">\+<\/span><span>Ann, nurse<\/span>/);
  assert.match(item, /<a class="tel" href="tel:5550100">555-0100<\/a>/);
  assert(!item.includes(words.chat.program));
  assert.match(chatOf(panel, { lang: "es" }), /<span lang="en">Ann, nurse<\/span>/);
});

test("notice and text box say that a nurse reads, as long as one holds the chat", () => {
  const panel = Panel.open();
  const named = () => [words.notice.nurse_now, words.composer.label_nurse].filter((one) => whole(panel).includes(one)).length;
  const program = () => [words.notice.nurse, words.composer.label_patient].filter((one) => whole(panel).includes(one)).length;
  assert.deepEqual([named(), program()], [0, 2]);
  panel.on(fed(status(2, "held")));
  assert.deepEqual([named(), program()], [2, 0]);
  const { m, chat } = page(panel.state);
  assert.match(written(composer(m, chat, actions)), new RegExp(`<label for="words">${words.composer.label_nurse}</label>`));
  panel.on(fed(status(3, "handed_back")));
  assert.deepEqual([named(), program()], [0, 2]);
});

test("a held answer shows nothing", () => {
  const panel = Panel.open();
  panel.on(fed(message(2, "a")));
  const before = chatOf(panel);
  panel.on(fed(held(3, 2)));
  assert.equal(chatOf(panel), before.replace(/<li class="writing">.*?<\/li>/, ""));
});

test("a status is a line, and a card where it has a disposition", () => {
  const panel = Panel.open();
  panel.on(fed(status(2, "seen")));
  assert.match(chatOf(panel), /<li class="status"><div><p>status seen<\/p><\/div>/);
  panel.on(fed(status(3, "follow_up", { disposition: "emergency", blocks: [{ kind: "advice", text: "Call 911 now." }] })));
  assert.match(chatOf(panel), /<li class="program">.*<section class="care care-emergency" .*Call 911 now\./);
});

test("the offer stands once, behind the newest reply that has it and below its instruction", () => {
  const panel = Panel.open();
  panel.on(fed(answer(2, null, { offers })), fed(answer(3, null, { offers, disposition: "call_doctor", blocks: [{ kind: "advice", text: "Call your doctor." }] })));
  const shown = chatOf(panel);
  assert.equal(shown.split(ASK).length, 2);
  assert(shown.indexOf(ASK) > shown.indexOf("Call your doctor."));
  panel.on(fed(status(4, "wrong_number", { offers })));
  assert(chatOf(panel).indexOf(ASK) > chatOf(panel).indexOf("status wrong_number"));
  panel.on(fed(answer(5, null, { disposition: "emergency" })));
  assert(!chatOf(panel).includes(ASK));
});

test("a request stands as the patient filled it in, with its receipt from the program", () => {
  const panel = Panel.open();
  panel.on(fed(request(2, { name: "Ada <b>", whose: "helper", best: "noon" })));
  const [, mine = "", receipt = ""] = /(<li class="you">.*?<\/div><\/li>)(<li class="program">.*?<\/li>)/.exec(chatOf(panel)) ?? [];
  for (const part of ["555-0142", "Ada &lt;b>", words.callback.whose_helper, "noon"]) assert(mine.includes(part), part);
  assert(receipt.includes("The nurses have it."));
  panel.on(fed(request(3)));
  assert.equal(chatOf(panel).split(words.callback.best).length, 2);
});

test("a followup has its buttons until it is answered; what was chosen is the patient's bubble", () => {
  const panel = Panel.open();
  panel.on(fed(followup(2)));
  assert.equal(chatOf(panel).split('class="choice"').length, 4);
  assert.match(chatOf(panel), /aria-disabled="true"/);
  panel.on({ type: "fresh_over" });
  assert.doesNotMatch(chatOf(panel), /aria-disabled/);
  const open = panel.state;
  panel.on({ type: "followup_pressed", clientId: "f", seq: 2, id: "reached", title: "Yes" }, notSent(NO_NETWORK));
  assert.doesNotMatch(chatOf(panel), /class="choice"/);
  assert.match(chatOf(panel), new RegExp(`<li class="you">.*Yes.*${words.delivery.waiting}`));
  panel.state = open;
  panel.on(fed(followed(3, 2, "elsewhere")));
  assert.doesNotMatch(chatOf(panel), /class="choice"/);
  assert.match(chatOf(panel), new RegExp(`<li class="you">.*Yes.*${words.delivery.stored}`));
});

test("the form: the server's words on top, the emergency number above the fields, and each field with its label", () => {
  const form = formOf(asking("555-0142"));
  const at = [ASK, "A nurse reads it on Monday.", "In an emergency call", 'id="callback-number"', words.callback.whose, 'id="callback-name"', 'id="callback-best"', words.callback.send, words.callback.cancel].map((part) => form.indexOf(part));
  assert.deepEqual(at, [...at].sort((a, b) => a - b));
  assert(at[0]! > 0);
  assert.match(form, /type="tel" autocomplete="tel" required maxlength="40" aria-invalid="false" aria-describedby="callback-error" value="555-0142"/);
  assert.match(form, /type="text" autocomplete="name" maxlength="80"/);
  for (const field of ["number", "name", "best"]) assert(form.includes(`<label for="callback-${field}">`), field);
  assert.match(form, /value="patient" checked="true"/);
  assert.match(form, /<a class="tel" href="tel:5550100">555-0100<\/a> at night/);
});

test("once there was an emergency, the form begins with it and with its number, and says it once", () => {
  const panel = asking("555-0142");
  const danger = [{ kind: "advice", text: "This is an emergency." }];
  panel.on(fed(answer(2, null, { disposition: "emergency", blocks: danger })), fed(answer(3, null)), { type: "went_to", view: "callback" });
  const contacts = [{ id: "emergency", number: "911", href: "tel:911" }];
  const { m, chat } = page(panel.state, { contacts });
  const form = written(callbackView(m, chat, actions));
  const at = ["I told you this is an emergency. Do that first", 'class="call call-emergency"', "A nurse reads it on Monday.", 'id="callback-number"'].map((part) => form.indexOf(part));
  assert.deepEqual(at, [...at].sort((a, b) => a - b));
  assert(at[0]! > 0);
  assert(!form.includes("In an emergency call"));
});

test("who helps is told whose name is asked for", () => {
  const panel = asking("555-0142");
  const label = () => /<label for="callback-name">(.*?)</.exec(formOf(panel))?.[1];
  assert.equal(label(), words.callback.name);
  panel.on({ type: "chose_writer", writer: "helper" });
  assert.equal(label(), words.callback.name_helper);
  panel.on({ type: "callback_filled", change: { whose: "patient" } });
  assert.equal(label(), words.callback.name_patient);
});

test("the form says what is wrong beside the number, why it was not sent, and that it is on its way", () => {
  const panel = asking("");
  assert.match(formOf(panel), /<p id="callback-error" class="error" hidden><\/p>/);
  panel.on({ type: "callback_sent", clientId: "c" });
  assert.match(formOf(panel), new RegExp(`<p id="callback-error" class="error">${words.callback.number_missing}</p><input [^>]*aria-invalid="true"`));
  panel.on({ type: "callback_filled", change: { number: "555-0142" } }, { type: "callback_sent", clientId: "c" });
  assert.match(formOf(panel), new RegExp(`<button type="submit" class="primary" aria-disabled="true">${words.delivery.sending}</button>`));
  panel.on({ type: "callback_answered", result: NO_NETWORK, token: "t1" });
  assert.match(formOf(panel), /id="callback-problem".*may not have been sent.*<a class="tel" href="tel:5550100">/);
});

test("the form without the server's words, and with a request that is open", () => {
  const panel = Panel.open();
  panel.on({ type: "opened_callback" });
  assert(formOf(panel).includes(words.callback.loading));
  panel.on({ type: "callback_info_answered", result: NO_NETWORK, token: "t1" });
  assert.match(formOf(panel), /We cannot tell you right now/);
  panel.on({ type: "callback_info_answered", result: ok({ text: "Soon.", number: null, requested_at: "noon" }), token: "t1" });
  assert.match(formOf(panel), /You already asked for a call \(at noon\)/);
});

test("the menu begins and ends with the way back, and a call comes next while the chat is open", () => {
  const panel = Panel.open();
  const shown = () => {
    const { m, chat } = page(panel.state);
    return written(menu(m, chat, {} as MenuActions));
  };
  const back = `<button type="button" class="primary">${words.menu.back}</button>`;
  assert.match(shown(), new RegExp(`^<section [^>]*>${back}<button type="button" class="quiet">${ASK}</button>.*${back}</section>$`));
  panel.on({ type: "feed_closed", code: "session_expired" });
  assert(!shown().includes(ASK));
});

test("a chat that closed over the form says that the request was not sent", () => {
  const panel = asking("555-0142");
  panel.on({ type: "feed_closed", code: "session_expired" });
  assert(chatOf(panel).includes(words.expiry.unsent_call));
  for (const events of [[{ type: "went_to", view: "chat" }], [{ type: "callback_sent", clientId: "c" }]] as const) {
    const other = asking("555-0142");
    other.on(...events, { type: "feed_closed", code: "session_expired" });
    assert(!chatOf(other).includes(words.expiry.unsent_call));
  }
});

test("the summary names the nurse, on the page and in the file", () => {
  const said = (who: "patient" | "assistant" | "nurse", text: string) => ({ at: "noon", who, blocks: [{ kind: "say", text }] });
  const summary: Summary = {
    clinic: "Clinic",
    started_at: "morning",
    printed_at: "evening",
    writer: "patient",
    items: [said("patient", "Call me at 555-0142."), said("nurse", "I will."), said("assistant", "Noted.")],
    advice: null,
    watch: [],
    protocol: { id: "p", version: "1" },
  };
  const panel = Panel.open();
  panel.on({ type: "opened_summary" }, { type: "summary_answered", token: "t1", result: ok(summary) });
  const { m, chat } = page(panel.state);
  const shown = written(summaryView(m, chat, actions));
  assert.match(shown, /<li class="log-nurse"><p class="who">Nurse <time>at noon<\/time><\/p><div lang="en"><p>I will\.<\/p>/);
  assert(shown.includes(words.summary.program_and_nurse));
  const file = summaryText(m, summary, (iso) => iso, (iso) => iso);
  for (const line of ["noon You:\n  Call me at 555-0142.", "noon Nurse:\n  I will.", `noon ${words.chat.program}:\n  Noted.`, words.summary.program_and_nurse]) assert(file.includes(line), line);
  const alone = { ...summary, items: summary.items.filter((item) => item.who !== "nurse") };
  assert(summaryText(m, alone, (iso) => iso, (iso) => iso).includes(words.summary.program));
});
