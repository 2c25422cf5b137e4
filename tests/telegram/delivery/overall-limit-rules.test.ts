/** Overall limit rules: when all sending pauses, and how it is found out that it need not. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  afterAccepted,
  afterRateLimit,
  limitedBefore,
  type OverallLimit,
  overallOpen,
  sendsAtATime,
} from "../../../bot/telegram/delivery/overall-limit-rules.ts";

const limitedBy = (...seen: readonly (readonly [lane: string, atMs: number])[]) =>
  seen.reduce<OverallLimit>(
    (state, [lane, atMs]) => afterRateLimit(state, lane, 3_600_000, atMs),
    overallOpen,
  );

describe("all sending pauses", () => {
  test.each([
    ["not for one chat", limitedBy(["a", 1], ["a", 2], ["a", 3], ["a", 4]), "open"],
    ["not for two chats", limitedBy(["a", 1], ["b", 2], ["a", 3]), "open"],
    ["for three chats", limitedBy(["a", 1], ["b", 2], ["c", 3]), "limited"],
    ["not when the first was long ago", limitedBy(["a", 1], ["b", 9_000], ["c", 10_001]), "open"],
  ])("%s", (_, { kind }, expected) => {
    expect(kind).toBe(expected);
  });
});

test("it pauses for a second, then lets one send at a time ask, and doubles the pause up to 15 s", () => {
  let state = limitedBy(["a", 0], ["b", 0], ["c", 0]);
  let nowMs = 0;
  const pauses: number[] = [];
  for (let ask = 0; ask < 7; ask++) {
    if (state.kind !== "limited") throw new Error("it should be limited");
    pauses.push(state.pausedUntilMs - nowMs);
    expect(sendsAtATime(state, nowMs)).toBe(0);
    nowMs = state.pausedUntilMs;
    expect(sendsAtATime(state, nowMs)).toBe(1);
    state = afterRateLimit(state, "d", 3_600_000, nowMs);
  }
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
});

test("a send that was begun before the pause proves nothing, one begun after it ends the limit", () => {
  const state = limitedBy(["a", 0], ["b", 0], ["c", 0]);
  expect(afterAccepted(state, 999)).toBe(state);
  expect(afterAccepted(state, 1_000)).toBe(overallOpen);
  expect(afterRateLimit(state, "d", 9_000, 500)).toBe(state);
});

test("a process that follows a limited one asks at once, one send at a time", () => {
  expect(sendsAtATime(limitedBefore(7), 7)).toBe(1);
});

test("whatever Telegram says, some send may ask at least every 15 seconds", () => {
  const refusal = fc.record({
    lane: fc.constantFrom("a", "b", "c", "d"),
    retryAfterMs: fc.integer({ min: 1_000, max: 86_400_000 }),
    afterMs: fc.integer({ min: 0, max: 20_000 }),
  });
  fc.assert(
    fc.property(fc.array(refusal, { maxLength: 50 }), (refusals) => {
      let state: OverallLimit = overallOpen;
      let nowMs = 0;
      for (const { afterMs, lane, retryAfterMs } of refusals) {
        nowMs += afterMs;
        state = afterRateLimit(state, lane, retryAfterMs, nowMs);
        expect(sendsAtATime(state, nowMs + 15_000)).toBeGreaterThan(0);
      }
    }),
  );
});
