import assert from "node:assert/strict";
import { test } from "node:test";
import { answerBody, safetyCard } from "../src/panel/cards";
import { purpose, sends } from "../src/panel/composer";
import { header, numbers } from "../src/panel/header";
import { transcript, type TranscriptActions } from "../src/panel/transcript";
import type { Config, Reply, Session } from "../src/shared/types";
import { answer, config, fed, message, Panel, session } from "./panel";
import { page, written } from "./written";

const words = config.strings;
const contact = (id: string, number: string, now = false) => ({ id, number, href: `tel:${number}`, now });
const contacts = [contact("emergency", "911"), contact("clinic", "555-0100", true), contact("after_hours", "555-0199")];
const doctor: Reply = { disposition: "call_doctor", blocks: [{ kind: "advice", text: "Call your doctor now at 555-0100.\nAt other times call 555-0199." }] };
const home: Reply = { disposition: "self_care", blocks: [{ kind: "advice", text: "You can care for this at home.\nCall 555-0100 if it gets worse." }] };
const danger: Reply = { disposition: "emergency", blocks: [{ kind: "advice", text: "This is an emergency. Call 911 now.\nDo not drive." }] };
const actions = {} as TranscriptActions;

function at(to_call: Session["to_call"], change: Partial<Config> = {}) {
  const panel = Panel.open();
  panel.on({ type: "fed_session", session: session({ to_call: to_call ?? null }) });
  return page(panel.state, { contacts, ...change });
}

const chatOf = (panel: Panel) => {
  const { m, chat } = page(panel.state, { contacts });
  return written(transcript(m, chat, actions));
};
const called = (html: string) => [...html.matchAll(/class="call call-(\w+)"/g)].map(([, id]) => id);

test("the header has the emergency number, and of the clinic's two the one that is answered, with its label", () => {
  const links = (to_call: Session["to_call"]) => {
    const { m, chat } = at(to_call);
    return [...written(header(m, chat, { toggleMenu: () => {}, close: () => {} })).matchAll(/href="(.*?)">(.*?)</g)].map(([, href, label]) => [href, label]);
  };
  assert.deepEqual(links("clinic"), [["tel:911", "Call 911"], ["tel:555-0100", "Call clinic"]]);
  assert.deepEqual(links("after_hours"), [["tel:911", "Call 911"], ["tel:555-0199", "Call nurse"]]);
  assert.deepEqual(links(null)[1], ["tel:555-0100", "Call clinic"]);
});

test("that the clinic is open or closed is in the name of its button and in the menu, and is no label", () => {
  for (const [to_call, name, said] of [["clinic", "Call clinic 555-0100", words.phones.open], ["after_hours", "Call nurse 555-0199", words.phones.closed]] as const) {
    const { m, chat } = at(to_call);
    assert(written(header(m, chat, { toggleMenu: () => {}, close: () => {} })).includes(`aria-label="${name}. ${said}"`), name);
    assert(written(numbers(m)).includes(`${said}</p>`), said);
  }
});

test("the menu has every number, each with its label", () => {
  const { m } = at("after_hours");
  assert.deepEqual(called(written(numbers(m))), ["emergency", "after_hours", "clinic"]);
  for (const label of ['Call <span class="nb">911', "Call the nurse line: ", "Call the clinic: "]) assert(written(numbers(m)).includes(label), label);
});

test("while the clinic is closed a card for the doctor says so and leads with the number that is answered", () => {
  const open = written(answerBody(at("clinic").m, doctor, "a"));
  const closed = written(answerBody(at("after_hours").m, doctor, "a"));
  assert.deepEqual([called(open), called(closed)], [["clinic", "after_hours"], ["after_hours", "clinic"]]);
  const heading = (html: string) => /<h2.*?<\/h2>/.exec(html)![0].replace(/<.*?>/g, "");
  assert.match(heading(open), /Call your doctor now at 555-0100/);
  assert.match(heading(closed), /The clinic is closed now. Call the nurse line: 555-0199/);
  assert(closed.includes("Call your doctor now at"));
  const short = { ...doctor, blocks: [{ kind: "advice", text: "Call your doctor now at 555-0100." }] };
  assert.deepEqual(called(written(answerBody(at("after_hours").m, short, "a"))), ["after_hours", "clinic"]);
});

test("advice to go elsewhere because nobody answers leads with that at any hour", () => {
  const elsewhere: Reply = { ...doctor, blocks: [{ kind: "advice", text: "Go to the ER now.\nIf you get worse, call 911." }] };
  const { m } = at("after_hours");
  const card = written(answerBody(m, elsewhere, "a"));
  assert.match(card, /<\/span>Go to the ER now\.<\/h2>/);
  assert.doesNotMatch(card, /care-label/);
  assert.match(written(answerBody(m, doctor, "a")), /care-label/);
  assert.deepEqual(called(card), ["emergency"]);
  const panel = Panel.open();
  panel.on({ type: "fed_session", session: session({ to_call: "after_hours" }) }, fed(answer(2, null, elsewhere)), fed(answer(3, null, elsewhere)));
  const line = page(panel.state, { contacts });
  for (const shown of [card, written(transcript(line.m, line.chat, actions)), panel.said[0]!, panel.said[1]!]) assert.doesNotMatch(shown, /closed/);
});

test("in an emergency the clinic comes last, and while it is closed the number that is answered stands in its place", () => {
  const told: Reply = { ...danger, blocks: [{ kind: "advice", text: "Go to the ER now.\nWhen you are safe, tell your doctor at 555-0100.\nNo ride? Call 911." }] };
  assert.deepEqual(called(written(answerBody(at("clinic").m, told, "a"))), ["emergency", "clinic"]);
  assert.deepEqual(called(written(answerBody(at("after_hours").m, told, "a"))), ["emergency", "after_hours"]);
});

test("an emergency keeps its order at any hour, and the safety card has the number that is answered", () => {
  const { m } = at("after_hours");
  assert.deepEqual(called(written(answerBody(m, danger, "a"))), ["emergency"]);
  assert.deepEqual(called(written(safetyCard(m, config.safety, "", "a"))), ["emergency", "after_hours", "clinic"]);
});

test("on a card for the doctor the emergency number comes last and says when; on an emergency it is what to do", () => {
  const { m } = at("clinic");
  const fever: Reply = { ...doctor, blocks: [{ kind: "advice", text: "Call 911 if you faint.\nCall your doctor now at 555-0100." }] };
  const card = written(answerBody(m, fever, "a"));
  assert.deepEqual(called(card), ["clinic", "emergency"]);
  assert.match(card, /call-emergency"[^>]*><span>Emergency: call <span class="nb">911</);
  assert.match(written(answerBody(m, danger, "a")), /call-emergency"[^>]*><span>Call <span class="nb">911</);
});

test("care at home does not begin with a call", () => {
  const card = written(answerBody(at("clinic").m, home, "a"));
  assert(card.indexOf('class="calls"') > card.indexOf("if it gets worse"));
});

test("advice that is repeated is one line that leads back to its card; other words are a card again", () => {
  const panel = Panel.open();
  panel.on(fed(answer(2, null, doctor)), fed(answer(3, null, { ...doctor, blocks: [...doctor.blocks, { kind: "say", text: "Noted." }, { kind: "question", text: "Both legs?" }] })));
  const shown = chatOf(panel);
  assert.equal(shown.match(/class="care /g)?.length, 1);
  assert.match(shown, new RegExp(`<p>Noted.</p>.*${words.card.stands}.*Call your doctor now at .*${words.card.show}.*Both legs`));
  panel.on(fed(answer(4, null, { ...doctor, blocks: [...doctor.blocks, { kind: "why", text: "Why: fever." }] })));
  assert.equal(chatOf(panel).match(/class="care /g)?.length, 2);
});

test("advice that stands is said to stand once, and its number can be called", () => {
  const panel = Panel.open();
  const again = [{ kind: "say", text: "Call and ask.\nWhat I told you stands:" }, ...doctor.blocks];
  panel.on(fed(answer(2, null, doctor)), fed(answer(3, null, { ...doctor, blocks: again })));
  const [, last = ""] = chatOf(panel).split(/(?=<p>Call and ask)/);
  assert.equal(last.split(words.card.stands).length, 2);
  assert.match(last, /<strong>Call your doctor now at <a class="tel" href="tel:555-0100">555-0100<\/a>\.<\/strong>/);
});

test("an emergency is shown whole at first, and keeps its call button when it is repeated", () => {
  const panel = Panel.open();
  panel.on(fed(answer(2, null, home)), fed(answer(3, null, danger)));
  assert.match(chatOf(panel), /class="care care-emergency"/);
  for (const advice of ["This is an emergency. Call 911 now.", "This is an emergency. Go to the ER now."]) {
    const first = { ...danger, blocks: [{ kind: "advice" as const, text: advice }] };
    const again = Panel.open();
    again.on(fed(answer(2, null, first)), fed(answer(3, null, first)));
    const [said = ""] = /<section class="stands stands-emergency".*?<\/section>/.exec(chatOf(again)) ?? [];
    assert.deepEqual(called(said), ["emergency"]);
    assert.match(said, new RegExp(words.card.emergency_prefix));
  }
});

test("the text box says what it is for", () => {
  const panel = Panel.open();
  assert.equal(purpose(panel.state), "patient");
  panel.on({ type: "chose_topic", topic: "question" });
  assert.equal(purpose(panel.state), "question");
  assert.deepEqual(panel.done("focus"), [{ type: "focus", id: "words" }]);
  panel.on({ type: "chose_writer", writer: "helper" }, { type: "chose_topic", topic: "symptom" });
  assert.equal(purpose(panel.state), "helper");
  panel.on(fed(answer(2, null, { buttons: [{ id: "y", title: "Yes" }] })));
  assert.equal(purpose(panel.state), "answer");
  panel.on(fed(message(3, "b")));
  assert.equal(purpose(panel.state), "helper");
});

test("the first screen offers three ways to begin, until something is said", () => {
  const panel = Panel.open();
  for (const label of [words.start.symptom, words.start.question, words.start.helper]) assert(chatOf(panel).includes(label), label);
  const pressed = () => [...chatOf(panel).matchAll(/aria-pressed="true">(.*?)</g)].map(([, label]) => label);
  assert.deepEqual(pressed(), []);
  panel.on({ type: "chose_writer", writer: "helper" }, { type: "chose_topic", topic: "question" });
  assert.deepEqual(pressed(), [words.start.question, words.start.helper]);
  panel.say("a");
  assert(!chatOf(panel).includes(words.start.symptom));
});

test("who answers is said once: by the greeting, or by the notice where that speaks another language or is not there", () => {
  const starting = new Panel();
  assert(chatOf(starting).includes(words.notice.program));
  const panel = Panel.open();
  assert(!chatOf(panel).includes(words.notice.program));
  for (const fact of ["Not for emergencies", words.notice.nurse, "Your words go to"]) assert(chatOf(panel).includes(fact), fact);
  const { m, chat } = page(panel.state, { contacts, lang: "es" });
  assert(written(transcript(m, chat, actions)).includes(words.notice.program));
});

test("Enter sends, but not the one that ends a word of an input method, or begins a line", () => {
  const enter = { key: "Enter", shiftKey: false, isComposing: false, keyCode: 13 };
  assert(sends(enter));
  for (const change of [{ keyCode: 229 }, { isComposing: true }, { shiftKey: true }, { key: "a" }]) assert(!sends({ ...enter, ...change }));
});

test("the card for a lost line goes when the line is back", () => {
  const panel = Panel.open();
  panel.on({ type: "feed_down" });
  assert.deepEqual(panel.shown, ["greeting 1", "offline"]);
  panel.on({ type: "feed_up" });
  assert.deepEqual(panel.shown, ["greeting 1"]);
});

test("a screen reader is told that the clinic is closed", () => {
  const panel = Panel.open();
  panel.on({ type: "fed_session", session: session({ to_call: "after_hours" }) }, fed(answer(2, null, doctor)));
  assert.match(panel.said[0]!, /The clinic is closed now/);
  panel.on({ type: "fed_session", session: session({ to_call: "clinic" }) }, fed(answer(3, null, doctor)));
  assert.doesNotMatch(panel.said[0]!, /closed/);
});

test("what could not be sent names the number that is answered now", () => {
  for (const [to_call, number] of [["clinic", "555-0100"], ["after_hours", "555-0199"], [null, "555-0100"]] as const) {
    const { m } = at(to_call);
    assert.equal(m.fill(words.delivery.failed), `Not delivered. Call ${number}. In an emergency call 911.`);
  }
});
