import type { Refusal } from "../shared/messages";

/** What whoever looks after the page can do about a refusal, in one line. */
export function remedy(refused: Refusal, origin: string, key: string): string {
  if (refused === "key")
    return `Aftercare: there is no embed key "${key}". Correct data-key, or add the key to the file that AFTERCARE_EMBED names and restart the gateway.`;
  return `Aftercare: the embed key "${key}" does not list ${origin}. Add it to the origins of the key and restart the gateway.`;
}
