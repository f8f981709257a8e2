import { render } from "lit-html";
import type { Config, Words } from "../shared/types";
import { Announcer, region } from "./announce";
import { Api } from "./api";
import { Chat } from "./chat/shell";
import { Drawing } from "./drawing";
import { keptLanguage } from "./kept-language";
import { Markup } from "./markup";
import { Parent } from "./parent";
import { applyPrefs, readPrefs } from "./prefs";
import { Scroller } from "./scroll";
import { TokenStore } from "./session";
import { summaryText } from "./summary";
import { applyTheme } from "./theme";
import { realTimers } from "./timers";
import { type Actions, panel } from "./view";
import { WayBack } from "./way-back";

const byId = <T extends HTMLElement>(id: string) => document.getElementById(id) as T | null;

const config = JSON.parse(byId("config")!.textContent!) as Config;
const app = byId("app")!;
const served = [...app.childNodes];
const { lang: servedLang, dir: servedDir } = document.documentElement;
const drawing = new Drawing(config, draw, () => {
  Object.assign(document.documentElement, { lang: servedLang, dir: servedDir });
  app.replaceChildren(...served);
});
const prefs = readPrefs();
applyPrefs(prefs);

const announcer = new Announcer(region(byId("polite")!), region(byId("alert")!), realTimers, () => config.lang);
const scroller = new Scroller(() => byId("main"));
const textBox = () => byId<HTMLTextAreaElement>("words");

const api = new Api(config.api);
const chat = new Chat(
  config,
  api,
  new TokenStore(),
  announcer,
  {
    render: () => drawing.soon(),
    speak: ({ words }) => speak(words),
    focus: ({ id, byFinger }) => focusSoon(byFinger !== undefined && isByFinger() ? byFinger : id),
    to_newest: () => scroller.toNewest(),
    give_back({ text }) {
      const box = textBox();
      if (box && !box.value) setDraft(text);
    },
    clear_draft: () => setDraft(""),
    make_room() {
      if (isByFinger()) textBox()?.blur();
    },
    unread: ({ count }) => parent.unread(count),
  },
  prefs,
);
const markup = new Markup(config, () => chat.state.session);

const parent = new Parent(config.parents, {
  hello(theme, open) {
    applyTheme(theme);
    chat.dispatch({ type: "embedded", closes: open !== null, shown: open ?? false });
  },
  open: () => chat.dispatch({ type: "shown", shown: true }),
  close: () => chat.dispatch({ type: "shown", shown: false }),
});

const actions: Actions = {
  transcript: {
    begin: (topic) => chat.dispatch({ type: "chose_topic", topic }),
    writeFor: (writer) => chat.dispatch({ type: "chose_writer", writer }),
    showCard(key) {
      const card = byId(`card-${key}`);
      if (!card) return;
      scroller.to(card);
      card.focus({ preventScroll: true });
    },
    press: (id, title) => chat.dispatch({ type: "pressed", clientId: newId(), id, title }),
    takeBack: () => chat.dispatch({ type: "mistaken", clientId: newId() }),
    tick: (row, answer, sure) => chat.dispatch({ type: "row_answered", clientId: newId(), row, answer, sure }),
    sendCheck: () => chat.dispatch({ type: "rows_sent", clientId: newId() }),
    followUp: (seq, id, title) => chat.dispatch({ type: "followup_pressed", clientId: newId(), seq, id, title }),
    askForCall,
    unfold: (focus) => chat.dispatch({ type: "unfolded", focus }),
    startNew: () => chat.dispatch({ type: "started_new", clientId: newId(), draft: (textBox()?.value ?? "").trim() }),
  },
  menu: {
    callback: askForCall,
    summary: () => chat.dispatch({ type: "opened_summary" }),
    back: backToChat,
    restart: () => chat.dispatch({ type: "restarted" }),
    end: (clearDevice) => chat.dispatch({ type: "ended", clearDevice }),
    ask: (confirm) => chat.dispatch({ type: "asked", confirm }),
    resize: (size) => scroller.hold(document.querySelector(`input[name="size"][value="${size}"]`), () => chat.dispatch({ type: "chose_prefs", change: { size } })),
  },
  summary: {
    print: () => window.print(),
    save: saveSummary,
    back: backToChat,
  },
  callback: {
    fill: (change) => chat.dispatch({ type: "callback_filled", change }),
    send: () => chat.dispatch({ type: "callback_sent", clientId: newId() }),
    cancel: backToChat,
  },
  composer: {
    submit() {
      const text = chat.state.draftLength ? (textBox()?.value ?? "").trim() : "";
      if (!text) return chat.dispatch({ type: "said_nothing" });
      setDraft("");
      scroller.toNewest();
      chat.dispatch({ type: "said", clientId: newId(), text });
      textBox()?.focus();
    },
    typed(box) {
      grow(box);
      chat.dispatch({ type: "typed", length: box.value.length });
    },
  },
  toggleMenu: () => chat.dispatch({ type: "went_to", view: chat.state.view === "menu" ? "chat" : "menu" }),
  close: () => parent.close(),
  down() {
    if (chat.state.below === "new") scroller.toNewest();
    else scroller.pageDown();
    byId("main")?.focus();
    showBelow(false);
  },
  scrolled() {
    if (chat.state.view === "chat") showBelow(!scroller.scrolled() && chat.state.below === "new");
  },
};

/** On a phone the text box brings up its keyboard, over what is to be read or tapped. */
function isByFinger(): boolean {
  return matchMedia("(pointer: coarse)").matches;
}

function newId(): string {
  return crypto.randomUUID();
}

let drawnView = chat.state.view;
const wayBack = new WayBack(() => {
  if (chat.state.view !== "chat") backToChat();
});

function draw(): void {
  dress();
  render(panel(markup, chat, actions), app);
  const { view, entries, phase } = chat.state;
  if (view !== drawnView && view !== "chat") {
    byId("main")!.scrollTop = 0;
    wayBack.mark();
  }
  if (view !== drawnView && view === "chat") scroller.toNewest();
  drawnView = view;
  if (view !== "chat") return;
  showBelow(scroller.update(`${phase} ${entries.length} ${entries[entries.length - 1]?.key}`) || chat.state.below === "new");
}

/** Says that a new message, or the rest of what is shown, is out of sight. */
function showBelow(isNew: boolean): void {
  const below = isNew ? "new" : scroller.isMoreBelow ? "more" : null;
  if (below !== chat.state.below) chat.dispatch({ type: "below", below });
}

function focusSoon(id: string): void {
  queueMicrotask(() => byId(id)?.focus({ preventScroll: id === "words" }));
}

function askForCall(): void {
  chat.dispatch({ type: "opened_callback" });
}

function backToChat(): void {
  const back = chat.state.view === "callback" && byId("offer") ? "offer" : "menu-button";
  chat.dispatch({ type: "went_to", view: "chat" });
  focusSoon(back);
}

function setDraft(text: string): void {
  const box = textBox();
  if (!box) return;
  box.value = text;
  grow(box);
  chat.dispatch({ type: "typed", length: text.length });
}

function grow(box: HTMLTextAreaElement): void {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
}

/** The page itself in the language of the panel. */
function dress(): void {
  const { lang, dir } = config;
  if (lang === document.documentElement.lang) return;
  document.title = markup.fill(config.strings.title);
  Object.assign(document.documentElement, { lang, dir });
}

function speak(words: Words): void {
  if (!drawing.speak(words)) chat.dispatch({ type: "broken" });
}

/** Begins in the language that was chosen in this tab, if it is still offered. */
async function start(): Promise<void> {
  try {
    const kept = keptLanguage();
    if (kept === config.lang || !config.languages.some(({ tag }) => tag === kept)) return;
    const result = await api.words(config.key, kept!);
    if (result.ok) speak(result.data);
  } finally {
    chat.start();
  }
}

function saveSummary(): void {
  const { summary } = chat.state;
  if (summary === null || typeof summary !== "object") return;
  const text = summaryText(markup, summary, (iso) => chat.time(iso), (iso) => chat.dateTime(iso));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  link.download = config.strings.summary.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing) return;
  if (chat.state.confirm) actions.menu.ask(null);
  else if (chat.state.view !== "chat") backToChat();
  else parent.close();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) chat.dispatch({ type: "woken" });
});
addEventListener("resize", () => drawing.soon());
document.addEventListener("toggle", () => drawing.soon(), true);
addEventListener("online", () => chat.dispatch({ type: "woken" }));
addEventListener("pagehide", () => chat.dispatch({ type: "left" }));
for (const failing of ["error", "unhandledrejection"]) addEventListener(failing, () => chat.dispatch({ type: "broken" }));

app.replaceChildren();
drawing.now();
void start();
