/**
 * Rapid requests: notices when one person sends more requests than a person would.
 *
 * Each person has a sliding window. A person over the limit is told once and then ignored until the
 * window has room again. Ignored requests count as well, so hammering does not help. An update that
 * is handled again gets the same verdict.
 */

export interface RapidRequestsOptions {
  /** Requests allowed within the window. */
  readonly requestsMax: number;
  readonly windowMs: number;
}

export type RapidVerdict = "fine" | "warn" | "ignore";

interface Requests {
  /** Instant and verdict of each request by update id, oldest first. */
  readonly seen: Map<number, { readonly atMs: number; readonly verdict: RapidVerdict }>;
}

/** People remembered; the one who has been silent the longest is forgotten first. */
const peopleMax = 10_000;

export class RapidRequests {
  readonly #options: RapidRequestsOptions;
  readonly #people = new Map<number, Requests>();

  constructor(options: RapidRequestsOptions) {
    this.#options = options;
  }

  /** @param atMs When the person asked; the same for every attempt at an update. */
  judge(userId: number, updateId: number, atMs: number): RapidVerdict {
    const { seen } = this.#requestsOf(userId);
    const known = seen.get(updateId);
    if (known) return known.verdict;
    for (const [id, { atMs: before }] of seen) {
      if (before <= atMs - this.#options.windowMs) seen.delete(id);
    }
    const verdict = this.#decide(seen);
    seen.set(updateId, { atMs, verdict });
    // Keep only as many requests as the verdict needs.
    if (seen.size > 2 * this.#options.requestsMax + 2) seen.delete(seen.keys().next().value ?? 0);
    return verdict;
  }

  #decide(seen: Requests["seen"]): RapidVerdict {
    if (seen.size < this.#options.requestsMax) return "fine";
    const told = [...seen.values()].some(({ verdict }) => verdict === "warn");
    return told ? "ignore" : "warn";
  }

  #requestsOf(userId: number): Requests {
    const requests = this.#people.get(userId) ?? { seen: new Map() };
    // Moves the person to the end, because the first one is forgotten first.
    this.#people.delete(userId);
    this.#people.set(userId, requests);
    if (this.#people.size > peopleMax) {
      const { value } = this.#people.keys().next();
      if (value !== undefined) this.#people.delete(value);
    }
    return requests;
  }
}
