import { readToPanel, type Theme, type ToLauncher } from "../shared/messages";

interface Listener {
  hello(theme: Theme, open: boolean | null): void;
  open(): void;
  close(): void;
}

/** The page that holds the panel. It is told nothing but: ready, close, and how many messages are unread. */
export class Parent {
  private origin: string | null = null;

  constructor(parents: string[], listener: Listener) {
    const allowed = new Set([...parents, location.origin]);
    addEventListener("message", (event: MessageEvent) => {
      if (window.parent === window || event.source !== window.parent || !allowed.has(event.origin)) return;
      const message = readToPanel(event.data);
      if (message?.type === "hello") {
        this.origin = event.origin;
        listener.hello(message.theme, message.open);
        this.send({ aftercare: 1, type: "ready" });
      } else if (message && this.origin === event.origin) listener[message.type]();
    });
  }

  close(): void {
    this.send({ aftercare: 1, type: "close" });
  }

  unread(count: number): void {
    this.send({ aftercare: 1, type: "unread", count });
  }

  private send(message: ToLauncher): void {
    if (this.origin) window.parent.postMessage(message, this.origin);
  }
}
