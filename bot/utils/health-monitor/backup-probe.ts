/** Backup probe: reports whether there is a good backup that is young enough. */
import type { Probe, ProbeResult } from "../../core/component.ts";

export interface BackupFigures {
  /** Milliseconds between two backups; 0: none is made by itself. */
  readonly everyMs: number;
  /** Age of the last good backup; `null` when there is none. */
  readonly ageMs: number | null;
  readonly upMs: number;
  /** Code of the error that the last backup ended with, or `null`. */
  readonly failure: string | null;
  /** The same of BACKUP_COMMAND. */
  readonly commandFailure: string | null;
}

/** A backup may be late by one interval, and by the time that it takes itself. */
const intervalsMax = 2;
const lateMsMax = 600_000;

export function backupProbe(look: () => BackupFigures): Probe {
  return { name: "backup", check: async () => judge(look()) };
}

function judge({ ageMs, commandFailure, everyMs, failure, upMs }: BackupFigures): ProbeResult {
  const figures = { ageMs: ageMs === null ? null : Math.round(ageMs), everyMs };
  if (failure !== null) {
    return { status: "degraded", reason: `the last backup failed: ${failure}`, figures };
  }
  if (commandFailure !== null) {
    const reason = `BACKUP_COMMAND failed on the last backup: ${commandFailure}`;
    return { status: "degraded", reason, figures };
  }
  if (everyMs > 0 && (ageMs ?? upMs) > intervalsMax * everyMs + lateMsMax) {
    const hours = Math.round((ageMs ?? upMs) / 3_600_000);
    const reason =
      ageMs === null ? "there is no good backup" : `the last good backup is ${hours} h old`;
    return { status: "degraded", reason, figures };
  }
  return { status: "healthy", figures };
}
