/**
 * Restart ledger: every start of the bot and every end with its cause, one line each, on disk.
 *
 * A file of its own beside the database, so that it tells also of a database that cannot be opened.
 * A start without an end was a kill, a crash or a power cut: the next start closes it, with the
 * watchdog's breadcrumb as its cause where there is one.
 */
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { RecordFile } from "../../core/record-file.ts";
import type { Life } from "./safe-mode-rules.ts";

/** How a process ended. */
export interface RestartEnd {
  readonly atEpochMs: number;
  /** `SIGTERM`, `defect`, `hang`, `unknown`, a restart's reason, … */
  readonly cause: string;
  /** More about it, e.g. where it hung. */
  readonly detail?: string;
  /** Whether it was wanted, and nothing was left unsaid. */
  readonly clean: boolean;
}

/** One life of the process. */
export interface RestartRecord {
  readonly startedAtEpochMs: number;
  readonly pid: number;
  readonly version: string;
  /** `undefined` while it lives. */
  readonly end?: RestartEnd;
}

export interface RestartLedgerDeps {
  readonly directory: string;
  readonly clock: Clock;
  readonly pid: number;
  readonly version: string;
}

/** What became of the process before, when it could not say so itself. */
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

  /** Newest last; the one that lives has no end. */
  get records(): readonly RestartRecord[] {
    return this.#records;
  }

  /** Those that have ended, as the safe mode's rules want them. */
  get lives(): readonly Life[] {
    return this.#records.flatMap(({ end, startedAtEpochMs }) =>
      end ? [{ startedAtEpochMs, endedAtEpochMs: end.atEpochMs, clean: end.clean }] : [],
    );
  }

  /** Reads what was, explains an end that nobody recorded, and records this start. */
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

  /** Records the end of this process, synced. Once; later calls say nothing. Never throws. */
  end(end: Omit<RestartEnd, "atEpochMs">): void {
    const current = this.#records.at(-1);
    if (!this.#open || !current) return;
    this.#open = false;
    const ended = { ...current, end: { atEpochMs: this.#deps.clock.epochMs(), ...end } };
    this.#records = [...this.#records.slice(0, -1), ended];
    try {
      this.#file.append(ended, true);
    } catch {
      // A disk that takes nothing: the next start finds no end, and counts it as unclean.
    }
  }
}

function keyOf({ pid, startedAtEpochMs }: RestartRecord): string | undefined {
  const sound = Number.isFinite(startedAtEpochMs) && Number.isInteger(pid);
  return sound ? `${startedAtEpochMs}:${pid}` : undefined;
}
