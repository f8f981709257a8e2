import type { Config, Words } from "../shared/types";

/** Draws the panel. Where it cannot be drawn, what the server sent takes its place for good: whom to call in an emergency. */
export class Drawing {
  private scheduled = false;
  private failed = false;

  constructor(
    private config: Config,
    private paint: () => void,
    private giveUp: () => void,
  ) {}

  /** Once for all that changes until then. */
  soon(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.now();
    });
  }

  now(): void {
    if (this.failed) return;
    try {
      this.paint();
    } catch (error) {
      this.failed = true;
      this.giveUp();
      throw error;
    }
  }

  /** Says everything in these words from now on. False, and in the words as they were, where they cannot be drawn. */
  speak(words: Words): boolean {
    const before = { ...this.config };
    try {
      Object.assign(this.config, words);
      this.paint();
      return true;
    } catch {
      Object.assign(this.config, before);
      this.now();
      return false;
    }
  }
}
