/**
 * Restart ledger: records every start of the bot and every end with its cause, one line each.
 *
 * It has its own file beside the database, so that it also records starts with a database that
 * cannot be opened. A start without an end means a kill, a crash or a power cut: the next start
 * adds the end, with the watchdog's breadcrumb as its cause if there is one.
 */
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { RecordFile } from "../../core/record-file.ts";
import type { Life } from "./safe-mode-rules.ts";

/** The end of a process. */
export interface RestartEnd {
  readonly atEpochMs: number;
  /** `SIGTERM`, `defect`, `hang`, `unknown`, a restart's reason, … */
  readonly cause: string;
  /** More about the cause, for example where the process hung. */
  readonly detail?: string;
  /** Whether the end was intended and was recorded by the process itself. */
  readonly clean: boolean;
}

/** The record of one process. */
export interface RestartRecord {
  readonly startedAtEpochMs: number;
  readonly pid: number;
  readonly version: string;
  /** `undefined` while the process is running. */
  readonly end?: RestartEnd;
}

export interface RestartLedgerDeps {
  readonly directory: string;
  readonly clock: Clock;
  readonly pid: number;
  readonly version: string;
}

/** Explains the end of the previous process, if that process did not record it. */
export type ExplainEnd = (
  pid: number,
) => { readonly cause: string; readonly detail?: string } | undefined;

const fileName = "restarts.jsonl";
const recordsMax = 500;

export class RestartLedger {
  readonly #deps: RestartLedgerDeps;
  readonly #file: RecordFile<RestartRecord>;
  #records: RestartRecord[] = [];
  #open = false;

  constructor(deps: RestartLedgerDeps) {
    this.#deps = deps;
    const path = join(deps.directory, fileName);
    this.#file = new RecordFile({ path, keyOf });
  }

  /** Returns all records, newest last; the running process has no end. */
  get records(): readonly RestartRecord[] {
    return this.#records;
  }

  /** Returns the processes that have ended, in the form the safe mode's rules need. */
  get lives(): readonly Life[] {
    return this.#records.flatMap(({ end, startedAtEpochMs }) =>
      end ? [{ startedAtEpochMs, endedAtEpochMs: end.atEpochMs, clean: end.clean }] : [],
    );
  }

  /** Reads the ledger, explains an unrecorded end, and records this start. */
  begin(explain: ExplainEnd): void {
    const { clock, pid, version } = this.#deps;
    const known = this.#file.read();
    const last = known.at(-1);
    if (last && !last.end) {
      const found = explain(last.pid) ?? { cause: "unknown" };
      const end = { atEpochMs: clock.epochMs(), clean: false, ...found };
      known[known.length - 1] = { ...last, end };
    }
    this.#records = [
      ...known.slice(-(recordsMax - 1)),
      { startedAtEpochMs: clock.epochMs(), pid, version },
    ];
    this.#file.rewrite(this.#records);
    this.#open = true;
  }

  /** Records the end of this process and syncs it. Later calls do nothing. Never throws. */
  end(end: Omit<RestartEnd, "atEpochMs">): void {
    const current = this.#records.at(-1);
    if (!this.#open || !current) return;
    this.#open = false;
    const ended = { ...current, end: { atEpochMs: this.#deps.clock.epochMs(), ...end } };
    this.#records = [...this.#records.slice(0, -1), ended];
    try {
      this.#file.append(ended, true);
    } catch {
      // The disk cannot be written: the next start finds no end, and counts it as unclean.
    }
  }
}

function keyOf({ pid, startedAtEpochMs }: RestartRecord): string | undefined {
  const sound = Number.isFinite(startedAtEpochMs) && Number.isInteger(pid);
  return sound ? `${startedAtEpochMs}:${pid}` : undefined;
}
