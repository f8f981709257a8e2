import assert from "node:assert/strict";
import { test } from "node:test";
import { clockOffset, phaseOf } from "../src/panel/expiry";
import type { Session } from "../src/shared/types";

const at = (minutes: number) => new Date(minutes * 60000).toISOString();
const session = (idle: number, absolute: number, server = 0): Session => ({
  writer: "patient",
  ended: false,
  started_at: at(0),
  idle_expires_at: at(idle),
  expires_at: at(absolute),
  server_time: at(server),
  language: "en",
});

test("warns five minutes before the idle end, then it is over", () => {
  const minutes = (now: number) => phaseOf(session(30, 600), 0, now * 60000);
  assert.equal(minutes(24.9), "open");
  assert.equal(minutes(25), "warning_idle");
  assert.equal(minutes(29.9), "warning_idle");
  assert.equal(minutes(30), "over");
});

test("an absolute end cannot be put off", () => {
  assert.equal(phaseOf(session(30, 20), 0, 19 * 60000), "warning_absolute");
});

test("the server's clock counts", () => {
  const one = session(30, 600, 10);
  const offset = clockOffset(one, 0);
  assert.equal(phaseOf(one, offset, 14.9 * 60000), "open");
  assert.equal(phaseOf(one, offset, 15 * 60000), "warning_idle");
});
