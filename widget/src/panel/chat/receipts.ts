import type { FollowedEvent } from "../../shared/types";
import { type Failure, isPassing, type Result, type Stored } from "../api";
import { answerNow } from "./answers";
import { answered, onItsWay, type SendResult, UNREACHABLE } from "./delivery";
import { lost, up } from "./link";
import { act } from "./outgoing";
import { closed, setSession } from "./session";
import type { Handlers, Step } from "./step";

function sent(step: Step, result: Result<Stored | FollowedEvent>): SendResult {
  if (!result.ok) return notSent(step, result);
  up(step);
  if ("session" in result.data && result.data.session) setSession(step, result.data.session);
  return { kind: "stored", seq: result.data.seq };
}

function notSent(step: Step, problem: Failure): SendResult {
  if (problem.status === 401) {
    closed(step, problem.code);
    return { kind: "closed" };
  }
  if (isPassing(problem)) {
    lost(step, problem);
    return { kind: "unreachable", note: problem.message, after: problem.retryAfter };
  }
  const item = onItsWay(step.state.outbox);
  if (item && !item.button && !item.followup && item.text) step.do({ type: "give_back", text: item.text });
  return { kind: "refused", note: problem.message };
}

/** What came of it in the chat before is nothing in this one: what still waits here goes into this one. */
function isOfAnother({ state }: Step, token: string): boolean {
  return token !== state.token && (state.phase === "open" || state.phase === "starting");
}

export const receiptHandlers: Handlers<"send_answered"> = {
  send_answered(step, { result, token }) {
    if (!result.ok && result.answer) answerNow(step, result.answer);
    const fate = isOfAnother(step, token) ? UNREACHABLE : sent(step, result);
    act(step, answered(step.state.outbox, fate));
  },
};
