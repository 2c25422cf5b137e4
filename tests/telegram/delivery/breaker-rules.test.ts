/**
 * Circuit breaker: every transition as a table, and properties that hold for any order of events.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type BreakerEvent,
  type BreakerState,
  breakerClosed,
  nextBreakerState,
} from "../../../bot/telegram/delivery/breaker-rules.ts";

const options = { failuresMax: 3, openInitialMs: 500, openMaxMs: 4_000 };
const nearly: BreakerState = { kind: "closed", failures: 2 };
const open: BreakerState = { kind: "open", openedAtMs: 100, untilMs: 600, openMs: 500 };
const half: BreakerState = { kind: "half-open", openedAtMs: 100, openMs: 500 };
const openLong: BreakerState = { ...half, openMs: 4_000 };

test.each<[string, BreakerState, BreakerEvent["kind"], number, BreakerState]>([
  ["a success changes nothing", breakerClosed, "succeeded", 0, breakerClosed],
  ["a failure is counted", breakerClosed, "failed", 0, { kind: "closed", failures: 1 }],
  ["a success resets the count", nearly, "succeeded", 0, breakerClosed],
  ["the third failure opens it", nearly, "failed", 100, open],
  ["a refused token opens it at once", breakerClosed, "refused", 100, open],
  ["time changes nothing while closed", nearly, "ticked", 9, nearly],
  ["before its time it stays open", open, "ticked", 599, open],
  ["at its time a probe may be made", open, "ticked", 600, half],
  ["a sign of life allows an earlier probe", open, "sign-of-life", 200, half],
  ["late failures do not count", open, "failed", 300, open],
  ["late successes do not close it", open, "succeeded", 300, open],
  ["a good probe closes it", half, "probe-succeeded", 700, breakerClosed],
  [
    "a bad probe doubles its time",
    half,
    "probe-failed",
    700,
    { ...open, untilMs: 1_700, openMs: 1_000 },
  ],
  ["up to a maximum", openLong, "probe-failed", 700, { ...open, untilMs: 4_700, openMs: 4_000 }],
  ["only a probe closes it", half, "succeeded", 700, half],
])("%s", (_, state, kind, nowMs, expected) => {
  expect(nextBreakerState(state, { kind }, nowMs, options)).toEqual(expected);
});

const failedOnce: BreakerState = { kind: "closed", failures: 1 };
const states = { closed: failedOnce, open, "half-open": half };
const openedNow: BreakerState = { kind: "open", openedAtMs: 600, untilMs: 1_100, openMs: 500 };

/** Every state and every event, at 600 ms; a pair that is missing does not compile. */
const transitions: Record<BreakerState["kind"], Record<BreakerEvent["kind"], BreakerState>> = {
  closed: {
    succeeded: breakerClosed,
    failed: nearly,
    refused: openedNow,
    ticked: failedOnce,
    "sign-of-life": failedOnce,
    "probe-succeeded": failedOnce,
    "probe-failed": failedOnce,
  },
  open: {
    succeeded: open,
    failed: open,
    refused: open,
    ticked: half,
    "sign-of-life": half,
    "probe-succeeded": open,
    "probe-failed": open,
  },
  "half-open": {
    succeeded: half,
    failed: half,
    refused: half,
    ticked: half,
    "sign-of-life": half,
    "probe-succeeded": breakerClosed,
    "probe-failed": { kind: "open", openedAtMs: 100, untilMs: 1_600, openMs: 1_000 },
  },
};
const pairs = Object.entries(transitions).flatMap(([state, row]) =>
  Object.entries(row).map(([event, expected]) => ({ state, event, expected })),
);

test.for(pairs)("$state, $event: $expected.kind", ({ event, expected, state }) => {
  const before = states[state as BreakerState["kind"]];
  const after = nextBreakerState(before, { kind: event as BreakerEvent["kind"] }, 600, options);
  expect(after).toEqual(expected);
});

test("it is never open for more than its maximum, and one good probe always closes it", () => {
  const kinds = [
    "succeeded",
    "failed",
    "refused",
    "ticked",
    "sign-of-life",
    "probe-succeeded",
    "probe-failed",
  ] as const;
  const events = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(5_000)));
  fc.assert(
    fc.property(events, (history) => {
      let state: BreakerState = breakerClosed;
      let nowMs = 0;
      for (const [kind, passedMs] of history) {
        nowMs += passedMs;
        state = nextBreakerState(state, { kind }, nowMs, options);
        if (state.kind === "open") expect(state.untilMs - nowMs).toBeLessThanOrEqual(4_000);
        if (state.kind === "closed") expect(state.failures).toBeLessThan(3);
      }
      if (state.kind === "open") {
        state = nextBreakerState(state, { kind: "ticked" }, nowMs + 4_000, options);
      }
      if (state.kind !== "closed") {
        state = nextBreakerState(state, { kind: "probe-succeeded" }, nowMs, options);
      }
      expect(state.kind).toBe("closed");
    }),
  );
});
