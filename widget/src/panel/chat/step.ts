import { fill } from "../../shared/fill";
import type { Config } from "../../shared/types";
import { valuesOf } from "../text";
import type { Effect, Request, Spoken } from "./effects";
import type { PanelEvent } from "./events";
import type { State, Untold, View } from "./state";

/** One event at work: the state that it leads to, which is this step's own, and what is to be done, in order. */
export class Step {
  readonly effects: Effect[] = [];

  constructor(
    readonly config: Config,
    readonly now: number,
    readonly state: State,
  ) {}

  do(effect: Effect): void {
    this.effects.push(effect);
  }

  render(): void {
    this.do({ type: "render" });
  }

  show(view: View): void {
    Object.assign(this.state, { view, confirm: null, menuNote: "" });
    this.render();
  }

  say(text: string, lang?: string): void {
    this.do(lang === undefined ? { type: "say", text } : { type: "say", text, lang });
  }

  /** Says it, or once the chat is opened: one that the page has closed cannot be heard. */
  tell(told: Spoken, { counts = true, about = "" }: Partial<Untold> = {}): void {
    if (this.state.shown || !this.state.closes) this.do(told);
    else this.keep([...this.state.untold, { told, counts, about }]);
  }

  /** What is kept about this does not hold any more. */
  forget(about: string): void {
    this.keep(this.state.untold.filter((one) => one.about !== about));
  }

  /** Keeps this to be said once the chat is opened. */
  keep(untold: readonly Untold[]): void {
    const before = unread(this.state.untold);
    this.state.untold = untold;
    if (unread(untold) !== before) this.do({ type: "unread", count: unread(untold) });
  }

  ask(request: Request): void {
    this.do({ type: "request", request });
  }

  wait(ms: number, event: PanelEvent, name?: string): void {
    this.do(name === undefined ? { type: "wait", ms, event } : { type: "wait", ms, event, name });
  }

  focus(id: string): void {
    this.do({ type: "focus", id });
  }

  fill(template: string, more: Record<string, string> = {}): string {
    return fill(template, { ...valuesOf(this.config, this.state.session), ...more });
  }
}

function unread(untold: readonly Untold[]): number {
  return untold.filter(({ counts }) => counts).length;
}

/** What each event of these types does. */
export type Handlers<T extends PanelEvent["type"]> = { [Type in T]: (step: Step, event: Extract<PanelEvent, { type: Type }>) => void };
