/** Telegram probe: alive is who completes polls; a bot nobody writes to is not dead. */
import type { Probe, ProbeResult } from "../../core/component.ts";
import type { UpdateSourceSnapshot } from "../../core/intake.ts";

export interface TelegramProbeDeps {
  readonly intake: () => UpdateSourceSnapshot;
  /** Whether calls can be made at present. */
  readonly reachable: () => boolean;
  /** Milliseconds after which a poll should have come back. */
  readonly pollDueMs: number;
  /** Of `getMe` and the like, smoothed, in milliseconds; `null` before the first. */
  readonly latencyMs: () => number | null;
}

/** People notice an answer that is on its way for so long. */
const latencyDegradedMs = 2_000;

export function telegramProbe(deps: TelegramProbeDeps): Probe {
  return { name: "telegram", check: async () => judge(deps) };
}

function judge({ intake, latencyMs, pollDueMs, reachable }: TelegramProbeDeps): ProbeResult {
  const { failuresInARow, reason, sinceLastPollMs, state } = intake();
  const latency = latencyMs();
  const figures = {
    state,
    failuresInARow,
    sinceLastPollMs: sinceLastPollMs === undefined ? null : Math.round(sinceLastPollMs),
    latencyMs: latency,
  };
  if (state === "back-pressure") {
    return { status: "degraded", reason: "intake is held back", figures };
  }
  if (sinceLastPollMs === undefined && failuresInARow === 0) {
    return { status: "degraded", reason: "the first poll is under way", figures };
  }
  if (sinceLastPollMs === undefined || sinceLastPollMs > pollDueMs) {
    const why = reason === undefined ? "no poll has been completed" : `polling fails: ${reason}`;
    return { status: "unhealthy", reason: why, figures };
  }
  if (failuresInARow > 0 || !reachable()) {
    const why = reason ?? "the circuit breaker is open";
    return { status: "degraded", reason: `Telegram cannot be reached: ${why}`, figures };
  }
  if (latency !== null && latency > latencyDegradedMs) {
    return { status: "degraded", reason: "Telegram answers slowly", figures };
  }
  return { status: "healthy", figures };
}
