/** Seed worker: a thread that plays one requested seed after another. */
import { parentPort } from "node:worker_threads";
import { type SimulationMode, type SimulationResult, simulate } from "./simulation.ts";

/** A request of the main thread. */
export interface SeedRequest {
  readonly seed: number;
  readonly mode: SimulationMode;
}

/** The worker's reply. */
export interface SeedReport
  extends Pick<SimulationResult, "counts" | "findings" | "hash" | "lives"> {
  readonly seed: number;
}

parentPort?.on("message", async (request: SeedRequest) => {
  parentPort?.postMessage(await playSeed(request));
});

/** @param trace Called with every line of the run's log. */
export async function playSeed(
  { mode, seed }: SeedRequest,
  trace?: (line: string) => void,
): Promise<SeedReport> {
  const result = await simulate({ seed, mode, ...(trace && { trace }) });
  const { counts, findings, hash, lives } = result;
  return { seed, counts, findings, hash, lives };
}
