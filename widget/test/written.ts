import { Markup, type Part } from "../src/panel/markup";
import type { Chat } from "../src/panel/chat/shell";
import type { State } from "../src/panel/chat/state";
import type { Config } from "../src/shared/types";
import { config } from "./panel";

type Template = { strings: readonly string[]; values: readonly unknown[] };

/** A view as the HTML that it comes to, without a browser: what is listened to is left out, white space is one space. */
export function written(part: Part): string {
  return write(part).replace(/\s+/g, " ").replace(/> </g, "><");
}

function write(part: unknown): string {
  if (typeof part === "string" || typeof part === "number") return String(part).replace(/</g, "&lt;");
  if (Array.isArray(part)) return part.map(write).join("");
  if (typeof part === "object" && part !== null && "_$litDirective$" in part) return repeated((part as unknown as { values: unknown[] }).values);
  if (typeof part !== "object" || part === null || !("strings" in part)) return "";
  const { strings, values } = part as Template;
  return strings.reduce((text, string, at) => hole(text, values[at - 1]) + string);
}

/** What `repeat` was given: items, their keys, and how each is shown. */
function repeated([items, , show]: unknown[]): string {
  return (items as unknown[]).map((item) => write((show as (item: unknown) => unknown)(item))).join("");
}

/** The text with a value behind it: an attribute that is not there goes with its name. */
function hole(text: string, value: unknown): string {
  const attribute = /\s([?@.]?)([\w-]+)="?$/.exec(text);
  if (!attribute) return text + write(value);
  const before = text.slice(0, attribute.index);
  const [whole, mark, name] = attribute;
  if (mark === "?") return value ? `${before} ${name}` : before;
  if (mark === "@" || typeof value === "symbol") return before;
  return whole.endsWith('"') ? text + write(value) : `${before} ${name}="${write(String(value))}"`;
}

/** What views need of a page: the texts, and a chat in this state. */
export function page(state: Readonly<State>, change: Partial<Config> = {}): { m: Markup; chat: Chat } {
  const own = { ...config, ...change };
  const chat = { state, time: (moment: string | number) => `at ${moment}`, dateTime: (iso: string) => `at ${iso}`, warning: () => "", dispatch: () => undefined };
  return { m: new Markup(own, () => state.session), chat: chat as unknown as Chat };
}
