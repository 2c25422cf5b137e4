/** Breadcrumb: tells the next process where and when this one hung. */
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** One line of a stack. */
export interface Frame {
  readonly name: string;
  readonly file: string;
  readonly line: number;
}

export interface Breadcrumb {
  readonly pid: number;
  readonly atEpochMs: number;
  /** Milliseconds without a heartbeat. */
  readonly silentMs: number;
  /** Innermost first; empty when the thread hung in native code. */
  readonly frames: readonly Frame[];
}

const fileName = "hang.json";

/** Writes the breadcrumb; it is on disk when this returns. */
export function writeBreadcrumb(directory: string, crumb: Breadcrumb): void {
  const file = openSync(join(directory, fileName), "w", 0o600);
  try {
    writeSync(file, JSON.stringify(crumb));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Reads and removes the breadcrumb. @returns `undefined` when it is missing or cannot be read. */
export function takeBreadcrumb(directory: string): Breadcrumb | undefined {
  const path = join(directory, fileName);
  try {
    const crumb = JSON.parse(readFileSync(path, "utf8")) as Breadcrumb;
    return Number.isInteger(crumb.pid) && Array.isArray(crumb.frames) ? crumb : undefined;
  } catch {
    // The file is missing, or the kill damaged it: the ledger records the end without it.
    return undefined;
  } finally {
    rmSync(path, { force: true });
  }
}
