import { html, nothing } from "lit-html";
import type { Answer, Check, Row, RowAnswer, Told } from "../shared/types";
import type { Chat } from "./chat/shell";
import { rowsLeft } from "./chat/state";
import type { Markup, Part } from "./markup";
import { rowName, withoutRows } from "./text";

export interface CheckActions {
  tick(row: Row, answer: RowAnswer, sure: boolean): void;
  sendCheck(): void;
  unfold(id: string): void;
}

const ANSWERS: readonly RowAnswer[] = ["yes", "no", "unsure"];
const FOLDED = 3;

/** The danger check as one card. Behind information it begins as one plain line. Once something was sent, nothing is left of it but the line. */
export function checkCard(m: Markup, chat: Chat, answer: Answer, id: string, open: boolean, actions: CheckActions): Part {
  const check = answer.check!;
  const folded = !check.waits && check.rows.length > FOLDED && !chat.state.unfolded;
  if (!open) return check.waits ? nothing : html`<p class="check-line">${question(m, answer)} ${firstRows(m, check)}</p>`;
  if (folded) {
    return html`<div class="check-line">
      <p>${question(m, answer)} ${firstRows(m, check)}</p>
      <button type="button" class="quiet" aria-disabled=${chat.state.fresh ? "true" : nothing} @click=${() => !chat.state.fresh && actions.unfold(rowName(check.rows[0]!))}>
        ${m.fill(m.strings.check.unfold, { count: String(check.rows.length) })}
      </button>
    </div>`;
  }
  const words = m.strings.check;
  const left = rowsLeft(chat.state);
  const done = check.rows.length - left;
  return html`<section class="check">
    ${check.waits ? html`<h2 class="vh">${words.heading}</h2>` : html`<h2>${question(m, answer)}</h2>`}
    <p class="hint">${words.help}</p>
    <ol>
      ${check.rows.map((row, place) => html`<li>${rowGroup(m, chat, row, place, actions)}</li>`)}
    </ol>
    <div class="check-end">
      <p id="n-${id}"><progress aria-hidden="true" max=${check.rows.length} .value=${done}></progress>${m.fill(words.progress, { done: String(done), count: String(check.rows.length) })}</p>
      <button type="button" class="primary" aria-describedby="n-${id}" aria-disabled=${chat.state.fresh ? "true" : nothing} @click=${actions.sendCheck}>
        ${words.send}
      </button>
    </div>
  </section>`;
}

function question(m: Markup, answer: Answer): Part {
  const block = withoutRows(answer).find((one) => one.kind === "check");
  return block ? html`<span lang=${m.answerLang}>${block.text}</span>` : nothing;
}

function firstRows(m: Markup, check: Check): Part {
  const more = check.rows.length - FOLDED;
  const first = check.rows.slice(0, FOLDED).map((row) => row.text);
  return html`<span lang=${m.answerLang}>${first.join(" ")}</span>${more > 0 ? ` ${m.fill(m.strings.check.more, { count: String(more) })}` : nothing}`;
}

let arrow = false;

/** With the arrow keys a Yes is passed on the way: it is sent when the patient leaves the row with it, or presses Space. */
function rowGroup(m: Markup, chat: Chat, row: Row, place: number, actions: CheckActions): Part {
  const { ticks, fresh, missing } = chat.state;
  const isMissing = missing === row.id;
  const sign = `missing-${row.id}`;
  const answered = ticks[row.id];
  const leave = (event: FocusEvent) => {
    const group = event.currentTarget as HTMLElement;
    if (!group.contains(event.relatedTarget as Node | null) && chat.state.ticks[row.id] === "yes") actions.tick(row, "yes", true);
  };
  return html`<fieldset
    class="row"
    aria-describedby=${isMissing ? sign : nothing}
    aria-disabled=${fresh ? "true" : nothing}
    @keydown=${(event: KeyboardEvent) => (arrow = event.key.startsWith("Arrow"))}
    @pointerdown=${() => (arrow = false)}
    @focusout=${leave}
  >
    <legend lang=${m.answerLang}>${place + 1}. ${row.text}</legend>
    ${isMissing ? html`<p class="error" id=${sign}>${m.strings.check.missing}</p>` : nothing}
    <div class="ticks">
      ${ANSWERS.map(
        (answer) =>
          html`<label class="tick">
            <input
              type="radio"
              name=${rowName(row)}
              id=${answer === "yes" ? rowName(row) : nothing}
              .checked=${answered === answer}
              @click=${(event: MouseEvent) => {
                if (chat.state.fresh) return event.preventDefault();
                const sure = !arrow;
                arrow = false;
                actions.tick(row, answer, sure);
              }}
            /><span>${m.strings.check[answer]}</span>
          </label>`,
      )}
    </div>
  </fieldset>`;
}

/** What the patient answered: each Yes and each doubt, and how often No. */
export function toldRows(m: Markup, rows: readonly Told[]): Part {
  const words = m.strings.check;
  const line = (row: Told) => html`<li><span lang=${m.answerLang}>${row.text}</span> <strong>${words[row.answer]}</strong></li>`;
  const denied = rows.filter((row) => row.answer === "no");
  const others = rows.filter((row) => row.answer !== "no");
  return html`${others.length ? html`<ul class="told">${others.map(line)}</ul>` : nothing}
  ${denied.length ? html`<details class="told"><summary>${m.fill(words.denied, { count: String(denied.length) })}</summary><ul>${denied.map(line)}</ul></details>` : nothing}`;
}
