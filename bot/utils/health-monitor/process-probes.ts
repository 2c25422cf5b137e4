/** Process probes: judge memory, processor and event loop by the process monitor's figures. */
import type { Probe, ProbeResult } from "../../core/component.ts";
import type { LeakVerdict } from "../../core/leak-verdict.ts";

export interface ProcessFigures {
  readonly cpuPercent: number;
  readonly rssBytes: number;
  readonly memoryLimitBytes: number;
  readonly cpuLimitPercent: number;
  readonly cpuHighForMs: number;
  readonly loopDelayMs: number;
  readonly leak: LeakVerdict;
}

/** Above this share of the memory limit an operator should know. */
const memoryDegradedPercent = 85;
/** A shorter load is not a problem. */
const cpuDegradedMs = 30_000;
/** People notice a delay like this in every answer. */
const loopDelayDegradedMs = 500;

export function processProbes(look: () => ProcessFigures): readonly Probe[] {
  return [
    { name: "memory", check: async () => judgeMemory(look()) },
    { name: "cpu", check: async () => judgeCpu(look()) },
    { name: "event-loop", worsenAfter: 2, check: async () => judgeLoop(look()) },
  ];
}

function judgeMemory({ leak, memoryLimitBytes, rssBytes }: ProcessFigures): ProbeResult {
  const percentage = Math.round((rssBytes / memoryLimitBytes) * 1_000) / 10;
  const figures = { percentage, rssMb: Math.round(rssBytes / 2 ** 20), trend: leak.kind };
  if (percentage > 100) return { status: "unhealthy", reason: "above the memory limit", figures };
  if (leak.kind === "growing" || leak.kind === "leaking") {
    const reason = `the heap grows and reaches its limit in ${leak.hoursToLimit.toFixed(1)} h`;
    return { status: "degraded", reason, figures };
  }
  if (percentage > memoryDegradedPercent) {
    return { status: "degraded", reason: "near the memory limit", figures };
  }
  return { status: "healthy", figures };
}

function judgeCpu({ cpuHighForMs, cpuLimitPercent, cpuPercent }: ProcessFigures): ProbeResult {
  const figures = {
    percentage: Math.round(cpuPercent * 10) / 10,
    highForMs: Math.round(cpuHighForMs),
  };
  if (cpuHighForMs < cpuDegradedMs) return { status: "healthy", figures };
  const seconds = Math.round(cpuHighForMs / 1_000);
  const reason = `above ${cpuLimitPercent} % of a processor for ${seconds} s`;
  return { status: "degraded", reason, figures };
}

function judgeLoop({ loopDelayMs }: ProcessFigures): ProbeResult {
  const figures = { delayMs: Math.round(loopDelayMs) };
  if (loopDelayMs <= loopDelayDegradedMs) return { status: "healthy", figures };
  return { status: "degraded", reason: "the event loop is slow", figures };
}
