/**
 * Process monitor: samples what this process uses, and asks for a restart when it should start
 * afresh.
 *
 *   memory above its limit in three samples in a row --> restart, `memory-leak`
 *   CPU above its limit for `cpuSustainedMs`         --> restart, `cpu-overload`
 *   the heap will reach the limit within two hours   --> restart in a quiet moment, `memory-leak`
 *   seven days old                                   --> restart in a quiet moment, `planned`
 *   memory above its limit, or grown and now calm    --> garbage is collected, memory given back
 *
 * Owns one sampling loop and the observers of the runtime. It only asks for a restart, and only
 * once; the launcher drains and ends the process.
 */
import { constants, monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import pidusage from "pidusage";
import type { Clock } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import { recordError } from "../core/errors.ts";
import type { Publish } from "../core/events.ts";
import type { Heartbeat } from "../core/heartbeat.ts";
import type { LeakVerdict } from "../core/leak-verdict.ts";
import { Loop } from "../core/loop.ts";
import { Ring } from "../core/ring.ts";
import { decideLeak, type HeapPoint } from "./process-monitor/leak-trend-rules.ts";
import { decideReturn, nothingReturned } from "./process-monitor/memory-return-rules.ts";

/** One sample of the process. */
export interface ProcessMetrics {
  /** Percent of one processor. */
  readonly cpuPercent: number;
  readonly rssBytes: number;
}

/** The reason for a restart. */
export interface RestartReason {
  readonly type:
    | "memory-leak"
    | "cpu-overload"
    | "component-stuck"
    | "health-check-failed"
    | "planned"
    | "manual";
  readonly detail?: string;
}

export interface ProcessMonitorDeps {
  readonly clock: Clock;
  readonly publish: Publish;
  /** Bytes above which memory use is too high. Default 512 MB in production. */
  readonly memoryLimitBytes: number;
  /** Percent of one processor. Default 80. */
  readonly cpuLimitPercent: number;
  /** Milliseconds above the CPU limit after which a restart is asked for. Default 300,000. */
  readonly cpuSustainedMs: number;
  /** Uptime in milliseconds after which a restart is planned; 0: never. Default 7 days. */
  readonly plannedRestartMs: number;
  /** Whether nothing is waiting or being worked on. */
  readonly isQuiet: () => Promise<boolean>;
  /** Drains and ends the process; called once. */
  readonly restart: (reason: RestartReason) => void;
  /** Default: the process's own figures. */
  readonly runtime?: RuntimeFigures;
}

/** The source of the figures; tests inject their own. */
export interface RuntimeFigures {
  usage(): Promise<ProcessMetrics>;
  /** Reports the heap left after every major collection. @returns a function that ends this. */
  observeHeap(onMajorCollection: (usedBytes: number) => void): () => void;
  /** Returns the 99th percentile of the event loop's delay since the last call, in milliseconds. */
  loopDelayMs(): number;
  /** Collects all garbage at once and gives its memory back; stops the thread for about 0.1 s. */
  collectGarbage(): void;
}

export interface ProcessMonitorSnapshot extends ProcessMetrics {
  readonly memoryLimitBytes: number;
  readonly cpuLimitPercent: number;
  /** Milliseconds for which the CPU has been above its limit; 0 when it is not. */
  readonly cpuHighForMs: number;
  readonly loopDelayMs: number;
  readonly leak: LeakVerdict;
  readonly uptimeMs: number;
  readonly restartRequested: RestartReason | undefined;
}

const sampleMs = 5_000;
/** Until the first sample, for which pidusage starts two programs: 40 ms that a start has no time for. */
const firstSampleMs = 1_000;
/**
 * Each look wakes the process. Rarer ones would leave so few in a sample that a single pause of the garbage
 * collector is their 99th percentile.
 */
const loopLookEveryMs = 40;
/**
 * This many samples in a row must be above the memory limit, because a single peak is not a leak.
 */
const memorySamplesMax = 3;
const heapPointsMax = 120;
/** A planned restart waits for a quiet moment, but not longer than this. */
const quietWaitMsMax = 24 * 3_600_000;

export class ProcessMonitor implements Component {
  readonly name = "process-monitor";
  readonly #deps: ProcessMonitorDeps;
  readonly #runtime: RuntimeFigures;
  readonly #loop: Loop;
  readonly #startedAtMs: number;
  readonly #heap = new Ring<HeapPoint>(heapPointsMax);
  #metrics: ProcessMetrics = { cpuPercent: 0, rssBytes: 0 };
  #loopDelayMs = 0;
  #memoryHighSamples = 0;
  #returned = nothingReturned;
  #cpuHighSinceMs: number | undefined;
  #dueSinceMs: number | undefined;
  #requested: RestartReason | undefined;
  #endHeapObserver: (() => void) | undefined;

  constructor(deps: ProcessMonitorDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.clock, async (loop) => {
      let waitMs = firstSampleMs;
      while (await loop.wait(waitMs)) {
        await this.#sample();
        waitMs = sampleMs;
      }
    });
    this.#runtime = deps.runtime ?? new OwnFigures();
    this.#startedAtMs = deps.clock.monotonicMs();
  }

  async start(): Promise<void> {
    await this.startMonitoring();
  }

  /** Begins to sample; harmless when already sampling. */
  async startMonitoring(): Promise<void> {
    if (this.#loop.stopped) return;
    this.#endHeapObserver ??= this.#runtime.observeHeap((usedBytes) =>
      this.#heap.push({ atMs: this.#deps.clock.monotonicMs(), usedBytes }),
    );
    this.#loop.start();
  }

  async stop(): Promise<void> {
    this.#endHeapObserver?.();
    await this.#loop.stop();
  }

  /** Beats once per sample. */
  heartbeat(): Heartbeat {
    return this.#loop.heartbeat;
  }

  /** Whether the latest sample is above the memory limit. */
  isMemoryUsageHigh(metrics: ProcessMetrics = this.#metrics): boolean {
    return metrics.rssBytes > this.#deps.memoryLimitBytes;
  }

  /** Whether a sample is above the CPU limit. */
  isCpuUsageHigh(metrics: ProcessMetrics = this.#metrics): boolean {
    return metrics.cpuPercent > this.#deps.cpuLimitPercent;
  }

  /** Asks for a restart. @returns false when one was already asked for. */
  triggerRestart(reason: RestartReason): boolean {
    if (this.#requested || this.#loop.stopped) return false;
    this.#requested = reason;
    const { detail, type } = reason;
    this.#deps.publish({ type: "restart.requested", reason: type, detail });
    this.#deps.restart(reason);
    return true;
  }

  snapshot(): ProcessMonitorSnapshot {
    const { clock, cpuLimitPercent, memoryLimitBytes } = this.#deps;
    const nowMs = clock.monotonicMs();
    const highSince = this.#cpuHighSinceMs;
    return {
      ...this.#metrics,
      memoryLimitBytes,
      cpuLimitPercent,
      cpuHighForMs: highSince === undefined ? 0 : nowMs - highSince,
      loopDelayMs: this.#loopDelayMs,
      leak: decideLeak(this.#heap.values, memoryLimitBytes),
      uptimeMs: nowMs - this.#startedAtMs,
      restartRequested: this.#requested,
    };
  }

  async #sample(): Promise<void> {
    const { clock, publish } = this.#deps;
    try {
      this.#metrics = await this.#runtime.usage();
      this.#loopDelayMs = this.#runtime.loopDelayMs();
    } catch (error) {
      // A failed sample says nothing about the process; the next one may succeed.
      publish({ type: "process.measuring-failed", error: recordError(error, clock.epochMs()) });
      return;
    }
    this.#judgeMemory();
    this.#judgeCpu();
    await this.#judgeQuietRestart();
  }

  #judgeMemory(): void {
    this.#memoryHighSamples = this.isMemoryUsageHigh() ? this.#memoryHighSamples + 1 : 0;
    this.#returned = decideReturn(this.#returned, this.#metrics, this.#memoryHighSamples === 1);
    if (this.#returned.collected) this.#runtime.collectGarbage();
    if (this.#memoryHighSamples < memorySamplesMax) return;
    const megabytes = Math.round(this.#metrics.rssBytes / 2 ** 20);
    this.triggerRestart({ type: "memory-leak", detail: `${megabytes} MB in use` });
  }

  #judgeCpu(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (!this.isCpuUsageHigh()) this.#cpuHighSinceMs = undefined;
    else this.#cpuHighSinceMs ??= nowMs;
    const since = this.#cpuHighSinceMs;
    if (since === undefined || nowMs - since < this.#deps.cpuSustainedMs) return;
    const percent = Math.round(this.#metrics.cpuPercent);
    this.triggerRestart({ type: "cpu-overload", detail: `${percent} % of a processor` });
  }

  async #judgeQuietRestart(): Promise<void> {
    const reason = this.#restartDue();
    if (!reason) {
      this.#dueSinceMs = undefined;
      return;
    }
    const nowMs = this.#deps.clock.monotonicMs();
    this.#dueSinceMs ??= nowMs;
    const overdue = nowMs - this.#dueSinceMs > quietWaitMsMax;
    if (overdue || (await this.#deps.isQuiet())) this.triggerRestart(reason);
  }

  #restartDue(): RestartReason | undefined {
    const { leak, uptimeMs } = this.snapshot();
    if (leak.kind === "leaking") {
      const hours = leak.hoursToLimit.toFixed(1);
      return { type: "memory-leak", detail: `the heap reaches its limit in ${hours} h` };
    }
    const { plannedRestartMs } = this.#deps;
    return plannedRestartMs > 0 && uptimeMs >= plannedRestartMs ? { type: "planned" } : undefined;
  }
}

/** Reads the process's own figures from pidusage, the garbage collector and the event loop. */
class OwnFigures implements RuntimeFigures {
  readonly #delay = monitorEventLoopDelay({ resolution: loopLookEveryMs });

  async usage(): Promise<ProcessMetrics> {
    const { cpu, memory } = await pidusage(process.pid);
    return { cpuPercent: cpu, rssBytes: memory };
  }

  observeHeap(onMajorCollection: (usedBytes: number) => void): () => void {
    this.#delay.enable();
    const observer = new PerformanceObserver((list) => {
      const major = list.getEntries().some((entry) => {
        const { detail } = entry as unknown as { readonly detail: { readonly kind: number } };
        return detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
      });
      if (major) onMajorCollection(process.memoryUsage().heapUsed);
    });
    observer.observe({ entryTypes: ["gc"] });
    return () => {
      observer.disconnect();
      this.#delay.disable();
    };
  }

  loopDelayMs(): number {
    const nanoseconds = this.#delay.percentile(99);
    this.#delay.reset();
    // Node.js counts the pause between two looks as delay.
    return Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e6 - loopLookEveryMs) : 0;
  }

  collectGarbage(): void {
    // V8 has no other way to ask for it without an option of the command line.
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as NodeJS.GCFunction;
    setFlagsFromString("--no-expose-gc");
    // Only this flavour gives back the pages that V8 keeps for new objects.
    collect({ type: "major", execution: "sync", flavor: "last-resort" });
  }
}
