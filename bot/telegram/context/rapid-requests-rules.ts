/**
 * Rapid requests: notices when one person sends more requests than a person would.
 *
 * Each person has a sliding window. A person over the limit is told once and then ignored until the
 * window has room again. Ignored requests count as well, so hammering does not help. An update that
 * is handled again gets the same verdict.
 */

import { LruMap } from "../../core/lru-map.ts";

export interface RapidRequestsOptions {
  /** Requests allowed within the window. */
  readonly requestsMax: number;
  readonly windowMs: number;
}

export type RapidVerdict = "fine" | "warn" | "ignore";

/** Instant and verdict of each request by update id, oldest first. */
type Requests = LruMap<number, { readonly atMs: number; readonly verdict: RapidVerdict }>;

/** People remembered; the one who has been silent the longest is forgotten first. */
const peopleMax = 10_000;

export class RapidRequests {
  readonly #options: RapidRequestsOptions;
  readonly #people = new LruMap<number, Requests>(peopleMax);

  /** Until when the people who were told or ignored are over the limit. */
  readonly #limited = new LruMap<number, number>(peopleMax);

  constructor(options: RapidRequestsOptions) {
    this.#options = options;
  }

  /** @param atMs When the person asked; the same for every attempt at an update. */
  judge(userId: number, updateId: number, atMs: number): RapidVerdict {
    const seen = this.#requestsOf(userId);
    const known = seen.get(updateId);
    if (known) return known.verdict;
    for (const [id, { atMs: before }] of seen) {
      if (before <= atMs - this.#options.windowMs) seen.delete(id);
    }
    const verdict = this.#decide(seen);
    if (verdict !== "fine") this.#limited.set(userId, atMs + this.#options.windowMs);
    seen.set(updateId, { atMs, verdict });
    return verdict;
  }

  /** People whose requests are ignored at present, and until when the last of them is. */
  limited(nowEpochMs: number): { readonly people: number; readonly untilEpochMs: number } {
    for (const [userId, until] of this.#limited) {
      if (until <= nowEpochMs) this.#limited.delete(userId);
    }
    return { people: this.#limited.size, untilEpochMs: Math.max(0, ...this.#limited.values()) };
  }

  #decide(seen: Requests): RapidVerdict {
    if (seen.size < this.#options.requestsMax) return "fine";
    const told = [...seen.values()].some(({ verdict }) => verdict === "warn");
    return told ? "ignore" : "warn";
  }

  #requestsOf(userId: number): Requests {
    // Keep only as many requests as the verdict needs.
    const requests = this.#people.get(userId) ?? new LruMap(2 * this.#options.requestsMax + 2);
    this.#people.set(userId, requests);
    return requests;
  }
}
