import { html, nothing } from "lit-html";
import type { Block, Disposition, Reply, Safety } from "../shared/types";
import type { Markup, Part } from "./markup";
import { linesOf, withoutRows } from "./text";

const ASKING = ["question", "check"];
const SIGNS: Record<Disposition, string> = { emergency: "!", call_doctor: "\u260e\ufe0e", self_care: "\u2302" };

/** An answer: the words before the advice, the care card, and the question that may follow. */
export function answerBody(m: Markup, answer: Reply, id: string): Part {
  const blocks = withoutRows(answer).filter((block) => !answer.check || answer.check.waits || block.kind !== "check");
  if (!answer.disposition) return [...blocks.map((block) => plainBlock(m, block)), sources(m, answer)];
  const first = blocks.findIndex((block) => block.kind === "advice");
  const lead = blocks.slice(0, Math.max(first, 0));
  const rest = blocks.slice(Math.max(first, 0));
  return [
    ...lead.map((block) => plainBlock(m, block)),
    careCard(m, answer.disposition, rest.filter((block) => !ASKING.includes(block.kind)), id),
    ...rest.filter((block) => ASKING.includes(block.kind)).map((block) => plainBlock(m, block)),
    sources(m, answer),
  ];
}

function careCard(m: Markup, level: Disposition, blocks: Block[], id: string): Part {
  const words = m.strings.card;
  const [head, ...others] = blocks;
  const [title = words[`${level}_label`], ...lines] = head ? linesOf(head) : [];
  return html`<section class="care care-${level}" role="group" aria-labelledby="h-${id}">
    <p class="care-label" aria-hidden="true" lang=${m.config.lang}><span class="sign">${SIGNS[level]}</span> ${words[`${level}_label`]}</p>
    <div class="care-body">
      <h2 id="h-${id}"><span class="vh" lang=${m.config.lang}>${words[`${level}_prefix`]} </span>${m.linked(title)}</h2>
      ${m.calls(m.named(blocks.filter((block) => block.kind === "advice")))} ${lines.map((line) => html`<p>${m.linked(line)}</p>`)}
      ${others.map((block) => cardBlock(m, block, level))}
    </div>
  </section>`;
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

export function safetyCard(m: Markup, safety: Safety, lead: string, id: string, lang: string | typeof nothing = nothing): Part {
  return html`<section class="care care-safety" role="group" aria-labelledby="h-${id}" lang=${lang}>
    ${lead ? html`<p class="care-label">${lead}</p>` : nothing}
    <div class="care-body">
      <h2 id="h-${id}">${m.linked(safety.heading)}</h2>
      ${m.calls([...m.contact("emergency"), ...m.contact("clinic")])} ${safety.blocks.map((block) => plainBlock(m, block))}
    </div>
  </section>`;
}
