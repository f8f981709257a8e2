import type { Session } from "../shared/types";

export type Phase = "open" | "warning_idle" | "warning_absolute" | "over";

const WARN_BEFORE = 300000;

/** What the server's clock is ahead of ours. */
export function clockOffset(session: Session, now: number): number {
  return Date.parse(session.server_time) - now;
}

export function phaseOf(session: Session, offset: number, now: number): Phase {
  const idle = Date.parse(session.idle_expires_at);
  const absolute = Date.parse(session.expires_at);
  const left = Math.min(idle, absolute) - (now + offset);
  if (left <= 0) return "over";
  if (left > WARN_BEFORE) return "open";
  return absolute <= idle ? "warning_absolute" : "warning_idle";
}
