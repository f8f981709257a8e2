import { rowName } from "../text";
import { openFollowup } from "./contact";
import { afterTap, holdTaps } from "./fresh";
import { lost } from "./link";
import { tapped } from "./mistake";
import { startNew } from "./opening";
import { post } from "./outgoing";
import { closed, setSession } from "./session";
import { firstLeft, isAlarm, openCheck, rowsLeft, ticked } from "./state";
import type { Handlers, Step } from "./step";
import { timeOf } from "./words";

function hint(step: Step, text: string): void {
  if (text && text !== step.state.hint) step.say(text);
  step.state.hint = text;
  step.render();
}

/** Why there is nothing to send. */
function whatIsMissing({ config, state }: Step): string {
  const { composer, check } = config.strings;
  if (!ticked(state).length) return composer.empty;
  return rowsLeft(state) ? composer.unsent_rows : check.complete;
}

/** Sends the rows that have an answer, if any. */
function sendRows(step: Step, clientId: string): void {
  const rows = ticked(step.state);
  if (!rows.length) return;
  post(step, clientId, { text: "", rows });
  tapped(step, clientId);
  afterTap(step);
}

type ByPatient =
  | "said"
  | "said_nothing"
  | "typed"
  | "pressed"
  | "row_answered"
  | "rows_sent"
  | "followup_pressed"
  | "unfolded"
  | "started_new"
  | "chose_topic"
  | "kept_open"
  | "extend_answered";

export const patientHandlers: Handlers<ByPatient> = {
  said(step, { clientId, text }) {
    step.state.topic = null;
    post(step, clientId, { text, rows: ticked(step.state) });
    if (step.state.phase === "expired") startNew(step, clientId, "");
  },
  said_nothing: (step) => hint(step, whatIsMissing(step)),
  typed(step, { length }) {
    const { text: limit } = step.config.limits;
    if (length > limit && step.state.draftLength <= limit) step.say(step.fill(step.config.strings.composer.over, { count: String(length - limit) }));
    step.state.draftLength = length;
    hint(step, "");
  },
  /** Buttons that have just appeared take no tap. */
  pressed(step, { clientId, id, title }) {
    if (step.state.fresh) return;
    step.state.chosen = id;
    post(step, clientId, { text: title, button: id });
    tapped(step, clientId);
    afterTap(step);
  },
  /** The first Yes that is an emergency is sent at once. */
  row_answered(step, { clientId, row, answer, sure }) {
    const { state } = step;
    if (state.fresh || !openCheck(state)) return;
    const before = rowsLeft(state);
    state.ticks = { ...state.ticks, [row.id]: answer };
    if (state.missing === row.id) state.missing = null;
    state.hint = "";
    if (sure && isAlarm(row, answer)) return sendRows(step, clientId);
    if (before && !rowsLeft(state)) step.say(step.config.strings.check.complete);
    step.render();
  },
  /** A row without an answer is shown, and nothing is sent. */
  rows_sent(step, { clientId }) {
    const left = firstLeft(step.state);
    if (step.state.fresh) return;
    if (!left) return sendRows(step, clientId);
    step.state.missing = left.id;
    step.say(step.config.strings.check.missing);
    step.render();
    step.focus(rowName(left));
  },
  followup_pressed(step, { clientId, seq, id, title }) {
    if (step.state.fresh || openFollowup(step.state)?.seq !== seq) return;
    post(step, clientId, { text: title, followup: { seq, answer: id } });
    afterTap(step);
  },
  unfolded(step, { focus }) {
    step.state.unfolded = true;
    holdTaps(step);
    step.render();
    step.focus(focus);
  },
  started_new(step, { clientId, draft }) {
    startNew(step, clientId, draft);
    step.focus("words");
  },
  chose_topic(step, { topic }) {
    step.state.topic = topic;
    step.render();
    step.focus("words");
  },
  kept_open(step) {
    const { token } = step.state;
    if (token) step.ask({ type: "extend", token });
    if (step.state.view === "chat") step.do({ type: "focus", id: "words", byFinger: "main" });
    else step.focus("main");
  },
  extend_answered(step, { result, token }) {
    if (token !== step.state.token) return;
    if (result.ok) {
      setSession(step, result.data);
      step.say(step.fill(step.config.strings.expiry.kept, { time: timeOf(step.config.lang, result.data.idle_expires_at, step.now) }));
    } else if (result.status === 401) closed(step, result.code);
    else lost(step, result);
  },
};
