/**
 * Message queue: holds everything the bot has to do, durably and in order, one message at a time
 * per lane.
 *
 *   waiting --claim--> claimed --done--> gone
 *      ^                  |---failed-----> waiting again (attempt spent, back-off)  --5 times--> dead
 *      |                  |---postponed--> waiting again (no attempt spent)
 *      |                  |---expired----> gone, counted
 *      |                  '---process died: death counted, handled again alone; dead after 3 deaths, or more
 *      '--requeue-- dead letter
 *
 * Owns the worker pools and their loops. Guarantees that an attempt's outcome is on disk before the
 * next message of its lane is claimed. Knows nothing about Telegram: handlers and gates are
 * injected.
 */

import { type BackoffOptions, fullJitter } from "../core/backoff.ts";
import { type Clock, type Random, steadyEpoch } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import { BotError, HandlerTimeoutError, isStorageError, recordError } from "../core/errors.ts";
import type { Publish } from "../core/events.ts";
import { type Heartbeat, worstOf } from "../core/heartbeat.ts";
import type { Holds } from "../core/holds.ts";
import { Loop } from "../core/loop.ts";
import {
  type AmbiguousPolicy,
  type DeadReason,
  type JsonObject,
  type Message,
  type MessageType,
  type NewMessage,
  type Pool,
  type Priority,
  pools,
} from "../core/message.ts";
import type { Attempt, HandlerResult, MessageHandler, PoolGate } from "../core/message-handler.ts";
import type {
  AttemptOutcome,
  EnqueueResult,
  FactStore,
  QueueStore,
  SentRecord,
  Store,
} from "../core/store.ts";
import { AttemptWatch } from "./message-queue/attempt-watch.ts";
import { OutcomeReport, type QueueCounts, toRef } from "./message-queue/outcome-report.ts";
import { isPoison, sendDeathsMax } from "./message-queue/poison-rules.ts";
import { QueueHolds } from "./message-queue/queue-holds.ts";
import { type AttemptHost, RunningAttempt } from "./message-queue/running-attempt.ts";
import type { Slot } from "./message-queue/slot.ts";
import { type ClaimFailure, WorkerPool } from "./message-queue/worker-pool.ts";

export interface MessageQueueOptions {
  /**
   * Updates handled at a time, and `reservedFor` as many more of high priority. Default 10. The other
   * pools make `callsPerUpdate` times as many calls to Telegram.
   */
  readonly concurrency: number;
  /** Attempts before a message becomes a dead letter. Default 5. */
  readonly attemptsMax: number;
  readonly backoff: BackoffOptions;
  /** Milliseconds after which an attempt is abandoned. */
  readonly handlerTimeoutMs: number;
  /** Milliseconds after which a running handler lends its slot to others. */
  readonly handlerSlowMs: number;
  /** Messages that may wait in a pool before intake stops fetching more. */
  readonly lengthMax: number;
  /** Milliseconds for which dead letters are kept. */
  readonly deadLettersKeepMs: number;
  /** Milliseconds for which references to sent messages can be used. Default 30 days. */
  readonly referencesKeepMs?: number;
}

export interface MessageQueueDeps extends MessageQueueOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  readonly store: QueueStore &
    Pick<FactStore, "getFact" | "setFact"> &
    Pick<Store, "read" | "shared">;
  readonly handlers: Readonly<Record<MessageType, MessageHandler>>;
  readonly gates: Partial<Readonly<Record<Pool, PoolGate>>>;
  readonly holds: Holds;
  /** Unclean ends in a row before this start. Default: unknown, taken as 0. */
  readonly deathsInARow?: () => number;
  /**
   * Runs the work on a message so that its log lines carry the message's ids. Default: just runs
   * it.
   */
  readonly correlate?: <T>(message: Message, run: () => T) => T;
}

/** How to queue a message; each missing option gets the default of the message's type. */
export interface AddMessageOptions {
  readonly pool?: Pool;
  /** Default: the type's own lane. */
  readonly lane?: string;
  readonly priority?: Priority;
  readonly delayMs?: number;
  readonly expiresAtEpochMs?: number;
  readonly dedupeKey?: string;
  readonly ambiguous?: AmbiguousPolicy;
  readonly floodScope?: string;
  readonly floodCost?: number;
}

/** Counts since the start, and what is waiting now. */
export interface MessageQueueSnapshot {
  readonly pools: Readonly<
    Record<
      Pool,
      {
        readonly waiting: number;
        readonly inHand: number;
        readonly lanes: number;
        /** Messages whose time has not come; none of the others counts them. */
        readonly delayed: number;
        /** Milliseconds the oldest waiting message has waited; 0 when none is waiting. */
        readonly oldestAgeMs: number;
        readonly paused: boolean;
      }
    >
  >;
  readonly deadLetters: number;
  readonly dedupeKeys: number;
  readonly lengthMax: number;
  readonly counts: QueueCounts;
}

/**
 * After so many claims in a row that fail by a defect, some seconds, the process is restarted: what it keeps in
 * memory about the store may be wrong, and only the next one builds it anew from the disk.
 */
const defectiveClaimsMax = 10;

const typeDefaults: Readonly<Record<MessageType, { pool: Pool; priority: Priority }>> = {
  update: { pool: "handling", priority: "normal" },
  task: { pool: "handling", priority: "normal" },
  send: { pool: "sending", priority: "normal" },
  broadcast: { pool: "sending", priority: "low" },
  alert: { pool: "sending", priority: "high" },
};

/**
 * Calls per handled update that may be in flight. A call only waits for the network, so more of
 * them cost no processor time, and more outcomes share a commit: measured, 4 takes 25 % less
 * processor time per update than 1, and 8 saves no more.
 */
export const callsPerUpdate = 4;

/**
 * Updates claimed for each slot. Most handlers only wait for the store, and lend their slot meanwhile, so
 * that all of these share the same commits: measured, 4 takes 20 to 29 % less processor time per update than 1.
 */
const claimsPerSlot = 4;

/**
 * Places beside `concurrency` that only updates of high priority take, so that a press or a check-out (which
 * has to be answered within 10 s) does not wait for handlers that are busy.
 */
export function reservedFor(concurrency: number): number {
  return Math.ceil(concurrency / 5);
}

const sweepEveryMs = 60_000;
/** Flood windows look back one minute at most. */
const sentKeepMs = 120_000;
const defaultReferencesKeepMs = 30 * 86_400_000;
const commitBackoff: BackoffOptions = { initialMs: 200, maxMs: 5_000 };

export class MessageQueue implements Component {
  readonly name = "message-queue";
  readonly #deps: MessageQueueDeps;
  readonly #now: () => number;
  readonly #sweeper: Loop;
  readonly #takeover: Loop;
  readonly #pools = new Map<Pool, WorkerPool>();
  readonly #attempts = new Map<number, RunningAttempt>();
  readonly #watch: AttemptWatch;
  readonly #attemptHost: AttemptHost;
  readonly #report: OutcomeReport;
  readonly #holds: QueueHolds;

  constructor(deps: MessageQueueDeps) {
    this.#deps = deps;
    this.#now = steadyEpoch(deps.clock);
    this.#sweeper = new Loop(deps.clock, async (loop) => {
      while (await loop.wait(sweepEveryMs)) await this.#sweep();
    });
    this.#takeover = new Loop(deps.clock, async (loop) => {
      const everyMs = deps.store.recoverEveryMs ?? Number.POSITIVE_INFINITY;
      while (await loop.wait(everyMs)) await this.#lookForDead();
    });
    const { clock, handlerSlowMs: slowMs, handlerTimeoutMs: timeoutMs } = deps;
    this.#watch = new AttemptWatch({ clock, slowMs, timeoutMs });
    this.#attemptHost = {
      step: (message, ...given) => this.#step(message, ...given),
      read: (work) => deps.store.read(work),
      slow: (message) =>
        deps.publish({ type: "message.found-slow", ref: toRef(message), afterMs: slowMs }),
      late: () => new HandlerTimeoutError(timeoutMs),
      ended: (attempt) => {
        this.#watch.end(attempt);
        this.#attempts.delete(attempt.message.id);
      },
    };
    this.#holds = new QueueHolds({
      ...deps,
      shared: deps.store.shared !== undefined,
      now: this.#now,
      resume: (pool) => this.resume(pool),
      wake: (pool) => this.wake(pool),
    });
    for (const device of this.#holds.devices) deps.holds.add(device);
    deps.holds.addLanes(this.#holds.lanes);
    const record = (error: unknown) => this.#record(error);
    this.#report = new OutcomeReport({ publish: deps.publish, now: this.#now, record });
  }

  // ---- life -------------------------------------------------------------------------------------

  async start(): Promise<void> {
    const recovered = await this.#recover();
    await this.#holds.restore();
    for (const name of pools) {
      const suspectsPending = recovered.some((message) => message.pool === name);
      const pool = this.#createPool(name, name === "handling" && suspectsPending);
      this.#pools.set(name, pool);
    }
    if (this.#sweeper.stopped) return;
    for (const pool of this.#pools.values()) pool.start();
    this.#watch.start();
    this.#sweeper.start();
    if (this.#deps.store.recoverEveryMs !== undefined) this.#takeover.start();
    this.#deps.store.shared?.onWork((pool) => this.wake(pool));
  }

  #createPool(pool: Pool, suspectsPending: boolean): WorkerPool {
    const { clock, concurrency, gates, holds, random, store } = this.#deps;
    const gate = gates[pool];
    return new WorkerPool(
      {
        pool,
        clock,
        random,
        store,
        holds,
        ...(pool === "handling"
          ? {
              concurrency,
              reserved: reservedFor(concurrency),
              // What this process has claimed, no other can take.
              ...(!store.shared && { claimsPerSlot }),
            }
          : { concurrency: concurrency * callsPerUpdate }),
        now: this.#now,
        ...(gate && { gate }),
        giveBack: (message) => this.#release(message),
        work: (message, slot) => this.#correlate(message, () => this.#work(message, slot)),
        onClaimFailed: (failure) => this.#claimFailed(pool, failure),
      },
      suspectsPending,
    );
  }

  #claimFailed(pool: Pool, { again, error, inARow, retryInMs }: ClaimFailure): void {
    const { publish } = this.#deps;
    if (isDiskFull(error)) this.#holds.diskWasFull(true);
    if (!again) publish({ type: "queue.commit-failed", error: this.#record(error), retryInMs });
    if (error instanceof BotError || inARow !== defectiveClaimsMax) return;
    const cause = `${inARow} claims in a row have failed by a defect (${pool})`;
    publish({ type: "component.given-up", component: this.name, cause });
  }

  async drain(deadline: AbortSignal): Promise<readonly string[]> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.stopClaiming()));
    while (this.#inHand().length > 0 && !deadline.aborted) {
      await this.#deps.clock.sleep(10, deadline);
    }
    return this.#inHand().map((message) => `${message.type} ${message.id}`);
  }

  async stop(): Promise<void> {
    const pools = [...this.#pools.values()];
    await Promise.all([
      this.#sweeper.stop(),
      this.#takeover.stop(),
      this.#watch.stop(),
      ...pools.map((pool) => pool.stopClaiming()),
    ]);
    // A send in flight stays marked as claimed: the next start must treat it as ambiguous.
    const unfinished = this.#inHand().filter((message) => message.pool === "handling");
    await Promise.all(unfinished.map((message) => this.#release(message)));
  }

  /** Returns the heartbeat of the most overdue pool. */
  heartbeat(): Heartbeat {
    return worstOf([...this.#pools.values()].map((pool) => pool.heartbeat));
  }

  /** Messages of a pool that are being worked on. */
  inHandOf(pool: Pool): number {
    return this.#pools.get(pool)?.inHand.length ?? 0;
  }

  #inHand(): readonly Message[] {
    return [...this.#pools.values()].flatMap((pool) => pool.inHand);
  }

  /**
   * Returns an unfinished message to its lane, so that it is not suspected of killing the process.
   */
  async #release(message: Message): Promise<void> {
    this.#attempts.get(message.id)?.release();
    const ref = { messageId: message.id, claims: message.claims };
    try {
      await this.#deps.store.finish(ref, { kind: "released" });
    } catch {
      // It has just ended, or the store is closed: the next start finds it either way.
    }
  }

  // ---- adding -----------------------------------------------------------------------------------

  /** Queues one message. Resolves once it is on disk; rejects with a `Storage…Error`. */
  async addMessage(
    type: MessageType,
    payload: JsonObject,
    options: AddMessageOptions = {},
  ): Promise<EnqueueResult> {
    const { delayMs, dedupeKey, ...rest } = options;
    const message: NewMessage = {
      type,
      payload,
      ...typeDefaults[type],
      lane: type,
      ...rest,
      ...(delayMs !== undefined && { availableAtEpochMs: this.#now() + delayMs }),
      ...(dedupeKey !== undefined && { dedupeKeys: [dedupeKey] }),
    };
    const [result] = await this.insertMessageByPriority([message]);
    return result as EnqueueResult;
  }

  /** Queues a batch in one transaction, each message in its own lane and with its own priority. */
  async insertMessageByPriority(
    messages: readonly NewMessage[],
  ): Promise<readonly EnqueueResult[]> {
    const enqueuing = this.#noticeFullDisk(() => this.#deps.store.enqueue(messages));
    this.#workSubmitted(messages);
    const results = await enqueuing;
    this.#enqueued(messages, results);
    return results;
  }

  async #noticeFullDisk<T>(commit: () => Promise<T>): Promise<T> {
    try {
      const result = await commit();
      this.#holds.diskWasFull(false);
      return result;
    } catch (error) {
      if (isDiskFull(error)) this.#holds.diskWasFull(true);
      throw error;
    }
  }

  /** The claims of these messages are submitted in this turn, so they share their commit. */
  #workSubmitted(messages: readonly NewMessage[]): void {
    for (const pool of poolsOf(messages)) this.#pools.get(pool)?.workSubmitted();
  }

  #enqueued(messages: readonly NewMessage[], results: readonly EnqueueResult[]): void {
    this.#report.enqueued(results);
    for (const pool of poolsOf(messages)) this.wake(pool);
  }

  /** Messages that may still be queued before intake should stop fetching; 0 or less when full. */
  async room(): Promise<number> {
    return this.#deps.lengthMax - (await this.#deps.store.depth("handling"));
  }

  // ---- operating --------------------------------------------------------------------------------

  /** Makes a pool look for work now, for example because its gate has opened. */
  wake(pool: Pool): void {
    this.#pools.get(pool)?.wake();
  }

  /** Stops this pool from claiming until it is resumed, even across restarts. */
  async pause(pool: Pool): Promise<void> {
    await this.#setPaused(pool, true);
    this.#deps.publish({ type: "queue.paused", pool });
  }

  async resume(pool: Pool): Promise<void> {
    await this.#setPaused(pool, false);
    this.#deps.publish({ type: "queue.resumed", pool });
  }

  async #setPaused(pool: Pool, paused: boolean): Promise<void> {
    await this.#holds.setPaused(pool, paused);
    this.wake(pool);
  }

  /**
   * Puts a dead letter back at the end of its lane.
   *
   * @returns the id of the new message, or `undefined` when there is no such dead letter.
   */
  async requeue(deadLetterId: number): Promise<number | undefined> {
    const messageId = await this.#deps.store.requeue(deadLetterId);
    if (messageId === undefined) return undefined;
    this.#deps.publish({ type: "dead-letter.requeued", deadLetterId, messageId });
    for (const pool of pools) this.wake(pool);
    return messageId;
  }

  /** Ends a message's delay. @returns false when no such message is delayed. */
  async runNow(messageId: number): Promise<boolean> {
    const entered = await this.#deps.store.runNow(messageId);
    if (entered) for (const pool of pools) this.wake(pool);
    return entered;
  }

  async snapshot(): Promise<MessageQueueSnapshot> {
    await this.#holds.refreshPaused();
    const stored = await this.#deps.store.snapshot();
    const now = this.#now();
    const pool = (name: Pool) => {
      const { waiting, inHand, lanes, delayed, oldestCreatedAtEpochMs } = stored.pools[name];
      const oldestAgeMs = Math.max(0, now - (oldestCreatedAtEpochMs ?? now));
      const paused = this.#holds.isPaused(name);
      // What is claimed and waits for a slot is not worked on yet.
      const begun = inHand - (this.#pools.get(name)?.waiting ?? 0);
      return {
        waiting: waiting + inHand - begun,
        inHand: begun,
        lanes,
        delayed,
        oldestAgeMs,
        paused,
      };
    };
    return {
      pools: { handling: pool("handling"), sending: pool("sending"), answering: pool("answering") },
      deadLetters: stored.deadLetters,
      dedupeKeys: stored.dedupeKeys,
      lengthMax: this.#deps.lengthMax,
      counts: this.#report.counts,
    };
  }

  // ---- working ----------------------------------------------------------------------------------

  #correlate<T>(message: Message, run: () => T): T {
    const { correlate } = this.#deps;
    return correlate ? correlate(message, run) : run();
  }

  async #work(message: Message, slot: Slot): Promise<void> {
    const startedAtMs = this.#deps.clock.monotonicMs();
    const gate = this.#deps.gates[message.pool];
    let { outcome, error } = await this.#decideOutcome(message, slot);
    if (outcome.kind === "expired") gate?.withdraw(message.id);
    const sent = gate?.settle(message);
    const committing = this.#commit(message, outcome, sent);
    // The next claim is submitted in this turn of the event loop, so it shares this outcome's
    // commit.
    slot.release();
    this.#workSubmitted(followUpsOf(outcome));
    let committed: readonly EnqueueResult[] | undefined;
    try {
      committed = await committing;
    } catch (refusal) {
      error = refusal;
      outcome = this.scheduleRetry(message, refusal);
      committed = await this.#commit(message, outcome, sent);
    }
    if (!committed) return;
    this.#enqueued(followUpsOf(outcome), committed);
    this.#report.ended(message, outcome, error, this.#deps.clock.monotonicMs() - startedAtMs);
  }

  async #decideOutcome(
    message: Message,
    slot: Slot,
  ): Promise<{ readonly outcome: AttemptOutcome; readonly error?: unknown }> {
    if (message.expiresAtEpochMs !== undefined && message.expiresAtEpochMs <= this.#now()) {
      return { outcome: { kind: "expired" } };
    }
    if (this.#deps.store.mayBegin?.() === false) return { outcome: { kind: "released" } };
    try {
      const result = await this.#attempt(message, slot);
      switch (result.kind) {
        case "done":
          return { outcome: { ...result, enqueue: result.enqueue ?? none } };
        case "dead": {
          const { reason, error, ...rest } = result;
          return { outcome: { ...rest, ...this.#die(message, reason, error) }, error };
        }
        case "postponed": {
          const { delayMs, error, ...rest } = result;
          return { outcome: { ...rest, availableAtEpochMs: this.#now() + delayMs }, error };
        }
      }
    } catch (error) {
      return { outcome: this.scheduleRetry(message, error), error };
    }
  }

  /** Runs the handler under its time limit. */
  #attempt(message: Message, slot: Slot): Promise<HandlerResult> {
    const attempt = new RunningAttempt(message, slot, this.#attemptHost);
    this.#attempts.set(message.id, attempt);
    this.#watch.begin(attempt);
    return attempt.run(this.#deps.handlers[message.type]);
  }

  async #step(
    message: Message,
    name: string,
    work: Parameters<Attempt["step"]>[1],
    enqueue: () => readonly NewMessage[],
  ): Promise<unknown> {
    const ref = { messageId: message.id, claims: message.claims };
    // Another message may have begun the commit this runs in.
    const own: typeof work = (tx) => this.#correlate(message, () => work(tx));
    const result = await this.#deps.store.step(ref, name, own, enqueue);
    this.wake("sending");
    this.wake("answering");
    return result;
  }

  /** Decides what follows a failed attempt: another one after back-off, or a dead letter. */
  scheduleRetry(message: Message, error: unknown): AttemptOutcome {
    const attempts = message.attempts + 1;
    if (attempts >= this.#deps.attemptsMax) return this.#die(message, "attempts-exhausted", error);
    const delayMs = fullJitter(this.#deps.backoff, attempts, this.#deps.random);
    return {
      kind: "retry",
      availableAtEpochMs: this.#now() + Math.ceil(delayMs),
      error: this.#record(error),
      onRetry: this.#deps.handlers[message.type].onRetry,
    };
  }

  #die(message: Message, reason: DeadReason, error: unknown): AttemptOutcome & { kind: "dead" } {
    // A requeued message that dies again has already sent its last words.
    const lastWords = message.requeued
      ? []
      : (this.#deps.handlers[message.type].lastWords?.(message) ?? []);
    return { kind: "dead", reason, error: this.#record(error), enqueue: lastWords };
  }

  /**
   * Repeats a commit until the disk accepts it: the work is done and must not be done twice. Rejects only
   * with an error of the outcome's own `write`.
   */
  async #commit(
    { claims, id: messageId }: Message,
    outcome: AttemptOutcome,
    sent: SentRecord | undefined,
  ): Promise<readonly EnqueueResult[] | undefined> {
    const { clock, publish, random, store } = this.#deps;
    for (let failures = 1; ; failures++) {
      try {
        const results = await store.finish({ messageId, claims }, outcome, sent);
        this.#holds.diskWasFull(false);
        return results;
      } catch (error) {
        const again = isDiskFull(error);
        if (again) this.#holds.diskWasFull(true);
        if ("write" in outcome && !isStorageError(error)) throw error;
        const retryInMs = again ? 1 + fullJitter(commitBackoff, failures, random) : 0;
        // ATTEMPT_OVER means that the attempt was already ended; a broken store ends the process.
        if (!(error instanceof BotError && error.code === "ATTEMPT_OVER")) {
          publish({ type: "queue.commit-failed", error: this.#record(error), retryInMs });
        }
        if (!again || this.#sweeper.stopped) return undefined;
        await clock.sleep(retryInMs, this.#sweeper.signal);
      }
    }
  }

  // ---- recovery ---------------------------------------------------------------------------------

  async #recover(): Promise<readonly Message[]> {
    const outcomes = new Map<number, AttemptOutcome>();
    const recovered = await this.#deps.store.recover((message) => {
      const outcome = this.#decideRecovery(message);
      outcomes.set(message.id, outcome);
      return { outcome, sent: this.#deps.gates[message.pool]?.recovered(message) };
    });
    for (const message of recovered) {
      this.#correlate(message, () => this.#report.recovered(message, outcomes.get(message.id)));
    }
    return recovered;
  }

  /** Takes over what other processes had in hand when they died, while this one works. */
  async takeOver(): Promise<void> {
    const recovered = await this.#recover();
    if (recovered.some(({ pool }) => pool === "handling"))
      this.#pools.get("handling")?.suspectsFound();
    for (const pool of poolsOf(recovered)) this.wake(pool);
  }

  async #lookForDead(): Promise<void> {
    try {
      await this.takeOver();
    } catch (error) {
      // Claims meet the same trouble, and report it.
      if (!(error instanceof BotError && error.transient)) throw error;
    }
  }

  #decideRecovery(message: Message): AttemptOutcome {
    if (message.pool === "handling") {
      const { deaths } = message;
      const others = Math.max(0, (this.#deps.deathsInARow?.() ?? 0) - deaths);
      if (!isPoison(deaths, others)) return { kind: "released" };
      const error = new Error(`the process died ${deaths} times while handling this update`);
      return this.#die(message, "quarantined", error);
    }
    // It may or may not have been sent: by promise P4 the message's own policy decides.
    const error = new Error("the process died while this was being sent");
    if (message.ambiguous === "drop") return this.#die(message, "ambiguous-dropped", error);
    if (message.deaths >= sendDeathsMax) return this.#die(message, "attempts-exhausted", error);
    // A death is not the message's fault, so it spends no attempt.
    return { kind: "released" };
  }

  // ---- sweeping ---------------------------------------------------------------------------------

  async #sweep(): Promise<void> {
    const { deadLettersKeepMs, publish, referencesKeepMs, store } = this.#deps;
    try {
      const request = {
        deadLettersBeforeEpochMs: this.#now() - deadLettersKeepMs,
        sentBeforeEpochMs: this.#now() - sentKeepMs,
        referencesBeforeEpochMs: this.#now() - (referencesKeepMs ?? defaultReferencesKeepMs),
      };
      const swept = await this.#noticeFullDisk(() => store.sweep(request));
      if (swept.dedupeKeys + swept.deadLetters > 0) publish({ type: "queue.swept", ...swept });
    } catch (error) {
      publish({ type: "queue.commit-failed", error: this.#record(error), retryInMs: sweepEveryMs });
    }
  }

  #record(error: unknown) {
    return recordError(error, this.#now());
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof BotError && error.code === "STORAGE_FULL";
}

const none: readonly NewMessage[] = [];

function followUpsOf(outcome: AttemptOutcome): readonly NewMessage[] {
  return "enqueue" in outcome ? outcome.enqueue : none;
}

function poolsOf(messages: readonly { readonly pool: Pool }[]): readonly Pool[] {
  return pools.filter((name) => messages.some(({ pool }) => pool === name));
}
