/** Machine: what the figures depend on, measured at the start of each run. */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "./statistics.ts";

export interface Machine {
  readonly node: string;
  readonly processors: number;
  readonly model: string;
  /** Processes that ran or waited in the minute before. */
  readonly load: number;
  /** Median milliseconds until 4 KiB at the end of a file are on the disk of the temporary directory. */
  readonly fsyncMs: number;
}

const fsyncs = 50;

export function describeMachine(): Machine {
  return {
    node: process.version,
    processors: availableParallelism(),
    model: cpus()[0]?.model ?? "unknown",
    load: loadavg()[0] ?? Number.NaN,
    fsyncMs: measureFsync(),
  };
}

export function machineLine({ fsyncMs, load, model, node, processors }: Machine): string {
  return `${processors} processors (${model}), load ${load.toFixed(1)} before, fsync ${fsyncMs.toFixed(2)} ms, Node.js ${node}`;
}

function measureFsync(): number {
  const directory = mkdtempSync(join(tmpdir(), "bench-fsync-"));
  const file = openSync(join(directory, "file"), "w");
  try {
    const page = Buffer.alloc(4_096);
    const took = Array.from({ length: fsyncs }, () => {
      const startedAtMs = performance.now();
      writeSync(file, page);
      fsyncSync(file);
      return performance.now() - startedAtMs;
    });
    return median(took);
  } finally {
    closeSync(file);
    rmSync(directory, { recursive: true, force: true });
  }
}
