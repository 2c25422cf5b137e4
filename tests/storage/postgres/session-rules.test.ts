/** Session rules: a process stops before its lock can go, whatever happens in between. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  beatEveryMs,
  mainSettings,
  mayBegin,
  stepSettings,
} from "../../../bot/storage/postgres/session-rules.ts";

test.each([
  ["just proven", 0, true],
  ["a moment before three quarters", 3_749, true],
  ["three quarters", 3_750, false],
  ["the whole time", 5_000, false],
])("%s: begins = %s", (_, sinceMs, expected) => {
  expect(mayBegin(1_000 + sinceMs, 1_000, 5_000)).toBe(expected);
});

test("a process that may begin has at least a quarter of the time left before its session can end", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1_000, max: 60_000 }),
      fc.double({ min: 0, max: 120_000, noNaN: true }),
      fc.double({ min: 0, max: 5_000, noNaN: true }),
      (sessionMs, sinceMs, tripMs) => {
        // The server counts from when it has answered, which is after the turn was sent.
        const serverEndsAtMs = tripMs + sessionMs;
        if (mayBegin(sinceMs, 0, sessionMs)) {
          expect(serverEndsAtMs - sinceMs).toBeGreaterThan(sessionMs / 4 - 1e-6);
        }
      },
    ),
  );
});

test("an idle process beats several times before it would fence itself", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 60_000 }), (sessionMs) => {
      expect(mayBegin(3 * beatEveryMs(sessionMs), 0, sessionMs)).toBe(true);
    }),
  );
});

test("only the main session ends when it is idle, and waits for a lock are over first", () => {
  expect(mainSettings(5_000)).toEqual({ ...stepSettings(5_000), idle_session_timeout: 5_000 });
  const { lock_timeout: lock = 0, statement_timeout: statement = 0 } = stepSettings(5_000);
  expect(lock).toBeLessThan(statement);
  expect(statement).toBeLessThan(5_000 * 0.75);
});
