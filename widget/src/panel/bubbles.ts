import { html, nothing } from "lit-html";
import type { Button, Told } from "../shared/types";
import type { Chat } from "./chat/shell";
import { toldRows } from "./check";
import type { Markup, Part } from "./markup";

export function fromPatient(m: Markup, body: Part, time: string, state: Part): Part {
  return html`<li class="you">
    <p class="who">${m.strings.chat.you} <time>${time}</time></p>
    <div class="bubble">${body}</div>
    <div class="delivery">${state}</div>
  </li>`;
}

export function said(m: Markup, { text, rows }: { text: string; rows?: readonly Told[] | null }): Part {
  return [text ? html`<p class="words" dir="auto">${text}</p>` : nothing, rows?.length ? toldRows(m, rows) : nothing];
}

export function stored(m: Markup): Part {
  return html`<span class="state">${m.strings.delivery.stored}</span>`;
}

export function fromProgram(m: Markup, body: Part, time: string, after: Part = nothing, lang: string | typeof nothing = nothing): Part {
  return html`<li class="program">
    <p class="who">${m.strings.chat.program} ${time ? html`<time>${time}</time>` : nothing}</p>
    <div class="bubble" dir="auto" lang=${lang}>${body}</div>
    ${after}
  </li>`;
}

/** What may be tapped as an answer. */
export function choices(m: Markup, chat: Chat, buttons: Button[], open: boolean, press: (button: Button) => void, hint: Part = nothing): Part {
  const closed = !open || chat.state.fresh;
  return html`<div class="choices" role="group" aria-label=${m.strings.chat.answers}>
    ${buttons.map(
      (button) =>
        html`<button type="button" class="choice" lang=${m.answerLang} aria-disabled=${closed ? "true" : nothing} @click=${() => !closed && press(button)}>
          ${button.title}${chat.state.chosen === button.id ? html`<span class="chosen" lang=${m.config.lang}> (${m.strings.chat.chosen})</span>` : nothing}
        </button>`,
    )}
    ${open ? hint : nothing}
  </div>`;
}
