import type { Config } from "../../shared/types";
import { answerHandlers } from "./answers";
import { callbackHandlers } from "./callback";
import type { Effect } from "./effects";
import type { PanelEvent, Stamped } from "./events";
import { incomingHandlers } from "./incoming";
import { languageHandlers } from "./language";
import { linkHandlers } from "./link";
import { menuHandlers, viewHandlers } from "./menu";
import { mistakeHandlers } from "./mistake";
import { openingHandlers } from "./opening";
import { outgoingHandlers } from "./outgoing";
import { patientHandlers } from "./patient";
import { receiptHandlers } from "./receipts";
import { safetyHandlers } from "./safety";
import { sessionHandlers } from "./session";
import type { State } from "./state";
import { type Handlers, Step } from "./step";

const handlers: Handlers<PanelEvent["type"]> = {
  ...answerHandlers,
  ...callbackHandlers,
  ...incomingHandlers,
  ...languageHandlers,
  ...linkHandlers,
  ...menuHandlers,
  ...mistakeHandlers,
  ...openingHandlers,
  ...outgoingHandlers,
  ...patientHandlers,
  ...receiptHandlers,
  ...safetyHandlers,
  ...sessionHandlers,
  ...viewHandlers,
};

export type Reducer = (state: Readonly<State>, event: Stamped) => { state: Readonly<State>; effects: readonly Effect[] };

/** What an event makes of the panel's state, and what is to be done about it, in order. It has no clock, no network and no page. */
export function reducer(config: Config): Reducer {
  return (state, event) => {
    const step = new Step(config, event.now, { ...state });
    (handlers[event.type] as (step: Step, event: Stamped) => void)(step, event);
    return { state: step.state, effects: step.effects };
  };
}
