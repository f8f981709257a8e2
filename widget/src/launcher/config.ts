import type { Contact, Safety, Strings } from "../shared/types";

export interface LauncherConfig {
  contacts: Contact[];
  safety: Record<string, Safety>;
  strings: Record<string, Strings["launcher"]>;
}

/** The gateway puts its configuration in the place of this literal. */
export const config = JSON.parse("__AFTERCARE__") as LauncherConfig;

export function pickLanguage(wanted: string | null | undefined): string {
  const short = (wanted ?? "").toLowerCase().split("-")[0] ?? "";
  return short in config.strings ? short : "en";
}
