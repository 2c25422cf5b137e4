/** Queue probe: whether updates get through, judged by the oldest one that waits. */
import type { Probe, ProbeResult } from "../../core/component.ts";

/** What it looks at. */
export interface QueueFigures {
  readonly waiting: number;
  /** Milliseconds the oldest waiting update has waited. */
  readonly oldestAgeMs: number;
  readonly paused: boolean;
  readonly sending: number;
  readonly deadLetters: number;
  readonly lengthMax: number;
}

/** An update this old waits for something that does not come by itself. */
const oldestAgeMsMax = 60_000;

export function queueProbe(look: () => Promise<QueueFigures>): Probe {
  return { name: "message-queue", check: async () => judge(await look()) };
}

function judge({ lengthMax, paused, ...figures }: QueueFigures): ProbeResult {
  const { oldestAgeMs, waiting } = figures;
  if (waiting >= lengthMax) return { status: "unhealthy", reason: "the queue is full", figures };
  if (paused) return { status: "degraded", reason: "handling is paused", figures };
  if (waiting > 0 && oldestAgeMs > oldestAgeMsMax) {
    return { status: "degraded", reason: "the oldest update waits too long", figures };
  }
  return { status: "healthy", figures };
}
