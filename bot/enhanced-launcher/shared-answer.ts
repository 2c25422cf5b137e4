/** Shared answer: one answer for all that ask at the same time, because asking often must not cost more. */
import type { Clock } from "../core/clock.ts";

/** Asks again when the last answer is `keptMs` old. */
export function shared<T>(ask: () => Promise<T>, clock: Clock, keptMs = 0): () => T | Promise<T> {
  let asking: Promise<T> | undefined;
  let kept: { readonly answer: T; readonly untilMs: number } | undefined;
  const askOnce = async () => {
    const answer = await ask();
    kept = { answer, untilMs: clock.monotonicMs() + keptMs };
    return answer;
  };
  return () => {
    if (kept && clock.monotonicMs() < kept.untilMs) return kept.answer;
    asking ??= askOnce().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}
