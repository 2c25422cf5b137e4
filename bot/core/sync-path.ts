/** Sync path: what has been written is on the disk, also after a power cut. */
import { closeSync, fsyncSync, openSync } from "node:fs";

/** Makes a file durable, or the names in a directory. Throws what the disk says. */
export function syncPath(path: string): void {
  // Windows cannot open a directory, and makes names durable by itself.
  if (process.platform === "win32") return;
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
