/**
 * Watchdog: notices when the main thread hangs, records where, and kills the process.
 *
 * PM2 cannot see a hang (measured: `for(;;)` stays "online"). A worker thread counts this thread's
 * heartbeats in shared memory; watchdog-worker.ts shows what it does when they stop. The next start
 * finds the breadcrumb (breadcrumb.ts).
 */
import type { Worker } from "node:worker_threads";
import type { Clock } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";
import type { Publish } from "../../core/events.ts";
import type { Heartbeat } from "../../core/heartbeat.ts";
import { Loop } from "../../core/loop.ts";
import { startThread } from "../../core/thread.ts";
import type { Stall, WatchdogSetup } from "./watchdog-worker.ts";

export interface WatchdogDeps {
  readonly clock: Clock;
  readonly publish: Publish;
  /** Directory for the breadcrumb; must exist. */
  readonly directory: string;
  /** Milliseconds without a heartbeat after which the process is killed. Default 15,000. */
  readonly killAfterMs: number;
}

const heartbeatMs = 200;
/** A hang this long is worth a stack; most garbage collector pauses are shorter. */
const captureAfterMs = 2_000;
/** The worker needs little memory; its own leak must not bring down the process. */
const workerMemoryMb = 32;

export class Watchdog implements Component {
  readonly name = "watchdog";
  readonly #deps: WatchdogDeps;
  readonly #heartbeats = new Int32Array(new SharedArrayBuffer(4));
  readonly #loop: Loop;
  #worker: Worker | undefined;
  #failedAtMs: number | undefined;

  constructor(deps: WatchdogDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.clock, async (loop) => {
      do Atomics.add(this.#heartbeats, 0, 1);
      while (await loop.wait(heartbeatMs));
    });
  }

  async start(): Promise<void> {
    if (this.#worker || this.#loop.stopped) return;
    const { directory, killAfterMs } = this.#deps;
    const setup: WatchdogSetup = {
      heartbeats: this.#heartbeats,
      directory,
      killAfterMs,
      captureAfterMs: Math.min(captureAfterMs, killAfterMs / 2),
    };
    const worker = startThread(new URL("./watchdog-worker.ts", import.meta.url), {
      name: "watchdog",
      workerData: setup,
      resourceLimits: { maxOldGenerationSizeMb: workerMemoryMb, maxYoungGenerationSizeMb: 4 },
    });
    worker.unref();
    worker.on("message", (stall: Stall) => this.#deps.publish({ type: "loop.stalled", ...stall }));
    worker.on("error", (error) => this.#failed(error));
    this.#worker = worker;
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  /** Beats with this thread's heartbeats; is overdue once the worker has failed. */
  heartbeat(): Heartbeat {
    const { clock } = this.#deps;
    const overdueMs = this.#failedAtMs === undefined ? 0 : clock.monotonicMs() - this.#failedAtMs;
    return { beats: Atomics.load(this.#heartbeats, 0), overdueMs };
  }

  /** Reports that the worker has failed; the bot works without it, but the operator should know. */
  #failed(error: Error): void {
    const { clock, publish } = this.#deps;
    this.#failedAtMs = clock.monotonicMs();
    const record = { code: "WATCHDOG_FAILED", message: error.name, atEpochMs: clock.epochMs() };
    publish({ type: "watchdog.failed", error: record });
  }
}
