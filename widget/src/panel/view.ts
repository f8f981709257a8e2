import { html, nothing } from "lit-html";
import { callbackView, type CallbackActions } from "./callback";
import { isHeld } from "./chat/contact";
import type { Chat } from "./chat/shell";
import { composer, type ComposerActions } from "./composer";
import type { Markup, Part } from "./markup";
import { menu, type MenuActions } from "./menu";
import { summaryView, type SummaryActions } from "./summary";
import { transcript, type TranscriptActions } from "./transcript";

export interface Actions {
  transcript: TranscriptActions;
  menu: MenuActions;
  summary: SummaryActions;
  callback: CallbackActions;
  composer: ComposerActions;
  toggleMenu(): void;
  close(): void;
  toNewest(): void;
  scrolled(): void;
}

export function panel(m: Markup, chat: Chat, actions: Actions): Part {
  const { state } = chat;
  const inChat = state.view === "chat";
  const labels = { chat: m.strings.chat.label, menu: m.strings.menu.label, summary: m.strings.summary.title, callback: m.strings.callback.ask };
  return html`<div class="panel">
    ${header(m, chat, actions)} ${phones(m)}
    ${state.link === "up" && !state.warning ? nothing : html`<section class="notes" aria-label=${m.strings.link.label}>${linkState(m, chat)} ${warning(m, chat)}</section>`}
    <main id="main" tabindex="0" aria-label=${labels[state.view]} @scroll=${actions.scrolled}>
      <div ?hidden=${!inChat} class="page">${transcript(m, chat, actions.transcript)}</div>
      ${state.view === "menu" ? menu(m, chat, actions.menu) : nothing} ${state.view === "summary" ? summaryView(m, chat, actions.summary) : nothing}
      ${state.view === "callback" ? callbackView(m, chat, actions.callback) : nothing}
    </main>
    ${inChat && state.newBelow ? html`<button type="button" class="new-below" @click=${actions.toNewest}>${m.strings.chat.new_below} <span aria-hidden="true">↓</span></button>` : nothing}
    <div class="bottom" ?hidden=${!inChat}>${composer(m, chat, actions.composer)}</div>
  </div>`;
}

function header(m: Markup, chat: Chat, actions: Actions): Part {
  const words = m.strings.header;
  const open = chat.state.view === "menu";
  return html`<header class="top">
    <div class="top-name">
      <h1>${m.config.clinic.name}</h1>
      <p>${isHeld(chat.state) ? words.nurse : words.program}</p>
    </div>
    ${chat.state.phase === "ended"
      ? nothing
      : html`<button type="button" id="menu-button" class="top-button" aria-expanded=${open ? "true" : "false"} aria-controls=${open ? "menu" : nothing} @click=${actions.toggleMenu}>
          ${words.menu}
        </button>`}
    ${chat.state.embedded ? html`<button type="button" class="top-button" aria-label=${words.close_name} @click=${actions.close}>${words.close}</button>` : nothing}
  </header>`;
}

function phones(m: Markup): Part {
  const words = m.strings.phones;
  const link = (id: string, label: string) => m.contact(id).map((contact) => html`<a class="phone phone-${id}" href=${contact.href}><span>${m.unbroken(m.fill(label))}</span></a>`);
  return html`<nav class="phones" aria-label=${words.label}>
    <div class="phone-row">${link("emergency", words.emergency)} ${link("clinic", words.clinic)}</div>
    <p class="hours">${m.fill(words.hours)} ${m.contact("after_hours").length ? m.filled(words.after_hours) : nothing}</p>
  </nav>`;
}

function linkState(m: Markup, chat: Chat): Part {
  const { link } = chat.state;
  return link === "up" ? nothing : html`<p class="link link-${link}">${m.strings.link[link]}</p>`;
}

function warning(m: Markup, chat: Chat): Part {
  const { warning: kind } = chat.state;
  if (!kind) return nothing;
  return html`<div class="warning">
    <p>${chat.warning()}</p>
    ${kind === "warning_idle" ? html`<button type="button" class="primary" @click=${() => chat.dispatch({ type: "kept_open" })}>${m.strings.expiry.keep}</button>` : nothing}
  </div>`;
}
