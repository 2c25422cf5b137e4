/** Intake: the delay of polling after each kind of failure. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  CallNotSentError,
  CallUnknownError,
  PollConflictError,
  RateLimitedError,
  UnauthorizedError,
} from "../../../bot/core/errors.ts";
import { decidePollDelay } from "../../../bot/telegram/intake/intake-rules.ts";

const most = () => 1;

test.each<[string, unknown, number, number, number]>([
  ["a first network error", new CallNotSentError("x"), 1, 0, 500],
  ["a fifth network error", new CallUnknownError("x"), 5, 0, 4_000],
  ["a defect", new TypeError("x"), 9, 0, 4_000],
  ["a 429", new RateLimitedError("x", 7_000), 1, 7_000, 7_000],
  ["another poller", new PollConflictError("other-poller"), 1, 1_000, 3_000],
  ["a webhook, just removed", new PollConflictError("webhook"), 1, 0, 0],
  ["a webhook that came back", new PollConflictError("webhook"), 2, 1_000, 3_000],
  ["a refused token", new UnauthorizedError("x"), 1, 1_000, 6_000],
  ["a token refused for long", new UnauthorizedError("x"), 20, 1_000, 31_000],
])("after %s", (_, error, failures, leastMs, mostMs) => {
  expect(decidePollDelay(error, failures, () => 0)).toBe(leastMs);
  expect(decidePollDelay(error, failures, most)).toBe(mostMs);
});

test("during an outage polling never waits for more than four seconds", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), (failures) => {
      expect(decidePollDelay(new CallUnknownError("x"), failures, most)).toBeLessThanOrEqual(4_000);
    }),
  );
});
