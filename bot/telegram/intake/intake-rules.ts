/** Intake: decides how long polling waits after a failed poll. */

import { type BackoffOptions, fullJitter } from "../../core/backoff.ts";
import type { Random } from "../../core/clock.ts";
import { PollConflictError, RateLimitedError, UnauthorizedError } from "../../core/errors.ts";

/** The cap is low because polling must resume within five seconds of Telegram's return. */
const outage: BackoffOptions = { initialMs: 500, maxMs: 4_000 };
/** A refused token needs a human, so frequent polls do not help. */
const unauthorized: BackoffOptions = { initialMs: 5_000, maxMs: 30_000 };
/** Telegram is asked again after so long, however long it says that one should wait. */
const rateLimitedMaxMs = 60_000;
/** The delay is spread so that two conflicting processes do not poll in lock-step. */
const conflict = { leastMs: 1_000, spreadMs: 2_000 };

/**
 * Milliseconds until the next poll.
 *
 * @param failures Failed polls in a row, this one included.
 */
export function decidePollDelay(error: unknown, failures: number, random: Random): number {
  if (error instanceof RateLimitedError) return Math.min(error.retryAfterMs, rateLimitedMaxMs);
  if (error instanceof PollConflictError) {
    // There is no need to wait for a webhook that was just removed, unless it keeps coming back.
    if (error.reason === "webhook" && failures === 1) return 0;
    return conflict.leastMs + random() * conflict.spreadMs;
  }
  if (error instanceof UnauthorizedError) return 1_000 + fullJitter(unauthorized, failures, random);
  return fullJitter(outage, failures, random);
}
