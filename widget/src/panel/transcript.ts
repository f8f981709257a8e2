import { html, nothing } from "lit-html";
import { repeat } from "lit-html/directives/repeat.js";
import type { Answer, ChatEvent, Writer } from "../shared/types";
import { choices, fromPatient, fromProgram, said, stored } from "./bubbles";
import { answerBody, safetyCard, standingAdvice } from "./cards";
import { isHeld } from "./chat/contact";
import type { OutItem } from "./chat/delivery";
import { tapAnswer } from "./chat/mistake";
import type { Chat } from "./chat/shell";
import { repeated } from "./chat/standing";
import { type Entry, isFirstScreen, isUnsaid, lastAnswer } from "./chat/state";
import { checkCard, type CheckActions } from "./check";
import { type ContactActions, followupItem, offer, requestItem, staffItem, statusItem } from "./contact";
import { languageChoice } from "./languages";
import type { Markup, Part } from "./markup";

export interface TranscriptActions extends CheckActions, ContactActions {
  press(id: string, title: string): void;
  takeBack(): void;
  begin(topic: "symptom" | "question"): void;
  writeFor(writer: Writer): void;
  /** Back to a care card that stands. */
  showCard(key: string): void;
  startNew(): void;
}

export function transcript(m: Markup, chat: Chat, actions: TranscriptActions): Part {
  const { state } = chat;
  return html`
    ${isUnsaid(state) ? languageChoice(m, chat) : nothing} ${notice(m, chat)}
    <ol class="messages">
      ${state.greeting && !state.lastSeq ? fromProgram(m, html`<p>${m.strings.greeting}</p>`, "") : nothing}
      ${repeat(
        state.entries,
        (entry) => entry.key,
        (entry) => entryItem(m, chat, entry, actions),
      )}
      ${state.typing ? html`<li class="writing"><p>${m.strings.chat[state.typing]}<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span></p></li>` : nothing}
    </ol>
    ${isFirstScreen(state) ? starters(m, chat, actions) : nothing}
    ${state.phase === "starting" && !state.greeting ? html`<p class="loading">${m.strings.loading}</p>` : nothing} ${over(m, chat, actions)}
  `;
}

/** What this chat is. Who answers is left to the greeting, unless it is not there or speaks another language. */
function notice(m: Markup, chat: Chat): Part {
  const words = m.strings.notice;
  const held = isHeld(chat.state);
  const greeted = chat.state.lastSeq > 0 && m.foreign === nothing;
  return html`<section class="notice" aria-label=${words.label}>
    ${held || !greeted ? html`<p><strong>${m.filled(held ? words.nurse_now : words.program)}</strong></p>` : nothing}
    <p>${m.filled(words.emergency)}</p>
    <details>
      <summary>${words.privacy_summary}</summary>
      <p>${held ? nothing : m.filled(words.nurse)} ${m.filled(words.privacy)}</p>
    </details>
  </section>`;
}

/** How to begin, by a tap. */
function starters(m: Markup, chat: Chat, actions: TranscriptActions): Part {
  const words = m.strings.start;
  const helper = chat.state.writer === "helper";
  const topic = (name: "symptom" | "question") => html`<button type="button" class="choice" aria-pressed=${chat.state.topic === name ? "true" : "false"} @click=${() => actions.begin(name)}>${words[name]}</button>`;
  return html`<div class="starters" role="group" aria-label=${words.label}>
    ${topic("symptom")} ${topic("question")}
    <button type="button" class="choice" aria-pressed=${helper ? "true" : "false"} @click=${() => actions.writeFor(helper ? "patient" : "helper")}>${words.helper}</button>
  </div>`;
}

function entryItem(m: Markup, chat: Chat, entry: Entry, actions: TranscriptActions): Part {
  switch (entry.type) {
    case "mine":
      return fromPatient(m, said(m, entry.item), chat.time(entry.item.at), delivery(m, chat, entry.item));
    case "safety":
      return html`<li class="safe">${safetyCard(m, entry.lang === m.config.lang ? entry.safety : m.config.safety, m.strings.card[entry.reason], entry.key)}</li>`;
    case "answer":
      return answerItem(m, chat, entry.key, entry.answer, chat.time(entry.at), actions);
    case "event":
      return eventItem(m, chat, entry.key, entry.event, actions);
  }
}

function eventItem(m: Markup, chat: Chat, key: string, event: ChatEvent, actions: TranscriptActions): Part {
  switch (event.kind) {
    case "message":
    case "followed":
      return fromPatient(m, said(m, event), chat.time(event.at), stored(m));
    case "writer":
      return html`<li class="aside"><p>${m.strings.chat[`writer_${event.writer}`]}</p></li>`;
    case "answer":
    case "greeting":
      return answerItem(m, chat, key, event, chat.time(event.at), actions);
    case "callback":
      return requestItem(m, chat, event);
    case "staff":
      return staffItem(m, chat, event);
    case "status":
      return statusItem(m, chat, key, event, actions);
    case "followup":
      return followupItem(m, chat, event, actions);
    default:
      return nothing;
  }
}

function delivery(m: Markup, chat: Chat, item: OutItem): Part {
  const words = m.strings.delivery;
  const note = item.note ? html`<p lang=${m.foreign}>${m.linked(item.note)}</p>` : nothing;
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

function answerItem(m: Markup, chat: Chat, key: string, answer: Answer, time: string, actions: TranscriptActions): Part {
  const last = lastAnswer(chat.state);
  const newest = last?.key === key;
  const shown = newest && answer.buttons?.length ? answer.buttons : null;
  const open = newest && !last.answered && chat.state.phase === "open";
  const check = answer.check ? checkCard(m, chat, answer, key, open, actions) : nothing;
  const buttons = shown ? choices(m, chat, shown, open, (button) => actions.press(button.id, button.title), html`<p class="hint">${m.strings.chat.or_type}</p>`) : nothing;
  const first = repeated(chat.state, key);
  const undo = mistake(m, chat, key, actions);
  const inCard = !first && (answer.disposition === "emergency" || answer.disposition === "call_doctor");
  const body = first ? standingAdvice(m, answer, key, () => actions.showCard(first)) : answerBody(m, answer, key, inCard ? undo : nothing);
  return fromProgram(m, body, time, [buttons, inCard ? nothing : undo, check, offer(m, chat, key, answer, actions)], m.foreign);
}

/** Takes the last tap back: in a card that begins with calls right below them, where it is seen. Its place is kept when its time is over, for nothing around it is to move. */
function mistake(m: Markup, chat: Chat, key: string, actions: TranscriptActions): Part {
  const answer = tapAnswer(chat.state);
  if (answer?.key !== key) return nothing;
  return html`<button type="button" lang=${m.config.lang} class=${answer.over ? "quiet mistake gone" : "quiet mistake"} aria-disabled=${chat.state.fresh ? "true" : nothing} @click=${actions.takeBack}>${m.strings.chat.mistake}</button>`;
}

function over(m: Markup, chat: Chat, actions: TranscriptActions): Part {
  const { phase, entries, draftLength, callback } = chat.state;
  if (phase !== "expired" && phase !== "ended") return nothing;
  const words = m.strings.expiry;
  const unsent = phase === "expired" && (draftLength > 0 || entries.some((entry) => entry.type === "mine" && entry.item.state === "failed"));
  return html`<section class="over" aria-labelledby="over">
    <h2 id="over">${words[`${phase}_title`]}</h2>
    <p>${words[phase]}</p>
    ${unsent ? html`<p>${words.unsent}</p>` : nothing} ${callback?.interrupted && !callback.sending ? html`<p>${words.unsent_call}</p>` : nothing}
    <button type="button" class="primary" @click=${actions.startNew}>${unsent ? words.start_and_send : words.start}</button>
    ${phase === "expired" ? safetyCard(m, m.config.safety, "", "over") : nothing}
  </section>`;
}
