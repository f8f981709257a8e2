import type { Failure } from "../api";
import { backoff } from "../timers";
import { callbackUnreadable, reopenCallback } from "./callback";
import { answered, kick, UNREACHABLE } from "./delivery";
import { replay, take } from "./incoming";
import { lost } from "./link";
import { act, connect, connected, post, startChat } from "./outgoing";
import { adopt, finish, reset, tick } from "./session";
import { isBeforeAll, isUnsaid } from "./state";
import type { Handlers, Step } from "./step";

function startFailed(step: Step, problem: Failure): void {
  const { state } = step;
  state.startFailures += 1;
  state.greeting = true;
  lost(step, problem);
  step.wait(Math.max(backoff(state.startFailures), problem.retryAfter), { type: "start_due" }, "start");
  connected(step, false);
}

export function startNew(step: Step, clientId: string, draft: string): void {
  const { state } = step;
  if (state.phase === "expired" && draft) {
    post(step, clientId, { text: draft });
    step.do({ type: "clear_draft" });
  }
  const unsent = state.outbox.queue.map((item) => item.clientId);
  state.entries = state.entries.filter((entry) => entry.type === "mine" && unsent.includes(entry.item.clientId));
  state.phase = "starting";
  state.lastSeq = 0;
  step.render();
  connect(step);
}

/** Nothing was said yet: the chat begins again, in the language that was chosen. What is said meanwhile waits for it. */
export function beginAgain(step: Step, token: string): void {
  step.do({ type: "stop_feed" });
  Object.assign(step.state, { token: null, leaving: token });
  startNew(step, "", "");
}

/** The other tabs learn of the chat that took the old one's place. That runs out by itself: in another tab something may have been said in it. */
function leaveOld(step: Step, token: string): void {
  const { leaving, shared } = step.state;
  step.state.leaving = null;
  if (leaving && !shared) step.do({ type: "tell_begun_again", from: leaving, token });
}

/** Go on in another tab's chat. */
function moveTo(step: Step, token: string): void {
  reset(step);
  step.state.token = token;
  connect(step);
}

/** This is the chat to resume; with no token there is none. */
function found(step: Step, token: string | null): void {
  if (!step.state.looking) return;
  Object.assign(step.state, { looking: false, token });
  connect(step);
}

/** The chat was changed or ended while this one was being resumed. */
function resumedAnother(step: Step): void {
  connected(step, false);
  if (step.state.phase === "starting") connect(step);
}

type Opening = "loaded" | "tab_told" | "tab_ended" | "tab_restarted" | "tab_begun_again" | "woken" | "left" | "start_answered" | "resume_answered" | "unreadable";

export const openingHandlers: Handlers<Opening> = {
  loaded(step, { token }) {
    if (token) found(step, token);
    else step.do({ type: "ask_tabs" });
  },
  tab_told: (step, { token }) => found(step, token),
  tab_ended(step, { token }) {
    if (token === step.state.token) finish(step, "ended");
  },
  tab_restarted(step, { from, token }) {
    if (from === step.state.token && !step.state.shared) moveTo(step, token);
  },
  tab_begun_again(step, { from, token }) {
    const { state } = step;
    const unsaid = isUnsaid(state) && !state.outbox.queue.length;
    if (from === state.token && !state.shared && unsaid) moveTo(step, token);
  },
  woken(step) {
    tick(step);
    step.do({ type: "kick_feed" });
    if (step.state.phase === "starting") connect(step);
    act(step, kick(step.state.outbox));
  },
  left(step) {
    const { shared, leaving } = step.state;
    const token = step.state.token ?? leaving;
    if (!shared || !token) return;
    step.do({ type: "leave", token });
    step.do({ type: "tell_ended", token });
    finish(step, "ended");
  },
  /** A chat that began in another language than the panel has by now is left at once. */
  start_answered(step, { result, lang }) {
    if (!result.ok) return startFailed(step, result);
    if (lang !== step.config.lang) {
      step.do({ type: "drop", token: result.data.token });
      return startChat(step);
    }
    leaveOld(step, result.data.token);
    adopt(step, result.data.token, result.data.session);
    take(step, result.data.events);
    connected(step, true);
    reopenCallback(step);
  },
  resume_answered(step, { result, token, lang }) {
    if (token !== step.state.token) return resumedAnother(step);
    if (result.ok && !result.data.session.ended) {
      if (lang !== step.config.lang && result.data.events.every(isBeforeAll)) {
        step.state.leaving = token;
        return startChat(step);
      }
      adopt(step, token, result.data.session);
      replay(step, result.data.events);
      connected(step, true);
    } else if (result.ok || result.status === 401) startChat(step);
    else startFailed(step, result);
  },
  unreadable(step, { request }) {
    if (request === "start" || request === "resume") connected(step, false);
    if (request === "check") step.state.checking = false;
    callbackUnreadable(step, request);
    if (request === "send") act(step, answered(step.state.outbox, UNREACHABLE));
  },
};
