/** Queue probe: reports whether updates get through, judged by the oldest waiting one. */
import type { Probe, ProbeResult } from "../../core/component.ts";

/** The figures the queue probe judges. */
export interface QueueFigures {
  readonly waiting: number;
  /** Milliseconds the oldest waiting update has waited. */
  readonly oldestAgeMs: number;
  readonly paused: boolean;
  readonly sending: number;
  readonly deadLetters: number;
  readonly lengthMax: number;
}

/** An update older than this is waiting for something that will not happen by itself. */
const oldestAgeMsMax = 60_000;

export function queueProbe(look: () => Promise<QueueFigures>): Probe {
  return { name: "message-queue", check: async () => judge(await look()) };
}

function judge({ lengthMax, paused, ...figures }: QueueFigures): ProbeResult {
  const { oldestAgeMs, waiting } = figures;
  if (waiting >= lengthMax) return { status: "unhealthy", reason: "the queue is full", figures };
  if (paused) return { status: "degraded", reason: "handling is paused", figures };
  if (waiting > 0 && oldestAgeMs > oldestAgeMsMax) {
    return { status: "degraded", reason: "the oldest update has waited too long", figures };
  }
  return { status: "healthy", figures };
}
