import { html, nothing } from "lit-html";
import type { Chat } from "./chat/shell";
import type { Markup, Part } from "./markup";

/** The choice on the first screen; nothing where there is none. */
export function languageChoice(m: Markup, chat: Chat): Part {
  if (m.config.languages.length < 2) return nothing;
  const { menuNote } = chat.state;
  return html`<div class="languages" role="group" aria-label=${m.strings.language.label}>${buttons(m, chat)}</div>
    ${menuNote ? html`<p class="menu-note">${m.linked(menuNote)}</p>` : nothing}`;
}

/** The choice in the menu, which says what stays as it was. */
export function languageSetting(m: Markup, chat: Chat): Part {
  if (m.config.languages.length < 2) return nothing;
  const words = m.strings.language;
  const stays = chat.state.phase === "open" && m.foreign !== nothing;
  return html`<fieldset>
    <legend>${words.label}</legend>
    <div class="languages">${buttons(m, chat)}</div>
    ${stays ? html`<p class="hint">${words.stays}</p>` : nothing}
  </fieldset>`;
}

/** Each language by its own name. */
function buttons(m: Markup, chat: Chat): Part {
  return m.config.languages.map(
    ({ tag, name }) =>
      html`<button type="button" class="choice" lang=${tag} aria-pressed=${tag === m.config.lang ? "true" : "false"} @click=${() => chat.dispatch({ type: "chose_language", tag })}>${name}</button>`,
  );
}
