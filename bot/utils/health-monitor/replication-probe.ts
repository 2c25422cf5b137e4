/** Replication probe: reports whether what PostgreSQL confirms survives the loss of its machine (P1). */
import type { Probe, ProbeResult } from "../../core/component.ts";
import type { DatabaseServer } from "../../core/shared-store.ts";

/** The operator's word about the database (DATABASE_REPLICATED). */
export type Replicated = "none" | "sync" | "storage";

/** A machine's clock may differ so much from the database's before times in the queue become wrong. */
const clockMsMax = 1_000;

export function replicationProbe(
  replicated: Replicated,
  look: () => Promise<DatabaseServer>,
): Probe {
  return { name: "replication", check: async () => judge(replicated, await look()) };
}

function judge(replicated: Replicated, server: DatabaseServer): ProbeResult {
  const { clockAheadMs, oldestSnapshotMs, standbyLost, synchronous } = server;
  const figures = {
    replicated,
    survivesFailover: replicated === "storage" || (replicated === "sync" && synchronous),
    clockAheadMs: Math.round(clockAheadMs),
    oldestSnapshotMs,
  };
  if (standbyLost) {
    const reason =
      "PostgreSQL waits for a standby that is not connected: nothing can be committed until it is back, or is taken out of synchronous_standby_names";
    return { status: "degraded", reason, figures };
  }
  if (replicated === "sync" && !synchronous) {
    const reason =
      "DATABASE_REPLICATED is sync, but PostgreSQL waits for no standby (synchronous_standby_names, synchronous_commit): a failover loses what was confirmed";
    return { status: "degraded", reason, figures };
  }
  if (Math.abs(clockAheadMs) > clockMsMax) {
    const seconds = Math.round(Math.abs(clockAheadMs) / 1000);
    const reason = `this machine's clock is ${seconds} s ${clockAheadMs > 0 ? "ahead of" : "behind"} the database's`;
    return { status: "degraded", reason, figures };
  }
  return { status: "healthy", figures };
}
