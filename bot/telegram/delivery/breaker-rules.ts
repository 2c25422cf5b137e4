/**
 * Circuit breaker: stops calling Telegram while it does not answer, and finds out when it does.
 *
 *   closed --(failuresMax failures in a row, or a refused token)--> open
 *   open   --(its time is over)--> half-open      one probe (`getMe`) is made, and no other call
 *   half-open --(probe succeeded)--> closed
 *   half-open --(probe failed)--> open, for twice as long, at most `openMaxMs`
 *   open   --(a success seen elsewhere: a poll came back)--> half-open
 *
 * Only errors that concern Telegram as a whole count as failures: network errors, time-outs and
 * 5xx, not 400, 403 or 429. Pure; instants are monotonic milliseconds, because a breaker on the
 * wall clock stays open for a day when the clock is set back a day.
 */

export interface BreakerOptions {
  /** Consecutive failures that open the breaker. */
  readonly failuresMax: number;
  /** How long it stays open the first time, in milliseconds. */
  readonly openInitialMs: number;
  /** The longest it stays open before a probe, in milliseconds. */
  readonly openMaxMs: number;
}

export type BreakerState =
  | { readonly kind: "closed"; readonly failures: number }
  | {
      readonly kind: "open";
      readonly openedAtMs: number;
      readonly untilMs: number;
      readonly openMs: number;
    }
  | { readonly kind: "half-open"; readonly openedAtMs: number; readonly openMs: number };

export type BreakerEvent =
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed" }
  /** The token was refused: no call can succeed. */
  | { readonly kind: "refused" }
  /** Time has passed. */
  | { readonly kind: "ticked" }
  /** Something else reached Telegram. */
  | { readonly kind: "sign-of-life" }
  | { readonly kind: "probe-succeeded" }
  | { readonly kind: "probe-failed" };

export const breakerClosed: BreakerState = { kind: "closed", failures: 0 };

/** The state after `event`; the same object when nothing changes. */
export function nextBreakerState(
  state: BreakerState,
  event: BreakerEvent,
  nowMs: number,
  options: BreakerOptions,
): BreakerState {
  switch (state.kind) {
    case "closed":
      if (event.kind === "succeeded") return state.failures === 0 ? state : breakerClosed;
      if (event.kind === "refused") return opened(options.openInitialMs, nowMs, nowMs);
      if (event.kind !== "failed") return state;
      return state.failures + 1 < options.failuresMax
        ? { kind: "closed", failures: state.failures + 1 }
        : opened(options.openInitialMs, nowMs, nowMs);
    case "open":
      // Calls that were under way when it opened no longer count.
      if (event.kind === "sign-of-life" || (event.kind === "ticked" && nowMs >= state.untilMs)) {
        return { kind: "half-open", openedAtMs: state.openedAtMs, openMs: state.openMs };
      }
      return state;
    case "half-open":
      if (event.kind === "probe-succeeded") return breakerClosed;
      if (event.kind !== "probe-failed") return state;
      return opened(Math.min(options.openMaxMs, state.openMs * 2), state.openedAtMs, nowMs);
  }
}

function opened(openMs: number, openedAtMs: number, nowMs: number): BreakerState {
  return { kind: "open", openedAtMs, untilMs: nowMs + openMs, openMs };
}
