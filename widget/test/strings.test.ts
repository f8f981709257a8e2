import assert from "node:assert/strict";
import { test } from "node:test";
import en from "../strings/en.json";
import es from "../strings/es.json";

function flat(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  return Object.entries(value as Record<string, unknown>).flatMap(([key, inner]) => flat(inner, path ? `${path}.${key}` : key));
}

const placeholders = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

test("both languages have the same keys", () => {
  assert.deepEqual(flat(en).map(([key]) => key), flat(es).map(([key]) => key));
});

test("no string is empty or left untranslated", () => {
  const spanish = new Map(flat(es));
  for (const [key, text] of flat(en)) {
    assert(text.trim() && spanish.get(key)?.trim(), key);
    if (text.split(" ").length > 2) assert.notEqual(text, spanish.get(key), key);
  }
});

test("every placeholder of the English text is in the Spanish text", () => {
  const spanish = new Map(flat(es));
  const known = ["{after_hours}", "{answered}", "{clinic}", "{count}", "{done}", "{emergency}", "{hours}", "{id}", "{label}", "{number}", "{phone}", "{row}", "{time}", "{titles}", "{version}"];
  for (const [key, text] of flat(en)) {
    for (const placeholder of placeholders(text)) assert(placeholders(spanish.get(key) ?? "").includes(placeholder), `${key} ${placeholder}`);
    for (const placeholder of placeholders(spanish.get(key) ?? "")) assert(known.includes(placeholder), `${key} ${placeholder}`);
  }
});
