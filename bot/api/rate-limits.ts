/**
 * Rate limits: how often one address may send a request, and how often it may send a wrong token.
 *
 * Counts are kept in memory and forgotten at a restart. They hold timers; call `close` at the end.
 */
import type { Request, RequestHandler } from "express";
import { ipKeyGenerator, MemoryStore, rateLimit } from "express-rate-limit";
import { RequestRefusedError } from "./refusal.ts";

/**
 * Twice what a storm of health checks needs, which is 500 a second; counted over some seconds, because on a busy
 * machine requests pile up and come at once.
 */
const general = { windowMs: 10_000, limit: 10_000 };
const failuresPerMinute = 20;

/** Refuses an address that has failed too often, even with the right token. */
export interface FailureLimit {
  /** Rejects with `RequestRefusedError` 429. */
  check(request: Request): Promise<void>;
  count(request: Request): Promise<void>;
}

export class RateLimits {
  readonly #stores: MemoryStore[] = [];
  /** Limits every request. */
  readonly general: RequestHandler;
  readonly failures: FailureLimit;

  constructor() {
    this.general = this.#limit(general);
    const store = this.#store();
    const windowMs = 60_000;
    // The library counts every request; failures are counted only after they have happened.
    const failed = rateLimit({ windowMs, limit: failuresPerMinute, store, validate: false });
    this.failures = {
      check: async (request) => {
        const record = await failed.getKey(addressOf(request));
        if ((record?.totalHits ?? 0) >= failuresPerMinute) refuseFor(windowMs / 1000);
      },
      count: async (request) => {
        await store.increment(addressOf(request));
      },
    };
  }

  /** Limits the requests to one route. */
  perMinute(limit: number): RequestHandler {
    return this.#limit({ windowMs: 60_000, limit });
  }

  /** Releases the timers. */
  close(): void {
    for (const store of this.#stores) store.shutdown();
  }

  #limit({ windowMs, limit }: { windowMs: number; limit: number }): RequestHandler {
    return rateLimit({
      windowMs,
      limit,
      store: this.#store(),
      // The library's headers cost a hash for each request; Retry-After says enough.
      standardHeaders: false,
      legacyHeaders: false,
      // The library would write to the console about headers that anyone can send.
      validate: false,
      keyGenerator: addressOf,
      handler: () => refuseFor(Math.ceil(windowMs / 1000)),
    });
  }

  #store(): MemoryStore {
    const store = new MemoryStore();
    this.#stores.push(store);
    return store;
  }
}

/** The address of the connection; headers about it can be invented. */
export function addressOf(request: Request): string {
  return ipKeyGenerator(request.socket.remoteAddress ?? "gone");
}

function refuseFor(retryAfterSeconds: number): never {
  throw new RequestRefusedError({
    status: 429,
    code: "TOO_MANY_REQUESTS",
    message: `too many requests; try again in ${retryAfterSeconds} s at the latest`,
    retryAfterSeconds,
  });
}
