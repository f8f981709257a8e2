import { html, nothing } from "lit-html";
import type { Summary } from "../shared/types";
import { answerBody, plainBlock, safetyCard } from "./cards";
import type { Chat } from "./chat/shell";
import type { Markup, Part } from "./markup";
import { linesOf } from "./text";

export interface SummaryActions {
  print(): void;
  save(): void;
  back(): void;
}

export function summaryView(m: Markup, chat: Chat, actions: SummaryActions): Part {
  const words = m.strings.summary;
  const { summary } = chat.state;
  const ready = summary !== null && typeof summary === "object";
  return html`<article class="page summary">
    <h2 id="summary-title" tabindex="-1">${words.title}</h2>
    ${summary === "loading" ? html`<p>${words.loading}</p>` : nothing}
    ${summary === "failed" ? [html`<p>${words.failed}</p>`, safetyCard(m, m.config.safety, "", "summary")] : nothing} ${ready ? sheet(m, chat, summary) : nothing}
    <div class="stack no-print">
      ${ready
        ? html`<button type="button" class="primary" @click=${actions.print}>${words.print}</button><button type="button" class="quiet" @click=${actions.save}>${words.save}</button>`
        : nothing}
      <button type="button" class="quiet" @click=${actions.back}>${words.back}</button>
    </div>
  </article>`;
}

function sheet(m: Markup, chat: Chat, summary: Summary): Part {
  const words = m.strings.summary;
  return html`
    <p><strong>${summary.clinic}</strong><br />${writtenBy(m, summary)}</p>
    <p>
      ${m.fill(words.started, { time: chat.dateTime(summary.started_at) })}<br />${m.fill(words.printed, { time: chat.dateTime(summary.printed_at) })}
      ${summary.writer === "helper" ? html`<br />${words.writer_helper}` : nothing}
    </p>
    <h3>${words.advised}</h3>
    <div lang=${m.answerLang}>${summary.advice ? answerBody(m, { ...summary.advice, buttons: null, sources: null }, "summary") : html`<p lang=${m.config.lang}>${words.none}</p>`}</div>
    ${summary.watch.length ? html`<h3>${words.watch}</h3><div lang=${m.answerLang}>${summary.watch.map((block) => plainBlock(m, block))}</div>` : nothing}
    <h3>${words.said}</h3>
    <ol class="log">
      ${summary.items.map(
        (item) =>
          html`<li class="log-${item.who}">
            <p class="who">${whoSaid(m, item.who)} <time>${chat.time(item.at)}</time></p>
            ${item.disposition ? html`<p><strong>${m.strings.card[`${item.disposition}_label`]}</strong></p>` : nothing}
            <div lang=${item.who === "patient" ? nothing : m.answerLang}>${item.blocks.map((block) => plainBlock(m, block))}</div>
          </li>`,
      )}
    </ol>
    <p class="fine">${m.fill(words.protocol, { id: summary.protocol.id, version: summary.protocol.version })}</p>
  `;
}

function whoSaid(m: Markup, who: Summary["items"][number]["who"]): string {
  return m.strings.chat[({ patient: "you", assistant: "program", nurse: "nurse" } as const)[who]];
}

function writtenBy(m: Markup, summary: Summary): string {
  const words = m.strings.summary;
  return summary.items.some((item) => item.who === "nurse") ? words.program_and_nurse : words.program;
}

/** The same summary as a plain text file. */
export function summaryText(m: Markup, summary: Summary, time: (iso: string) => string, dateTime: (iso: string) => string): string {
  const words = m.strings.summary;
  const out = [words.title, summary.clinic, writtenBy(m, summary), "", m.fill(words.started, { time: dateTime(summary.started_at) }), m.fill(words.printed, { time: dateTime(summary.printed_at) })];
  if (summary.writer === "helper") out.push(words.writer_helper);
  out.push("", words.advised.toUpperCase());
  if (summary.advice) {
    const { disposition, blocks } = summary.advice;
    if (disposition) out.push(m.strings.card[`${disposition}_label`]);
    for (const block of blocks) out.push(...linesOf(block));
  } else out.push(words.none);
  if (summary.watch.length) out.push("", words.watch.toUpperCase());
  for (const block of summary.watch) out.push(...linesOf(block));
  out.push("", words.said.toUpperCase());
  for (const item of summary.items) {
    out.push(`${time(item.at)} ${whoSaid(m, item.who)}:`);
    if (item.disposition) out.push(`  ${m.strings.card[`${item.disposition}_label`]}`);
    for (const block of item.blocks) out.push(...linesOf(block).map((line) => `  ${line}`));
  }
  out.push("", m.fill(words.protocol, { id: summary.protocol.id, version: summary.protocol.version }), "");
  return out.join("\n");
}
