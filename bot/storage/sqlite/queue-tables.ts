/**
 * Queue tables: carry out what the queue asks of the store.
 *
 * Memory is the index, the disk is the log: the order of the messages is kept by lanes/lanes.ts, and
 * the tables hold only what a death must not take. A claim touches no message's row; which messages
 * are in hand is one row a pool. Most writes are collected and made by `flush`, in sets. Every method
 * runs inside a transaction of its caller (sqlite-store.ts), except those that only read the index.
 */
import { AttemptOverError, BotError } from "../../core/errors.ts";
import type { KeyState } from "../../core/keyed-messages.ts";
import { type Message, type Pool, type Priority, pools, priorities } from "../../core/message.ts";
import type {
  AttemptOutcome,
  AttemptRef,
  ClaimRequest,
  DelayedMessage,
  EnqueueResult,
  PoolSnapshot,
  Recovery,
  SentRecord,
  StoreSnapshot,
  SweepRequest,
  WaitingLane,
} from "../../core/store.ts";
import { type Decide, Lanes, type Verdict, type Waiting } from "../lanes/lanes.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import {
  type PreparedMessage,
  prepareMessages,
  stepResultText,
  withError,
} from "../stored-forms.ts";
import { DeadLetterTable } from "./dead-letter-table.ts";
import { DedupeTable } from "./dedupe-table.ts";
import { DelayedMessages } from "./delayed-messages.ts";
import { lineOrder } from "./line-order.ts";
import { LinkTables } from "./link-tables.ts";
import { type MessageRow, newRow, toCandidate, toMessage } from "./message-rows.ts";
import { type DelayedRequest, type IndexRow, MessageTable } from "./message-table.ts";
import { places } from "./sealed-columns.ts";
import type { Database } from "./sqlite-driver.ts";

export interface QueueTablesOptions {
  /** How long a dedupe key is remembered, in milliseconds; more than 24 h, less than 7 days. */
  readonly dedupeKeepMs: number;
  /** Maximum messages in a lane; further messages become dead letters. */
  readonly laneLengthMax: number;
  /** Maximum messages that are delayed at a time. Default 1 000 000. */
  readonly delayedMax?: number;
}

/** The verdict of the keys of a batch. */
interface TakenKeys {
  readonly isFree: (one: PreparedMessage) => boolean;
  /** How many waiting messages each of the batch replaces. */
  readonly replaced: ReadonlyMap<PreparedMessage, number>;
}

const noKeys: TakenKeys = { isFree: () => true, replaced: new Map() };

/** A message in hand, with the number of the claim that holds it. */
interface Held {
  readonly row: MessageRow;
  readonly claims: number;
}

const never = Number.POSITIVE_INFINITY;
const delayedMaxDefault = 1_000_000;

export class QueueTables {
  readonly #options: QueueTablesOptions;
  readonly #ring: KeyRing;
  readonly #messages: MessageTable;
  readonly #dedupe: DedupeTable;
  readonly #delayed: DelayedMessages;
  readonly deadLetters: DeadLetterTable;
  readonly links: LinkTables;
  readonly #sql;
  #lanes = newLanes();
  readonly #held = new Map<number, Held>();
  /** How often a message was claimed by this process; an attempt of a dead one can commit nothing. */
  readonly #claims = new Map<number, number>();
  /** The open transaction's messages that are done, and the rest that is written in sets. */
  #done: number[] = [];
  #stepsDone: number[] = [];
  #sent: SentRecord[] = [];
  readonly #inHandChanged = new Set<Pool>();
  /** The newest message that waits and may be replaced, by what it sets. */
  readonly #replaceable = new Map<string, number>();
  #lastId: number;

  constructor(database: Database, ring: KeyRing, options: QueueTablesOptions, now: number) {
    this.#options = options;
    this.#ring = ring;
    this.#messages = new MessageTable(database, ring);
    this.#dedupe = new DedupeTable(database, options.dedupeKeepMs);
    this.#delayed = new DelayedMessages(this.#messages, options.delayedMax ?? delayedMaxDefault);
    this.deadLetters = new DeadLetterTable(database, ring);
    this.links = new LinkTables(database);
    this.#sql = prepareStatements(database);
    const lastMessageId = this.#sql.lastMessageId.get<{ seq: number }>()?.seq ?? 0;
    // A dead letter must never share an id with a message.
    this.#lastId = Math.max(lastMessageId, this.deadLetters.lastId);
    this.#load(now);
  }

  // ---- the index --------------------------------------------------------------------------------

  /**
   * Builds the index from the tables, with one scan in the order of ids, into which those that were
   * delayed are merged at the instant at which they entered their lanes.
   *
   * @param now Default: the instant up to which messages have entered their lanes.
   */
  #load(now?: number): void {
    this.#lanes = newLanes();
    this.#held.clear();
    this.#replaceable.clear();
    this.#dedupe.load();
    const inHand = new Set(
      this.#sql.inHand.all<{ ids: string }>().flatMap(({ ids }) => JSON.parse(ids) as number[]),
    );
    for (const park of this.#sql.parks.all<{ lane: string; pool: Pool; not_before: number }>()) {
      this.#lanes[park.pool].park(park.lane, park.not_before);
    }
    const entered = this.#delayed.load(now);
    // Each of them is the first of its lane, whatever the instants say.
    for (const row of this.#messages.withIds([...inHand])) {
      this.#line(row);
      this.#lanes[row.pool].take(row.lane, row.id);
      this.#hold(this.#messages.find(row.id).row);
    }
    for (const row of lineOrder(this.#messages.scan(), entered)) {
      if (!this.#held.has(row.id)) this.#line(row);
    }
  }

  /** Messages whose time has come go to the end of their lanes. */
  #enterDue(now: number): void {
    for (const row of this.#delayed.enter(now)) this.#line(row);
  }

  /** Puts a message at the end of its lane. */
  #line(row: IndexRow): void {
    this.#lanes[row.pool].add(row.lane, toWaiting(row));
    // What was tried may have taken effect, so a newer message follows it.
    const untried = row.attempts + row.deaths === 0 && !this.#claims.has(row.id);
    if (row.replaces !== null && untried) this.#replaceable.set(whatItSets(row), row.id);
  }

  /** Removes the waiting message that this one replaces. @returns how many there were. */
  #removeReplaced(row: MessageRow): number {
    if (row.replaces === null) return 0;
    const id = this.#replaceable.get(whatItSets(row));
    if (id === undefined || !this.#lanes[row.pool].removeWaiting(row.lane, id)) return 0;
    this.#messages.delete(id);
    this.#messages.forget(id);
    this.#stepsDone.push(id);
    return 1;
  }

  #hold(row: MessageRow): void {
    this.#held.set(row.id, { row, claims: this.#claims.get(row.id) ?? 0 });
    this.#messages.forget(row.id);
  }

  /** Writes what the transaction has collected. Called before its commit. */
  flush(now: number): void {
    this.#dedupe.flush(now);
    this.#messages.flush();
    for (const pool of this.#inHandChanged) {
      this.#sql.setInHand.run(pool, JSON.stringify([...this.#lanes[pool].inHand]));
    }
    if (this.#stepsDone.length > 0) this.#sql.deleteSteps.run(JSON.stringify(this.#stepsDone));
    if (this.#sent.length > 0) this.#sql.insertSent.run(JSON.stringify(this.#sent));
    this.#forgetCollected();
  }

  #forgetCollected(): void {
    this.#inHandChanged.clear();
    this.#stepsDone = [];
    this.#sent = [];
  }

  /** Called when the transaction is on disk. */
  committed(): void {
    for (const id of this.#done) this.#claims.delete(id);
    this.#done = [];
    for (const pool of pools) {
      const lanes = this.#lanes[pool];
      if (lanes.isWasteful) this.#lanes[pool] = new Lanes(lanes);
    }
  }

  /** Called when the transaction was rolled back: memory becomes what the disk holds. */
  rolledBack(): void {
    this.#done = [];
    this.#forgetCollected();
    this.#messages.reset();
    this.#load();
  }

  // ---- adding and claiming ----------------------------------------------------------------------

  enqueue(prepared: readonly PreparedMessage[], now: number): EnqueueResult[] {
    if (prepared.length === 0) return [];
    this.#enterDue(now);
    const keyed = prepared.some(({ message }) => message.key !== undefined);
    const { isFree, replaced } = keyed ? this.#takeKeys(prepared, now) : noKeys;
    const free = keyed ? prepared.filter(isFree) : prepared;
    const isNew = this.#dedupe.admit(
      free.map(({ message }) => message),
      now,
    );
    let next = 0;
    return prepared.map((one) => {
      if (!isFree(one) || !isNew[next++]) return { kind: "duplicate" };
      const result = this.#enqueueOne(one, now);
      const more = replaced.get(one) ?? 0;
      if (result.kind !== "queued" || more === 0) return result;
      return { ...result, replaced: more + (result.replaced ?? 0) };
    });
  }

  /** Looks at all keys of a batch before any of it is queued, because its messages may share one. */
  #takeKeys(prepared: readonly PreparedMessage[], now: number): TakenKeys {
    const taken = new Map<string, boolean>();
    const replaced = new Map<PreparedMessage, number>();
    for (const one of prepared) {
      const { key } = one.message;
      if (!key || taken.has(key.name)) continue;
      if (key.again === "replace") replaced.set(one, this.cancel(key.name));
      taken.set(key.name, key.again === "refuse" && this.find(key.name, now).kind !== "unknown");
    }
    const isFree = ({ message }: PreparedMessage) =>
      message.key === undefined || !taken.get(message.key.name);
    return { isFree, replaced };
  }

  // ---- keys -------------------------------------------------------------------------------------

  find(key: string, now: number): KeyState {
    const rows = this.#messages.withKey(key);
    const atEpochMs = Math.min(...rows.map((row) => row.available_at));
    if (rows.some(({ id }) => this.#held.has(id))) return { kind: "in-hand", atEpochMs };
    if (rows.length > 0) return { kind: "waiting", atEpochMs };
    const dead = this.deadLetters.findByKey(key);
    if (dead) return { kind: "dead", atEpochMs: dead.died_at, deadLetterId: dead.id };
    const since = this.#dedupe.rememberedSince(doneKey(key), now);
    return since === undefined ? { kind: "unknown" } : { kind: "done", atEpochMs: since };
  }

  /** Whether anything waits under this key. */
  waits(key: string): boolean {
    return this.#messages.withKey(key).some(({ id }) => !this.#held.has(id));
  }

  /** Takes away what waits under this key. @returns how many messages did. */
  cancel(key: string): number {
    const waiting = this.#messages.withKey(key).filter(({ id }) => !this.#held.has(id));
    for (const row of waiting) {
      if (this.#delayed.has(row)) this.#delayed.remove(row.pool);
      else this.#lanes[row.pool].removeWaiting(row.lane, row.id);
      if (this.#replaceable.get(whatItSets(row)) === row.id) {
        this.#replaceable.delete(whatItSets(row));
      }
      this.#messages.delete(row.id);
      this.#messages.forget(row.id);
      this.#stepsDone.push(row.origin ?? row.id);
      this.#done.push(row.id);
    }
    return waiting.length;
  }

  #enqueueOne({ message, payload }: PreparedMessage, now: number): EnqueueResult {
    // The id is known before the insertion, because the seal needs it. A rollback leaves a gap.
    const row = newRow(++this.#lastId, message, now);
    const replaced = this.#removeReplaced(row);
    const delayed = row.enters_at !== null;
    const { laneLengthMax } = this.#options;
    const isFull = delayed
      ? this.#delayed.isFull
      : this.#lanes[row.pool].length(row.lane) >= laneLengthMax;
    if (isFull) {
      const sealed = this.#ring.seal(payload, places.payload(row));
      this.deadLetters.add(row, sealed, { reason: "lane-full", errors: row.errors, now });
      this.links.add(row.id, message, now);
      return { kind: "lane-full", deadLetterId: row.id };
    }
    this.#messages.add(row, payload);
    this.links.add(row.id, message, now);
    if (delayed) this.#delayed.add(row);
    else this.#line(row);
    return { kind: "queued", messageId: row.id, ...(replaced > 0 && { replaced }) };
  }

  claim(request: ClaimRequest, now: number): Message[] {
    const { agedBefore, agedLimit, atLeast = "low", limit, pool, suspects } = request;
    const lowest = priorities.indexOf(atLeast);
    this.#enterDue(now);
    const lanes = this.#lanes[pool];
    const claimed: Message[] = [];
    let stopped = false;
    const decide = (id: number, priority: number): Verdict => {
      const { payload, row } = this.#messages.find(id);
      const admission = request.admit?.(toCandidate(row, priority)) ?? "take";
      if (typeof admission === "object") return { notBefore: admission.notBeforeEpochMs };
      stopped = admission === "stop";
      if (admission !== "take") return "end";
      claimed.push(this.#claim(row, payload));
      return "take";
    };
    const upTo =
      (limitNow: number): Decide =>
      (id, priority) => {
        if (claimed.length >= limitNow) return "end";
        try {
          return decide(id, priority);
        } catch (error) {
          // What was claimed before must reach its worker; the next claim meets the error first.
          if (claimed.length === 0 || error instanceof BotError) throw error;
          stopped = true;
          return "end";
        }
      };
    // More than `limit`, because admission refuses some heads; the next claim sees the rest.
    const headsMax = limit * 4;
    const look = (priority: number, availableBy: number, limitNow: number) => {
      if (priority > lowest || stopped || claimed.length >= limitNow) return;
      const withSuspects = suspects === "with";
      lanes.look({ priority, availableBy, withSuspects, headsMax }, upTo(limitNow));
    };
    if (suspects === "only") {
      lanes.lookAtSuspects(now, headsMax, upTo(limit));
    } else {
      const agedMax = Math.min(agedLimit, limit);
      look(2, agedBefore.low, agedMax);
      look(1, agedBefore.normal, agedMax);
      for (const priority of [0, 1, 2]) look(priority, now, limit);
    }
    if (claimed.length > 0) this.#inHandChanged.add(pool);
    return claimed;
  }

  #claim(row: MessageRow, payload: string): Message {
    const claims = (this.#claims.get(row.id) ?? 0) + 1;
    const message = toMessage(row, payload, claims);
    this.#claims.set(row.id, claims);
    if (row.replaces !== null) this.#replaceable.delete(whatItSets(row));
    this.#hold(row);
    return message;
  }

  // ---- ending attempts --------------------------------------------------------------------------

  /** @param followUps The messages that `outcome` queues. */
  finish(
    attempt: AttemptRef,
    outcome: AttemptOutcome,
    followUps: readonly PreparedMessage[],
    now: number,
  ): EnqueueResult[] {
    this.#end(this.#fence(attempt), outcome, now);
    return this.enqueue(followUps, now);
  }

  #fence(attempt: AttemptRef): MessageRow {
    const held = this.#held.get(attempt.messageId);
    if (held?.claims === attempt.claims) return held.row;
    throw new AttemptOverError(`message ${attempt.messageId} is no longer held by this attempt`);
  }

  #end(row: MessageRow, outcome: AttemptOutcome, now: number): void {
    switch (outcome.kind) {
      case "done":
        this.links.delivered(row.id, outcome.telegramIds, now);
        if (row.key !== null) this.#dedupe.remember(doneKey(row.key));
        this.#stepsDone.push(row.origin ?? row.id);
        this.#leave(row);
        break;
      case "expired":
        this.#stepsDone.push(row.origin ?? row.id);
        this.#leave(row);
        break;
      case "dead": {
        const errors = withError(row.errors, outcome.error);
        const sealed = this.#messages.sealed(row);
        this.deadLetters.add(row, sealed, { reason: outcome.reason, errors, now });
        this.#leave(row);
        break;
      }
      case "retry":
        this.#retry(row, outcome);
        break;
      case "postponed":
        this.#postpone(row, outcome);
        break;
      case "released":
        this.#giveBack(row);
        break;
    }
    this.#held.delete(row.id);
  }

  #leave(row: MessageRow): void {
    this.#messages.delete(row.id);
    this.#lanes[row.pool].remove(row.lane, row.id);
    this.#done.push(row.id);
  }

  #giveBack(row: MessageRow): void {
    this.#lanes[row.pool].giveBack(row.lane, toWaiting(row));
    this.#inHandChanged.add(row.pool);
  }

  #retry(row: MessageRow, outcome: AttemptOutcome & { kind: "retry" }): void {
    const failed = {
      ...row,
      attempts: row.attempts + 1,
      available_at: outcome.availableAtEpochMs,
      errors: withError(row.errors, outcome.error),
      // A skipped message waits in its own lane, and its old lane goes on without it.
      lane: outcome.onRetry === "hold" ? row.lane : `${row.lane}~${row.id}`,
    };
    this.#messages.update(failed);
    if (outcome.onRetry === "hold") {
      this.#giveBack(failed);
      return;
    }
    this.#lanes[row.pool].remove(row.lane, row.id);
    this.#line(failed);
    this.#inHandChanged.add(row.pool);
  }

  #postpone(row: MessageRow, outcome: AttemptOutcome & { kind: "postponed" }): void {
    const { availableAtEpochMs, parkLane, readdressed } = outcome;
    if (readdressed) this.#messages.readdress(row, JSON.stringify(readdressed.payload));
    const postponed = {
      ...row,
      available_at: availableAtEpochMs,
      flood_scope: readdressed ? (readdressed.floodScope ?? null) : row.flood_scope,
    };
    this.#messages.update(postponed);
    if (parkLane) {
      this.#sql.park.run(row.lane, row.pool, availableAtEpochMs);
      this.#lanes[row.pool].park(row.lane, availableAtEpochMs);
    }
    this.#giveBack(postponed);
  }

  recover(decide: (message: Message) => Recovery, now: number): Message[] {
    const dead = [...this.#held.values()].sort((a, b) => a.row.id - b.row.id);
    const recoveries = dead.map(({ claims, row: { deaths, ...rest } }) => {
      const row = { ...rest, deaths: deaths + 1 };
      const message = toMessage(row, this.#messages.find(row.id).payload, claims);
      return { row, message, ...decide(message) };
    });
    for (const { outcome, row, sent } of recoveries) {
      if (sent) this.recordSent(sent);
      this.#messages.update(row);
      this.#end(row, outcome, now);
      if ("enqueue" in outcome) this.enqueue(prepareMessages(outcome.enqueue), now);
    }
    return recoveries.map(({ message }) => message);
  }

  // ---- steps ------------------------------------------------------------------------------------

  /** Returns a step's stored result as JSON text, if it ran before. Fenced. */
  findStep(attempt: AttemptRef, name: string): { origin: number; result: string | undefined } {
    const row = this.#fence(attempt);
    const origin = row.origin ?? row.id;
    const kept = this.#sql.findStep.get<{ result: Uint8Array }>(origin, name)?.result;
    return { origin, result: kept && this.#ring.open(kept, places.stepResult(origin, name)) };
  }

  /** Stores a step's result. @returns the result as it will be read back. */
  keepStep(origin: number, name: string, result: unknown): unknown {
    const text = stepResultText(name, result);
    this.#sql.insertStep.run(origin, name, this.#ring.seal(text, places.stepResult(origin, name)));
    return JSON.parse(text);
  }

  // ---- looking and sweeping ---------------------------------------------------------------------

  nextAvailableAt(pool: Pool, atLeast: Priority = "low"): number | undefined {
    const first = this.#lanes[pool].nextAvailableAtFrom(priorities.indexOf(atLeast));
    const next = Math.min(first ?? never, this.#delayed.nextAt);
    return next === never ? undefined : next;
  }

  waitingLanes(now: number, limit: number): readonly WaitingLane[] {
    const all = pools.flatMap((pool) =>
      this.#lanes[pool].waiting(now, limit).map(({ availableAt, createdAt, ...head }) => ({
        ...{ pool, ...head },
        availableAtEpochMs: availableAt,
        createdAtEpochMs: createdAt,
      })),
    );
    return all.sort((a, b) => b.availableAtEpochMs - a.availableAtEpochMs).slice(0, limit);
  }

  releaseLane(pool: Pool, lane: string, now: number): boolean {
    const head = this.#lanes[pool].release(lane, now);
    if (head === undefined) return false;
    this.#sql.unpark.run(lane, pool);
    this.#messages.delay(head, now);
    return true;
  }

  /** The caller has flushed what was collected before. */
  delayedMessages(request: DelayedRequest, now: number): readonly DelayedMessage[] {
    this.#enterDue(now);
    return this.#delayed.list(request).map((row) => ({
      ...{ id: row.id, type: row.type, pool: row.pool, lane: row.lane },
      key: row.key ?? undefined,
      createdAtEpochMs: row.created_at,
      dueAtEpochMs: row.available_at,
    }));
  }

  /** The caller has flushed what was collected before. */
  runNow(id: number, now: number): boolean {
    this.#enterDue(now);
    const row = this.#delayed.enterNow(id, now);
    if (row) this.#line(row);
    return row !== undefined;
  }

  depth(pool: Pool, atLeast: Priority): number {
    return this.#lanes[pool].sizeFrom(priorities.indexOf(atLeast));
  }

  snapshot(): StoreSnapshot {
    const pool = (name: Pool): PoolSnapshot => {
      const { count, inHandCount, oldestCreatedAt, size } = this.#lanes[name];
      return {
        waiting: size - inHandCount,
        inHand: inHandCount,
        lanes: count,
        delayed: this.#delayed.count(name),
        oldestCreatedAtEpochMs: oldestCreatedAt,
      };
    };
    return {
      pools: { handling: pool("handling"), sending: pool("sending"), answering: pool("answering") },
      deadLetters: this.deadLetters.count(),
      dedupeKeys: this.#dedupe.count,
    };
  }

  requeue(deadLetterId: number, now: number): number | undefined {
    const letter = this.deadLetters.take(deadLetterId);
    if (!letter) return undefined;
    const { died_at, payload, reason, ...rest } = letter;
    this.#enterDue(now);
    const row: MessageRow = {
      ...rest,
      id: ++this.#lastId,
      available_at: now,
      expires_at: null,
      attempts: 0,
      deaths: 0,
      origin: letter.origin ?? letter.id,
      replaces: null,
      enters_at: now,
      // A newer message with its key may wait; that one keeps it.
      key: letter.key !== null && this.#messages.withKey(letter.key).length > 0 ? null : letter.key,
    };
    const place = places.payload(letter);
    this.#messages.add(row, this.#ring.open(payload, place), this.#ring.renew(payload, place));
    this.#line(row);
    this.links.move(letter.id, row.id);
    return row.id;
  }

  /** The caller has flushed what was collected before. */
  sweep(request: SweepRequest, now: number) {
    const deadLetters = this.deadLetters.sweep(request.deadLettersBeforeEpochMs);
    this.#sql.sweepSent.run(request.sentBeforeEpochMs);
    this.links.sweep(request.referencesBeforeEpochMs);
    this.#sql.sweepParks.run(now);
    for (const pool of pools) this.#lanes[pool].sweep(now);
    return { dedupeKeys: this.#dedupe.sweep(now), deadLetters };
  }

  recordSent(sent: SentRecord): void {
    this.#sent.push(sent);
  }

  /** The caller has flushed what was collected before. */
  sentSince(epochMs: number): SentRecord[] {
    return this.#sql.sentSince
      .all<{ scope: string; cost: number; at: number }>(epochMs)
      .map((row) => ({ scope: row.scope, cost: row.cost, atEpochMs: row.at }));
  }
}

function toWaiting(row: IndexRow): Waiting {
  return {
    id: row.id,
    priority: row.priority,
    createdAt: row.enters_at ?? row.created_at,
    availableAt: row.available_at,
    // Only messages for handlers can kill a process by their content.
    suspicion: row.pool === "handling" ? row.deaths : 0,
    attempts: row.attempts,
  };
}

/** Names what a message sets; messages with the same name replace each other. */
function whatItSets({
  lane,
  pool,
  replaces,
}: Pick<IndexRow, "lane" | "pool" | "replaces">): string {
  return JSON.stringify([pool, lane, replaces]);
}

/** The dedupe key by which a key is remembered after its message was done. */
function doneKey(key: string): string {
  return `key:${key}`;
}

function newLanes(): Record<Pool, Lanes> {
  return { handling: new Lanes(), sending: new Lanes(), answering: new Lanes() };
}

function prepareStatements(database: Database) {
  const sql = (text: string) => database.prepare(text);
  return {
    lastMessageId: sql("SELECT seq FROM sqlite_sequence WHERE name = 'messages'"),
    inHand: sql("SELECT ids FROM in_hand"),
    setInHand: sql(
      `INSERT INTO in_hand (pool, ids) VALUES (?, ?)
       ON CONFLICT (pool) DO UPDATE SET ids = excluded.ids`,
    ),
    parks: sql("SELECT lane, pool, not_before FROM parks"),
    park: sql(
      `INSERT INTO parks (lane, pool, not_before) VALUES (?, ?, ?)
       ON CONFLICT (lane, pool) DO UPDATE SET not_before = max(not_before, excluded.not_before)`,
    ),
    unpark: sql("DELETE FROM parks WHERE lane = ? AND pool = ?"),
    sweepParks: sql("DELETE FROM parks WHERE not_before <= ?"),
    findStep: sql("SELECT result FROM steps WHERE origin = ? AND name = ?"),
    insertStep: sql("INSERT INTO steps (origin, name, result) VALUES (?, ?, ?)"),
    deleteSteps: sql("DELETE FROM steps WHERE origin IN (SELECT value FROM json_each(?))"),
    insertSent: sql(
      `INSERT INTO sent (scope, cost, at)
       SELECT value ->> 'scope', value ->> 'cost', value ->> 'atEpochMs' FROM json_each(?)`,
    ),
    sentSince: sql("SELECT scope, cost, at FROM sent WHERE at >= ? ORDER BY at"),
    sweepSent: sql("DELETE FROM sent WHERE at < ?"),
  };
}
