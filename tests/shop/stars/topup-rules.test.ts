/** Top-up rules: what is offered, what a check-out is answered, and what a payment is worth. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  judgeCheckout,
  offersOf,
  readPayload,
  type TopupRules,
  toPayload,
  worthOf,
} from "../../../bot/shop/stars/topup-rules.ts";

const rules: TopupRules = { topupAmounts: [100, 50, 100], starValueMinor: 10 };
const stars = { currency: "XTR", total: 50, payload: "topup:50:500" };

test("each amount is offered once, the smallest first", () => {
  expect(offersOf(rules)).toEqual([
    { stars: 50, amountMinor: 500 },
    { stars: 100, amountMinor: 1_000 },
  ]);
});

test("a payload says what its invoice promised, in far less than 128 bytes", () => {
  const offer = fc.record({
    stars: fc.integer({ min: 1, max: 100_000 }),
    amountMinor: fc.integer({ min: 1, max: 100_000_000_000 }),
  });
  fc.assert(
    fc.property(offer, (promised) => {
      expect(readPayload(toPayload(promised))).toEqual(promised);
      expect(Buffer.byteLength(toPayload(promised))).toBeLessThan(64);
    }),
  );
});

test.each(["", "topup", "topup:0:5", "topup:5:0", "topup:-5:5", "topup:5:5:5", "order-7"])(
  "%j is no payload of ours",
  (payload) => expect(readPayload(payload)).toBeUndefined(),
);

describe("a check-out", () => {
  test.each([
    ["of what is offered goes on", stars, false, "pay"],
    ["of a person who is blocked is refused", stars, true, "blocked"],
    [
      "of an amount that is not offered any more is refused",
      { ...stars, total: 75, payload: "topup:75:750" },
      false,
      "withdrawn",
    ],
    [
      "of an old promise at another rate is refused",
      { ...stars, payload: "topup:50:900" },
      false,
      "withdrawn",
    ],
    [
      "with another price than its payload's is refused",
      { ...stars, total: 100 },
      false,
      "withdrawn",
    ],
    ["in another currency is refused", { ...stars, currency: "EUR" }, false, "withdrawn"],
    ["with an unknown payload is refused", { ...stars, payload: "order-7" }, false, "withdrawn"],
  ] as const)("%s", (_, checkout, blocked, verdict) => {
    expect(judgeCheckout(checkout, rules, blocked)).toBe(verdict);
  });

  test("is refused whatever its invoice says, when nothing is offered", () => {
    expect(judgeCheckout(stars, { ...rules, topupAmounts: [0] }, false)).toBe("withdrawn");
  });
});

describe("a payment is worth", () => {
  test.each([
    ["what its invoice promised", stars, 500],
    [
      "what its invoice promised, also at a rate of before",
      { ...stars, payload: "topup:50:900" },
      900,
    ],
    ["its Stars today, when the payload cannot be read", { ...stars, payload: "order-7" }, 500],
    ["its Stars today, when the payload is for another price", { ...stars, total: 20 }, 200],
    ["nothing in another currency", { ...stars, currency: "EUR" }, 0],
  ] as const)("%s", (_, payment, worthMinor) => {
    expect(worthOf(payment, rules)).toBe(worthMinor);
  });

  test("something, for any Stars with any payload", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.string(), (total, payload) => {
        expect(worthOf({ currency: "XTR", total, payload }, rules)).toBeGreaterThan(0);
      }),
    );
  });
});
