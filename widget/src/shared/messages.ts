export interface Theme {
  accent?: string;
  accentText?: string;
  font?: string;
}

/** `open` is null where the chat is a part of the page: it is always open then. */
export type ToPanel = { aftercare: 1; type: "hello"; theme: Theme; open: boolean | null } | { aftercare: 1; type: "open" } | { aftercare: 1; type: "close" };

/** Why a page may not show the chat: there is no such key, or it does not list the page. */
export type Refusal = "key" | "origin";

export type ToLauncher =
  | { aftercare: 1; type: "ready" }
  | { aftercare: 1; type: "close" }
  | { aftercare: 1; type: "unread"; count: number }
  | { aftercare: 1; type: "embedding"; refused: Refusal | null; begun: boolean };

type Fields = Record<string, unknown>;

const LONGEST = 200;

export function readToPanel(data: unknown): ToPanel | null {
  const fields = envelope(data);
  switch (fields?.["type"]) {
    case "hello": {
      const theme = readTheme(fields["theme"]);
      const open = fields["open"];
      return theme && (open === null || typeof open === "boolean") && only(fields, "theme", "open") ? { aftercare: 1, type: "hello", theme, open } : null;
    }
    case "open":
    case "close":
      return only(fields) ? { aftercare: 1, type: fields["type"] } : null;
    default:
      return null;
  }
}

export function readToLauncher(data: unknown): ToLauncher | null {
  const fields = envelope(data);
  switch (fields?.["type"]) {
    case "ready":
    case "close":
      return only(fields) ? { aftercare: 1, type: fields["type"] } : null;
    case "unread": {
      const count = fields["count"];
      return typeof count === "number" && Number.isInteger(count) && count >= 0 && only(fields, "count") ? { aftercare: 1, type: "unread", count } : null;
    }
    case "embedding": {
      const { refused, begun } = fields;
      const known = (refused === null || refused === "key" || refused === "origin") && typeof begun === "boolean";
      return known && only(fields, "refused", "begun") ? { aftercare: 1, type: "embedding", refused, begun } : null;
    }
    default:
      return null;
  }
}

function envelope(data: unknown): Fields | null {
  return isFields(data) && data["aftercare"] === 1 ? data : null;
}

function isFields(data: unknown): data is Fields {
  return typeof data === "object" && data !== null && !Array.isArray(data);
}

function only(fields: Fields, ...names: string[]): boolean {
  return Object.keys(fields).every((name) => name === "aftercare" || name === "type" || names.includes(name));
}

function readTheme(data: unknown): Theme | null {
  if (!isFields(data)) return null;
  const theme: Theme = {};
  for (const name of Object.keys(data)) {
    const value = data[name];
    if (typeof value !== "string" || value.length > LONGEST) return null;
    if (name === "accent" || name === "accentText" || name === "font") theme[name] = value;
    else return null;
  }
  return theme;
}
