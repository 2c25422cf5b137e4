/**
 * Overall limit: finds out whether Telegram limits all chats or only some.
 *
 *   open --several chats got a 429 within seconds--> paused
 *   paused --its time is over--> probing      one send at a time
 *   probing --a send was accepted--> open
 *   probing --another 429--> paused, for twice as long, at most `pauseMaxMs`
 *
 * The 429 of a chat never stops other chats for longer than a few seconds: the first chat whose send is
 * accepted proves that there is no limit over all. Pure; instants are monotonic milliseconds.
 */

export const overallLimitRules = {
  /** Chats that must be limited within `windowMs` before all sending is suspected to be. */
  chatsMax: 3,
  windowMs: 10_000,
  pauseInitialMs: 1_000,
  /** Telegram is asked at least this often, however long it says that one should wait. */
  pauseMaxMs: 15_000,
} as const;

/** A 429 seen in a chat. */
export interface RateLimitSighting {
  readonly lane: string;
  readonly atMs: number;
}

export type OverallLimit =
  | { readonly kind: "open"; readonly sightings: readonly RateLimitSighting[] }
  | {
      readonly kind: "limited";
      readonly sinceMs: number;
      /** No send before; then one at a time. */
      readonly pausedUntilMs: number;
      readonly pauseMs: number;
    };

export const overallOpen: OverallLimit = { kind: "open", sightings: [] };

/** The state of a process that follows one whose sends were all limited: it probes at once. */
export function limitedBefore(nowMs: number): OverallLimit {
  const pauseMs = overallLimitRules.pauseInitialMs;
  return { kind: "limited", sinceMs: nowMs, pausedUntilMs: nowMs, pauseMs };
}

/** The state after a chat got a 429. */
export function afterRateLimit(
  state: OverallLimit,
  lane: string,
  retryAfterMs: number,
  nowMs: number,
): OverallLimit {
  const { chatsMax, pauseInitialMs, pauseMaxMs, windowMs } = overallLimitRules;
  if (state.kind === "limited") {
    // Sends that were under way when it was paused say nothing new.
    if (nowMs < state.pausedUntilMs) return state;
    const pauseMs = Math.min(2 * state.pauseMs, pauseMaxMs, retryAfterMs);
    return { ...state, pausedUntilMs: nowMs + pauseMs, pauseMs };
  }
  const others = state.sightings.filter((one) => one.atMs > nowMs - windowMs && one.lane !== lane);
  const sightings = [...others, { lane, atMs: nowMs }];
  if (sightings.length < chatsMax) return { kind: "open", sightings };
  const pauseMs = Math.min(pauseInitialMs, retryAfterMs);
  return { kind: "limited", sinceMs: nowMs, pausedUntilMs: nowMs + pauseMs, pauseMs };
}

/** The state after Telegram has accepted a send that was begun at `begunAtMs`. */
export function afterAccepted(state: OverallLimit, begunAtMs: number): OverallLimit {
  return state.kind === "limited" && begunAtMs >= state.pausedUntilMs ? overallOpen : state;
}

/** How many sends may be under way at a time. */
export function sendsAtATime(state: OverallLimit, nowMs: number): number {
  if (state.kind === "open") return Number.POSITIVE_INFINITY;
  return nowMs < state.pausedUntilMs ? 0 : 1;
}
