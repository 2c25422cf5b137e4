/**
 * Rapid requests: notices when one person asks more often than a person does.
 *
 * A sliding window a person. Who is over the limit is told once, and then ignored until the window has
 * room again. What is ignored counts, too: hammering does not help.
 * An update that is handled again gets the verdict it had.
 */

export interface RapidRequestsOptions {
  /** Requests within the window that are fine. */
  readonly requestsMax: number;
  readonly windowMs: number;
}

export type RapidVerdict = "fine" | "warn" | "ignore";

interface Requests {
  /** By update id, with its instant and verdict, oldest first. */
  readonly seen: Map<number, { readonly atMs: number; readonly verdict: RapidVerdict }>;
}

/** People remembered; the longest silent one is forgotten first. */
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
    // Of a flood no more is remembered than decides about it.
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
    // At the end again: who asked last is forgotten last.
    this.#people.delete(userId);
    this.#people.set(userId, requests);
    if (this.#people.size > peopleMax) {
      const { value } = this.#people.keys().next();
      if (value !== undefined) this.#people.delete(value);
    }
    return requests;
  }
}
