import assert from "node:assert/strict";
import { test } from "node:test";
import { failure } from "../src/panel/api";
import { reducer } from "../src/panel/chat/reduce";
import { languageChoice, languageSetting } from "../src/panel/languages";
import { menu } from "../src/panel/menu";
import { transcript } from "../src/panel/transcript";
import type { Config, Words } from "../src/shared/types";
import en from "../strings/en.json";
import es from "../strings/es.json";
import type { PanelEvent } from "../src/panel/chat/events";
import { config, fed, GREETING, message, NO_NETWORK, notSent, ok, Panel, session, started } from "./panel";
import { page, written } from "./written";

const LANGUAGES = [
  { tag: "en", name: "English" },
  { tag: "es", name: "Español" },
];
const SPANISH: Words = { lang: "es", dir: "ltr", strings: es, clinic: config.clinic, contacts: config.contacts, safety: config.safety };
const chosen = { type: "chose_language", tag: "es" } as const;
const answered = { type: "words_answered", result: ok(SPANISH), tag: "es" } as const;
const nothingToDo = {} as never;

function firstScreen(change: Partial<Config>): string {
  const { m, chat } = page(Panel.open().state, change);
  return written(transcript(m, chat, nothingToDo));
}

function menuOf(panel: Panel, change: Partial<Config>): string {
  const { m, chat } = page(panel.state, change);
  return written(menu(m, chat, nothingToDo));
}

test("with one language there is nothing to choose", () => {
  for (const languages of [[], LANGUAGES.slice(0, 1)]) {
    assert(!firstScreen({ languages }).includes("English"));
    assert(!menuOf(Panel.open(), { languages }).includes("English"));
  }
});

test("each language is named in itself, on the first screen and in the menu, and the one in use is pressed", () => {
  for (const shown of [firstScreen({ languages: LANGUAGES }), menuOf(Panel.open(), { languages: LANGUAGES })]) {
    assert.match(shown, /<button type="button" class="choice" lang="en" aria-pressed="true">English<\/button>/);
    assert.match(shown, /<button type="button" class="choice" lang="es" aria-pressed="false">Español<\/button>/);
  }
});

test("once something was said the choice is in the menu alone", () => {
  const panel = Panel.open();
  panel.on(fed(message(2, "hello")));
  const { m, chat } = page(panel.state, { languages: LANGUAGES });
  assert(!written(transcript(m, chat, nothingToDo)).includes("Español"));
  assert(menuOf(panel, { languages: LANGUAGES }).includes("Español"));
});

test("the menu says that the program goes on in the chat's language, where that is another", () => {
  const { m, chat } = page(Panel.open().state, { languages: LANGUAGES, lang: "es", strings: es });
  assert(written(languageSetting(m, chat)).includes(es.language.stays));
  const same = page(Panel.open().state, { languages: LANGUAGES });
  assert(!written(languageSetting(same.m, same.chat)).includes(en.language.stays));
});

test("choosing asks for the words of the language, and not for those that are there", () => {
  const panel = Panel.open();
  panel.on({ type: "chose_language", tag: "en" });
  assert.deepEqual(panel.effects, []);
  panel.on({ type: "chose_language", tag: "es" });
  assert.deepEqual(panel.asked("words"), [{ type: "words", tag: "es" }]);
});

test("the words are taken over before anything is drawn or asked, kept by their tag, and told in their language", () => {
  const panel = Panel.open();
  panel.on(chosen);
  panel.on(answered);
  const order = panel.effects.map(({ type }) => type);
  assert.equal(order[0], "speak");
  assert(order.indexOf("speak") < order.indexOf("render") && order.indexOf("speak") < order.indexOf("request"));
  assert.deepEqual(panel.done("keep_language"), [{ type: "keep_language", tag: "es" }]);
  assert.deepEqual(panel.done("say"), [{ type: "say", text: es.language.chosen, lang: "es" }]);
});

test("before anything was said the chat begins again in the language", () => {
  const panel = Panel.open();
  panel.on(chosen);
  panel.on(answered);
  assert.deepEqual([panel.asked("start").length, panel.state.token], [1, null]);
  panel.say("quick");
  panel.on(started("t2"));
  assert.deepEqual([panel.state.token, panel.state.phase], ["t2", "open"]);
  assert.deepEqual(panel.mine, ["quick sending"]);
  assert.deepEqual(panel.asked("send").map(({ token }) => token), ["t2"]);
});

test("a chat in which something was said goes on as it is", () => {
  const panel = Panel.open();
  panel.on(fed(message(2, "hello")));
  const shown = panel.shown;
  panel.on(chosen);
  panel.on(answered);
  assert.deepEqual([panel.done("drop"), panel.asked("start"), panel.state.token], [[], [], "t1"]);
  assert.deepEqual(panel.shown, shown);
});

test("the other tabs go on in the chat that began again, and the old one is left to who said something in it", () => {
  for (const shared of [false, true]) {
    const panel = Panel.open();
    panel.on({ type: "chose_shared", shared }, chosen, answered);
    panel.on({ type: "start_answered", lang: "en", result: NO_NETWORK });
    assert.deepEqual(panel.done("tell_begun_again"), []);
    panel.on({ type: "start_due" }, started("t2"));
    assert.deepEqual(panel.done("tell_begun_again"), shared ? [] : [{ type: "tell_begun_again", from: "t1", token: "t2" }]);
    assert.deepEqual([panel.done("drop"), panel.done("tell_ended")], [[], []]);
    panel.on(started("t3"));
    assert.equal(panel.done("drop").length, 0);
  }
});

test("a tab in which something was said stays in its chat when another tab begins again", () => {
  const begun: PanelEvent = { type: "tab_begun_again", from: "t1", token: "t2" };
  const quiet = Panel.open();
  quiet.on(begun);
  assert.deepEqual(quiet.asked("resume"), [{ type: "resume", token: "t2" }]);
  for (const spoken of [(panel: Panel) => panel.on(fed(message(2, "chest pain"))), (panel: Panel) => panel.say("chest pain")]) {
    const panel = Panel.open();
    spoken(panel);
    const { shown } = panel;
    panel.on(begun);
    assert.deepEqual([panel.state.token, panel.shown, panel.asked("resume")], ["t1", shown, []]);
  }
});

test("a shared computer that is left while the chat begins again leaves the old one", () => {
  const panel = Panel.open();
  panel.on({ type: "chose_shared", shared: true }, chosen, answered);
  panel.on({ type: "left" });
  assert.deepEqual([panel.done("leave"), panel.done("tell_ended")], [[{ type: "leave", token: "t1" }], [{ type: "tell_ended", token: "t1" }]]);
});

test("a language that is chosen while the chat is being opened is spoken at once, and the chat begins in it", () => {
  const panel = new Panel();
  panel.on({ type: "loaded", token: null }, { type: "tab_told", token: null });
  panel.on(chosen, answered);
  assert.equal(panel.done("speak").length, 1);
  const { m, chat } = page(panel.state, { languages: LANGUAGES });
  assert.doesNotMatch(written(languageChoice(m, chat)), /aria-disabled/);
  panel.say("quick");
  panel.on({ ...started("t1"), lang: "es" } as PanelEvent);
  assert.deepEqual([panel.done("drop"), panel.asked("start").length, panel.asked("send")], [[{ type: "drop", token: "t1" }], 1, []]);
  assert.deepEqual([panel.said, panel.state.phase], [[], "starting"]);
  panel.on(started("t2"));
  assert.deepEqual([panel.state.token, panel.asked("send").map(({ token }) => token)], ["t2", ["t2"]]);
});

test("a chat that is resumed meanwhile begins again, unless something was said in it", () => {
  for (const events of [[GREETING], [GREETING, message(2, "hello")]]) {
    const panel = new Panel();
    panel.on({ type: "loaded", token: "t1" }, chosen, answered);
    panel.on({ type: "resume_answered", lang: "es", token: "t1", result: ok({ events, session: session() }) });
    const said = events.length > 1;
    assert.deepEqual([panel.asked("start").length, panel.state.phase], said ? [0, "open"] : [1, "starting"]);
    panel.on(started("t2"));
    assert.deepEqual(panel.done("tell_begun_again"), said ? [] : [{ type: "tell_begun_again", from: "t1", token: "t2" }]);
  }
});

test("words that do not come leave everything as it is, and the first screen and the menu say so", () => {
  const panel = Panel.open();
  for (const problem of [NO_NETWORK, failure(429, {}, null)]) {
    panel.on(chosen, { type: "words_answered", result: problem, tag: "es" });
    assert.deepEqual([panel.done("speak"), panel.done("keep_language"), panel.state.phase], [[], [], "open"]);
    assert.equal(panel.state.menuNote, en.menu.failed);
    const { m, chat } = page(panel.state, { languages: LANGUAGES });
    assert(written(languageChoice(m, chat)).includes(en.menu.failed));
  }
  panel.on(chosen, answered);
  assert.equal(panel.state.menuNote, "");
});

test("of several choices the last one counts, in whatever order the words come", () => {
  const panel = Panel.open();
  panel.on(chosen, { type: "chose_language", tag: "ar" });
  panel.on(answered);
  assert.deepEqual(panel.effects, []);
  panel.on({ type: "words_answered", result: ok({ ...SPANISH, lang: "ar" }), tag: "ar" });
  assert.deepEqual(panel.done("keep_language"), [{ type: "keep_language", tag: "ar" }]);
  const back = Panel.open();
  back.on(chosen, { type: "chose_language", tag: "en" });
  back.on(answered);
  assert.deepEqual(back.effects, []);
});

test("what the program answers is marked with the chat's language", () => {
  const panel = Panel.open();
  panel.on(started("t2"));
  const foreign = page({ ...panel.state, session: session({ language: "es" }) });
  assert.equal(foreign.m.foreign, "es");
  assert.equal(page({ ...panel.state, session: session({ language: "en" }) }, { lang: "es" }).m.foreign, "en");
  panel.on({ type: "fed_session", session: session({ language: "es" }) }, fed({ kind: "answer", seq: 5, at: "", reply_to: null, type: "chat", blocks: [{ kind: "say", text: "Hola" }] }));
  assert.deepEqual(panel.done("say").map(({ lang }) => lang), ["es"]);
});

const CARD = { heading: "Llame al 911.", blocks: [] };
const inSpanish: Partial<Config> = { lang: "es", strings: es, safety: CARD };

/** What comes of an event where the panel speaks Spanish, and the chat English. */
function spanish(panel: Panel, event: PanelEvent) {
  const { state, effects } = reducer({ ...config, ...inSpanish })(panel.state, { ...event, now: 0 });
  const { m, chat } = page(state, inSpanish);
  return { state, said: effects.flatMap((effect) => (effect.type === "say" ? [[effect.text, effect.lang]] : [])), shown: written(transcript(m, chat, nothingToDo)) };
}

test("whom to call stands in the language of the panel, whatever the server says it in and whenever it was shown", () => {
  const busy = failure(503, { safety: { heading: "Own card.", blocks: [] } }, null);
  const panel = Panel.open();
  panel.say("a");
  const { said, shown } = spanish(panel, notSent(busy));
  assert.equal(said[1]![0], `${es.card.offline} ${CARD.heading}`);
  assert(shown.includes(CARD.heading) && !shown.includes("Own card."));
  panel.on(notSent(busy));
  const before = page(panel.state);
  assert(written(transcript(before.m, before.chat, nothingToDo)).includes("Own card."));
  const after = page(panel.state, inSpanish);
  const changed = written(transcript(after.m, after.chat, nothingToDo));
  assert(changed.includes(CARD.heading) && !changed.includes("Own card."));
});

test("why something was refused is marked, and said, as what the server said it in; in the menu only the panel's language stands", () => {
  const panel = Panel.open();
  panel.say("a");
  const refused = failure(422, { message: "Too long." }, null);
  const { said, shown } = spanish(panel, notSent(refused));
  assert.deepEqual(said, [[es.delivery.refused, undefined], ["Too long.", "en"]]);
  assert.match(shown, /<p lang="en">Too long\.<\/p>/);
  assert.deepEqual(spanish(panel, notSent(failure(422, {}, null))).said, [[es.delivery.refused, undefined]]);
  assert.equal(spanish(panel, { type: "restart_answered", result: refused, old: "t1" }).state.menuNote, es.menu.failed);
});
