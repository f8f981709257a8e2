import type { Answer, Reply } from "../../shared/types";
import { ANSWER_LANG, spokenAnswer } from "../text";
import { safety } from "./safety";
import { addLocal, lastAnswer } from "./state";
import type { Handlers, Step } from "./step";
import type { Watched } from "./waiting";

const WRITING_AFTER = 1500;
const FRESH_FOR = 1000;

/** Takes over what the watch for answers came to. */
export function watched(step: Step, { watch, begun, over }: Watched): void {
  step.state.watch = watch;
  for (const seq of over) step.do({ type: "cancel", name: `answer ${seq}` });
  for (const seq of begun) step.wait(step.config.limits.answer_seconds * 1000, { type: "answer_due" }, `answer ${seq}`);
}

/** Shows whether an answer is being written. */
export function writing(step: Step): void {
  const pending = step.state.watch.open.length > 0;
  if (pending && !step.state.answerPending) step.wait(WRITING_AFTER, { type: "writing_due" });
  step.state.answerPending = pending;
}

/** Says what is new and counts it as unread. An emergency instruction takes the place of whatever else is shown. */
export function announceReply(step: Step, reply: Reply): void {
  const words = spokenAnswer(reply, step.config.strings);
  if (reply.disposition === "emergency") {
    step.do({ type: "alert", text: words, lang: ANSWER_LANG });
    if (step.state.view !== "chat") step.focus("main");
    step.show("chat");
  } else step.say(words, ANSWER_LANG);
  if (reply.check?.waits) step.do({ type: "make_room" });
  if (!step.state.shown) setUnread(step, step.state.unread + 1);
}

/** An answer that came with a refusal, and that is not stored. */
export function answerNow(step: Step, answer: Answer): void {
  const words = JSON.stringify(answer.blocks);
  if (step.state.entries.some((entry) => entry.type === "answer" && JSON.stringify(entry.answer.blocks) === words)) return;
  addLocal(step.state, { type: "answer", answer, at: step.now });
  announceReply(step, answer);
  step.render();
}

/** Buttons and rows that are new take no taps for a moment. */
export function freshen(step: Step): void {
  const last = lastAnswer(step.state);
  if (!last || last.key === step.state.freshKey) return;
  Object.assign(step.state, { freshKey: last.key, ticks: {}, unfolded: false });
  if (last.answer.buttons?.length || last.answer.check) holdTaps(step);
}

export function holdTaps(step: Step): void {
  step.state.fresh = true;
  step.wait(FRESH_FOR, { type: "fresh_over" }, "fresh");
}

export function setUnread(step: Step, count: number): void {
  step.state.unread = count;
  step.do({ type: "unread", count });
}

export const answerHandlers: Handlers<"answer_due" | "writing_due" | "fresh_over"> = {
  answer_due: (step) => safety(step, "no_answer"),
  writing_due(step) {
    if (step.state.answerPending && step.state.watch.open.length) step.say(step.config.strings.chat.writing);
  },
  fresh_over(step) {
    step.state.fresh = false;
    step.render();
  },
};
