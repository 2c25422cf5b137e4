/** Disk probe: reports whether there is room left for data and logs. */
import { statfs } from "node:fs/promises";
import type { Probe, ProbeResult } from "../../core/component.ts";

/** Free and total bytes of the file system that holds a directory. */
export type Space = { readonly freeBytes: number; readonly totalBytes: number };

const degradedBytes = 500 * 2 ** 20;
const unhealthyBytes = 50 * 2 ** 20;

/** @param measure Default: reads the file system's own figures. */
export function diskProbe(directories: readonly string[], measure = spaceOf): Probe {
  return {
    name: "disk",
    intervalMs: 15_000,
    check: async () => {
      const spaces = await Promise.all(directories.map((directory) => measure(directory)));
      return judge(spaces);
    },
  };
}

function judge(spaces: readonly Space[]): ProbeResult {
  const freeBytes = Math.min(...spaces.map((space) => space.freeBytes));
  const figures = { freeMb: Math.round(freeBytes / 2 ** 20) };
  if (freeBytes < unhealthyBytes)
    return { status: "unhealthy", reason: "the disk is full", figures };
  if (freeBytes < degradedBytes) {
    return { status: "degraded", reason: "the disk is nearly full", figures };
  }
  return { status: "healthy", figures };
}

async function spaceOf(directory: string): Promise<Space> {
  const { bavail, blocks, bsize } = await statfs(directory);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
