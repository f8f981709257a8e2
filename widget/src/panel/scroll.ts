const NEAR = 40;

/** Keeps the newest message in sight, unless the patient has scrolled up to read. */
export class Scroller {
  private following = true;
  private target = 0;
  private seen = "";

  constructor(private box: () => HTMLElement | null) {}

  scrolled(): boolean {
    const box = this.box();
    if (box) this.following = box.scrollTop > Math.min(this.target, box.scrollHeight - box.clientHeight) - NEAR;
    return this.following;
  }

  /** After a render, or when the box has another size. True when something new is out of sight. */
  update(newest: string): boolean {
    const box = this.box();
    if (!box) return false;
    const isNew = newest !== this.seen;
    this.seen = newest;
    if (this.following && (isNew || box.scrollTop < this.target + NEAR)) this.toNewest();
    return isNew && !this.following;
  }

  /** Whether the box ends before what it holds does. */
  get isMoreBelow(): boolean {
    const box = this.box();
    return box !== null && box.scrollHeight - box.clientHeight - box.scrollTop > NEAR;
  }

  /** A screen further, with a line of the last one left. */
  pageDown(): void {
    const box = this.box();
    if (box) box.scrollTop += Math.max(box.clientHeight - NEAR, NEAR);
  }

  /** Brings the start of something in the box into sight; nothing around the box moves. */
  to(place: HTMLElement): void {
    const box = this.box();
    if (box) box.scrollTop += place.getBoundingClientRect().top - box.getBoundingClientRect().top - 8;
  }

  /** Something in the box stays where it is seen while a change is made to all around it. */
  hold(place: HTMLElement | null, change: () => void): void {
    const top = () => place?.getBoundingClientRect().top ?? 0;
    const before = top();
    change();
    const box = this.box();
    if (box) box.scrollTop += top() - before;
  }

  /** Before the patient has written, what this chat is stays in sight, and once a way to begin was chosen, the choice does. The start of a message that is taller than the box matters more than its end. A safety card is shown with the message it is about. */
  toNewest(): void {
    const box = this.box();
    if (!box) return;
    const items = box.querySelectorAll<HTMLElement>(".program, .nurse, .status, .you, .safe, .over");
    let last = items[items.length - 1];
    const before = items[items.length - 2];
    if (last?.className === "safe" && before?.className === "you") last = before;
    const chosen = box.querySelector<HTMLElement>('.starters [aria-pressed="true"]');
    box.scrollTop = chosen || box.querySelector(".you") ? box.scrollHeight : 0;
    const start = chosen ?? (last && startOf(last));
    const above = start ? start.getBoundingClientRect().top - box.getBoundingClientRect().top : 0;
    if (above < 0) box.scrollTop += above - 8;
    this.target = box.scrollTop;
    this.following = true;
  }
}

/** What is to be seen of a message in any case: of an emergency its card, of a question the question, of all else the start. */
function startOf(message: HTMLElement): HTMLElement {
  const emergency = message.querySelector<HTMLElement>(".care-emergency, .stands-emergency");
  if (emergency) return emergency;
  const isQuestion = message.querySelector(".choices") && !message.querySelector(".care");
  return (isQuestion && message.querySelector<HTMLElement>(".b-question")) || message;
}
