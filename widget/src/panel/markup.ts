import { html, nothing, type TemplateResult } from "lit-html";
import { fill } from "../shared/fill";
import { contactsIn, linkNumbers } from "../shared/tel";
import type { Block, Config, Contact } from "../shared/types";
import { ANSWER_LANG, linesOf } from "./text";

export type Part = TemplateResult | string | typeof nothing | Part[];

/** Text pieces that every view needs, bound to the clinic's words and numbers. */
export class Markup {
  /** The language of what the program answers. */
  readonly answerLang = ANSWER_LANG;

  constructor(
    readonly config: Config,
    private values: Record<string, string>,
  ) {}

  /** The `lang` of what the server says; none where it is the panel's own. */
  get foreign(): string | typeof nothing {
    return this.answerLang === this.config.lang ? nothing : this.answerLang;
  }

  get strings() {
    return this.config.strings;
  }

  fill(template: string, more: Record<string, string> = {}): string {
    return fill(template, { ...this.values, ...more });
  }

  linked(text: string): Part[] {
    return linkNumbers(text, this.config.contacts).map((piece) =>
      typeof piece === "string" ? piece : html`<a class="tel" href=${piece.href}>${piece.number}</a>`,
    );
  }

  /** Keeps the digits of a number on one line. */
  unbroken(text: string): Part[] {
    return linkNumbers(text, this.config.contacts).map((piece) => (typeof piece === "string" ? piece : html`<span class="nb">${piece.number}</span>`));
  }

  filled(template: string): Part[] {
    return this.linked(this.fill(template));
  }

  lines(block: Block): Part[] {
    return linesOf(block).map((line) => html`<p>${this.linked(line)}</p>`);
  }

  calls(contacts: Contact[]): Part {
    return html`<div class="calls">
      ${contacts.map((contact) => html`<a class="call call-${contact.id}" lang=${this.config.lang} href=${contact.href}>${this.fill(this.strings.card.call, { number: contact.number })}</a>`)}
    </div>`;
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
