import { html, nothing } from "lit-html";
import type { Callback, CallbackEvent, FollowupEvent, Reply, StaffEvent, StatusEvent } from "../shared/types";
import { choices, fromPatient, fromProgram, stored } from "./bubbles";
import { answerBody, plainBlock } from "./cards";
import { offering, openFollowup } from "./chat/contact";
import type { Chat } from "./chat/shell";
import type { Markup, Part } from "./markup";

export interface ContactActions {
  askForCall(): void;
  followUp(seq: number, id: string, title: string): void;
}

/** The patient's request for a call, and its receipt. */
export function requestItem(m: Markup, chat: Chat, event: CallbackEvent): Part {
  const time = chat.time(event.at);
  const receipt = event.blocks.map((block) => plainBlock(m, block));
  return [fromPatient(m, wanted(m, event.callback), time, stored(m)), fromProgram(m, receipt, time, nothing, m.foreign)];
}

function wanted(m: Markup, { number, name, whose, best }: Callback): Part {
  const words = m.strings.callback;
  const lines = [
    [words.number, number],
    [words.whose, words[`whose_${whose}`]],
    [words.name, name],
    [words.best, best],
  ];
  return html`<p>${words.asked}</p>
    <ul class="told">
      ${lines.map(([label, value]) => (value ? html`<li>${label} <strong dir="auto">${value}</strong></li>` : nothing))}
    </ul>`;
}

/** A nurse's message: a sign, the name in bold and a thick frame tell it from the program's. */
export function staffItem(m: Markup, chat: Chat, event: StaffEvent): Part {
  return html`<li class="nurse">
    <p class="who"><span class="sign" aria-hidden="true">+</span> <span lang=${m.foreign}>${event.who}</span> <time>${chat.time(event.at)}</time></p>
    <div class="bubble" dir="auto" lang=${m.foreign}><p class="words">${m.linked(event.text)}</p></div>
  </li>`;
}

/** What became of a request: a line, or a card where it tells what to do. */
export function statusItem(m: Markup, chat: Chat, key: string, event: StatusEvent, actions: ContactActions): Part {
  const time = chat.time(event.at);
  if (event.disposition) return fromProgram(m, answerBody(m, event, key), time, offer(m, chat, key, event, actions), m.foreign);
  return html`<li class="status">
    <div lang=${m.foreign}>${event.blocks.map((block) => m.lines(block))}</div>
    <time>${time}</time>
    ${offer(m, chat, key, event, actions)}
  </li>`;
}

/** Did they reach whom they were told to call? Asked until it is answered. */
export function followupItem(m: Markup, chat: Chat, event: FollowupEvent, actions: ContactActions): Part {
  const open = openFollowup(chat.state)?.seq === event.seq;
  const buttons = open ? choices(m, chat, event.buttons, true, (button) => actions.followUp(event.seq, button.id, button.title)) : nothing;
  return fromProgram(m, plainBlock(m, { kind: "question", text: event.text }), chat.time(event.at), html`<div class="big">${buttons}</div>`, m.foreign);
}

/** A call is offered behind the newest reply that offers one. */
export function offer(m: Markup, chat: Chat, key: string, reply: Reply, actions: ContactActions): Part {
  if (!reply.offers?.length || offering(chat.state) !== key) return nothing;
  return html`<button type="button" id="offer" class="quiet offer" aria-disabled=${chat.state.fresh ? "true" : nothing} @click=${() => !chat.state.fresh && actions.askForCall()}>${m.strings.callback.ask}</button>`;
}
