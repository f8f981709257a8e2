import assert from "node:assert/strict";
import { test } from "node:test";
import { type Api, failure } from "../src/panel/api";
import { Feed } from "../src/panel/feed";
import type { ChatEvent, Session } from "../src/shared/types";
import { FakeTimers, settle } from "./clock";
import { answer, EXPIRED, NO_NETWORK, ok, session } from "./panel";

/** One stream that the test writes to, and that ends as the network's do when it is aborted. */
class Stream {
  private chunks: { done: boolean; value?: Uint8Array }[] = [];
  private waiting: ((chunk: { done: boolean; value?: Uint8Array }) => void) | null = null;

  write(text: string): void {
    this.give({ done: false, value: new TextEncoder().encode(text) });
  }

  end(): void {
    this.give({ done: true });
  }

  response(signal: AbortSignal): Response {
    const read = () =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("aborted")));
        const chunk = this.chunks.shift();
        if (chunk) resolve(chunk);
        else this.waiting = resolve;
      });
    return { ok: true, status: 200, headers: new Headers({ "Content-Type": "text/event-stream" }), body: { getReader: () => ({ read }) } } as unknown as Response;
  }

  private give(chunk: { done: boolean; value?: Uint8Array }): void {
    if (this.waiting) this.waiting(chunk);
    else this.chunks.push(chunk);
    this.waiting = null;
  }
}

type Poll = Awaited<ReturnType<Api["events"]>>;
type Opening = Stream | Response | "fails" | "hangs";

const hello = ": hello\n\n";
const written = (event: ChatEvent) => `event: ${event.kind}\nid: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`;
const polled = (events: ChatEvent[] = [], change: Partial<Session> = {}): Poll => ok({ events, session: session(change) });
const page = () => new Response("<html>", { headers: { "Content-Type": "text/html" } });

/** Runs a feed against these streams and polls on a clock of the test's own; after the last poll the next hangs. */
async function follow(streams: Opening[], polls: (Poll | Promise<Poll>)[], body: (at: ReturnType<typeof setUp>) => Promise<void>): Promise<void> {
  const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout, now: Date.now };
  const timers = new FakeTimers();
  Object.assign(globalThis, { setTimeout: (run: () => void, ms: number) => timers.set(run, ms), clearTimeout: (id: number) => timers.clear(id) });
  Date.now = () => timers.now();
  const at = setUp(timers, streams, polls);
  try {
    await settle();
    await body(at);
  } finally {
    at.feed.stop();
    Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
    Date.now = real.now;
  }
}

function setUp(timers: FakeTimers, streams: Opening[], polls: (Poll | Promise<Poll>)[]) {
  const asked: string[] = [];
  const heard: string[] = [];
  let last = 0;
  const aborted = (signal: AbortSignal) => new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
  const api = {
    stream(_token: string, after: number, signal: AbortSignal) {
      asked.push(`${timers.now()} stream ${after}`);
      const opening = streams.shift() ?? "hangs";
      if (opening === "hangs") return aborted(signal);
      if (opening === "fails") return Promise.reject(new Error("no network"));
      return Promise.resolve(opening instanceof Stream ? opening.response(signal) : opening);
    },
    events(_token: string, after: number, wait: number, signal: AbortSignal) {
      asked.push(`${timers.now()} poll ${after} ${wait}`);
      const result = polls.shift();
      return result ? Promise.resolve(result) : aborted(signal).catch(() => failure(0, {}, null));
    },
  };
  const feed = new Feed(api as unknown as Api, "t1", {
    lastSeq: () => last,
    event(event) {
      last = event.seq;
      heard.push(`event ${event.seq}`);
    },
    session: () => heard.push("session"),
    closed: (code) => heard.push(`closed ${code}`),
    up: () => heard.push("up"),
    down: () => heard.push("down"),
  });
  return { timers, asked, heard, feed };
}

test("a stream brings events and sessions, and is up once", async () => {
  const stream = new Stream();
  await follow([stream], [], async ({ asked, heard }) => {
    stream.write(hello);
    stream.write(`event: session\ndata: ${JSON.stringify(session())}\n\n${written(answer(1, null))}`);
    await settle();
    assert.deepEqual(heard, ["up", "session", "event 1"]);
    assert.deepEqual(asked, ["0 stream 0"]);
  });
});

test("a stream that breaks is opened again from the last event: after 300 ms, or 1 s when it was short", async () => {
  for (const [lived, pause] of [[5000, 300], [500, 1000]] as const) {
    const stream = new Stream();
    await follow([stream], [], async ({ timers, asked }) => {
      stream.write(written(answer(7, null)));
      await timers.pass(lived);
      stream.end();
      await timers.pass(pause);
      assert.deepEqual(asked, ["0 stream 0", `${lived + pause} stream 7`]);
    });
  }
});

test("a stream that is silent for 40 seconds is opened again", async () => {
  const stream = new Stream();
  await follow([stream], [], async ({ timers, asked }) => {
    stream.write(hello);
    await timers.pass(40300);
    assert.deepEqual(asked, ["0 stream 0", "40300 stream 0"]);
  });
});

test("where streams do not get through, or too many are open, it polls", async () => {
  const crowded = new Stream();
  crowded.write("event: crowded\ndata: {}\n\n");
  for (const opening of [page(), crowded]) {
    await follow([opening], [polled([answer(3, null)])], async ({ asked, heard }) => {
      await settle();
      assert.deepEqual(asked, ["0 stream 0", "0 poll 0 25", "0 poll 3 25"]);
      assert.deepEqual(heard.slice(-3), ["up", "session", "event 3"]);
    });
  }
  await follow(["hangs"], [], async ({ timers, asked }) => {
    await timers.pass(5000);
    assert.deepEqual(asked, ["0 stream 0", "5000 poll 0 25"]);
  });
});

test("two streams that fail are enough: it polls, says that it is down, and tries after 2, 4, 8 seconds", async () => {
  await follow(["fails", "fails"], [NO_NETWORK, NO_NETWORK, polled()], async ({ timers, asked, heard }) => {
    await timers.pass(20000);
    assert.deepEqual(asked, ["0 stream 0", "1000 stream 0", "1000 poll 0 0", "5000 poll 0 0", "13000 poll 0 0", "13000 poll 0 25"]);
    assert.deepEqual(heard, ["down", "down", "up", "session"]);
  });
});

test("where a stream got through before the outage, it streams again after it", async () => {
  const stream = new Stream();
  await follow([stream, "fails", "fails"], [polled()], async ({ timers, asked }) => {
    stream.write(written(answer(4, null)));
    await timers.pass(3000);
    stream.end();
    await timers.pass(5000);
    assert.deepEqual(asked.slice(1), ["3300 stream 4", "4300 stream 4", "4300 poll 4 0", "4300 stream 4"]);
  });
});

test("a kick tries at once", async () => {
  await follow(["fails"], [], async ({ timers, asked, feed }) => {
    await timers.pass(400);
    feed.kick();
    await settle();
    assert.deepEqual(asked, ["0 stream 0", "400 stream 0"]);
  });
});

test("a token that is dead is told with its code, and asked for no more", async () => {
  const dead = new Response(JSON.stringify({ error: "session_expired" }), { status: 401 });
  await follow([dead], [], async ({ timers, asked, heard }) => {
    await timers.pass(60000);
    assert.deepEqual([asked, heard], [["0 stream 0"], ["closed session_expired"]]);
  });
  await follow([page()], [EXPIRED], async ({ timers, asked, heard }) => {
    await timers.pass(60000);
    assert.deepEqual([asked.length, heard], [2, ["closed session_expired"]]);
  });
});

test("a chat that is over is told without a code by the stream, and as ended by a poll", async () => {
  const stream = new Stream();
  await follow([stream], [], async ({ timers, heard }) => {
    stream.write(`event: ended\ndata: {}\n\n${written(answer(9, null))}`);
    await timers.pass(60000);
    assert.deepEqual(heard, ["up", "closed undefined"]);
  });
  await follow([page()], [polled([answer(5, null)], { ended: true })], async ({ timers, heard }) => {
    await timers.pass(60000);
    assert.deepEqual(heard, ["up", "session", "event 5", "closed session_ended"]);
  });
});

test("a feed that is stopped takes nothing more, from a stream or from a poll", async () => {
  const stream = new Stream();
  await follow([stream], [], async ({ timers, asked, heard, feed }) => {
    stream.write(hello);
    await settle();
    feed.stop();
    stream.write(written(answer(2, null)));
    await timers.pass(60000);
    assert.deepEqual([asked.length, heard], [1, ["up"]]);
  });
  let late: (poll: Poll) => void = () => {};
  await follow([page()], [new Promise((resolve) => (late = resolve))], async ({ timers, asked, heard, feed }) => {
    feed.stop();
    late(polled([answer(2, null)]));
    await timers.pass(60000);
    assert.deepEqual([asked.length, heard], [2, []]);
  });
});
