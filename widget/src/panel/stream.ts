export interface StreamEvent {
  event: string;
  id: string;
  data: string;
}

/** Reads text/event-stream from chunks that may end anywhere, also inside a line end. */
export class StreamParser {
  private rest = "";
  private event = "";
  private id = "";
  private data: string[] = [];
  private afterReturn = false;

  push(chunk: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    let text = chunk;
    if (this.afterReturn && text.startsWith("\n")) text = text.slice(1);
    if (chunk) this.afterReturn = chunk.endsWith("\r");
    const lines = (this.rest + text).split(/\r\n|\n|\r/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      const event = this.line(line);
      if (event) events.push(event);
    }
    return events;
  }

  private line(line: string): StreamEvent | null {
    if (line === "") {
      const event = this.data.length || this.event ? { event: this.event || "message", id: this.id, data: this.data.join("\n") } : null;
      this.event = "";
      this.data = [];
      return event;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.event = value;
    if (field === "data") this.data.push(value);
    if (field === "id") this.id = value;
    return null;
  }
}
