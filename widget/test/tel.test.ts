import assert from "node:assert/strict";
import { test } from "node:test";
import { contactsIn, linkNumbers } from "../src/shared/tel";

const contacts = [
  { id: "emergency", number: "911", href: "tel:911" },
  { id: "clinic", number: "555-0100", href: "tel:555-0100" },
];
const marked = (text: string) =>
  linkNumbers(text, contacts)
    .map((piece) => (typeof piece === "string" ? piece : `<${piece.number}>`))
    .join("");

test("links whole numbers", () => {
  assert.equal(marked("Call 911. Then (555-0100)."), "Call <911>. Then (<555-0100>).");
  assert.equal(marked("911"), "<911>");
  assert.equal(marked("911/555-0100, 911"), "<911>/<555-0100>, <911>");
});

test("leaves a number inside a longer one alone", () => {
  for (const text of ["1911", "9112", "1-555-0100", "555-01001", "555-0100-2", "911-0100", "+911", "x911", "911st", "3.911"]) assert.equal(marked(text), text);
});

test("loses nothing of the text", () => {
  for (const text of ["", "no number", "911911", "Call\n911\nnow", "١٩١١ 911"]) assert.equal(marked(text).replace(/[<>]/g, ""), text);
});

test("names each contact once, in the order of the text", () => {
  assert.deepEqual(contactsIn(["Call 555-0100 or 911.", "Call 555-0100."], contacts).map((contact) => contact.id), ["clinic", "emergency"]);
});
