/** Telegram probe: the bot is alive while polls complete, even if nobody writes to it. */
import type { Probe, ProbeResult } from "../../core/component.ts";
import type { IntakeSnapshot } from "../../core/intake.ts";

export interface TelegramProbeDeps {
  readonly intake: () => IntakeSnapshot;
  /** Whether Telegram can currently be called. */
  readonly reachable: () => boolean;
  /** Milliseconds within which a poll should have returned. */
  readonly pollDueMs: number;
  /** Smoothed latency of short calls such as `getMe`, in milliseconds; `null` before the first. */
  readonly latencyMs: () => number | null;
}

/** People notice an answer that takes this long. */
const latencyDegradedMs = 2_000;

export function telegramProbe(deps: TelegramProbeDeps): Probe {
  return { name: "telegram", check: async () => judge(deps) };
}

function judge({ intake, latencyMs, pollDueMs, reachable }: TelegramProbeDeps): ProbeResult {
  const { failuresInARow, reason, sinceLastHeardMs, state } = intake();
  const latency = latencyMs();
  const figures = {
    state,
    failuresInARow,
    sinceLastHeardMs: sinceLastHeardMs === undefined ? null : Math.round(sinceLastHeardMs),
    latencyMs: latency,
  };
  if (state === "back-pressure" || state === "held") {
    const reason = state === "held" ? "the intake is held" : "the queue is full";
    return { status: "degraded", reason, figures };
  }
  if (sinceLastHeardMs === undefined && failuresInARow === 0) {
    // The first poll is under way; its own deadline says soon when that does not succeed.
    return { status: "healthy", figures };
  }
  if (sinceLastHeardMs === undefined || sinceLastHeardMs > pollDueMs) {
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
