/** Poison: tests after how many deaths a message is poison. */
import { expect, test } from "vitest";
import { isPoison } from "../../../bot/utils/message-queue/poison-rules.ts";

test.each([
  [0, 0, false],
  [2, 0, false],
  [3, 0, true],
  [4, 0, true],
  [3, 1, false],
  [4, 1, true],
  [7, 40, false],
  [8, 40, true],
])("after %i deaths with it and %i without it: %s", (deaths, others, poison) => {
  expect(isPoison(deaths, others)).toBe(poison);
});
