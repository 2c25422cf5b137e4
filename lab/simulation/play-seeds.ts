/** Play seeds: plays many seeds in threads, one per thread at a time. */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { SeedReport } from "./seed-worker.ts";
import type { SimulationMode } from "./simulation.ts";

/** A thread is replaced after so many seeds, so that what a run leaves in memory does not add up. */
const seedsPerThread = 200;

export interface SeedPlan {
  /** Gives the next seed; `undefined` when there are no more. */
  readonly take: () => number | undefined;
  readonly mode: SimulationMode;
  readonly note: (report: SeedReport) => void;
  /** Threads. Default: one a processor. */
  readonly jobs?: number;
}

/** Resolves when all seeds were played. Rejects when a thread fails. */
export async function playSeeds({ jobs = availableParallelism(), ...plan }: SeedPlan) {
  await Promise.all(Array.from({ length: jobs }, () => keepBusy(plan)));
}

async function keepBusy({ mode, note, take }: SeedPlan): Promise<void> {
  let worker: Worker | undefined;
  for (let played = 0, seed = take(); seed !== undefined; played++, seed = take()) {
    if (played % seedsPerThread === 0) {
      await worker?.terminate();
      worker = new Worker(new URL("./seed-worker.ts", import.meta.url));
    }
    worker?.postMessage({ seed, mode });
    // This rejects with the worker's error when the worker fails.
    const [report] = (await once(worker as Worker, "message")) as [SeedReport];
    note(report);
  }
  await worker?.terminate();
}
