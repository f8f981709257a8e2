import * as delivery from "../src/panel/chat/delivery";
import type { Timers } from "../src/panel/timers";

/** Runs the outbox on a clock, with `send` in the server's place; the items that it hands out follow what becomes of them. */
export class Outbox {
  private outbox = delivery.emptyOutbox();
  private timer = 0;
  private items = new Map<string, delivery.OutItem>();

  constructor(
    private send: (item: delivery.OutItem) => Promise<delivery.SendResult>,
    private timers: Timers,
    private changed: (item: delivery.OutItem) => void,
  ) {}

  get unsent(): readonly delivery.OutItem[] {
    return this.outbox.queue.map((item) => this.items.get(item.clientId)!);
  }

  add(clientId: string, text: string, button?: string, rows?: delivery.OutItem["rows"]): delivery.OutItem {
    this.act(delivery.add(this.outbox, clientId, this.timers.now(), { text, ...(button ? { button } : {}), ...(rows ? { rows } : {}) }));
    return this.items.get(clientId)!;
  }

  kick(): void {
    this.act(delivery.kick(this.outbox));
  }

  retry(item: delivery.OutItem): void {
    this.act(delivery.retry(this.outbox, item.clientId));
  }

  pause(): void {
    this.act(delivery.pause(this.outbox));
  }

  resume(): void {
    this.act(delivery.resume(this.outbox));
  }

  clear(): void {
    this.act(delivery.clear(this.outbox));
  }

  confirm(clientId: string, seq: number): void {
    this.act(delivery.confirm(this.outbox, clientId, seq));
  }

  private act({ outbox, todo }: delivery.Turn): void {
    this.outbox = outbox;
    for (const one of todo) this.do(one);
  }

  private do(one: delivery.Todo): void {
    if (one.type === "changed") {
      this.follow(one.item);
      if (one.moved) this.changed(one.item);
    }
    if (one.type === "watch") this.timers.set(() => this.act(delivery.giveUp(this.outbox, one.clientId)), delivery.GIVE_UP_AFTER);
    if (one.type === "retry") this.timer = this.timers.set(() => this.act(delivery.retryDue(this.outbox)), one.ms);
    if (one.type === "cancel_retry") this.timers.clear(this.timer);
    if (one.type === "send") void this.send(one.item).then((result) => this.act(delivery.answered(this.outbox, result)));
  }

  private follow(item: delivery.OutItem): void {
    const shown = this.items.get(item.clientId) ?? { ...item };
    for (const key of ["button", "rows"] as const) if (!item[key]) delete shown[key];
    this.items.set(item.clientId, Object.assign(shown, item));
  }
}
