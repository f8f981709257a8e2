import { html, nothing, type TemplateResult } from "lit-html";
import { fill } from "../shared/fill";
import { answeredFirst, contactsIn, linkNumbers } from "../shared/tel";
import type { Block, Config, Contact, Session, ToCall } from "../shared/types";
import { answeredNow, answerLang, linesOf, valuesOf } from "./text";

export type Part = TemplateResult | string | typeof nothing | Part[];

/** Text pieces that every view needs, bound to the clinic's words and numbers. */
export class Markup {
  constructor(
    readonly config: Config,
    private session: () => Session | null,
  ) {}

  /** The language of what the program answers. */
  get answerLang(): string {
    return answerLang(this.session());
  }

  /** Which of the clinic's two numbers is answered now. */
  answered(): ToCall | null {
    return answeredNow(this.config, this.session());
  }

  /** The `lang` of what the server says; none where it is the panel's own. */
  get foreign(): string | typeof nothing {
    return this.answerLang === this.config.lang ? nothing : this.answerLang;
  }

  get strings() {
    return this.config.strings;
  }

  fill(template: string, more: Record<string, string> = {}): string {
    return fill(template, { ...valuesOf(this.config, this.session()), ...more });
  }

  linked(text: string): Part[] {
    return linkNumbers(text, this.config.contacts).map((piece) =>
      typeof piece === "string" ? piece : html`<a class="tel" href=${piece.href}>${piece.number}</a>`,
    );
  }

  /** Keeps the digits of a number on one line. */
  private unbroken(text: string): Part[] {
    return linkNumbers(text, this.config.contacts).map((piece) => (typeof piece === "string" ? piece : html`<span class="nb">${piece.number}</span>`));
  }

  filled(template: string): Part[] {
    return this.linked(this.fill(template));
  }

  lines(block: Block): Part[] {
    return linesOf(block).map((line) => html`<p>${this.linked(line)}</p>`);
  }

  /** A button for each number, of the clinic's two the one that is answered first. Where the emergency number is not for now, its button says when. */
  calls(contacts: Contact[], isEmergency = true): Part {
    if (!contacts.length) return nothing;
    return html`<div class="calls">
      ${answeredFirst(contacts, this.answered()).map((contact) => html`<a class="call call-${contact.id}" lang=${this.config.lang} href=${contact.href}><span>${this.unbroken(this.callLabel(contact, isEmergency))}</span></a>`)}
    </div>`;
  }

  /** That the clinic is closed and whom to call; nothing while it is open. */
  get closed(): string {
    return this.answered() === "after_hours" && this.contact("after_hours").length ? this.fill(this.strings.card.closed) : "";
  }

  private callLabel({ id, number }: Contact, isEmergency: boolean): string {
    const words = this.strings.card;
    const label = id === "clinic" ? words.call_clinic : id === "after_hours" ? words.call_after_hours : isEmergency ? words.call : words.call_else;
    return this.fill(label, { number });
  }

  contact(id: string): Contact[] {
    return this.config.contacts.filter((contact) => contact.id === id);
  }

  named(blocks: Block[]): Contact[] {
    return contactsIn(
      blocks.map((block) => block.text),
      this.config.contacts,
    );
  }
}
