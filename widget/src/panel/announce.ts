import type { Timers } from "./timers";

export interface Region {
  say(text: string, lang: string): void;
}

const HOLD = 1000;
const GAP = 150;
const ALERT_HOLD = 5000;

/** Feeds the hidden live regions: one text at a time, emptied again, so that two in a row are both spoken. */
export class Announcer {
  private queue: { text: string; lang: string }[] = [];
  private busy = false;
  private alerts: readonly string[] = [];
  private alertOver: number | null = null;

  constructor(
    private polite: Region,
    private assertive: Region,
    private timers: Timers,
    private panelLang: () => string,
  ) {}

  say(text: string, lang = this.panelLang()): void {
    this.queue.push({ text, lang });
    if (!this.busy) this.next();
  }

  /** At once, with those that may not have been heard out: its region holds one text. */
  alert(text: string, lang = this.panelLang()): void {
    this.alerts = [...this.alerts.filter((one) => one !== text), text];
    this.assertive.say(this.alerts.join(" "), lang);
    if (this.alertOver !== null) this.timers.clear(this.alertOver);
    this.alertOver = this.timers.set(() => {
      this.alerts = [];
      this.assertive.say("", this.panelLang());
    }, ALERT_HOLD);
  }

  private next(): void {
    const item = this.queue.shift();
    this.busy = item !== undefined;
    if (!item) return;
    this.polite.say(item.text, item.lang);
    this.timers.set(() => {
      this.polite.say("", this.panelLang());
      this.timers.set(() => this.next(), GAP);
    }, HOLD);
  }
}

export function region(element: HTMLElement): Region {
  return {
    say(text, lang) {
      element.lang = lang;
      element.textContent = text;
    },
  };
}
