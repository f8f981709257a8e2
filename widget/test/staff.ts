import type { CallbackEvent, ChatEvent, FollowedEvent, FollowupEvent, StaffEvent, StatusEvent } from "../src/shared/types";

const say = (text: string) => [{ kind: "say", text }];

export function staff(seq: number, text = "I will call you."): StaffEvent {
  return { kind: "staff", seq, at: "", text, who: "Ann, nurse" };
}

export function status(seq: number, of: StatusEvent["status"], change: Partial<StatusEvent> = {}): StatusEvent {
  return { kind: "status", seq, at: "", status: of, blocks: say(`status ${of}`), ...change };
}

export function held(seq: number, reply_to: number): ChatEvent {
  return { kind: "answer", seq, at: "", reply_to, type: "held", blocks: [] };
}

export function followup(seq: number): FollowupEvent {
  return {
    kind: "followup",
    seq,
    at: "",
    text: "Did you reach them?",
    buttons: [
      { id: "reached", title: "Yes" },
      { id: "nobody", title: "Nobody answered" },
      { id: "not_yet", title: "Not yet" },
    ],
  };
}

export function followed(seq: number, reply_to: number, client_id: string): FollowedEvent {
  return { kind: "followed", seq, at: "", text: "Yes", reply_to, client_id };
}

export function request(seq: number, change: Partial<CallbackEvent["callback"]> = {}): CallbackEvent {
  return { kind: "callback", seq, at: "", callback: { number: "555-0142", whose: "patient", ...change }, blocks: say("The nurses have it.") };
}
