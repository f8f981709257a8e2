import { html, nothing } from "lit-html";
import type { Chat } from "./chat/shell";
import { numbers } from "./header";
import { languageSetting } from "./languages";
import type { Markup, Part } from "./markup";
import type { Prefs } from "./prefs";

export interface MenuActions {
  callback(): void;
  summary(): void;
  back(): void;
  restart(): void;
  end(clearDevice: boolean): void;
  ask(confirm: "restart" | "end" | null): void;
  /** What was chosen stays where it was seen. */
  resize(size: Prefs["size"]): void;
}

export function menu(m: Markup, chat: Chat, actions: MenuActions): Part {
  const words = m.strings.menu;
  const { state } = chat;
  return html`<section id="menu" class="page" aria-label=${words.label} tabindex="-1">
    ${back()} ${state.phase === "open" ? html`<button type="button" class="quiet" @click=${actions.callback}>${m.strings.callback.ask}</button>` : nothing}
    ${numbers(m)} ${openUntil(m, chat)} ${state.menuNote ? html`<p class="menu-note">${m.linked(state.menuNote)}</p>` : nothing}
    ${languageSetting(m, chat)}
    ${radios("writer", words.writer, state.writer, [
      ["patient", words.writer_patient],
      ["helper", words.writer_helper],
    ], (writer) => chat.dispatch({ type: "chose_writer", writer }))}
    ${radios("size", words.size, state.prefs.size, [
      ["normal", words.size_normal],
      ["large", words.size_large],
      ["larger", words.size_larger],
    ], actions.resize)}
    ${radios("contrast", words.contrast, state.prefs.contrast, [
      ["normal", words.contrast_normal],
      ["high", words.contrast_high],
    ], (contrast) => chat.dispatch({ type: "chose_prefs", change: { contrast } }))}
    <div class="stack">
      <button type="button" class="quiet" @click=${actions.summary}>${words.summary}</button>
      ${confirmable("restart", words.restart, words.restart_question, words.restart_yes, actions.restart)}
      ${confirmable("end", words.end, words.end_question, words.end_yes, () => actions.end(false))}
    </div>
    <div class="shared">
      <label class="option"><input type="checkbox" .checked=${state.shared} aria-describedby="shared-help" @change=${(event: Event) => chat.dispatch({ type: "chose_shared", shared: (event.target as HTMLInputElement).checked })} /><span>${words.shared}</span></label>
      <p id="shared-help">${words.shared_help}</p>
      <button type="button" class="quiet" @click=${() => actions.end(true)}>${words.clear}</button>
    </div>
    ${back()}
  </section>`;

  /** On top and at the end: the menu is several screens long. */
  function back(): Part {
    return html`<button type="button" class="primary" @click=${actions.back}>${words.back}</button>`;
  }

  function confirmable(name: "restart" | "end", label: string, question: string, yes: string, run: () => void): Part {
    if (state.confirm !== name) return html`<button type="button" class="quiet" id="ask-${name}" @click=${() => actions.ask(name)}>${label}</button>`;
    return html`<div class="confirm" role="group" aria-labelledby="confirm-question">
      <p id="confirm-question">${question}</p>
      <button type="button" class="primary" id="confirm-yes" @click=${run}>${yes}</button>
      <button type="button" class="quiet" @click=${() => actions.ask(null)}>${words.no}</button>
    </div>`;
  }
}

function openUntil(m: Markup, chat: Chat): Part {
  const { session } = chat.state;
  if (!session) return nothing;
  const words = m.strings.menu;
  return html`<p class="until">${m.fill(words.until_idle, { time: chat.time(session.idle_expires_at) })} ${m.fill(words.until_absolute, { time: chat.time(session.expires_at) })}</p>`;
}

export function radios<T extends string>(name: string, legend: string, value: T, options: [T, string][], choose: (value: T) => void): Part {
  return html`<fieldset>
    <legend>${legend}</legend>
    ${options.map(
      ([option, label]) =>
        html`<label class="option"><input type="radio" name=${name} value=${option} .checked=${option === value} @change=${() => choose(option)} /><span>${label}</span></label>`,
    )}
  </fieldset>`;
}
