import { html, nothing } from "lit-html";
import { callbackView, type CallbackActions } from "./callback";
import type { Chat } from "./chat/shell";
import { composer, type ComposerActions } from "./composer";
import { header, type HeaderActions } from "./header";
import type { Markup, Part } from "./markup";
import { menu, type MenuActions } from "./menu";
import { summaryView, type SummaryActions } from "./summary";
import { transcript, type TranscriptActions } from "./transcript";

export interface Actions extends HeaderActions {
  transcript: TranscriptActions;
  menu: MenuActions;
  summary: SummaryActions;
  callback: CallbackActions;
  composer: ComposerActions;
  /** To what is out of sight below. */
  down(): void;
  scrolled(): void;
}

export function panel(m: Markup, chat: Chat, actions: Actions): Part {
  const { state } = chat;
  const inChat = state.view === "chat";
  const labels = { chat: m.strings.chat.label, menu: m.strings.menu.label, summary: m.strings.summary.title, callback: m.strings.callback.ask };
  return html`<div class="panel">
    ${header(m, chat, actions)}
    ${state.link === "up" && !state.warning ? nothing : html`<section class="notes" aria-label=${m.strings.link.label}>${linkState(m, chat)} ${warning(m, chat)}</section>`}
    <main id="main" tabindex="0" aria-label=${labels[state.view]} @scroll=${actions.scrolled}>
      <div ?hidden=${!inChat} class="page" @click=${(event: MouseEvent) => dials(event.target as Element) && !isMeant(event, chat.state.fresh) && event.preventDefault()}>${transcript(m, chat, actions.transcript)}</div>
      ${state.view === "menu" ? menu(m, chat, actions.menu) : nothing} ${state.view === "summary" ? summaryView(m, chat, actions.summary) : nothing}
      ${state.view === "callback" ? callbackView(m, chat, actions.callback) : nothing}
    </main>
    ${inChat && state.below ? html`<button type="button" class="below" @click=${actions.down}>${m.strings.chat[`${state.below}_below`]} <span aria-hidden="true">↓</span></button>` : nothing}
    <div class="bottom" ?hidden=${!inChat}>${composer(m, chat, actions.composer)}</div>
  </div>`;
}

function dials(place: Element): boolean {
  return place.closest("a[href^='tel:']") !== null;
}

/** A second tap for what stood here before dials nobody. What is no tap, as of a key or a screen reader, is always meant. */
export function isMeant({ detail }: Pick<MouseEvent, "detail">, fresh: boolean): boolean {
  return !fresh || detail === 0;
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
