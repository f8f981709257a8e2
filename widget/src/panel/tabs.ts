type TabMessage = { type: "ask" } | { type: "token"; token: string } | { type: "end"; token: string } | { type: "restart" | "begun_again"; from: string; token: string };

interface Listener {
  token(): string | null;
  ended(token: string): void;
  restarted(from: string, token: string): void;
  begunAgain(from: string, token: string): void;
}

const ASK_FOR = 150;

/** The tabs of one clinic on this device share one chat. */
export class Tabs {
  private channel: BroadcastChannel | null;
  private answer: ((token: string) => void) | null = null;

  constructor(key: string, listener: Listener) {
    try {
      this.channel = new BroadcastChannel(`aftercare:${key}`);
    } catch {
      this.channel = null;
    }
    this.channel?.addEventListener("message", ({ data }: MessageEvent<TabMessage>) => {
      if (data.type === "ask") {
        const token = listener.token();
        if (token) this.post({ type: "token", token });
      }
      if (data.type === "token") this.answer?.(data.token);
      if (data.type === "end") listener.ended(data.token);
      if (data.type === "restart") listener.restarted(data.from, data.token);
      if (data.type === "begun_again") listener.begunAgain(data.from, data.token);
    });
  }

  ask(): Promise<string | null> {
    if (!this.channel) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.answer = resolve;
      this.post({ type: "ask" });
      setTimeout(() => resolve(null), ASK_FOR);
    });
  }

  ended(token: string): void {
    this.post({ type: "end", token });
  }

  restarted(from: string, token: string): void {
    this.post({ type: "restart", from, token });
  }

  begunAgain(from: string, token: string): void {
    this.post({ type: "begun_again", from, token });
  }

  private post(message: TabMessage): void {
    this.channel?.postMessage(message);
  }
}
