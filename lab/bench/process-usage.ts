/**
 * Process usage: what the kernel says a process has used.
 *
 * Only Linux has /proc; elsewhere every figure is NaN, and the report leaves it out.
 */
import { readFileSync } from "node:fs";

/** Ticks a second in /proc/PID/stat, the same on every architecture of Linux. Source: time(7), USER_HZ. */
const ticksPerSecond = 100;

/** Seconds of processor time so far, user and system, all threads. Source: proc(5), utime and stime. */
export function processorSeconds(pid: number): number {
  // The name of the program is in brackets, and may hold spaces.
  const [, afterName = ""] = read(`/proc/${pid}/stat`).split(/\) (?!.*\) )/);
  const fields = afterName.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Resident memory now. Source: proc(5), VmRSS. */
export function residentMb(pid: number): number {
  return megabytes(pid, /^VmRSS:\s+(\d+) kB/m);
}

/** Highest resident memory since the start. Source: proc(5), VmHWM. */
export function peakResidentMb(pid: number): number {
  return megabytes(pid, /^VmHWM:\s+(\d+) kB/m);
}

function megabytes(pid: number, line: RegExp): number {
  const [, kilobytes] = line.exec(read(`/proc/${pid}/status`)) ?? [];
  return Number(kilobytes ?? Number.NaN) / 1_024;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Either this is not Linux, or the process has ended; the caller finds out which.
    return "";
  }
}
