/**
 * Restart ledger: every start of the bot and every end with its cause, one line each, on disk.
 *
 * A file of its own beside the database, so that it tells also of a database that cannot be opened.
 * A start without an end was a kill, a crash or a power cut: the next start closes it, with the
 * watchdog's breadcrumb as its cause where there is one.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Clock } from "../contracts/clock.ts";
import type { Life } from "../policies/safe-mode.ts";

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

export interface RestartLedgerOptions {
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
  readonly #options: RestartLedgerOptions;
  readonly #path: string;
  #records: RestartRecord[] = [];
  #open = false;

  constructor(options: RestartLedgerOptions) {
    this.#options = options;
    this.#path = join(options.directory, fileName);
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
    const { clock, directory, pid, version } = this.#options;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const known = readRecords(this.#path);
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
    this.#rewrite();
    this.#open = true;
  }

  /** Records the end of this process, synced. Once; later calls say nothing. Never throws. */
  end(end: Omit<RestartEnd, "atEpochMs">): void {
    const current = this.#records.at(-1);
    if (!this.#open || !current) return;
    this.#open = false;
    const ended = { ...current, end: { atEpochMs: this.#options.clock.epochMs(), ...end } };
    this.#records = [...this.#records.slice(0, -1), ended];
    try {
      const file = openSync(this.#path, "a", 0o600);
      writeSync(file, `${JSON.stringify(ended)}\n`);
      fsyncSync(file);
      closeSync(file);
    } catch {
      // A disk that takes nothing: the next start finds no end, and counts it as unclean.
    }
  }

  /** By way of a new file, so that a death in between leaves the old one. */
  #rewrite(): void {
    const next = `${this.#path}.next`;
    writeFileSync(next, "", { mode: 0o600 });
    appendFileSync(next, this.#records.map((record) => `${JSON.stringify(record)}\n`).join(""));
    const file = openSync(next, "r");
    fsyncSync(file);
    closeSync(file);
    renameSync(next, this.#path);
  }
}

/** A line of a life that is there already replaces it; a torn line is left out. */
function readRecords(path: string): RestartRecord[] {
  if (!existsSync(path)) return [];
  const records = new Map<string, RestartRecord>();
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const record = parseRecord(line);
    if (record) records.set(`${record.startedAtEpochMs}:${record.pid}`, record);
  }
  return [...records.values()];
}

function parseRecord(line: string): RestartRecord | undefined {
  try {
    const record = JSON.parse(line) as RestartRecord;
    return Number.isFinite(record.startedAtEpochMs) && Number.isInteger(record.pid)
      ? record
      : undefined;
  } catch {
    // The death tore the last line; everything before it is whole.
    return undefined;
  }
}
