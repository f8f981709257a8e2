import { fill } from "../shared/fill";
import { readToLauncher, type Theme, type ToPanel } from "../shared/messages";
import { safetyCard } from "./card";
import { config, pickLanguage } from "./config";
import { el } from "./dom";
import { css } from "./style";

export interface Settings {
  origin: string;
  key: string;
  lang: string | undefined;
  side: string | undefined;
}

const READY_WITHIN = 5000;

export class AftercareChat extends HTMLElement {
  static settings: Settings;
  emit: (name: string, detail?: unknown) => void = () => {};

  private button!: HTMLButtonElement;
  private badge!: HTMLElement;
  private frame!: HTMLElement;
  private iframe: HTMLIFrameElement | undefined;
  private card: ReturnType<typeof safetyCard> | undefined;
  private language = "en";
  private opened = false;
  private ready = false;
  private timer = 0;

  connectedCallback(): void {
    if (this.shadowRoot) return;
    const { lang, side } = AftercareChat.settings;
    this.language = pickLanguage(lang ?? document.documentElement.lang);
    const words = this.words;
    this.badge = el("span", { class: "badge", hidden: "" });
    this.button = el("button", { type: "button", class: "open", "aria-expanded": "false", "aria-controls": "panel" }, words.open, this.badge);
    this.button.onclick = () => (this.opened ? this.close() : this.open());
    this.frame = el("div", { id: "panel", class: "frame", hidden: "" });
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    root.append(el("div", { class: side === "left" ? "left" : "", lang: this.language }, this.frame, this.button));
    root.addEventListener("keydown", (event) => {
      if ((event as KeyboardEvent).key === "Escape" && this.opened) this.close();
    });
    addEventListener("message", (event) => this.receive(event));
    this.showUnread(0);
  }

  open(): void {
    if (this.opened) return;
    this.opened = true;
    this.frame.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.showUnread(0);
    if (!this.iframe) this.load();
    else if (this.ready) this.send({ aftercare: 1, type: "open" });
    if (!this.ready) this.await();
    this.showFrame();
    this.emit("open");
  }

  close(): void {
    if (!this.opened) return;
    this.opened = false;
    clearTimeout(this.timer);
    this.frame.hidden = true;
    if (this.iframe) this.iframe.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (this.ready) this.send({ aftercare: 1, type: "close" });
    this.button.focus();
    this.emit("close");
  }

  private get words() {
    return config.strings[this.language]!;
  }

  private load(): void {
    const { origin, key } = AftercareChat.settings;
    const iframe = el("iframe", {
      title: this.words.frame_title,
      referrerpolicy: "strict-origin",
      allow: "",
      src: `${origin}/panel/${encodeURIComponent(key)}?lang=${this.language}`,
    });
    iframe.onload = () => this.send({ aftercare: 1, type: "hello", theme: this.theme(), open: this.opened });
    this.iframe = iframe;
    this.frame.append(iframe);
  }

  private await(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.unavailable(), READY_WITHIN);
  }

  private showFrame(): void {
    const iframe = this.iframe!;
    iframe.hidden = this.card !== undefined;
    if (this.card) this.card.root.focus();
    else iframe.focus();
  }

  private unavailable(): void {
    if (this.card) {
      this.card.status.textContent = this.words.still_down;
      return;
    }
    const card = config.keys?.[AftercareChat.settings.key] ?? config;
    const safety = card.safety[this.language] ?? card.safety["en"]!;
    this.card = safetyCard(this.words, safety, card.contacts, { retry: () => this.retry(), close: () => this.close() });
    this.frame.append(this.card.root);
    this.showFrame();
    this.emit("unavailable");
  }

  private retry(): void {
    this.card!.status.textContent = this.words.trying;
    this.iframe!.remove();
    this.load();
    this.iframe!.hidden = true;
    this.await();
  }

  private receive(event: MessageEvent): void {
    if (!this.iframe || event.source !== this.iframe.contentWindow || event.origin !== AftercareChat.settings.origin) return;
    const message = readToLauncher(event.data);
    if (message?.type === "ready") this.isReady();
    if (message?.type === "close") this.close();
    if (message?.type === "unread") {
      this.showUnread(message.count);
      this.emit("unread", message.count);
    }
  }

  private isReady(): void {
    clearTimeout(this.timer);
    this.ready = true;
    this.card?.root.remove();
    this.card = undefined;
    if (this.opened && this.iframe!.hidden) {
      this.showFrame();
      this.send({ aftercare: 1, type: "open" });
    }
    this.emit("ready");
  }

  private showUnread(count: number): void {
    const words = count === 1 ? this.words.unread_one : fill(this.words.unread_many, { count: String(count) });
    this.badge.textContent = words;
    this.badge.hidden = count === 0;
    this.button.setAttribute("aria-label", count ? `${this.words.open_name}, ${words}` : this.words.open_name);
  }

  private theme(): Theme {
    const style = getComputedStyle(this);
    const theme: Theme = {};
    const accent = style.getPropertyValue("--aftercare-accent").trim();
    const accentText = style.getPropertyValue("--aftercare-accent-text").trim();
    if (accent) theme.accent = accent;
    if (accentText) theme.accentText = accentText;
    return theme;
  }

  private send(message: ToPanel): void {
    this.iframe?.contentWindow?.postMessage(message, AftercareChat.settings.origin);
  }
}
