/** Message references: no two calls draw the same, and none can be mistaken for an id of Telegram's. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  drawReference,
  isReference,
  referencesIn,
  referencesPerScopeMax,
  withTelegramIds,
} from "../../bot/core/message-reference.ts";

const messageId = fc.integer({ min: 1, max: 2 ** 36 - 1 });
const number = fc.integer({ min: 0, max: referencesPerScopeMax - 1 });
const step = fc.option(fc.integer({ min: 1, max: 31 }), { nil: undefined });

test("different calls draw different numbers, which JSON keeps and Telegram never gives out", () => {
  const call = fc.record({ messageId, step, number });
  fc.assert(
    fc.property(call, call, (a, b) => {
      const [one, other] = [a, b].map((c) => drawReference(c.messageId, c.step, c.number));
      expect(isReference(one)).toBe(true);
      expect(JSON.parse(JSON.stringify(one))).toBe(one);
      expect(one).toBeGreaterThanOrEqual(2 ** 52);
      const same = a.messageId === b.messageId && a.step === b.step && a.number === b.number;
      expect(one === other).toBe(same);
    }),
  );
});

test.each([
  1,
  2 ** 31 - 1,
  -1_001_234_567_890,
  2 ** 52 - 1,
  -(2 ** 52),
  1.5,
  "4503599627370496",
  null,
])("%s is no reference", (value) => {
  expect(isReference(value)).toBe(false);
});

test("references are found and replaced wherever they stand, and nothing else is", () => {
  const reference = drawReference(7, undefined, 0);
  const fields = { a: [{ b: reference }, 5], c: reference, d: String(reference), e: null };
  expect([...referencesIn(fields)]).toEqual([reference]);
  expect(withTelegramIds(fields, new Map([[reference, 70]]))).toEqual({
    ...{ a: [{ b: 70 }, 5], c: 70, d: String(reference), e: null },
  });
});
