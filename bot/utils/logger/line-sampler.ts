/**
 * Line sampler: keeps repeated lines from filling the disk.
 *
 * Errors, warnings and information lines are alike when they have the same level, event and error
 * code, and an error message that differs only in its changing parts; without an error, when they
 * have the same words. Never sampled are debug lines (an operator asked for them), business,
 * performance and security lines, operators' actions, and lines without an error that did not come
 * from an event: their author chose to write each. utils/logger/log-sampling-rules.ts decides how
 * many are enough. Memory is bounded: the kind that has been quiet longest is forgotten first, but
 * its count of lines left out is still reported.
 */
import type { Clock } from "../../core/clock.ts";
import { fingerprintOf } from "../../core/error-fingerprint.ts";
import type { LogLevel } from "../../core/log-level.ts";
import { LruMap } from "../../core/lru-map.ts";
import type { LogLine } from "./line-format.ts";
import { decideSample, isWindowOver, type SampleWindow } from "./log-sampling-rules.ts";

/** Lines of one event that were left out, and that no later line has reported. */
export interface Suppressed {
  readonly level: LogLevel;
  readonly of: string;
  readonly suppressed: number;
}

interface Kind {
  readonly line: Pick<LogLine, "event" | "level">;
  readonly window: SampleWindow;
}

const kindsMax = 500;
/** Leftovers are counted separately for this many kinds until reported; all others together. */
const leftoversMax = 100;

export class LineSampler {
  readonly #clock: Clock;
  readonly #kinds = new LruMap<string, Kind>(kindsMax, (kind) => this.#keepCount(kind));
  readonly #leftovers = new Map<string, Suppressed>();
  #suppressed = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Lines left out since the start. */
  get suppressed(): number {
    return this.#suppressed;
  }

  /**
   * Decides whether to write a line.
   *
   * @param source `event`: an event that may come in floods. `author`: a line written on purpose.
   * @returns how many lines like this were left out since the last one written, or `undefined` when
   * this one is to be left out.
   */
  judge(line: LogLine, source: "event" | "author"): number | undefined {
    const kind = kindOf(line, source);
    if (kind === undefined) return 0;
    const known = this.#kinds.get(kind);
    const verdict = decideSample(known?.window, this.#clock.monotonicMs());
    const { event, level } = line;
    this.#kinds.set(kind, { line: { event, level }, window: verdict.window });
    if (verdict.write) return verdict.suppressed;
    this.#suppressed++;
    return undefined;
  }

  /**
   * Returns what was left out in minutes that are over, or in `all`. Each count is returned once.
   */
  takeLeftovers(of: "minutes that are over" | "all"): readonly Suppressed[] {
    const nowMs = this.#clock.monotonicMs();
    for (const [name, kind] of this.#kinds) {
      if (of !== "all" && !isWindowOver(kind.window, nowMs)) continue;
      this.#kinds.delete(name);
      this.#keepCount(kind);
    }
    const leftovers = [...this.#leftovers.values()];
    this.#leftovers.clear();
    return leftovers;
  }

  /** Remembers how many lines of a forgotten kind were left out. */
  #keepCount({ line, window }: Kind): void {
    if (window.suppressed === 0) return;
    const { event, level } = line;
    const own = `${level} ${event}`;
    const apart = this.#leftovers.has(own) || this.#leftovers.size < leftoversMax;
    const of = apart ? event : "others";
    const before = this.#leftovers.get(`${level} ${of}`)?.suppressed ?? 0;
    const suppressed = before + window.suppressed;
    this.#leftovers.set(`${level} ${of}`, { level, of, suppressed });
  }
}

/**
 * Returns the kind, equal for lines that are alike; `undefined` for lines that are never left out.
 */
function kindOf(line: LogLine, source: "event" | "author"): string | undefined {
  const { event, kind, level } = line;
  if (kind !== undefined || level === "debug") return undefined;
  const facts = recordOf(line["facts"]);
  const error = recordOf(facts["error"]);
  const code = error["code"];
  if (typeof code === "string") {
    return fingerprintOf({ code: `${level} ${event} ${code}`, message: String(error["message"]) });
  }
  if (source === "author") return undefined;
  const words = Object.values(facts).filter((value) => typeof value === "string");
  return fingerprintOf({ code: `${level} ${event}`, message: words.join(" ") });
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
