import type { Session } from "../../shared/types";
import { clockOffset, phaseOf } from "../expiry";
import { spokenSafety } from "../text";
import { watched } from "./answers";
import { clear, pause, resume } from "./delivery";
import { up } from "./link";
import { act } from "./outgoing";
import { initialState, type State } from "./state";
import type { Handlers, Step } from "./step";
import { watchStopped } from "./waiting";
import { warningText } from "./words";

/** The chat of this token is open. */
export function adopt(step: Step, token: string, session: Session): void {
  const { state } = step;
  step.do({ type: "stop_feed" });
  step.do({ type: "keep_token", token });
  Object.assign(state, { token, looking: false, startFailures: 0, phase: "open", greeting: false });
  setSession(step, session);
  up(step);
  step.do({ type: "feed", token, after: state.lastSeq });
  act(step, resume(state.outbox));
}

/** The other tabs go on in the new chat; those of a shared computer learn that the old one is over, and not the new token. */
export function tellReplaced(step: Step, from: string, token: string): void {
  step.do(step.state.shared ? { type: "tell_ended", token: from } : { type: "tell_restarted", from, token });
}

/** Everything of this chat is forgotten; how the panel is shown, and by whom it is used, stays. */
export function reset(step: Step): void {
  step.do({ type: "stop_feed" });
  step.keep([]);
  act(step, clear(step.state.outbox));
  watched(step, watchStopped(step.state.watch));
  const { prefs, shared, closes, shown, writer } = step.state;
  Object.assign(step.state, initialState(prefs), { shared, closes, shown, writer }, underWay(step.state));
  step.render();
}

/** What a reset leaves alone: requests that are not answered yet, and what tells entries apart. */
function underWay({ token, outbox, looking, connecting, sendOnceOpen, startFailures, leaving, checking, choosing, locals, freshKey }: State) {
  return { token, outbox, looking, connecting, sendOnceOpen, startFailures, leaving, checking, choosing, locals, freshKey };
}

export function finish(step: Step, phase: "ended" | "expired"): void {
  const { state, config } = step;
  step.do({ type: "stop_feed" });
  watched(step, watchStopped(state.watch));
  state.token = null;
  step.do({ type: "keep_token", token: null });
  if (phase === "ended") {
    reset(step);
    step.do({ type: "clear_draft" });
    step.tell({ type: "say", text: `${config.strings.expiry.ended_title}. ${config.strings.expiry.ended}` }, { counts: false });
  } else {
    for (const passed of ["offline", "warning"]) step.forget(passed);
    act(step, pause(state.outbox));
    interruptCallback(step);
    step.tell({ type: "say", text: `${config.strings.expiry.expired_title}. ${config.strings.expiry.expired} ${spokenSafety(config.safety)}` }, { counts: false });
  }
  Object.assign(state, { phase, warning: null, view: "chat", confirm: null, answerPending: false, typing: null, link: "up" });
  step.render();
}

/** What is typed for a call is kept for the next chat. */
function interruptCallback(step: Step): void {
  const { callback, view } = step.state;
  if (!callback || (view !== "callback" && !callback.sending)) return;
  step.state.callback = { ...callback, interrupted: true };
  if (!callback.sending) step.tell({ type: "say", text: step.config.strings.expiry.unsent_call });
  if (view === "callback") step.focus("main");
}

/** The server says that the chat is over, and why. */
export function closed(step: Step, code: string): void {
  if (step.state.phase === "open") finish(step, code === "session_ended" ? "ended" : "expired");
}

export function setSession(step: Step, session: Session): void {
  Object.assign(step.state, { session, writer: session.writer, offset: clockOffset(session, step.now) });
  tick(step);
  step.render();
}

export function tick(step: Step): void {
  const { session, offset, phase, warning: before } = step.state;
  if (!session || phase !== "open") return;
  const now = phaseOf(session, offset, step.now);
  if (now === "over") return check(step, null);
  const warning = now === "open" ? null : now;
  if (warning === before) return;
  step.state.warning = warning;
  step.forget("warning");
  if (warning) step.tell({ type: "say", text: warningText(step.config, session, warning, step.now) }, { counts: false, about: "warning" });
  step.render();
}

/** Asks the server whether, and why, the chat is over. */
function check(step: Step, otherwise: string | null): void {
  const { checking, token } = step.state;
  if (checking || !token) return;
  step.state.checking = true;
  step.ask({ type: "check", token, otherwise });
}

export const sessionHandlers: Handlers<"tick" | "check_answered" | "fed_session" | "feed_closed"> = {
  tick,
  check_answered(step, { result, token, otherwise }) {
    step.state.checking = false;
    if (token !== step.state.token) return;
    if (!result.ok && result.status === 401) closed(step, result.code);
    else if (otherwise) closed(step, otherwise);
    else if (result.ok) setSession(step, result.data);
  },
  fed_session: (step, { session }) => setSession(step, session),
  feed_closed(step, { code }) {
    if (code) closed(step, code);
    else check(step, "session_ended");
  },
};
