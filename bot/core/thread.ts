/** Thread: starts a worker thread of ours. */
import { Worker } from "node:worker_threads";

export interface ThreadOptions {
  readonly name: string;
  readonly workerData: unknown;
  /** V8's limits, in MB. Default: those of the process. */
  readonly resourceLimits?: Readonly<
    Partial<Record<"maxOldGenerationSizeMb" | "maxYoungGenerationSizeMb", number>>
  >;
}

const compileCache = new URL("./compile-cache.js", import.meta.url).href;

/**
 * Starts a thread, with the compile cache also where the process was started without its option. It gets
 * no environment, which may hold secrets. One that lives as long as the process has to call
 * `flushCompileCache` itself: Node.js writes what a thread has compiled only at the thread's own end.
 */
export function startThread(file: URL, options: ThreadOptions): Worker {
  return new Worker(file, { ...options, env: {}, execArgv: [`--import=${compileCache}`] });
}
