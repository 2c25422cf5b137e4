/**
 * Start guard: ends the process when the code of a module blocks it while it is loaded or set up.
 *
 * The watchdog (utils/process-monitor) watches only a bot that runs, and knows no module. This guard
 * waits in a thread of its own, which a loop in the main thread cannot stop, and then lets the main
 * thread itself exit with the code of a wrong configuration, so that nothing starts it again and again.
 */
import { startThread } from "../../core/thread.ts";
import type { StartGuardSetup } from "./start-guard-worker.ts";

/** Milliseconds that a module may take to be loaded, and again to be set up. */
export const loadingMsMax = 10_000;

/**
 * Begins to watch.
 *
 * @param said What is printed when the time is over; the place where the thread is follows it.
 * @returns ends the watch.
 */
export function guardStart(said: string): () => void {
  const workerData: StartGuardSetup = { said, afterMs: loadingMsMax };
  const worker = startThread(new URL("./start-guard-worker.ts", import.meta.url), {
    name: "start-guard",
    workerData,
  });
  worker.unref();
  // Without the guard a module that blocks is only noticed from outside.
  worker.on("error", () => {});
  return () => void worker.terminate();
}
