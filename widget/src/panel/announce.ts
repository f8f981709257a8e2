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

  alert(text: string, lang = this.panelLang()): void {
    this.assertive.say(text, lang);
    this.timers.set(() => this.assertive.say("", this.panelLang()), ALERT_HOLD);
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
