/**
 * Queue tables: store the queue's messages, steps and dedupe keys with statements prepared once.
 *
 * Every method is synchronous and runs inside a transaction of its caller (sqlite-store.ts).
 */
import { AttemptOverError, type ErrorRecord, StepResultError } from "../../core/errors.ts";
import type { DeadReason, Message, NewMessage, Pool } from "../../core/message.ts";
import type {
  AttemptOutcome,
  AttemptRef,
  ClaimCandidate,
  ClaimRequest,
  EnqueueResult,
  Recovery,
  SentRecord,
  StoreSnapshot,
  SweepRequest,
  WaitingLane,
} from "../../core/store.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { DeadLetterTable } from "./dead-letter-table.ts";
import { FreshPayloads } from "./fresh-payloads.ts";
import { LaneTable } from "./lane-table.ts";
import { floodCostOf, type MessageRow, priorityNumber, toMessage } from "./message-rows.ts";
import { prepareQueueStatements } from "./queue-statements.ts";
import { places } from "./sealed-columns.ts";
import type { Database } from "./sqlite-driver.ts";

export interface QueueTablesOptions {
  /** How long a dedupe key is remembered, in milliseconds; more than 24 h, less than 7 days. */
  readonly dedupeKeepMs: number;
  /** Maximum messages in a lane; further messages become dead letters. */
  readonly laneLengthMax: number;
}

/** Maximum length of a durable step's stored result, in characters of JSON. */
const stepResultLengthMax = 65_536;

/** How many of a message's latest errors are kept. */
const errorsKeptMax = 10;

export class QueueTables {
  readonly #options: QueueTablesOptions;
  readonly #ring: KeyRing;
  readonly #fresh = new FreshPayloads();
  readonly #lanes: LaneTable;
  readonly #sql;
  readonly deadLetters: DeadLetterTable;
  #lastId: number;

  constructor(database: Database, ring: KeyRing, options: QueueTablesOptions) {
    this.#options = options;
    this.#ring = ring;
    this.#lanes = new LaneTable(database);
    this.deadLetters = new DeadLetterTable(database, ring);
    this.#sql = prepareQueueStatements(database);
    this.#lastId = this.#sql.lastMessageId.get<{ seq: number }>()?.seq ?? 0;
  }

  /** The next id, known before the insertion because the seal needs it. A rollback leaves a gap. */
  #nextId(): number {
    this.#lastId++;
    return this.#lastId;
  }

  enqueue(messages: readonly NewMessage[], now: number): EnqueueResult[] {
    return messages.map((message) => this.#enqueueOne(message, now));
  }

  #enqueueOne(message: NewMessage, now: number): EnqueueResult {
    for (const key of message.dedupeKeys ?? []) {
      const fresh = this.#sql.rememberKey.run(key, now + this.#options.dedupeKeepMs, now) > 0;
      if (!fresh) return { kind: "duplicate" };
    }
    const priority = priorityNumber(message.priority);
    const availableAt = message.availableAtEpochMs ?? now;
    const replaced = this.#removeReplaced(message, now);
    const full = this.#lanes.length(message.lane, message.pool) >= this.#options.laneLengthMax;
    const id = this.#nextId();
    const payload = JSON.stringify(message.payload);
    this.#sql.insertMessage.run(
      id,
      message.type,
      message.pool,
      message.lane,
      priority,
      this.#ring.seal(payload, places.payload({ id, origin: null })),
      now,
      availableAt,
      message.expiresAtEpochMs ?? null,
      null,
      message.ambiguous ?? "retry",
      message.floodScope ?? null,
      floodCostOf(message),
      "[]",
      message.replaces ?? null,
    );
    if (full) {
      // It is inserted first even so, because a dead letter must never share an id with a live
      // message.
      const row = this.#sql.findMessage.get<MessageRow>(id) as MessageRow;
      this.#bury(row, "lane-full", row.errors, now);
      this.#sql.deleteMessage.run(id);
      return { kind: "lane-full", deadLetterId: id };
    }
    this.#lanes.append(message.lane, message.pool, id, priority, availableAt);
    this.#fresh.put(id, payload);
    return { kind: "queued", messageId: id, ...(replaced > 0 && { replaced }) };
  }

  /** Removes what the message replaces. @returns how many there were. */
  #removeReplaced({ lane, pool, replaces }: NewMessage, now: number): number {
    if (replaces === undefined) return 0;
    const rows = this.#sql.deleteReplaced.all<Pick<MessageRow, "id" | "priority">>(
      lane,
      pool,
      replaces,
    );
    for (const { id, priority } of rows) {
      this.#lanes.remove(lane, pool, id, priority, now);
      this.#fresh.take(id);
    }
    return rows.length;
  }

  /** Returns the payload as JSON text. */
  #payload(row: MessageRow): string {
    return this.#fresh.take(row.id) ?? this.#ring.open(this.#sealed(row), places.payload(row));
  }

  #sealed(row: MessageRow): Uint8Array {
    const found = this.#sql.payloadOf.get<{ payload: Uint8Array }>(row.id);
    if (!found) throw new Error(`message ${row.id} is not in its table`);
    return found.payload;
  }

  claim(request: ClaimRequest, now: number): Message[] {
    const claimed: Message[] = [];
    const offer = (candidates: readonly ClaimCandidate[], limit: number): boolean => {
      for (const candidate of candidates) {
        if (claimed.length >= limit) return true;
        const admission = request.admit(candidate);
        if (admission === "stop") return false;
        if (admission === "next-priority") return true;
        if (admission === "take") claimed.push(this.#take(candidate, request));
        else this.#lanes.delay(candidate.lane, request.pool, admission.notBeforeEpochMs);
      }
      return true;
    };
    for (const source of this.#sources(request, now)) {
      const goOn = offer(source.candidates(), source.limit);
      if (!goOn || claimed.length >= request.limit) break;
    }
    return claimed;
  }

  /**
   * Returns where to look for heads, in order: suspects, or the share of aged ones, then by
   * priority.
   */
  #sources(request: ClaimRequest, now: number) {
    const { pool, limit, agedLimit, agedBefore } = request;
    // More than `limit`, because admission refuses some heads; the next claim sees the rest.
    const look = limit * 4;
    if (request.suspects === "only") {
      return [{ limit, candidates: () => this.#lanes.suspects(pool, now, look) }];
    }
    const withSuspects = request.suspects === "with";
    const ready = (priority: number, by: number) => () =>
      this.#lanes.ready(pool, priority, by, withSuspects, look);
    const agedMax = Math.min(agedLimit, limit);
    const aged = [
      { limit: agedMax, candidates: ready(2, agedBefore.low) },
      { limit: agedMax, candidates: ready(1, agedBefore.normal) },
    ];
    return [
      ...(agedMax > 0 ? aged : []),
      { limit, candidates: ready(0, now) },
      { limit, candidates: ready(1, now) },
      { limit, candidates: ready(2, now) },
    ];
  }

  #take(candidate: ClaimCandidate, request: ClaimRequest): Message {
    this.#lanes.take(candidate.lane, request.pool);
    const row = this.#sql.countClaim.get<MessageRow>(candidate.messageId);
    if (!row) throw new Error(`lane head ${candidate.messageId} has no message`);
    return toMessage(row, this.#payload(row));
  }

  finish(
    attempt: AttemptRef,
    outcome: AttemptOutcome,
    sent: SentRecord | undefined,
    now: number,
  ): EnqueueResult[] {
    const row = this.#fence(attempt);
    if (sent) this.recordSent(sent);
    return this.#end(row, outcome, now);
  }

  /** Returns the message if the attempt still holds it; throws `AttemptOverError` otherwise. */
  #fence(attempt: AttemptRef): MessageRow {
    const row = this.#sql.findInHand.get<MessageRow>(attempt.messageId, attempt.claims);
    if (row) return row;
    throw new AttemptOverError(`message ${attempt.messageId} is no longer held by this attempt`);
  }

  #end(row: MessageRow, outcome: AttemptOutcome, now: number): EnqueueResult[] {
    switch (outcome.kind) {
      case "done":
        this.#leave(row, now);
        this.#sql.deleteSteps.run(row.origin ?? row.id);
        return this.enqueue(outcome.enqueue, now);
      case "expired":
        this.#leave(row, now);
        this.#sql.deleteSteps.run(row.origin ?? row.id);
        return [];
      case "dead": {
        this.#bury(row, outcome.reason, withError(row.errors, outcome.error), now);
        this.#leave(row, now);
        return this.enqueue(outcome.enqueue, now);
      }
      case "retry":
        this.#retry(row, outcome, now);
        return [];
      case "postponed":
        this.#postpone(row, outcome);
        return [];
      case "released":
        this.#lanes.free(row.lane, row.pool, row.available_at, this.#suspicion(row));
        return [];
    }
  }

  #leave(row: MessageRow, now: number): void {
    this.#sql.deleteMessage.run(row.id);
    this.#lanes.advance(row.lane, row.pool, row.priority, now);
  }

  /** Copies a message to the dead letters; the caller deletes it from the queue. */
  #bury(row: MessageRow, reason: DeadReason, errors: string, now: number): void {
    // A key rotation may already have passed the table it goes to, so its seal is renewed here.
    const payload = this.#ring.renew(this.#sealed(row), places.payload(row));
    this.deadLetters.add(row, payload, { reason, errors, now });
  }

  #retry(row: MessageRow, outcome: AttemptOutcome & { kind: "retry" }, now: number): void {
    const errors = withError(row.errors, outcome.error);
    this.#sql.countAttempt.run(outcome.availableAtEpochMs, errors, row.id);
    if (outcome.onRetry === "hold") {
      const suspicion = this.#suspicion(row);
      this.#lanes.free(row.lane, row.pool, outcome.availableAtEpochMs, suspicion);
      return;
    }
    // A skipped message waits in its own lane, and its old lane goes on without it.
    const ownLane = `${row.lane}~${row.id}`;
    this.#sql.moveToLane.run(ownLane, row.id);
    this.#lanes.advance(row.lane, row.pool, row.priority, now);
    this.#lanes.append(ownLane, row.pool, row.id, row.priority, outcome.availableAtEpochMs);
  }

  #postpone(row: MessageRow, outcome: AttemptOutcome & { kind: "postponed" }): void {
    if (outcome.readdressed) {
      const { payload, floodScope } = outcome.readdressed;
      const sealed = this.#ring.seal(JSON.stringify(payload), places.payload(row));
      this.#sql.readdress.run(sealed, floodScope ?? null, row.id);
    }
    if (outcome.parkLane) this.#lanes.park(row.lane, row.pool, outcome.availableAtEpochMs);
    this.#lanes.free(row.lane, row.pool, outcome.availableAtEpochMs, this.#suspicion(row));
  }

  /**
   * The deaths shown in the lane; only messages for handlers can kill a process by their content.
   */
  #suspicion(row: MessageRow): number {
    return row.pool === "handling" ? row.deaths : 0;
  }

  recover(decide: (message: Message) => Recovery, now: number): Message[] {
    return this.#sql.countDeaths.all<MessageRow>().map((row) => {
      const message = toMessage(row, this.#payload(row));
      const { outcome, sent } = decide(message);
      if (sent) this.recordSent(sent);
      this.#end(row, outcome, now);
      return message;
    });
  }

  /** Returns a step's stored result as JSON text, if it ran before. Fenced. */
  findStep(attempt: AttemptRef, name: string): { origin: number; result: string | undefined } {
    const row = this.#fence(attempt);
    const origin = row.origin ?? row.id;
    const kept = this.#sql.findStep.get<{ result: Uint8Array }>(origin, name)?.result;
    return { origin, result: kept && this.#ring.open(kept, places.stepResult(origin, name)) };
  }

  /** Stores a step's result. @returns the result as it will be read back. */
  keepStep(origin: number, name: string, result: unknown): unknown {
    const text = JSON.stringify(result ?? null);
    if (text.length > stepResultLengthMax) {
      throw new StepResultError(
        `step ${name}: its result has ${text.length} characters, at most ${stepResultLengthMax}`,
        { hint: "Return only identifiers and totals, and read the rest again later." },
      );
    }
    this.#sql.insertStep.run(origin, name, this.#ring.seal(text, places.stepResult(origin, name)));
    return JSON.parse(text);
  }

  waitingLanes(now: number, limit: number): readonly WaitingLane[] {
    return this.#lanes.waiting(now, limit);
  }

  releaseLane(pool: Pool, lane: string, now: number): boolean {
    return this.#lanes.release(lane, pool, now);
  }

  nextAvailableAt(pool: Message["pool"]): number | undefined {
    return this.#lanes.nextAvailableAt(pool);
  }

  depth(pool: Message["pool"]): number {
    return this.#sql.depth.get<{ count: number }>(pool)?.count ?? 0;
  }

  snapshot(): StoreSnapshot {
    const pool = (name: Message["pool"]) => {
      const lanes = this.#sql.laneFigures.get<{ lanes: number; total: number; busy: number }>(name);
      const oldest = this.#sql.oldest.get<{ at: number | null }>(name)?.at;
      return {
        waiting: (lanes?.total ?? 0) - (lanes?.busy ?? 0),
        inHand: lanes?.busy ?? 0,
        lanes: lanes?.lanes ?? 0,
        oldestCreatedAtEpochMs: oldest ?? undefined,
      };
    };
    return {
      pools: { handling: pool("handling"), sending: pool("sending"), answering: pool("answering") },
      deadLetters: this.deadLetters.count(),
      dedupeKeys: this.#sql.countDedupe.get<{ count: number }>()?.count ?? 0,
    };
  }

  requeue(deadLetterId: number, now: number): number | undefined {
    const row = this.deadLetters.take(deadLetterId);
    if (!row) return undefined;
    const id = this.#nextId();
    this.#sql.insertMessage.run(
      id,
      row.type,
      row.pool,
      row.lane,
      row.priority,
      this.#ring.renew(row.payload, places.payload(row)),
      row.created_at,
      now,
      null,
      row.origin ?? row.id,
      row.ambiguous,
      row.flood_scope,
      row.flood_cost,
      row.errors,
      null,
    );
    this.#lanes.append(row.lane, row.pool, id, row.priority, now);
    return id;
  }

  sweep(request: SweepRequest, now: number) {
    const deadLetters = this.deadLetters.sweep(request.deadLettersBeforeEpochMs);
    this.#sql.sweepSent.run(request.sentBeforeEpochMs);
    this.#lanes.sweep(now);
    return { dedupeKeys: this.#sql.sweepDedupe.run(now), deadLetters };
  }

  recordSent(sent: SentRecord): void {
    this.#sql.insertSent.run(sent.scope, sent.cost, sent.atEpochMs);
  }

  sentSince(epochMs: number): SentRecord[] {
    return this.#sql.sentSince
      .all<{ scope: string; cost: number; at: number }>(epochMs)
      .map((row) => ({ scope: row.scope, cost: row.cost, atEpochMs: row.at }));
  }
}

function withError(errors: string, error: ErrorRecord | undefined): string {
  if (!error) return errors;
  const kept = (JSON.parse(errors) as ErrorRecord[]).slice(-(errorsKeptMax - 1));
  return JSON.stringify([...kept, error]);
}
