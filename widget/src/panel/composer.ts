import { html, nothing } from "lit-html";
import { isHeld } from "./chat/contact";
import { isAsked, type State } from "./chat/state";
import type { Chat } from "./chat/shell";
import type { Markup, Part } from "./markup";

export interface ComposerActions {
  submit(): void;
  typed(area: HTMLTextAreaElement): void;
}

export function composer(m: Markup, chat: Chat, actions: ComposerActions): Part {
  const { state } = chat;
  const words = m.strings.composer;
  if (state.phase === "ended") return nothing;
  const note = state.hint || counter(m, state.draftLength) || (state.topic ? words[`hint_${state.topic}`] : "");
  return html`<form
    class="composer"
    novalidate
    aria-label=${words.label}
    @submit=${(event: Event) => {
      event.preventDefault();
      actions.submit();
    }}
  >
    <label for="words">${words[`label_${purpose(state)}`]}</label>
    <div class="composer-row">
      <textarea
        id="words"
        rows="1"
        autocomplete="off"
        autocapitalize="sentences"
        spellcheck="false"
        enterkeyhint="send"
        aria-describedby="words-note"
        @input=${(event: Event) => actions.typed(event.target as HTMLTextAreaElement)}
        @keydown=${(event: KeyboardEvent) => {
          if (!sends(event)) return;
          event.preventDefault();
          actions.submit();
        }}
      ></textarea>
      <button type="submit" class="primary">${state.phase === "expired" ? words.start_and_send : words.send}</button>
    </div>
    <p id="words-note" class="hint" ?hidden=${!note}>${note}</p>
  </form>`;
}

/** What the text box is for now. */
export function purpose(state: Readonly<State>): "nurse" | "answer" | "question" | State["writer"] {
  if (isHeld(state)) return "nurse";
  if (isAsked(state)) return "answer";
  return state.topic === "question" ? "question" : state.writer;
}

/** Enter, but not the one that ends a word of an input method: some browsers tell it by its old code alone. */
export function sends({ key, shiftKey, isComposing, keyCode }: Pick<KeyboardEvent, "key" | "shiftKey" | "isComposing" | "keyCode">): boolean {
  return key === "Enter" && !shiftKey && !isComposing && keyCode !== 229;
}

function counter(m: Markup, length: number): string {
  const left = m.config.limits.text - length;
  if (left < 0) return m.fill(m.strings.composer.over, { count: String(-left) });
  return length > 0.8 * m.config.limits.text ? m.fill(m.strings.composer.left, { count: String(left) }) : "";
}
