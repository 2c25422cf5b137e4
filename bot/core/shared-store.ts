/** Shared store: what a store has besides when several processes work on it. */
import type { FileDepot } from "./file-store.ts";
import type { Pool } from "./message.ts";
import type { Processes } from "./processes.ts";
import type { Roles } from "./roles.ts";

export interface SharedStore {
  /** The roles in which this process works for all. */
  readonly roles: Roles;
  readonly processes: Processes;
  /** Where the files of calls are kept for all processes. */
  readonly files: FileDepot;
  /** `wake` is called when another process may have left work for a pool. */
  onWork(wake: (pool: Pool) => void): void;
  /** Asks the server how safe commits are, how it fares, and for the time. */
  server(): Promise<DatabaseServer>;
}

/** The state of the server of a shared store. */
export interface DatabaseServer {
  /** Whether a commit waits until a standby has it. */
  readonly synchronous: boolean;
  /** Whether none of the standbys that commits wait for is connected: then nothing can be committed. */
  readonly standbyLost: boolean;
  /** How many standbys are connected, whether or not commits wait for them. */
  readonly standbys: number;
  /**
   * Age of the oldest snapshot that a session holds, in milliseconds; 0 without one. PostgreSQL cleans up
   * nothing that is younger. Sessions that this role may not see are not counted.
   */
  readonly oldestSnapshotMs: number;
  /** By how many milliseconds this machine's clock is ahead of the server's; negative: behind. */
  readonly clockAheadMs: number;
}
