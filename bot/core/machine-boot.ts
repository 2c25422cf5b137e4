/**
 * Machine boot: tells time that passed from a wall clock that was set.
 *
 * Within one boot of the machine, the wall clock minus the time since the boot is always the same, unless
 * somebody sets the clock.
 */
import { readFileSync } from "node:fs";

export interface MachineBoot {
  /** Names this boot; another one has another id. */
  readonly id: string;
  /** Milliseconds since the machine booted, those in suspend included. */
  readonly uptimeMs: number;
}

/** Difference up to which two readings of one clock agree; /proc/uptime counts in hundredths of a second. */
const roundingMs = 100;

/**
 * The boot this process runs in; `undefined` where the system does not tell: outside Linux, and in containers
 * that are shown a time since the boot of their own (LXCFS), which is less than the monotonic clock's.
 * Source: proc(5), `uptime` and `sys/kernel/random/boot_id`; clock_gettime(2).
 */
export function readMachineBoot(): MachineBoot | undefined {
  try {
    const id = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const monotonicMs = Number(process.hrtime.bigint()) / 1e6;
    const uptimeMs = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1_000;
    return id !== "" && uptimeMs + roundingMs >= monotonicMs ? { id, uptimeMs } : undefined;
  } catch {
    // Another operating system, or a sandbox that hides these files.
    return undefined;
  }
}
