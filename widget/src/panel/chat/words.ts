import { fill } from "../../shared/fill";
import type { Config, Session } from "../../shared/types";
import type { State } from "./state";

/** A time of today without its day. */
export function timeOf(lang: string, moment: string | number, now: number): string {
  const date = new Date(moment);
  const clock: Intl.DateTimeFormatOptions = { hour: "numeric", minute: "2-digit" };
  const today = date.toDateString() === new Date(now).toDateString();
  return date.toLocaleString(lang, today ? clock : { weekday: "long", ...clock });
}

export function dateTimeOf(lang: string, iso: string): string {
  return new Date(iso).toLocaleString(lang, { dateStyle: "long", timeStyle: "short" });
}

export function warningText(config: Config, session: Session, warning: NonNullable<State["warning"]>, now: number): string {
  const end = warning === "warning_idle" ? session.idle_expires_at : session.expires_at;
  return fill(config.strings.expiry[warning], { time: timeOf(config.lang, end, now) });
}
