/** Log probe: whether log lines reach the disk, and what is lost of them. */
import type { Probe, ProbeResult } from "../../core/component.ts";
import type { LogLevel } from "../../core/log-level.ts";

export interface LogFigures {
  readonly fileWritable: boolean;
  /** Code of the error the file was given up with. */
  readonly fileFailure: string | null;
  /** Whether the disk is too slow at present, and lines are lost. */
  readonly dropping: boolean;
  readonly behindBytes: number;
  /** Milliseconds since the disk last took anything, while something waits. */
  readonly stalledMs: number;
  /** Lines the slow disk has cost since the start. */
  readonly drops: Readonly<Record<LogLevel, number>>;
  readonly consoleDrops: number;
  /** Lines left out because many said the same: not lost, but counted. */
  readonly suppressed: number;
}

/** A disk that took nothing for so long hangs. */
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
    const reason = `the log disk has taken nothing for ${seconds} s, though lines wait`;
    return { status: "degraded", reason, figures };
  }
  return { status: "healthy", figures };
}
