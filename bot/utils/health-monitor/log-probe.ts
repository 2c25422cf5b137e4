/** Log probe: reports whether log lines reach the disk, and how many are lost. */
import type { Probe, ProbeResult } from "../../core/component.ts";
import type { LogLevel } from "../../core/log-level.ts";

export interface LogFigures {
  readonly fileWritable: boolean;
  /** Code of the error that made the log give up the file; `null` while it is open. */
  readonly fileFailure: string | null;
  /** Whether lines are currently being lost because the disk is too slow. */
  readonly dropping: boolean;
  readonly behindBytes: number;
  /** Milliseconds since the disk last wrote anything while lines wait. */
  readonly stalledMs: number;
  /** Lines dropped since the start because the disk was too slow. */
  readonly drops: Readonly<Record<LogLevel, number>>;
  readonly consoleDrops: number;
  /** Lines left out because many were alike: these are counted, so not lost. */
  readonly suppressed: number;
}

/** A disk that has written nothing for longer than this hangs. */
const stalledMsMax = 10_000;

export function logProbe(look: () => LogFigures): Probe {
  return { name: "log", check: async () => judge(look()) };
}

function judge({ drops, dropping, fileFailure, fileWritable, ...rest }: LogFigures): ProbeResult {
  const { debug, error, info, warn } = drops;
  const dropped = { droppedErrors: error, droppedWarnings: warn, droppedOthers: info + debug };
  const figures = { fileWritable, dropping, ...rest, ...dropped };
  if (!fileWritable) {
    const reason = `the log file cannot be written (${fileFailure}); important lines go to stderr`;
    return { status: "degraded", reason, figures };
  }
  if (dropping) {
    const lost = error + warn + info + debug;
    const reason = `the log disk is too slow: ${lost} lines were lost, the least important first`;
    return { status: "degraded", reason, figures };
  }
  if (rest.stalledMs > stalledMsMax) {
    const seconds = Math.round(rest.stalledMs / 1_000);
    const reason = `the log disk has written nothing for ${seconds} s although lines are waiting`;
    return { status: "degraded", reason, figures };
  }
  return { status: "healthy", figures };
}
