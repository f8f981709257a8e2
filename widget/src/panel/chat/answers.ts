import type { Answer, Reply } from "../../shared/types";
import { answeredNow, answerLang, saysToCallClinic, spokenAnswer } from "../text";
import { holdTaps } from "./fresh";
import { safety } from "./safety";
import { addLocal, lastAnswer } from "./state";
import type { Handlers, Step } from "./step";
import type { Watched } from "./waiting";

const WRITING_AFTER = 1000;
const STILL_AFTER = 3000;

/** Takes over what the watch for answers came to. */
export function watched(step: Step, { watch, begun, over }: Watched): void {
  step.state.watch = watch;
  for (const seq of over) step.do({ type: "cancel", name: `answer ${seq}` });
  for (const seq of begun) step.wait(step.config.limits.answer_seconds * 1000, { type: "answer_due" }, `answer ${seq}`);
}

/** Shows that an answer is being written, once it takes a while. */
export function writing(step: Step): void {
  const pending = step.state.watch.open.length > 0;
  if (pending === step.state.answerPending) return;
  Object.assign(step.state, { answerPending: pending, typing: null });
  if (!pending) step.forget("no_answer");
  if (pending) {
    step.wait(WRITING_AFTER, { type: "typing_due", typing: "writing" }, "writing");
    step.wait(STILL_AFTER, { type: "typing_due", typing: "still" }, "still");
  } else for (const name of ["writing", "still"]) step.do({ type: "cancel", name });
}

/** Says what is new. An emergency instruction takes the place of whatever else is shown. */
export function announceReply(step: Step, reply: Reply): void {
  const isClosed = answeredNow(step.config, step.state.session) === "after_hours" && saysToCallClinic(reply.blocks, step.config.contacts);
  const closed = isClosed ? step.fill(step.config.strings.card.closed) : "";
  const words = spokenAnswer(reply, step.config.strings, closed);
  const lang = answerLang(step.state.session);
  if (reply.disposition === "emergency") {
    step.tell({ type: "alert", text: words, lang });
    if (step.state.view !== "chat") step.focus("main");
    step.show("chat");
  } else step.tell({ type: "say", text: words, lang });
  if (reply.check?.waits || reply.disposition === "emergency") step.do({ type: "make_room" });
}

/** An answer that came with a refusal, and that is not stored. */
export function answerNow(step: Step, answer: Answer): void {
  const words = JSON.stringify(answer.blocks);
  if (step.state.entries.some((entry) => entry.type === "answer" && JSON.stringify(entry.answer.blocks) === words)) return;
  addLocal(step.state, { type: "answer", answer, at: step.now });
  holdTaps(step);
  announceReply(step, answer);
  step.render();
}

/** What is new takes no taps for a moment: buttons, rows and numbers. */
export function freshen(step: Step): void {
  const last = lastAnswer(step.state);
  if (!last || last.key === step.state.freshKey) return;
  Object.assign(step.state, { freshKey: last.key, ticks: {}, missing: null, unfolded: false, hint: "" });
  holdTaps(step);
}

export const answerHandlers: Handlers<"answer_due" | "typing_due" | "fresh_over"> = {
  answer_due: (step) => safety(step, "no_answer"),
  typing_due(step, { typing }) {
    if (!step.state.answerPending || !typing) return;
    step.state.typing = typing;
    step.say(step.config.strings.chat[typing]);
    step.render();
  },
  fresh_over(step) {
    step.state.fresh = false;
    step.render();
  },
};
