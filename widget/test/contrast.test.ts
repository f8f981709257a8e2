import assert from "node:assert/strict";
import { test } from "node:test";
import { contrast, ENOUGH } from "../src/panel/contrast";

test("contrast follows WCAG, in both orders", () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
  assert.equal(contrast([255, 255, 255], [0, 0, 0]), 21);
  assert.equal(contrast([9, 9, 9], [9, 9, 9]), 1);
});

test("grey 767676 on white is enough and 777777 is not", () => {
  assert(contrast([0x76, 0x76, 0x76], [255, 255, 255]) >= ENOUGH);
  assert(contrast([0x77, 0x77, 0x77], [255, 255, 255]) < ENOUGH);
});
