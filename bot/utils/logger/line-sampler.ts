/**
 * Line sampler: keeps lines that say the same over and over from filling the disk.
 *
 * Sampled are warnings, errors and information of the same event and error code, the parts of the
 * error's message that change left out; of events without an error those with the same words. Never
 * sampled are debug lines (asked for on purpose), business, performance and security lines, what an
 * operator did, and lines without an error that did not come from an event: their author chose to
 * write each. When five are enough is decided in utils/logger/log-sampling-rules.ts. A bounded memory: the kind
 * that has been quiet for longest is forgotten first, and what it left out is told all the same.
 */
import type { Clock } from "../../core/clock.ts";
import { fingerprintOf } from "../../core/error-fingerprint.ts";
import type { LogLevel } from "../../core/log-level.ts";
import { LruMap } from "../../core/lru-map.ts";
import type { LogLine } from "./line-format.ts";
import { decideSample, isWindowOver, type SampleWindow } from "./log-sampling-rules.ts";

/** Lines of one event that were left out, and that no later line tells. */
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
/** Kinds of leftovers that are kept apart until they are told; the rest is counted together. */
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
   * @param source `event`: of an event that may come in floods. `author`: written on purpose.
   * @returns how many lines like this were left out since the last one; `undefined`: leave it out.
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

  /** What was left out in minutes that are over, or in `all`. Each count is given once. */
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

  /** The kind is forgotten; how many of its lines were left out is not. */
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

/** Lines of one kind say the same. `undefined`: never left out. */
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
