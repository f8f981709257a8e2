import { html, nothing } from "lit-html";
import type { Chat } from "./chat/shell";
import type { Markup, Part } from "./markup";

export interface HeaderActions {
  toggleMenu(): void;
  close(): void;
}

/** One line that is the same in every view: whose chat this is, the menu, the emergency number, and the clinic's number that is answered now. */
export function header(m: Markup, chat: Chat, actions: HeaderActions): Part {
  const words = m.strings.header;
  const open = chat.state.view === "menu";
  const [, short = "", rest = ""] = /^(.*?)( \(.*)?$/.exec(m.config.clinic.name) ?? [];
  return html`<header class="top">
    <h1>${short}${rest ? html`<span class="wide">${rest}</span>` : nothing}</h1>
    ${chat.state.phase === "ended"
      ? nothing
      : html`<button type="button" id="menu-button" class="top-button" aria-expanded=${open ? "true" : "false"} aria-controls=${open ? "menu" : nothing} @click=${actions.toggleMenu}>
          ${words.menu}
        </button>`}
    ${phones(m)}
    ${chat.state.closes ? html`<button type="button" class="top-button" aria-label=${words.close_name} @click=${actions.close}><span aria-hidden="true">\u00d7</span></button>` : nothing}
  </header>`;
}

function phones(m: Markup): Part {
  const words = m.strings.phones;
  const answered = m.answered();
  const label = answered === "after_hours" ? words.after_hours : words.clinic;
  return html`<nav class="phones" aria-label=${words.label}>
    ${m.contact("emergency").map((contact) => html`<a class="phone phone-emergency" href=${contact.href}>${m.fill(words.emergency)}</a>`)}
    ${m.contact(answered ?? "clinic").map((contact) => html`<a class="phone phone-clinic" aria-label="${label} ${contact.number}. ${openNow(m)}" href=${contact.href}>${label}<span class="wide"> ${contact.number}</span></a>`)}
  </nav>`;
}

/** Whether the clinic is open; nothing where that is not known. */
function openNow(m: Markup): string {
  const answered = m.answered();
  return answered ? m.strings.phones[answered === "clinic" ? "open" : "closed"] : "";
}

/** Every number of the clinic's, and when it is answered. */
export function numbers(m: Markup): Part {
  const words = m.strings.phones;
  return html`<section class="numbers" aria-labelledby="numbers">
    <h2 id="numbers">${words.label}</h2>
    ${m.calls(["emergency", "clinic", "after_hours"].flatMap((id) => m.contact(id)))}
    <p>${m.fill(words.hours)} ${openNow(m)}</p>
  </section>`;
}
