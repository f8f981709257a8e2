import type { Contact, ToCall } from "./types";

export type Piece = string | Contact;

/** Splits a text at the contacts' numbers. A number inside a longer number is left alone. */
export function linkNumbers(text: string, contacts: Contact[]): Piece[] {
  const pieces: Piece[] = [];
  const byLength = [...contacts].sort((a, b) => b.number.length - a.number.length);
  let plain = 0;
  let at = 0;
  while (at < text.length) {
    const contact = byLength.find((c) => c.number && text.startsWith(c.number, at) && standsAlone(text, at, at + c.number.length));
    if (!contact) {
      at += 1;
      continue;
    }
    if (at > plain) pieces.push(text.slice(plain, at));
    pieces.push(contact);
    at += contact.number.length;
    plain = at;
  }
  if (plain < text.length) pieces.push(text.slice(plain));
  return pieces;
}

/** The contacts named in the texts, each once, in the order of their first mention. */
export function contactsIn(texts: string[], contacts: Contact[]): Contact[] {
  const found = new Set<Contact>();
  for (const text of texts) {
    for (const piece of linkNumbers(text, contacts)) if (typeof piece !== "string") found.add(piece);
  }
  return [...found];
}

/** The contacts with the clinic's two numbers in each other's place where the second of them is the one that is answered. */
export function answeredFirst(contacts: Contact[], answered: ToCall | null): Contact[] {
  const two = contacts.filter(isOfClinic).sort((a, b) => Number(b.id === answered) - Number(a.id === answered));
  return contacts.map((contact) => (isOfClinic(contact) ? two.shift()! : contact));
}

/** Whether it is one of the clinic's two numbers. */
export function isOfClinic({ id }: Contact): boolean {
  return id === "clinic" || id === "after_hours";
}

function standsAlone(text: string, start: number, end: number): boolean {
  return !/[\p{L}\p{N}+]$|\p{N}[-.]$/u.test(text.slice(0, start)) && !/^[\p{L}\p{N}]|^[-.]\p{N}/u.test(text.slice(end));
}
