/** Breadcrumb: what a process that hung leaves behind for the next one. */
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

/** On disk when it returns. */
export function writeBreadcrumb(directory: string, crumb: Breadcrumb): void {
  const file = openSync(join(directory, fileName), "w", 0o600);
  try {
    writeSync(file, JSON.stringify(crumb));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Reads and removes it. @returns `undefined` when there is none, or none that can be read. */
export function takeBreadcrumb(directory: string): Breadcrumb | undefined {
  const path = join(directory, fileName);
  try {
    const crumb = JSON.parse(readFileSync(path, "utf8")) as Breadcrumb;
    return Number.isInteger(crumb.pid) && Array.isArray(crumb.frames) ? crumb : undefined;
  } catch {
    // Missing, or torn by the kill: the process's end is on record without it.
    return undefined;
  } finally {
    rmSync(path, { force: true });
  }
}
