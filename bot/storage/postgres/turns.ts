/**
 * Turns: everything that callers want of the queue, in one call after another on the main session.
 *
 * One turn is under way at a time; what is submitted meanwhile shares the next one. A turn either
 * happens as a whole or not at all. Where the answer is missing nobody knows which: then the session
 * is over, and so is every attempt in hand.
 */
import type { Clock } from "../../core/clock.ts";
import { BotError, StorageBusyError, type StorageSessionLostError } from "../../core/errors.ts";
import { type Heartbeat, Pulse } from "../../core/heartbeat.ts";
import type { Pool } from "../../core/message.ts";
import type { EnqueueResult, SentRecord } from "../../core/store.ts";
import type { PreparedMessage } from "../stored-forms.ts";
import type { Pass, TurnRow } from "./claims.ts";
import { type Connection, StaleKeyError } from "./connection.ts";
import type { DataKeys } from "./data-keys.ts";
import type { MessageIds } from "./message-ids.ts";
import { type Ending, freshOf, QueueWork, resultsOf, type Slice } from "./queue-work.ts";
import { notifiedSql } from "./session-locks.ts";

export interface TurnsDeps {
  readonly clock: Clock;
  readonly now: () => number;
  readonly connection: Connection;
  readonly ids: MessageIds;
  readonly keys: DataKeys;
  /** The process's number. */
  readonly number: number;
  readonly laneLengthMax: number;
  readonly dedupeKeepMs: number;
  /** Whether another process works on what is queued for this pool. */
  readonly worksElsewhere: (pool: Pool) => boolean;
  /** Called when there is work for a pool that this process did not know of. */
  readonly onWork: (pool: Pool) => void;
}

/** One caller's request. */
export interface TurnWish {
  readonly queue?: readonly PreparedMessage[];
  readonly end?: Ending;
  readonly sent?: SentRecord;
  readonly passes?: readonly Pass[];
}

export interface TurnAnswer {
  readonly results: readonly EnqueueResult[];
  /** The rows of its passes. */
  readonly rows: readonly TurnRow[];
}

interface Job {
  readonly wish: TurnWish;
  readonly resolve: (answer: TurnAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Maximum wishes in a turn, which bounds the wait of the others. */
const wishesMax = 500;
/** A turn that others held up is tried again so often. */
const triesMax = 4;
const retryMs = 50;

/** A turn that leaves work for another process says so when it commits. */
const turnSql = `SELECT t.* FROM turn_2($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) t
  CROSS JOIN (SELECT count(*) FROM ${notifiedSql("$11")}) said CROSS JOIN seals_1($12) key`;

export class Turns {
  readonly #deps: TurnsDeps;
  readonly #pulse: Pulse;
  readonly #next = new Map<Pool, number | undefined>();
  #jobs: Job[] = [];
  #running: Promise<void> | undefined;
  #scheduled = false;
  #commits = 0;
  #acknowledged = 0;
  #provenAtMs: number;

  constructor(deps: TurnsDeps) {
    this.#deps = deps;
    this.#pulse = new Pulse(deps.clock);
    this.#provenAtMs = deps.clock.monotonicMs();
  }

  /** Rejects with `AttemptOverError`, or when the whole turn did not happen. */
  run(wish: TurnWish): Promise<TurnAnswer> {
    this.#pulse.expect(0);
    return this.beat(wish);
  }

  /** Like `run`, but nobody waits for it, so the heartbeat does not become overdue. */
  beat(wish: TurnWish = {}): Promise<TurnAnswer> {
    const { lost } = this.#deps.connection;
    if (lost) return Promise.reject(lost);
    return new Promise((resolve, reject) => {
      this.#jobs.push({ wish, resolve, reject });
      this.#schedule();
    });
  }

  /** When the last turn that is known to be committed was sent: until then the session lived. */
  get provenAtMs(): number {
    return this.#provenAtMs;
  }

  /** How many turns are known to be committed: the number that the process's row must have. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** When the next head of this pool becomes available, as of the last turn. */
  nextAvailableAt(pool: Pool): number | undefined {
    return this.#next.get(pool);
  }

  /** Beats once per turn; overdue only while wishes are waiting. */
  get heartbeat(): Heartbeat {
    return this.#pulse.heartbeat;
  }

  /** Waits until nothing is under way. Never rejects. */
  async settle(): Promise<void> {
    while (this.#jobs.length > 0 || this.#running !== undefined) {
      await (this.#running ?? new Promise((resolve) => setImmediate(resolve)));
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#running !== undefined) return;
    this.#scheduled = true;
    // Deferred until after this turn of the event loop's callbacks, so that their wishes share one call.
    setImmediate(() => {
      this.#scheduled = false;
      this.#running = this.#turn().finally(() => {
        this.#running = undefined;
        this.#pulse.beat(Number.POSITIVE_INFINITY);
        if (this.#jobs.length === 0) return;
        this.#pulse.expect(0);
        this.#schedule();
      });
    });
  }

  async #turn(): Promise<void> {
    const jobs = this.#jobs.splice(0, this.#sharing());
    try {
      await this.#call(jobs);
    } catch (error) {
      const { lost } = this.#deps.connection;
      if (lost) this.#refuseAll(lost);
      if (!(error instanceof BotError) && jobs.length > 1) {
        // The server refused something in it. It refuses that alone, and takes the rest.
        for (const job of jobs) await this.#call([job]).catch((refusal) => job.reject(refusal));
        return;
      }
      for (const job of jobs) job.reject(error);
    }
  }

  /** How many wishes share the next turn: a key decides about one call, so each call has it once. */
  #sharing(): number {
    const taken = new Set<string>();
    const end = this.#jobs.slice(0, wishesMax).findIndex(({ wish }) => {
      const keys = messagesOf(wish).flatMap(({ message }) => message.key?.name ?? []);
      if (keys.some((key) => taken.has(key))) return true;
      for (const key of keys) taken.add(key);
      return false;
    });
    return end === -1 ? wishesMax : end;
  }

  #refuseAll(lost: StorageSessionLostError): void {
    for (const job of this.#jobs.splice(0)) job.reject(lost);
  }

  async #call(jobs: readonly Job[]): Promise<void> {
    const { clock, connection, dedupeKeepMs, ids, keys, laneLengthMax, number } = this.#deps;
    const now = this.#deps.now();
    const count = jobs.reduce((sum, { wish }) => sum + messagesOf(wish).length, 0);
    const fresh = await ids.take(count, connection);
    for (let tries = 1; ; tries++) {
      const { passes, slices, work } = this.#join(jobs, fresh, now);
      const sentAtMs = clock.monotonicMs();
      try {
        const rows = await connection.all<TurnRow>(turnSql, [
          ...[number, ++this.#commits, now, laneLengthMax, now + dedupeKeepMs],
          ...work.parameters,
          JSON.stringify(passes),
          work.pools.some(this.#deps.worksElsewhere),
          keys.ring.currentId,
        ]);
        this.#provenAtMs = sentAtMs;
        this.#acknowledged = this.#commits;
        this.#answer(jobs, slices, rows);
        return;
      } catch (error) {
        if (!(error instanceof StorageBusyError) || tries >= triesMax) throw error;
        if (error instanceof StaleKeyError) await keys.load(connection);
        else await clock.sleep(retryMs, new AbortController().signal);
      }
    }
  }

  /** @param ids One for each message of the jobs, in their order. */
  #join(jobs: readonly Job[], ids: readonly number[], now: number) {
    const { ring } = this.#deps.keys;
    const work = new QueueWork();
    const passes: (Pass & { n: number })[] = [];
    let taken = 0;
    const slices = jobs.map(({ wish }, index): Slice => {
      const messages = messagesOf(wish);
      const own = freshOf(messages, ids.slice(taken, taken + messages.length), ring, now);
      taken += messages.length;
      passes.push(...(wish.passes ?? []).map((pass) => ({ ...pass, n: index })));
      if (wish.sent) work.record(wish.sent);
      return wish.end ? work.end(wish.end, own, ring) : work.queue(own);
    });
    return { passes, slices, work };
  }

  #learn(pool: Pool, nextAt: number | undefined): void {
    const knownAt = this.#next.get(pool) ?? Number.POSITIVE_INFINITY;
    this.#next.set(pool, nextAt);
    if (nextAt !== undefined && nextAt < knownAt) this.#deps.onWork(pool);
  }

  #answer(jobs: readonly Job[], slices: readonly Slice[], rows: readonly TurnRow[]): void {
    const worked = rows.filter(({ kind }) => kind !== "claimed" && kind !== "candidate");
    const claimed = rows.filter(({ kind }) => kind === "claimed" || kind === "candidate");
    for (const { available_at, kind, pool } of worked) {
      if (kind === "next") this.#learn(pool, available_at ?? undefined);
    }
    for (const [index, job] of jobs.entries()) {
      try {
        const results = resultsOf(slices[index] as Slice, worked);
        job.resolve({ results, rows: claimed.filter(({ n }) => n === index) });
      } catch (error) {
        job.reject(error);
      }
    }
  }
}

function messagesOf({ end, queue }: TurnWish): readonly PreparedMessage[] {
  return queue ?? end?.followUps ?? [];
}
