/** Poison: tests that a message is poison after three deaths. */
import { expect, test } from "vitest";
import { isPoison } from "../../../bot/utils/message-queue/poison-rules.ts";

test.each([
  [0, false],
  [1, false],
  [2, false],
  [3, true],
  [4, true],
])("after %i deaths: %s", (deaths, poison) => {
  expect(isPoison(deaths)).toBe(poison);
});
