import type { Contact, Safety, Strings } from "../shared/types";

export interface Card {
  contacts: Contact[];
  safety: Record<string, Safety>;
}

/** `keys` has the card of each embed key that does not go by the default protocol. */
export interface LauncherConfig extends Card {
  keys?: Record<string, Card>;
  strings: Record<string, Strings["launcher"]>;
}

/** The gateway puts its configuration in the place of this literal. */
export const config = JSON.parse("__AFTERCARE__") as LauncherConfig;

export function pickLanguage(wanted: string | null | undefined): string {
  const short = (wanted ?? "").toLowerCase().split("-")[0] ?? "";
  return short in config.strings ? short : "en";
}
