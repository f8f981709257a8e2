import { fill } from "../shared/fill";
import { readToLauncher, type Refusal, type Theme, type ToPanel } from "../shared/messages";
import { keepOpened, wasOpened } from "./begun";
import { safetyCard } from "./card";
import { config, pickLanguage } from "./config";
import { el } from "./dom";
import type { Settings } from "./settings";
import { css } from "./style";

/** What keeps the chat from this page for good: its own policy, a frame around it, no key, or the gateway's refusal. */
type Obstacle = "blocked" | "sandbox" | "missing" | Refusal;

const READY_WITHIN = 5000;
const ASK_AFTER = 500;

export class AftercareChat extends HTMLElement {
  static settings: Settings;
  static current: AftercareChat | undefined;
  static emit: (name: string, detail?: unknown) => void = () => {};
  /** The script put it there, so that one of the page's own takes its place. */
  made = false;

  private settings!: Settings;
  private inline = false;
  private root!: HTMLElement;
  private button!: HTMLElement;
  private badge!: HTMLElement;
  private frame!: HTMLElement;
  private iframe: HTMLIFrameElement | undefined;
  private asking: HTMLIFrameElement | undefined;
  private card: ReturnType<typeof safetyCard> | undefined;
  private obstacle: Obstacle | undefined;
  private language = "en";
  private opened = false;
  private ready = false;
  private begun = false;
  private entered = false;
  private unread = 0;
  private timers: number[] = [];
  private connected = new AbortController();

  connectedCallback(): void {
    const other = AftercareChat.current;
    AftercareChat.current = this;
    if (other?.made) other.remove();
    this.settings = { ...AftercareChat.settings, ...this.dataset, origin: AftercareChat.settings.origin };
    this.inline = this.dataset["mode"] === "inline";
    this.language = pickLanguage(this.settings.lang ?? document.documentElement.lang);
    this.connected = new AbortController();
    this.build();
    const { signal } = this.connected;
    this.root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    addEventListener("message", (event) => this.receive(event), { signal });
    document.addEventListener("securitypolicyviolation", (event) => this.violated(event), { signal });
    this.draw();
    if (this.inline) {
      this.opened = true;
      addEventListener("blur", () => this.enter(), { signal });
      this.begin();
    } else if (wasOpened()) this.ask();
  }

  disconnectedCallback(): void {
    if (AftercareChat.current === this) AftercareChat.current = undefined;
    this.connected.abort();
    this.forget();
    this.opened = this.begun = false;
    this.unread = 0;
  }

  open(): void {
    if (this.inline) this.showFrame();
    if (this.opened) return;
    this.opened = true;
    this.frame.hidden = this.begun = false;
    this.unread = 0;
    this.draw();
    AftercareChat.emit("open");
    if (!this.iframe && !this.card) this.begin();
    else if (this.ready) this.send({ aftercare: 1, type: "open" });
    else if (!this.obstacle) this.await();
    this.showFrame();
  }

  close(): void {
    if (!this.opened || this.inline) return;
    this.opened = false;
    this.stopWaiting();
    this.frame.hidden = true;
    if (this.iframe) this.iframe.hidden = true;
    this.draw();
    if (this.ready) this.send({ aftercare: 1, type: "close" });
    this.button.focus();
    AftercareChat.emit("close");
  }

  private get words() {
    return config.strings[this.language]!;
  }

  private get address(): string {
    return `${this.settings.origin}/panel/${encodeURIComponent(this.settings.key ?? "")}`;
  }

  private build(): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    this.badge = el("span", { class: "badge", hidden: "" });
    this.button = el("button", { type: "button", class: "open", "aria-controls": "panel" });
    this.button.onclick = () => (this.opened ? this.close() : this.open());
    this.frame = el("div", { id: "panel", class: "frame" });
    this.frame.hidden = !this.inline;
    this.root = el("div", { class: `all ${this.inline ? "inline" : this.settings.position ?? ""}`, lang: this.language }, this.frame);
    if (!this.inline) this.root.append(this.button);
    root.replaceChildren(this.root);
  }

  /** Loads the panel anew. */
  private begin(): void {
    this.iframe?.remove();
    this.obstacle = undefined;
    if (!this.settings.key) return this.unavailable("missing");
    if (self.origin === "null") return this.unavailable("sandbox");
    this.iframe = this.load(`?lang=${this.language}`);
    this.frame.append(this.iframe);
    this.await();
  }

  private load(behind: string): HTMLIFrameElement {
    const iframe = el("iframe", { title: this.words.frame_title, referrerpolicy: "strict-origin", allow: "", src: this.address + behind });
    iframe.onload = () => {
      this.send({ aftercare: 1, type: "hello", theme: this.theme(), open: this.inline ? null : this.opened }, iframe);
      if (iframe === this.iframe) this.later(ASK_AFTER, () => this.ready || this.obstacle || this.ask());
    };
    return iframe;
  }

  /** Asks the gateway's own page whether it refuses this one, and whether a chat is under way. */
  private ask(): void {
    this.asking?.remove();
    this.asking = this.load("/embedding");
    this.asking.hidden = true;
    this.root.append(this.asking);
  }

  private later(ms: number, what: () => void): void {
    this.timers.push(window.setTimeout(what, ms));
  }

  private await(): void {
    this.stopWaiting();
    this.later(READY_WITHIN, () => this.unavailable());
  }

  private stopWaiting(): void {
    this.timers.splice(0).forEach(clearTimeout);
  }

  private forget(): void {
    this.stopWaiting();
    this.iframe = this.asking = this.card = this.obstacle = undefined;
    this.ready = this.entered = false;
  }

  private showFrame(): void {
    if (this.iframe) this.iframe.hidden = this.card !== undefined;
    (this.card?.root ?? this.iframe)?.focus();
  }

  /** A panel inside the page counts as opened, and moves the focus to its text box, when the patient first goes into it. */
  private enter(): void {
    if (!this.ready || this.entered || this.shadowRoot!.activeElement !== this.iframe) return;
    this.entered = true;
    this.send({ aftercare: 1, type: "open" });
  }

  private violated(event: SecurityPolicyViolationEvent): void {
    const ours = event.effectiveDirective === "frame-src" && event.disposition === "enforce" && event.blockedURI.startsWith(this.settings.origin);
    if (ours && this.iframe && !this.ready && !this.obstacle) this.unavailable("blocked");
  }

  private unavailable(obstacle?: Obstacle): void {
    this.stopWaiting();
    if (this.card && !obstacle) {
      this.card.status.textContent = this.words.still_down;
      return;
    }
    this.obstacle = obstacle;
    const remedy = this.remedy(obstacle);
    if (remedy) console.error(`Aftercare: ${remedy}`);
    const alone = obstacle && obstacle !== "missing" && obstacle !== "key" ? this.address + `?lang=${this.language}` : "";
    const own = config.keys?.[this.settings.key ?? ""] ?? config;
    const safety = own.safety[this.language] ?? own.safety["en"]!;
    this.card?.root.remove();
    this.card = safetyCard(this.words, safety, own.contacts, { alone, inline: this.inline, retry: () => this.retry(), close: () => this.close() });
    this.frame.append(this.card.root);
    if (alone) this.becomeLink(alone);
    if (this.iframe) this.iframe.hidden = true;
    if (this.opened && !this.inline) this.card.root.focus();
    AftercareChat.emit("unavailable", obstacle === "blocked" ? obstacle : obstacle ? "refused" : "timeout");
  }

  /** What to do about it, in a line, where the gateway's own page does not say so. */
  private remedy(obstacle?: Obstacle): string {
    if (obstacle === "missing") return "data-key is missing; write it into the script tag";
    if (obstacle === "sandbox") return "no origin; add allow-same-origin to the sandbox attribute";
    return obstacle === "blocked" ? `blocked by the content security policy; add frame-src ${this.settings.origin}` : "";
  }

  /** Where the page cannot hold the panel, the launcher leads to the panel's own page. */
  private becomeLink(alone: string): void {
    const link = el("a", { class: "open", href: alone, target: "_blank", rel: "noopener" });
    this.button.replaceWith(link);
    this.button = link;
    this.draw();
  }

  private retry(): void {
    this.card!.status.textContent = this.words.trying;
    this.begin();
    if (this.iframe) this.iframe.hidden = true;
  }

  private receive(event: MessageEvent): void {
    if (!event.source || event.origin !== this.settings.origin) return;
    const message = readToLauncher(event.data);
    if (event.source === this.asking?.contentWindow) {
      if (message?.type !== "embedding") return;
      this.asking.remove();
      this.asking = undefined;
      this.begun = message.begun && !this.iframe;
      if (!message.begun) keepOpened(this.ready);
      if (message.refused && !this.ready) this.unavailable(message.refused);
      this.draw();
    }
    if (event.source !== this.iframe?.contentWindow) return;
    if (message?.type === "ready") this.isReady();
    if (message?.type === "close") this.inline ? AftercareChat.emit("close") : this.close();
    if (message?.type === "unread") {
      this.unread = message.count;
      this.draw();
      AftercareChat.emit("unread", message.count);
    }
  }

  private isReady(): void {
    this.stopWaiting();
    this.ready = true;
    keepOpened(true);
    this.card?.root.remove();
    this.card = undefined;
    if (this.opened && this.iframe!.hidden) {
      this.showFrame();
      this.send({ aftercare: 1, type: "open" });
    }
    if (this.inline) this.enter();
    AftercareChat.emit("ready");
  }

  private draw(): void {
    const { words, unread, begun, opened } = this;
    const { label } = this.settings;
    const shown = begun ? words.continue : label || words.open;
    const name = begun || label ? fill(words.label_name, { label: shown }) : words.open_name;
    const told = unread === 1 ? words.unread_one : fill(words.unread_many, { count: String(unread) });
    this.badge.textContent = told;
    this.badge.hidden = unread === 0;
    this.button.replaceChildren(shown, this.badge);
    this.button.setAttribute("aria-label", unread ? `${name}, ${told}` : name);
    if (this.button.tagName === "A") this.button.hidden = opened;
    else this.button.setAttribute("aria-expanded", String(opened));
  }

  private theme(): Theme {
    const own = (name: string) => getComputedStyle(this).getPropertyValue(`--aftercare-accent${name}`).trim();
    const [accent, accentText] = [own(""), own("-text")];
    return { ...(accent && { accent }), ...(accentText && { accentText }) };
  }

  private send(message: ToPanel, to = this.iframe): void {
    to?.contentWindow?.postMessage(message, this.settings.origin);
  }
}
