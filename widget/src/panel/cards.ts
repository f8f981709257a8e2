import { html, nothing } from "lit-html";
import { isOfClinic } from "../shared/tel";
import type { Block, Contact, Disposition, Reply, Safety } from "../shared/types";
import { isOfCard } from "./chat/standing";
import type { Markup, Part } from "./markup";
import { linesOf, saysToCallClinic, withoutRows } from "./text";

const SIGNS: Record<Disposition, string> = { emergency: "!", call_doctor: "\u260e\ufe0e", self_care: "\u2302" };

/** An answer: the words before the advice, the care card, and the question that may follow; `belowCalls`: what stands below the calls of a card that begins with them. */
export function answerBody(m: Markup, answer: Reply, id: string, belowCalls: Part = nothing): Part {
  if (!answer.disposition) return [...shownBlocks(answer).map((block) => plainBlock(m, block)), sources(m, answer)];
  const { lead, card, asking } = partsOf(answer);
  return [
    ...lead.map((block) => plainBlock(m, block)),
    careCard(m, answer.disposition, card, id, belowCalls),
    ...asking.map((block) => plainBlock(m, block)),
    sources(m, answer),
  ];
}

function partsOf(answer: Reply): { lead: Block[]; card: Block[]; asking: Block[] } {
  const blocks = shownBlocks(answer);
  const first = Math.max(blocks.findIndex((block) => block.kind === "advice"), 0);
  const rest = blocks.slice(first);
  return { lead: blocks.slice(0, first), card: rest.filter((block) => !isAsking(block)), asking: rest.filter(isAsking) };
}

function shownBlocks(answer: Reply): Block[] {
  return withoutRows(answer).filter((block) => !answer.check || answer.check.waits || block.kind !== "check");
}

function isAsking(block: Block): boolean {
  return block.kind === "question" || block.kind === "check";
}

function careCard(m: Markup, level: Disposition, blocks: Block[], id: string, belowCalls: Part): Part {
  const words = m.strings.card;
  const [head, ...others] = blocks;
  const [title = words[`${level}_label`], ...lines] = head ? linesOf(head) : [];
  const closed = closedNow(m, level, blocks);
  const calls = m.calls(toCall(m, level, blocks), level === "emergency");
  return html`<section class="care care-${level}" id="card-${id}" role="group" aria-labelledby="h-${id}" tabindex="-1">
    ${leadsElsewhere(m, level, blocks) ? nothing : html`<p class="care-label" aria-hidden="true" lang=${m.config.lang}><span class="sign">${SIGNS[level]}</span> ${words[`${level}_label`]}</p>`}
    <div class="care-body">
      <h2 id="h-${id}"><span class="vh" lang=${m.config.lang}>${words[`${level}_prefix`]} </span>${closed ? html`<span lang=${m.config.lang}>${m.linked(closed)}</span>` : m.linked(title)}</h2>
      ${level === "self_care" ? nothing : [calls, belowCalls]} ${(closed ? [title, ...lines] : lines).map((line) => html`<p>${m.linked(line)}</p>`)}
      ${others.map((block) => cardBlock(m, block, level))} ${level === "self_care" ? calls : nothing}
    </div>
  </section>`;
}

/** Whether a card for the doctor leads somewhere else, since no number was answered: its heading says where. */
function leadsElsewhere(m: Markup, level: Disposition, blocks: Block[]): boolean {
  return level === "call_doctor" && !saysToCallClinic(blocks, m.config.contacts);
}

/** That the clinic is closed, on a card that says to call it; advice to go elsewhere keeps its own heading. */
function closedNow(m: Markup, level: Disposition, blocks: Block[]): string {
  return level === "call_doctor" && !leadsElsewhere(m, level, blocks) ? m.closed : "";
}

/** The numbers that a card names, the ones to call now first; while the clinic is closed, the one that is answered is among them, and in an emergency in the clinic's place. */
function toCall(m: Markup, level: Disposition, blocks: Block[]): Contact[] {
  const named = m.named(blocks.filter((block) => block.kind === "advice"));
  const clinic = named.filter(isOfClinic);
  const others = named.filter((contact) => !isOfClinic(contact));
  const answered = clinic.length && m.closed ? m.contact("after_hours") : [];
  if (level === "emergency") return [...others, ...(answered.length ? answered : clinic)];
  const missing = level === "call_doctor" ? answered.filter((contact) => !named.includes(contact)) : [];
  return [...missing, ...clinic, ...others];
}

/** Advice that was given before and stands, as one line that leads back to its card. An emergency keeps a call button, also where its line names no number. */
export function standingAdvice(m: Markup, answer: Reply, id: string, show: () => void): Part {
  const level = answer.disposition!;
  const words = m.strings.card;
  const { lead, card, asking } = partsOf(answer);
  const title = card[0] ? linesOf(card[0])[0] : words[`${level}_label`];
  const closed = closedNow(m, level, card.slice(0, 1));
  const named = toCall(m, level, card.slice(0, 1));
  return [
    ...[...withoutIntroduction(lead), ...card.filter((block) => !isOfCard(block))].map((block) => plainBlock(m, block)),
    html`<section class="stands stands-${level}" role="group" aria-labelledby="h-${id}">
      <p id="h-${id}"><span class="vh" lang=${m.config.lang}>${words[`${level}_prefix`]} </span><span lang=${m.config.lang}>${words.stands}</span> <strong>${m.linked(closed || title!)}</strong></p>
      ${level === "emergency" ? m.calls(named.length ? named : m.contact("emergency")) : nothing}
      <button type="button" class="quiet" lang=${m.config.lang} @click=${show}>${words.show}</button>
    </section>`,
    ...asking.map((block) => plainBlock(m, block)),
  ];
}

/** The words before a card without a last line that leads over to it: the line in its place has words of its own for that. */
function withoutIntroduction(lead: Block[]): Block[] {
  const last = lead[lead.length - 1];
  const lines = last ? linesOf(last) : [];
  if (!lines.pop()?.endsWith(":")) return lead;
  return [...lead.slice(0, -1), ...(lines.length ? [{ ...last!, text: lines.join("\n") }] : [])];
}

function cardBlock(m: Markup, block: Block, level: Disposition): Part {
  if (block.kind !== "watch") return plainBlock(m, block);
  return html`<details ?open=${level !== "emergency"}>
    <summary lang=${m.config.lang}>${m.strings.card.watch}</summary>
    ${m.lines(block)}
  </details>`;
}

export function plainBlock(m: Markup, block: Block): Part {
  switch (block.kind) {
    case "leaflet":
      return html`<blockquote>${m.lines(block)}</blockquote>`;
    case "advice":
    case "why":
    case "note":
    case "watch":
    case "question":
    case "check":
      return html`<div class="b-${block.kind}">${m.lines(block)}</div>`;
    default:
      return m.lines(block);
  }
}

function sources(m: Markup, answer: Reply): Part {
  if (!answer.sources?.length) return nothing;
  return html`<details>
    <summary lang=${m.config.lang}>${m.strings.chat.sources}</summary>
    ${answer.sources.map((source) => html`<blockquote><p>${source.quote}</p><footer><cite>${source.section}</cite></footer></blockquote>`)}
  </details>`;
}

export function safetyCard(m: Markup, safety: Safety, lead: string, id: string): Part {
  return html`<section class="care care-safety" role="group" aria-labelledby="h-${id}">
    ${lead ? html`<p class="care-label">${lead}</p>` : nothing}
    <div class="care-body">
      <h2 id="h-${id}">${m.linked(safety.heading)}</h2>
      ${m.calls([...m.contact("emergency"), ...m.contact("clinic"), ...(m.closed ? m.contact("after_hours") : [])])} ${safety.blocks.map((block) => plainBlock(m, block))}
    </div>
  </section>`;
}
