/** Processes: those that share a store, as each of them can show them to operators. */
import type { Role } from "./roles.ts";

/** A process's report of itself. */
export interface ProcessStatus {
  readonly health: "healthy" | "degraded" | "unhealthy" | "unknown";
  /** Base address of its monitoring API, as it is reached on its own machine. */
  readonly monitoringUrl: string;
  /** Since when it has each role, in milliseconds since the epoch. */
  readonly roles: Readonly<Partial<Record<Role, number>>>;
}

export interface ProcessEntry {
  /** Given at the start, and anew after a lost session. */
  readonly number: number;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly startedAtEpochMs: number;
  /** Its latest commit. */
  readonly beatAtEpochMs: number;
  /** `ended`: in good order. `lost`: its session is over, by a death or a cut; others have its work. */
  readonly state: "alive" | "ended" | "lost";
  /** Whether it is the one that answers. */
  readonly self: boolean;
  readonly roles: readonly { readonly role: Role; readonly sinceEpochMs: number | undefined }[];
  /** `undefined` before its first report. */
  readonly health: ProcessStatus["health"] | undefined;
  readonly monitoringUrl: string | undefined;
}

export interface Processes {
  /** Those that live, and those that ended within the last hour, the newest first. */
  list(): Promise<readonly ProcessEntry[]>;
  /** @returns whether another process has asked this one to restart. */
  report(status: ProcessStatus): Promise<boolean>;
  /** Asks a process to drain and end, so that it is started again. @returns false when none lives. */
  askRestart(number: number): Promise<boolean>;
}
