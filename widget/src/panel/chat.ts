import { fill } from "../shared/fill";
import type { Answer, ChatEvent, Check, Config, Row, RowAnswer, Session, Told, Writer } from "../shared/types";
import type { Announcer } from "./announce";
import { type Api, isPassing, type Failure, type Result } from "./api";
import { isAlarm } from "./check";
import { Outbox, type OutItem, type SendResult } from "./delivery";
import { clockOffset, phaseOf } from "./expiry";
import { Feed } from "./feed";
import { applyPrefs, forgetPrefs, type Prefs, storePrefs } from "./prefs";
import type { TokenStore } from "./session";
import { addEvent, addLocal, initialState, lastAnswer, placeMine, type State, type View } from "./state";
import { Tabs } from "./tabs";
import { ANSWER_LANG, spokenAnswer, spokenSafety, valuesOf, wordsOf } from "./text";
import { backoff, realTimers } from "./timers";
import { AnswerWatch } from "./waiting";

export interface ChatUi {
  render(): void;
  /** Puts words into the text box when it is empty. */
  giveBack(text: string): void;
  draft(): string;
  clearDraft(): void;
  unread(count: number): void;
  /** Something is to be answered by a tap. */
  asks(): void;
}

const BACK_FOR = 5000;
const WRITING_AFTER = 1500;
const TICK = 2000;
const FRESH_FOR = 1000;

/** The dialogue: what the patient does, what the server says, and what is shown of both. */
export class Chat {
  readonly state: State;
  readonly values: Record<string, string>;
  private token: string | null = null;
  private feed: Feed | null = null;
  private outbox: Outbox;
  private watch: AnswerWatch;
  private tabs: Tabs;
  private connecting: Promise<boolean> | null = null;
  private startFailures = 0;
  private startTimer = 0;
  private checking = false;
  private freshKey = "";
  private freshTimer = 0;

  constructor(
    private config: Config,
    private api: Api,
    private store: TokenStore,
    private announcer: Announcer,
    private ui: ChatUi,
    prefs: Prefs,
  ) {
    this.state = initialState(prefs);
    this.values = valuesOf(config);
    this.outbox = new Outbox((item) => this.deliver(item), realTimers, (item) => this.deliveryChanged(item));
    this.watch = new AnswerWatch(config.limits.answer_seconds * 1000, realTimers, () => this.noAnswer());
    this.tabs = new Tabs(config.key, {
      token: () => (this.state.shared || this.state.phase !== "open" ? null : this.token),
      ended: (token) => token === this.token && this.finish("ended"),
      restarted: (from, token) => from === this.token && !this.state.shared && void this.adoptFromTab(token),
    });
    window.setInterval(() => this.tick(), TICK);
  }

  async start(): Promise<void> {
    this.token = this.store.read() ?? (await this.tabs.ask());
    await this.connect();
  }

  /** Internet back, page seen again: try everything at once. */
  kick(): void {
    this.tick();
    this.feed?.kick();
    if (this.state.phase === "starting") void this.connect();
    this.outbox.kick();
  }

  // What the patient does

  sendText(text: string): void {
    this.post(text, undefined, this.ticked());
    if (this.state.phase === "expired") void this.startNew();
  }

  /** Whether it was taken: buttons that have just appeared take none. */
  press(id: string, title: string): boolean {
    if (this.state.fresh) return false;
    this.state.chosen = id;
    this.post(title, id);
    return true;
  }

  /** Answers a row of the danger check. The first Yes that is an emergency is sent at once; whether it was. */
  answerRow(row: Row, answer: RowAnswer, sure: boolean): boolean {
    if (this.state.fresh || !this.openCheck()) return false;
    const before = this.left();
    this.state.ticks[row.id] = answer;
    if (sure && isAlarm(row, answer)) return this.sendCheck();
    if (before && !this.left()) this.announcer.say(this.config.strings.check.complete);
    this.ui.render();
    return false;
  }

  /** Sends the rows that have an answer, if any; whether it did. */
  sendCheck(): boolean {
    const rows = this.ticked();
    if (!rows.length) return false;
    this.post("", undefined, rows);
    return true;
  }

  unfold(): void {
    this.state.unfolded = true;
    this.holdTaps();
    this.ui.render();
  }

  /** How many rows of the open danger check have no answer. */
  left(): number {
    return (this.openCheck()?.rows.length ?? 0) - this.ticked().length;
  }

  retry(item: OutItem): void {
    this.outbox.retry(item);
    this.feed?.kick();
    this.ui.render();
  }

  hint(text: string): void {
    if (text && text !== this.state.hint) this.announcer.say(text);
    this.state.hint = text;
    this.ui.render();
  }

  show(view: View): void {
    this.state.view = view;
    this.state.confirm = null;
    this.state.menuNote = "";
    this.ui.render();
  }

  setPrefs(change: Partial<Prefs>): void {
    Object.assign(this.state.prefs, change);
    applyPrefs(this.state.prefs);
    storePrefs(this.state.prefs);
    this.ui.render();
  }

  async setWriter(writer: Writer): Promise<void> {
    const before = this.state.writer;
    this.state.writer = writer;
    this.ui.render();
    if (!this.token) return;
    const result = await this.api.writer(this.token, writer);
    if (result.ok) this.setSession(result.data);
    else {
      this.state.writer = before;
      this.menuFailed(result);
    }
  }

  setShared(shared: boolean): void {
    this.state.shared = shared;
    this.store.keepInMemory(shared);
    this.ui.render();
  }

  ask(confirm: State["confirm"]): void {
    this.state.confirm = confirm;
    this.ui.render();
  }

  async restart(): Promise<boolean> {
    const old = this.token;
    const result = await this.api.start(this.config.key, this.state.writer);
    if (!result.ok) {
      this.menuFailed(result);
      return false;
    }
    this.feed?.stop();
    if (old) {
      if (this.state.shared) this.tabs.ended(old);
      else this.tabs.restarted(old, result.data.token);
      await this.api.end(old);
    }
    this.reset();
    this.adopt(result.data.token, result.data.session);
    this.take(result.data.events);
    return true;
  }

  async end(clearDevice: boolean): Promise<boolean> {
    const token = this.token;
    if (token) {
      const result = await this.api.end(token, { clear: clearDevice });
      if (!result.ok && result.status !== 401 && !clearDevice) {
        this.menuFailed(result);
        return false;
      }
      this.tabs.ended(token);
    }
    if (clearDevice) forgetPrefs();
    this.finish("ended");
    return true;
  }

  async startNew(): Promise<void> {
    const draft = this.ui.draft().trim();
    if (this.state.phase === "expired" && draft) {
      this.post(draft);
      this.ui.clearDraft();
    }
    this.state.entries = this.state.entries.filter((entry) => entry.type === "mine" && this.outbox.unsent.includes(entry.item));
    this.state.phase = "starting";
    this.state.lastSeq = 0;
    this.ui.render();
    await this.connect();
  }

  async keepOpen(): Promise<void> {
    const result = this.token ? await this.api.extend(this.token) : null;
    if (!result?.ok) {
      if (result) this.trouble(result);
      return;
    }
    this.setSession(result.data);
    this.announcer.say(fill(this.config.strings.expiry.kept, { time: this.time(result.data.idle_expires_at) }));
  }

  async loadSummary(): Promise<void> {
    this.state.summary = "loading";
    this.show("summary");
    const result = this.token ? await this.api.summary(this.token) : null;
    this.state.summary = result?.ok ? result.data : "failed";
    if (result && !result.ok && result.status === 401) this.closed(result.code);
    this.ui.render();
  }

  shown(shown: boolean): void {
    this.state.shown = shown;
    if (shown && this.state.unread) this.setUnread(0);
    this.ui.render();
  }

  pageHidden(): void {
    if (!this.state.shared || !this.token) return;
    void this.api.end(this.token, { clear: true, keepalive: true });
    this.tabs.ended(this.token);
    this.finish("ended");
  }

  /** Nothing may fail without the patient being told whom to call. */
  broken(): void {
    if (!this.state.entries.some((entry) => entry.type === "safety" && entry.reason === "trouble")) this.safety("trouble");
  }

  time(iso: string | number): string {
    const date = new Date(iso);
    const clock: Intl.DateTimeFormatOptions = { hour: "numeric", minute: "2-digit" };
    const today = date.toDateString() === new Date().toDateString();
    return date.toLocaleString(this.config.lang, today ? clock : { weekday: "long", ...clock });
  }

  dateTime(iso: string): string {
    return new Date(iso).toLocaleString(this.config.lang, { dateStyle: "long", timeStyle: "short" });
  }

  // The session

  private connect(): Promise<boolean> {
    this.connecting ??= this.tryConnect().finally(() => (this.connecting = null));
    return this.connecting;
  }

  private async tryConnect(): Promise<boolean> {
    clearTimeout(this.startTimer);
    const resumed = this.token ? await this.api.events(this.token, 0, 0) : null;
    if (resumed?.ok && !resumed.data.session.ended) {
      this.adopt(this.token!, resumed.data.session);
      this.replay(resumed.data.events);
      return true;
    }
    if (resumed && !resumed.ok && resumed.status !== 401) return this.startFailed(resumed);
    this.store.write(null);
    this.token = null;
    const started = await this.api.start(this.config.key, this.state.writer);
    if (!started.ok) return this.startFailed(started);
    this.adopt(started.data.token, started.data.session);
    this.take(started.data.events);
    return true;
  }

  private startFailed(problem: Failure): false {
    this.startFailures += 1;
    this.state.greeting = true;
    this.lost(problem);
    this.startTimer = window.setTimeout(() => void this.connect(), Math.max(backoff(this.startFailures), problem.retryAfter));
    return false;
  }

  private adopt(token: string, session: Session): void {
    this.feed?.stop();
    this.token = token;
    this.store.write(token);
    this.startFailures = 0;
    this.state.phase = "open";
    this.state.greeting = false;
    this.setSession(session);
    this.up();
    this.feed = new Feed(this.api, token, {
      lastSeq: () => this.state.lastSeq,
      event: (event) => this.take([event]),
      session: (latest) => this.setSession(latest),
      closed: (code) => (code ? this.closed(code) : void this.check("session_ended")),
      up: () => this.up(),
      down: () => this.lost(null),
    });
    this.outbox.resume();
  }

  private async adoptFromTab(token: string): Promise<void> {
    this.reset();
    this.token = token;
    await this.connect();
  }

  private reset(): void {
    this.feed?.stop();
    this.feed = null;
    this.outbox.clear();
    this.watch.stop();
    const { prefs, shared, embedded, shown, writer } = this.state;
    Object.assign(this.state, initialState(prefs), { shared, embedded, shown, writer });
    this.ui.render();
  }

  private finish(phase: "ended" | "expired"): void {
    this.feed?.stop();
    this.feed = null;
    this.watch.stop();
    this.token = null;
    this.store.write(null);
    if (phase === "ended") {
      this.reset();
      this.ui.clearDraft();
    } else {
      this.outbox.pause();
      this.announcer.say(`${this.config.strings.expiry.expired_title}. ${this.config.strings.expiry.expired} ${spokenSafety(this.config.safety)}`);
    }
    Object.assign(this.state, { phase, warning: null, view: "chat", confirm: null, answerPending: false, link: "up" });
    this.ui.render();
  }

  private closed(code: string): void {
    if (this.state.phase === "open") this.finish(code === "session_ended" ? "ended" : "expired");
  }

  private setSession(session: Session): void {
    this.state.session = session;
    this.state.writer = session.writer;
    this.state.offset = clockOffset(session, Date.now());
    this.tick();
    this.ui.render();
  }

  private tick(): void {
    const { session, offset, phase } = this.state;
    if (!session || phase !== "open") return;
    const now = phaseOf(session, offset, Date.now());
    if (now === "over") return void this.check();
    const warning = now === "open" ? null : now;
    if (warning === this.state.warning) return;
    this.state.warning = warning;
    if (warning) this.announcer.say(this.warningText(warning));
    this.ui.render();
  }

  warningText(warning: NonNullable<State["warning"]>): string {
    const session = this.state.session!;
    return fill(this.config.strings.expiry[warning], { time: this.time(warning === "warning_idle" ? session.idle_expires_at : session.expires_at) });
  }

  /** Asks the server whether, and why, the chat is over. */
  private async check(otherwise?: string): Promise<void> {
    if (this.checking || !this.token) return;
    this.checking = true;
    const result = await this.api.session(this.token);
    this.checking = false;
    if (!result.ok && result.status === 401) this.closed(result.code);
    else if (otherwise) this.closed(otherwise);
    else if (result.ok) this.setSession(result.data);
  }

  // Messages out

  private openCheck(): Check | null {
    const last = lastAnswer(this.state);
    return last && !last.answered && this.state.phase === "open" ? (last.answer.check ?? null) : null;
  }

  private ticked(): (Told & { id: string })[] {
    const { ticks } = this.state;
    return (this.openCheck()?.rows ?? []).flatMap(({ id, text }) => (ticks[id] ? [{ id, text, answer: ticks[id] }] : []));
  }

  private post(text: string, button?: string, rows?: OutItem["rows"]): void {
    const item = this.outbox.add(crypto.randomUUID(), text, button, rows);
    addLocal(this.state, { type: "mine", item });
    if (this.state.link === "lost" && item.state === "sending") item.state = "waiting";
    this.ui.render();
  }

  private async deliver(item: OutItem): Promise<SendResult> {
    if (!this.token && (this.state.phase === "expired" || this.state.phase === "ended")) return { kind: "closed" };
    if (!this.token || this.state.phase === "starting") {
      if (!(await this.connect())) return { kind: "unreachable", note: "", after: 0 };
    }
    const result = await this.api.send(this.token!, wordsOf(item));
    if (result.ok) {
      this.up();
      if (result.data.session) this.setSession(result.data.session);
      return { kind: "stored", seq: result.data.seq };
    }
    return this.notDelivered(item, result);
  }

  private notDelivered(item: OutItem, problem: Failure): SendResult {
    if (problem.answer) this.answerNow(problem.answer);
    if (problem.status === 401) {
      this.closed(problem.code);
      return { kind: "closed" };
    }
    if (isPassing(problem)) {
      this.lost(problem);
      return { kind: "unreachable", note: problem.message, after: problem.retryAfter };
    }
    if (!item.button && item.text) this.ui.giveBack(item.text);
    return { kind: "refused", note: problem.message };
  }

  private deliveryChanged(item: OutItem): void {
    const words = this.config.strings.delivery;
    if (item.state === "stored") {
      placeMine(this.state, item);
      this.watch.stored(item.seq!);
      this.writing();
    }
    if (item.state === "failed" && this.state.phase !== "expired") this.announcer.say(fill(words.failed, this.values));
    if (item.state === "refused") this.announcer.say(`${words.refused} ${item.note}`);
    this.ui.render();
  }

  // Messages in

  private replay(events: ChatEvent[]): void {
    for (const event of events) {
      addEvent(this.state, event);
      this.watch.seen(event);
      this.seenMine(event);
    }
    this.freshen();
    this.writing();
    this.ui.render();
  }

  private take(events: ChatEvent[]): void {
    for (const event of events) {
      const isNew = addEvent(this.state, event);
      this.watch.seen(event);
      this.seenMine(event);
      if (isNew) this.announceEvent(event);
    }
    this.freshen();
    this.writing();
    this.ui.render();
  }

  private freshen(): void {
    const last = lastAnswer(this.state);
    if (!last || last.key === this.freshKey) return;
    this.freshKey = last.key;
    Object.assign(this.state, { ticks: {}, unfolded: false });
    if (last.answer.buttons?.length || last.answer.check) this.holdTaps();
  }

  private holdTaps(): void {
    this.state.fresh = true;
    clearTimeout(this.freshTimer);
    this.freshTimer = window.setTimeout(() => {
      this.state.fresh = false;
      this.ui.render();
    }, FRESH_FOR);
  }

  private seenMine(event: ChatEvent): void {
    if (event.kind === "message") this.outbox.confirm(event.client_id, event.seq);
    if (event.kind === "writer") this.state.writer = event.writer;
  }

  private announceEvent(event: ChatEvent): void {
    if (event.kind === "writer") this.announcer.say(this.config.strings.chat[`writer_${event.writer}`]);
    if (event.kind === "answer" || event.kind === "greeting") this.announceAnswer(event);
  }

  private announceAnswer(answer: Answer): void {
    const words = spokenAnswer(answer, this.config.strings);
    if (answer.disposition === "emergency") this.announcer.alert(words, ANSWER_LANG);
    else this.announcer.say(words, ANSWER_LANG);
    if (answer.check?.waits) this.ui.asks();
    if (!this.state.shown) this.setUnread(this.state.unread + 1);
  }

  private answerNow(answer: Answer): void {
    const words = JSON.stringify(answer.blocks);
    if (this.state.entries.some((entry) => entry.type === "answer" && JSON.stringify(entry.answer.blocks) === words)) return;
    addLocal(this.state, { type: "answer", answer, at: Date.now() });
    this.announceAnswer(answer);
    this.ui.render();
  }

  private writing(): void {
    const pending = this.watch.waiting;
    if (pending && !this.state.answerPending) {
      window.setTimeout(() => this.state.answerPending && this.watch.waiting && this.announcer.say(this.config.strings.chat.writing), WRITING_AFTER);
    }
    this.state.answerPending = pending;
  }

  private noAnswer(): void {
    this.safety("no_answer");
  }

  private setUnread(count: number): void {
    this.state.unread = count;
    this.ui.unread(count);
  }

  // The connection

  private lost(problem: Failure | null): void {
    if (this.state.link === "lost") return;
    this.state.link = "lost";
    this.announcer.say(this.config.strings.link.lost);
    this.safety("offline", problem);
  }

  private up(): void {
    if (this.state.link !== "lost") return;
    this.state.link = "back";
    this.announcer.say(this.config.strings.link.back);
    window.setTimeout(() => {
      if (this.state.link === "back") this.state.link = "up";
      this.ui.render();
    }, BACK_FOR);
    this.outbox.kick();
    this.ui.render();
  }

  private safety(reason: "no_answer" | "offline" | "trouble", problem: Failure | null = null): void {
    const safety = problem?.safety ?? this.config.safety;
    addLocal(this.state, { type: "safety", reason, safety });
    this.announcer.say(`${this.config.strings.card[reason]} ${spokenSafety(safety)}`);
    this.ui.render();
  }

  private menuFailed(problem: Failure): void {
    if (problem.status === 401) return this.closed(problem.code);
    this.state.menuNote = problem.message || this.config.strings.menu.failed;
    this.state.confirm = null;
    this.announcer.say(this.state.menuNote);
    this.ui.render();
  }

  private trouble(problem: Result<unknown> & Failure): void {
    if (problem.status === 401) this.closed(problem.code);
    else this.lost(problem);
  }
}
