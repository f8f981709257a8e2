import type { Failure, Started } from "../api";
import { speaksAlike } from "../text";
import { take } from "./incoming";
import { adopt, closed, finish, reset, setSession, tellReplaced } from "./session";
import type { Handlers, Step } from "./step";

export function failed(step: Step, problem: Failure): void {
  if (problem.status === 401) return closed(step, problem.code);
  const { config, state } = step;
  state.menuNote = (speaksAlike(config, state.session) && problem.message) || config.strings.menu.failed;
  step.state.confirm = null;
  step.say(step.state.menuNote);
  step.render();
}

/** The chat that was asked for takes the place of this one. */
function change(step: Step, { token, session, events }: Started): void {
  reset(step);
  adopt(step, token, session);
  take(step, events);
  step.focus("words");
}

/** This chat is over, here and in the other tabs. */
function end(step: Step, token: string | null, clearDevice: boolean): void {
  if (token) step.do({ type: "tell_ended", token });
  if (clearDevice) step.do({ type: "forget_prefs" });
  finish(step, "ended");
  step.focus("main");
}

function setShown(step: Step, shown: boolean): void {
  step.state.shown = shown;
  step.render();
  if (!shown) return;
  step.do({ type: "focus", id: "words", byFinger: "main" });
  const { untold } = step.state;
  step.keep([]);
  for (const { told } of untold) step.do(told);
}

type InMenu = "chose_prefs" | "chose_writer" | "writer_answered" | "chose_shared" | "asked" | "restarted" | "restart_answered" | "old_ended" | "ended" | "end_answered";

export const menuHandlers: Handlers<InMenu> = {
  chose_prefs(step, { change }) {
    const prefs = { ...step.state.prefs, ...change };
    step.state.prefs = prefs;
    step.do({ type: "keep_prefs", prefs });
    step.render();
  },
  chose_writer(step, { writer }) {
    const { token, writer: before } = step.state;
    step.state.writer = writer;
    step.render();
    if (token) step.ask({ type: "writer", token, writer, before });
  },
  writer_answered(step, { result, token, before }) {
    if (token !== step.state.token) return;
    if (result.ok) return setSession(step, result.data);
    step.state.writer = before;
    failed(step, result);
  },
  chose_shared(step, { shared }) {
    step.state.shared = shared;
    step.do({ type: "keep_in_memory", shared });
    step.render();
  },
  asked(step, { confirm }) {
    const before = step.state.confirm;
    step.state.confirm = confirm;
    step.render();
    step.focus(confirm ? "confirm-yes" : `ask-${before ?? "end"}`);
  },
  restarted: (step) => step.ask({ type: "restart", writer: step.state.writer, old: step.state.token }),
  restart_answered(step, { result, old }) {
    if (!result.ok) {
      failed(step, result);
      return step.focus("ask-restart");
    }
    step.do({ type: "stop_feed" });
    if (!old) return change(step, result.data);
    tellReplaced(step, old, result.data.token);
    step.ask({ type: "end_old", token: old, next: result.data });
  },
  old_ended: (step, { next }) => change(step, next),
  ended(step, { clearDevice }) {
    const { token } = step.state;
    if (token) step.ask({ type: "end", token, clearDevice });
    else end(step, null, clearDevice);
  },
  /** A chat that took the place of the one that was to end meanwhile ends too. */
  end_answered(step, { result, token, clearDevice }) {
    const now = step.state.token;
    if (result.ok && now && now !== token) return step.ask({ type: "end", token: now, clearDevice });
    if (result.ok || result.status === 401 || clearDevice) return end(step, token, clearDevice);
    failed(step, result);
    step.focus("ask-end");
  },
};

type InView = "went_to" | "opened_summary" | "summary_answered" | "embedded" | "shown" | "below";

export const viewHandlers: Handlers<InView> = {
  went_to: (step, { view }) => step.show(view),
  opened_summary(step) {
    const { token } = step.state;
    step.state.summary = "loading";
    step.show("summary");
    if (token) step.ask({ type: "summary", token });
    else step.state.summary = "failed";
    step.focus("summary-title");
  },
  summary_answered(step, { result, token }) {
    if (token !== step.state.token) return;
    step.state.summary = result.ok ? result.data : "failed";
    if (!result.ok && result.status === 401) closed(step, result.code);
    step.render();
  },
  embedded(step, { closes, shown }) {
    step.state.closes = closes;
    setShown(step, shown);
  },
  shown: (step, { shown }) => setShown(step, shown),
  below(step, { below }) {
    step.state.below = below;
    step.render();
  },
};
