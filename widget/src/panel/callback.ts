import { html, nothing } from "lit-html";
import type { Writer } from "../shared/types";
import type { CallbackFields, CallbackForm } from "./chat/contact";
import type { Chat } from "./chat/shell";
import { isEmergency } from "./chat/standing";
import type { Markup, Part } from "./markup";
import { radios } from "./menu";

export interface CallbackActions {
  fill(change: Partial<CallbackFields>): void;
  send(): void;
  cancel(): void;
}

/** The form by which a nurse is asked to call. */
export function callbackView(m: Markup, chat: Chat, actions: CallbackActions): Part {
  const form = chat.state.callback;
  if (!form) return nothing;
  const words = m.strings.callback;
  const emergency = isEmergency(chat.state);
  const whose = form.whose ?? chat.state.writer;
  const named = chat.state.writer === "helper" || whose === "helper" ? words[`name_${whose}`] : words.name;
  return html`<form
    class="page callback"
    novalidate
    aria-labelledby="callback-title"
    @submit=${(event: Event) => {
      event.preventDefault();
      actions.send();
    }}
  >
    <h2 id="callback-title" tabindex="-1">${words.ask}</h2>
    ${emergency ? html`<p class="menu-note"><strong>${m.filled(words.first)}</strong></p>${m.calls(m.contact("emergency"))}` : nothing} ${told(m, chat, form)}
    ${emergency ? nothing : html`<p><strong>${m.filled(words.emergency)}</strong></p>`}
    ${number(m, form, actions)}
    ${radios<Writer>("whose", words.whose, whose, [
      ["patient", words.whose_patient],
      ["helper", words.whose_helper],
    ], (whose) => actions.fill({ whose }))}
    ${optional(m, "name", named, "name", 80, form.name, (name) => actions.fill({ name }))}
    ${optional(m, "best", words.best, "off", 120, form.best, (best) => actions.fill({ best }))}
    ${form.problem ? html`<p id="callback-problem" class="menu-note" tabindex="-1">${m.linked(form.problem)}</p>` : nothing}
    <div class="stack">
      <button type="submit" class="primary" aria-disabled=${form.sending ? "true" : nothing}>${form.sending ? m.strings.delivery.sending : words.send}</button>
      <button type="button" class="quiet" @click=${actions.cancel}>${words.cancel}</button>
    </div>
  </form>`;
}

function told(m: Markup, chat: Chat, { info }: CallbackForm): Part {
  const words = m.strings.callback;
  if (info === "loading") return html`<p>${words.loading}</p>`;
  if (info === "failed") return html`<p>${m.filled(words.unknown)}</p>`;
  const asked = info.requested_at;
  return [
    html`<div lang=${m.foreign}>${m.lines({ kind: "say", text: info.text })}</div>`,
    asked ? html`<p class="menu-note">${m.fill(words.requested, { time: chat.time(asked) })}</p>` : nothing,
  ];
}

function number(m: Markup, form: CallbackForm, actions: CallbackActions): Part {
  return html`<div class="field">
    <label for="callback-number">${m.strings.callback.number}</label>
    <p id="callback-error" class="error" ?hidden=${!form.error}>${form.error}</p>
    <input
      id="callback-number"
      type="tel"
      autocomplete="tel"
      required
      maxlength="40"
      aria-invalid=${form.error ? "true" : "false"}
      aria-describedby="callback-error"
      .value=${form.number}
      @input=${(event: Event) => actions.fill({ number: (event.target as HTMLInputElement).value })}
    />
  </div>`;
}

function optional(m: Markup, name: "name" | "best", label: string, autocomplete: "name" | "off", longest: number, value: string, fill: (value: string) => void): Part {
  return html`<div class="field">
    <label for="callback-${name}">${label}</label>
    <input
      id="callback-${name}"
      type="text"
      autocomplete=${autocomplete}
      maxlength=${longest}
      aria-describedby="callback-${name}-hint"
      .value=${value}
      @input=${(event: Event) => fill((event.target as HTMLInputElement).value)}
    />
    <p id="callback-${name}-hint" class="hint">${m.strings.callback.optional}</p>
  </div>`;
}
