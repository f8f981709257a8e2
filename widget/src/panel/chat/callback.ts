import type { Callback, CallbackEvent, CallbackInfo } from "../../shared/types";
import type { Failure } from "../api";
import { answerLang, speaksAlike } from "../text";
import { answerNow } from "./answers";
import { type CallbackForm, lastCallback } from "./contact";
import { takeAnswered } from "./incoming";
import { up } from "./link";
import { closed } from "./session";
import type { State } from "./state";
import type { Handlers, Step } from "./step";

const NUMBER = "callback-number";
const PROBLEM = "callback-problem";

const EMPTY: CallbackForm = {
  number: "",
  name: "",
  best: "",
  whose: null,
  info: "loading",
  tried: null,
  sending: false,
  error: "",
  problem: "",
  interrupted: false,
};

function change(step: Step, to: Partial<CallbackForm>): void {
  step.state.callback = { ...(step.state.callback ?? EMPTY), ...to };
  step.render();
}

function openForm(step: Step): void {
  const { token, phase, callback } = step.state;
  if (!token || phase !== "open") return;
  change(step, callback?.info === "failed" ? { info: "loading" } : {});
  step.ask({ type: "callback_info", token });
  step.show("callback");
  step.focus("callback-title");
}

/** A form that the last chat closed over is shown again, unless the patient wrote something else meanwhile. */
export function reopenCallback(step: Step): void {
  const { callback, outbox } = step.state;
  if (!callback?.interrupted) return;
  change(step, { info: "loading", sending: false, interrupted: false, problem: step.config.strings.callback.interrupted });
  if (outbox.queue.length) return;
  openForm(step);
  step.focus(PROBLEM);
}

/** The answer to a request could not be read. */
export function callbackUnreadable(step: Step, request: string): void {
  if (request === "callback_info" && step.state.callback) change(step, { info: "failed" });
  if (request === "callback" && step.state.callback?.sending) failed(step, step.fill(step.config.strings.callback.unanswered));
}

/** What is known stands where nothing was typed: the open request, or a number that was typed in the chat. */
function prefill(step: Step, form: CallbackForm, { number, requested_at }: CallbackInfo): void {
  const asked = requested_at ? lastCallback(step.state) : undefined;
  change(step, {
    number: form.number || asked?.number || number || "",
    name: form.name || asked?.name || "",
    best: form.best || asked?.best || "",
    whose: form.whose ?? asked?.whose ?? null,
  });
}

/** What is asked for: what was left empty is left out. */
function wantedOf(form: CallbackForm, writer: State["writer"]): Callback {
  const [name, best] = [form.name.trim(), form.best.trim()];
  return { number: form.number.trim(), whose: form.whose ?? writer, ...(name && { name }), ...(best && { best }) };
}

function send(step: Step, form: CallbackForm, token: string, newId: string): void {
  const wanted = wantedOf(form, step.state.writer);
  const again = JSON.stringify(form.tried?.wanted) === JSON.stringify(wanted);
  const clientId = again ? form.tried!.clientId : newId;
  change(step, { tried: { token, clientId, wanted }, sending: true, error: "", problem: "" });
  step.ask({ type: "callback", token, clientId, wanted });
}

function stored(step: Step, event: CallbackEvent): void {
  const inForm = step.state.view === "callback";
  step.state.callback = null;
  up(step);
  if (inForm) step.show("chat");
  takeAnswered(step, event);
  if (inForm) step.do({ type: "focus", id: "words", byFinger: "main" });
}

/** The form is shown again, wherever the patient has gone; an emergency instruction goes before it. */
function refused(step: Step, problem: Failure): void {
  const words = step.config.strings.callback;
  const unreadable = problem.code === "number_unreadable";
  if (unreadable) wrongNumber(step, (speaksAlike(step.config, step.state.session) && problem.message) || words.number_unreadable);
  else failed(step, step.fill(problem.status ? words.failed : words.unanswered));
  step.show(problem.answer ? "chat" : "callback");
  step.focus(problem.answer ? "main" : unreadable ? NUMBER : PROBLEM);
}

function failed(step: Step, problem: string): void {
  change(step, { sending: false, problem });
  step.tell({ type: "say", text: problem });
}

function wrongNumber(step: Step, error: string): void {
  change(step, { sending: false, error });
  step.tell({ type: "say", text: error });
}

type AboutCall = "opened_callback" | "callback_filled" | "callback_sent" | "callback_info_answered" | "callback_answered";

export const callbackHandlers: Handlers<AboutCall> = {
  opened_callback: openForm,
  callback_filled: (step, { change: to }) => change(step, to.number === undefined ? to : { ...to, error: "" }),
  callback_sent(step, { clientId }) {
    const { callback, token } = step.state;
    if (!callback || callback.sending || !token) return;
    if (/\d/.test(callback.number)) return send(step, callback, token, clientId);
    wrongNumber(step, step.config.strings.callback.number_missing);
    step.focus(NUMBER);
  },
  callback_info_answered(step, { result, token }) {
    const { callback: form, view } = step.state;
    if (!form || token !== step.state.token) return;
    if (!result.ok) return result.status === 401 ? closed(step, result.code) : change(step, { info: "failed" });
    change(step, { info: result.data });
    if (typeof form.info !== "string") return;
    prefill(step, form, result.data);
    if (view === "callback") step.say(result.data.text, answerLang(step.state.session));
  },
  callback_answered(step, { result, token }) {
    const { callback: form } = step.state;
    if (!form?.sending || form.tried?.token !== token) return;
    if (result.ok) return stored(step, result.data);
    if (result.answer) answerNow(step, result.answer);
    if (result.status === 401) closed(step, result.code);
    if (step.state.phase === "open") refused(step, result);
    else if (step.state.callback) failed(step, step.config.strings.expiry.unsent_call);
  },
};
