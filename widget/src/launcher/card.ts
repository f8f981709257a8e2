import { fill } from "../shared/fill";
import { linkNumbers } from "../shared/tel";
import type { Contact, Safety, Strings } from "../shared/types";
import { el } from "./dom";

export interface CardActions {
  /** The address of the panel as a page of its own, where that can be reached; else empty. */
  alone: string;
  /** It stands in the page, where there is nothing to close. */
  inline: boolean;
  retry(): void;
  close(): void;
}

/** Shown in the panel's place when the gateway cannot be reached. */
export function safetyCard(words: Strings["launcher"], safety: Safety, contacts: Contact[], actions: CardActions): { root: HTMLElement; status: HTMLElement } {
  const linked = (text: string) =>
    linkNumbers(text, contacts).map((piece) => (typeof piece === "string" ? piece : el("a", { href: piece.href }, piece.number)));
  const call = (id: "emergency" | "clinic" | "after_hours", placeholder: string) => {
    const contact = contacts.find((c) => c.id === id);
    return contact ? [el("a", { href: contact.href, class: `call ${id}` }, fill(words[id], { [placeholder]: contact.number }))] : [];
  };
  const close = el("button", { type: "button" }, words.close);
  close.onclick = actions.close;
  const retry = el("button", { type: "button" }, words.try_again);
  retry.onclick = actions.retry;
  const status = el("p", { role: "status" });
  const root = el(
    "div",
    { class: "card", role: actions.inline ? "alert" : "dialog", "aria-label": words.card_label, tabindex: "-1" },
    el("p", {}, words.card_text),
    el("h2", {}, safety.heading),
    ...call("emergency", "emergency"),
    ...call("clinic", "phone"),
    ...call("after_hours", "after_hours"),
    ...safety.blocks.reduce<HTMLElement[]>((lines, block) => [...lines, ...block.text.split("\n").map((line) => el("p", {}, ...linked(line)))], []),
    ...(actions.alone ? [el("p", {}, el("a", { href: actions.alone, target: "_blank", rel: "noopener" }, words.as_page))] : []),
    status,
    el("div", { class: "row" }, retry, ...(actions.inline ? [] : [close])),
  );
  return { root, status };
}
