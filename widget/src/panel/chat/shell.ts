import type { Config } from "../../shared/types";
import type { Announcer } from "../announce";
import type { Api } from "../api";
import { Feed } from "../feed";
import { forgetLanguage, keepLanguage } from "../kept-language";
import { applyPrefs, forgetPrefs, type Prefs, storePrefs } from "../prefs";
import type { TokenStore } from "../session";
import { Tabs } from "../tabs";
import { realTimers } from "../timers";
import type { Effect, OnScreen, Request } from "./effects";
import type { PanelEvent } from "./events";
import { reducer } from "./reduce";
import { ask } from "./requests";
import { initialState, type State } from "./state";
import { dateTimeOf, timeOf, warningText } from "./words";

type Runners<E extends Effect> = { [Type in E["type"]]: (effect: Extract<E, { type: Type }>) => void };

/** What the page does for the chat. */
export type Ui = Runners<OnScreen>;

const TICK = 2000;

/** The dialogue: hands each event to the reducer, does what comes of it, and brings back the results as events. */
export class Chat {
  private current: Readonly<State>;
  private reduce;
  private runners: Runners<Effect>;
  private feed: Feed | null = null;
  private tabs: Tabs;
  private timers = new Map<string, number>();

  constructor(
    private config: Config,
    private api: Api,
    private store: TokenStore,
    private announcer: Announcer,
    ui: Ui,
    prefs: Prefs,
  ) {
    this.current = initialState(prefs);
    this.reduce = reducer(config);
    this.runners = { ...ui, ...this.spoken(), ...this.timed(), ...this.connected(), ...this.stored(), ...this.toTabs() };
    this.tabs = new Tabs(config.key, {
      token: () => (this.state.shared || this.state.phase !== "open" ? null : this.state.token),
      ended: (token) => this.dispatch({ type: "tab_ended", token }),
      restarted: (from, token) => this.dispatch({ type: "tab_restarted", from, token }),
      begunAgain: (from, token) => this.dispatch({ type: "tab_begun_again", from, token }),
    });
    window.setInterval(() => this.dispatch({ type: "tick" }), TICK);
  }

  get state(): Readonly<State> {
    return this.current;
  }

  start(): void {
    this.dispatch({ type: "loaded", token: this.store.read() });
  }

  /** The effects of an event run at once and in order; an event that comes of one of them is dealt with before the next. */
  dispatch(event: PanelEvent): void {
    this.run(this.take(event));
  }

  time(moment: string | number): string {
    return timeOf(this.config.lang, moment, realTimers.now());
  }

  dateTime(iso: string): string {
    return dateTimeOf(this.config.lang, iso);
  }

  /** What is said about the end that is near; nothing while none is. */
  warning(): string {
    const { session, warning } = this.state;
    return session && warning ? warningText(this.config, session, warning, realTimers.now()) : "";
  }

  private take(event: PanelEvent): readonly Effect[] {
    const { state, effects } = this.reduce(this.current, { ...event, now: realTimers.now() });
    this.current = state;
    return effects;
  }

  private run(effects: readonly Effect[]): void {
    for (const effect of effects) (this.runners[effect.type] as (effect: Effect) => void)(effect);
  }

  /** An answer that cannot be read breaks off what waited for it. A message is then tried again; all else is reported. */
  private async request(request: Request): Promise<void> {
    const event = await ask(this.api, this.config, request);
    let effects: readonly Effect[];
    try {
      effects = this.take(event);
    } catch (error) {
      this.dispatch({ type: "unreadable", request: request.type });
      if (request.type === "send") return;
      throw error;
    }
    this.run(effects);
  }

  /** It begins with the number that the chat was opened at, not with that of the events that came with the opening. */
  private openFeed(token: string, after: number): Feed {
    let first: number | null = after;
    return new Feed(this.api, token, {
      lastSeq: () => {
        const seq = first ?? this.state.lastSeq;
        first = null;
        return seq;
      },
      event: (event) => this.dispatch({ type: "fed", event }),
      session: (session) => this.dispatch({ type: "fed_session", session }),
      closed: (code) => this.dispatch({ type: "feed_closed", code }),
      up: () => this.dispatch({ type: "feed_up" }),
      down: () => this.dispatch({ type: "feed_down" }),
    });
  }

  private spoken(): Pick<Runners<Effect>, "say" | "alert"> {
    return {
      say: ({ text, lang }) => this.announcer.say(text, lang),
      alert: ({ text, lang }) => this.announcer.alert(text, lang),
    };
  }

  private timed(): Pick<Runners<Effect>, "wait" | "cancel"> {
    return {
      wait: ({ ms, event, name }) => {
        if (name) this.cancel(name);
        const id = realTimers.set(() => {
          if (name) this.timers.delete(name);
          this.dispatch(event);
        }, ms);
        if (name) this.timers.set(name, id);
      },
      cancel: ({ name }) => this.cancel(name),
    };
  }

  private cancel(name: string): void {
    const id = this.timers.get(name);
    if (id !== undefined) realTimers.clear(id);
    this.timers.delete(name);
  }

  private connected(): Pick<Runners<Effect>, "request" | "leave" | "drop" | "feed" | "stop_feed" | "kick_feed"> {
    return {
      request: ({ request }) => void this.request(request),
      leave: ({ token }) => void this.api.end(token, { clear: true, keepalive: true }),
      drop: ({ token }) => void this.api.end(token),
      feed: ({ token, after }) => {
        this.feed = this.openFeed(token, after);
      },
      stop_feed: () => {
        this.feed?.stop();
        this.feed = null;
      },
      kick_feed: () => this.feed?.kick(),
    };
  }

  private stored(): Pick<Runners<Effect>, "keep_token" | "keep_in_memory" | "keep_prefs" | "forget_prefs" | "keep_language"> {
    return {
      keep_token: ({ token }) => this.store.write(token),
      keep_in_memory: ({ shared }) => this.store.keepInMemory(shared),
      keep_prefs: ({ prefs }) => {
        applyPrefs(prefs);
        storePrefs(prefs);
      },
      forget_prefs() {
        forgetPrefs();
        forgetLanguage();
      },
      keep_language: ({ tag }) => keepLanguage(tag),
    };
  }

  private toTabs(): Pick<Runners<Effect>, "ask_tabs" | "tell_ended" | "tell_restarted" | "tell_begun_again"> {
    return {
      ask_tabs: () => void this.tabs.ask().then((token) => this.dispatch({ type: "tab_told", token })),
      tell_ended: ({ token }) => this.tabs.ended(token),
      tell_restarted: ({ from, token }) => this.tabs.restarted(from, token),
      tell_begun_again: ({ from, token }) => this.tabs.begunAgain(from, token),
    };
  }
}
