import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { Answer, Told } from "../shared/types";
import { answerBody, safetyCard } from "./cards";
import type { OutItem } from "./chat/delivery";
import type { Chat } from "./chat/shell";
import { type Entry, lastAnswer } from "./chat/state";
import { checkCard, type CheckActions, toldRows } from "./check";
import type { Markup, Part } from "./markup";

export interface TranscriptActions extends CheckActions {
  press(id: string, title: string): void;
  startNew(): void;
}

export function transcript(m: Markup, chat: Chat, actions: TranscriptActions): Part {
  const { state } = chat;
  return html`
    ${notice(m)}
    <ol class="messages">
      ${state.greeting && !state.lastSeq ? fromProgram(m, html`<p>${m.strings.greeting}</p>`, "") : nothing}
      ${repeat(
        state.entries,
        (entry) => entry.key,
        (entry) => entryItem(m, chat, entry, actions),
      )}
      ${state.answerPending ? html`<li class="writing"><p>${m.strings.chat.writing}<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span></p></li>` : nothing}
    </ol>
    ${state.phase === "starting" && !state.greeting ? html`<p class="loading">${m.strings.loading}</p>` : nothing} ${over(m, chat, actions)}
  `;
}

function notice(m: Markup): Part {
  const words = m.strings.notice;
  return html`<section class="notice" aria-label=${words.label}>
    <p><strong>${m.filled(words.program)}</strong></p>
    <p>${m.filled(words.emergency)} ${m.filled(words.nurse)}</p>
    <details>
      <summary>${words.privacy_summary}</summary>
      <p>${m.filled(words.privacy)}</p>
    </details>
  </section>`;
}

function entryItem(m: Markup, chat: Chat, entry: Entry, actions: TranscriptActions): Part {
  switch (entry.type) {
    case "mine":
      return fromPatient(m, entry.item, chat.time(entry.item.at), delivery(m, chat, entry.item));
    case "safety":
      return html`<li class="safe">${safetyCard(m, entry.safety, m.strings.card[entry.reason], entry.key)}</li>`;
    case "answer":
      return answerItem(m, chat, entry.key, entry.answer, chat.time(entry.at), actions);
    case "event": {
      const { event } = entry;
      if (event.kind === "message") return fromPatient(m, event, chat.time(event.at), html`<span class="state">${m.strings.delivery.stored}</span>`);
      if (event.kind === "writer") return html`<li class="aside"><p>${m.strings.chat[`writer_${event.writer}`]}</p></li>`;
      if (event.kind === "answer" || event.kind === "greeting") return answerItem(m, chat, entry.key, event, chat.time(event.at), actions);
      return nothing;
    }
  }
}

function fromPatient(m: Markup, said: { text: string; rows?: readonly Told[] | null }, time: string, state: Part): Part {
  return html`<li class="you">
    <p class="who">${m.strings.chat.you} <time>${time}</time></p>
    <div class="bubble">${said.text ? html`<p class="words" dir="auto">${said.text}</p>` : nothing}${said.rows?.length ? toldRows(m, said.rows) : nothing}</div>
    <div class="delivery">${state}</div>
  </li>`;
}

function delivery(m: Markup, chat: Chat, item: OutItem): Part {
  const words = m.strings.delivery;
  const note = item.note ? html`<p>${m.linked(item.note)}</p>` : nothing;
  if (item.state === "failed") {
    return html`<div class="undelivered">
      <p>${m.filled(words.failed)}</p>
      ${note}
      ${chat.state.phase === "expired" ? nothing : html`<button type="button" class="quiet" @click=${() => chat.dispatch({ type: "retried", clientId: item.clientId })}>${words.try_again}</button>`}
    </div>`;
  }
  if (item.state === "refused") return html`<div class="undelivered"><p>${words.refused}</p>${note}</div>`;
  return html`<span class="state">${words[item.state]}</span>${note}`;
}

function fromProgram(m: Markup, body: Part, time: string, after: Part = nothing, lang: string | typeof nothing = nothing): Part {
  return html`<li class="program">
    <p class="who">${m.strings.chat.program} ${time ? html`<time>${time}</time>` : nothing}</p>
    <div class="bubble" dir="auto" lang=${lang}>${body}</div>
    ${after}
  </li>`;
}

function answerItem(m: Markup, chat: Chat, key: string, answer: Answer, time: string, actions: TranscriptActions): Part {
  const last = lastAnswer(chat.state);
  const newest = last?.key === key;
  const buttons = newest && answer.buttons?.length ? choices(m, chat, answer, last.answered, actions) : nothing;
  const open = newest && !last.answered && chat.state.phase === "open";
  const check = answer.check ? checkCard(m, chat, answer, key, open, actions) : nothing;
  return fromProgram(m, answerBody(m, answer, key), time, [buttons, check], m.answerLang === m.config.lang ? nothing : m.answerLang);
}

function choices(m: Markup, chat: Chat, answer: Answer, answered: boolean, actions: TranscriptActions): Part {
  const closed = answered || chat.state.phase !== "open" || chat.state.fresh;
  return html`<div class="choices" role="group" aria-label=${m.strings.chat.answers}>
    ${answer.buttons!.map(
      (button) =>
        html`<button type="button" class="choice" lang=${m.answerLang} aria-disabled=${closed ? "true" : nothing} @click=${() => !closed && actions.press(button.id, button.title)}>
          ${button.title}${chat.state.chosen === button.id ? html`<span class="chosen" lang=${m.config.lang}> (${m.strings.chat.chosen})</span>` : nothing}
        </button>`,
    )}
    ${answered || chat.state.phase !== "open" ? nothing : html`<p class="hint">${m.strings.chat.or_type}</p>`}
  </div>`;
}

function over(m: Markup, chat: Chat, actions: TranscriptActions): Part {
  const { phase, entries, draftLength } = chat.state;
  if (phase !== "expired" && phase !== "ended") return nothing;
  const words = m.strings.expiry;
  const unsent = phase === "expired" && (draftLength > 0 || entries.some((entry) => entry.type === "mine" && entry.item.state === "failed"));
  return html`<section class="over" aria-labelledby="over">
    <h2 id="over">${words[`${phase}_title`]}</h2>
    <p>${words[phase]}</p>
    ${unsent ? html`<p>${words.unsent}</p>` : nothing}
    <button type="button" class="primary" @click=${actions.startNew}>${unsent ? words.start_and_send : words.start}</button>
    ${phase === "expired" ? safetyCard(m, m.config.safety, "", "over") : nothing}
  </section>`;
}
