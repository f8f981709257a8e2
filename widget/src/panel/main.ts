import { render } from "lit-html";
import type { Config } from "../shared/types";
import { Announcer, region } from "./announce";
import { Api } from "./api";
import { Chat } from "./chat";
import { Markup } from "./markup";
import { Parent } from "./parent";
import { applyPrefs, readPrefs } from "./prefs";
import { Scroller } from "./scroll";
import { TokenStore } from "./session";
import { summaryText } from "./summary";
import { applyTheme } from "./theme";
import { realTimers } from "./timers";
import { type Actions, panel } from "./view";

const byId = <T extends HTMLElement>(id: string) => document.getElementById(id) as T | null;

const config = JSON.parse(byId("config")!.textContent!) as Config;
const app = byId("app")!;
const prefs = readPrefs();
applyPrefs(prefs);

const announcer = new Announcer(region(byId("polite")!), region(byId("alert")!), realTimers, config.lang);
const scroller = new Scroller(() => byId("main"));
const textBox = () => byId<HTMLTextAreaElement>("words");

const chat = new Chat(
  config,
  new Api(config.api),
  new TokenStore(),
  announcer,
  {
    render: schedule,
    giveBack(text) {
      const box = textBox();
      if (box && !box.value) setDraft(text);
    },
    draft: () => textBox()?.value ?? "",
    clearDraft: () => setDraft(""),
    unread: (count) => parent.unread(count),
    asks() {
      if (byFinger()) textBox()?.blur();
    },
  },
  prefs,
);
const markup = new Markup(config, chat.values);

const parent = new Parent(config.parents, {
  hello(theme, open) {
    applyTheme(theme);
    chat.state.embedded = true;
    chat.shown(open);
    if (open) focusSoon("words");
  },
  open() {
    chat.shown(true);
    focusSoon("words");
  },
  close: () => chat.shown(false),
});

const actions: Actions = {
  transcript: {
    press(id, title) {
      if (!chat.press(id, title)) return;
      scroller.toNewest();
      focusSoon("words");
    },
    tick(row, answer, sure) {
      if (chat.answerRow(row, answer, sure)) checkSent();
    },
    sendCheck() {
      if (chat.sendCheck()) checkSent();
    },
    unfold(id) {
      chat.unfold();
      focusSoon(id);
    },
    startNew() {
      void chat.startNew();
      focusSoon("words");
    },
  },
  menu: {
    summary() {
      void chat.loadSummary();
      focusSoon("summary-title");
    },
    back: backToChat,
    async restart() {
      if (await chat.restart()) focusSoon("words");
      else focusSoon("ask-restart");
    },
    async end(clearDevice) {
      if (await chat.end(clearDevice)) focusSoon("main");
      else focusSoon("ask-end");
    },
    ask(confirm) {
      const before = chat.state.confirm;
      chat.ask(confirm);
      focusSoon(confirm ? "confirm-yes" : `ask-${before ?? "end"}`);
    },
  },
  summary: {
    print: () => window.print(),
    save: saveSummary,
    back: backToChat,
  },
  composer: {
    submit() {
      const text = chat.state.draftLength ? (textBox()?.value ?? "").trim() : "";
      if (!text) return chat.hint(config.strings.composer.empty);
      setDraft("");
      scroller.toNewest();
      chat.sendText(text);
      textBox()?.focus();
    },
    typed(box) {
      grow(box);
      noteLength(box.value.length);
    },
  },
  toggleMenu() {
    chat.show(chat.state.view === "menu" ? "chat" : "menu");
  },
  close: () => parent.close(),
  toNewest() {
    scroller.toNewest();
    chat.state.newBelow = false;
    schedule();
    byId("main")?.focus();
  },
  scrolled() {
    if (chat.state.view === "chat" && scroller.scrolled() && chat.state.newBelow) {
      chat.state.newBelow = false;
      schedule();
    }
  },
};

/** On a phone the text box brings up its keyboard, over what is to be read or tapped. */
function byFinger(): boolean {
  return matchMedia("(pointer: coarse)").matches;
}

function checkSent(): void {
  scroller.toNewest();
  focusSoon(byFinger() ? "main" : "words");
}

let scheduled = false;

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(() => {
    scheduled = false;
    draw();
  });
}

let drawnView = chat.state.view;

function draw(): void {
  render(panel(markup, chat, actions), app);
  const { view, entries, phase } = chat.state;
  if (view !== drawnView && view !== "chat") byId("main")!.scrollTop = 0;
  if (view !== drawnView && view === "chat") scroller.toNewest();
  drawnView = view;
  if (view !== "chat") return;
  if (scroller.update(`${phase} ${entries.length} ${entries[entries.length - 1]?.key}`) && !chat.state.newBelow) {
    chat.state.newBelow = true;
    schedule();
  }
}

function focusSoon(id: string): void {
  queueMicrotask(() => byId(id)?.focus({ preventScroll: id === "words" }));
}

function backToChat(): void {
  chat.show("chat");
  focusSoon("menu-button");
}

function setDraft(text: string): void {
  const box = textBox();
  if (!box) return;
  box.value = text;
  grow(box);
  noteLength(text.length);
}

function grow(box: HTMLTextAreaElement): void {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
}

function noteLength(length: number): void {
  const limit = config.limits.text;
  if (length > limit && chat.state.draftLength <= limit) announcer.say(markup.fill(config.strings.composer.over, { count: String(length - limit) }));
  chat.state.draftLength = length;
  chat.hint("");
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
  if (!document.hidden) chat.kick();
});
addEventListener("online", () => chat.kick());
addEventListener("pagehide", () => chat.pageHidden());
for (const failing of ["error", "unhandledrejection"]) addEventListener(failing, () => chat.broken());

const served = [...app.childNodes];
try {
  app.replaceChildren();
  draw();
  void chat.start();
} catch {
  app.replaceChildren(...served);
}
