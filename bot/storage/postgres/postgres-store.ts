/**
 * PostgreSQL store: keeps all durable data in one schema of a database that other processes may share.
 *
 * Owns the main session, whose turns do the queue's work, and the sessions of steps. When the main
 * session is lost it enters again under a new number; until then every call rejects with a
 * `StorageSessionLostError`, and what was in hand is found by `recover`.
 */
import { type Clock, steadyEpoch } from "../../core/clock.ts";
import { withDeadline } from "../../core/deadline.ts";
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import {
  BackupFailedError,
  type BotError,
  StorageBusyError,
  StorageSessionLostError,
  TransactionTooSlowError,
} from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import type { Heartbeat } from "../../core/heartbeat.ts";
import type { KeyedMessages } from "../../core/keyed-messages.ts";
import {
  type Message,
  type NewMessage,
  type Pool,
  type Priority,
  pools,
} from "../../core/message.ts";
import type { ReferenceState } from "../../core/message-reference.ts";
import type { Secret } from "../../core/secret.ts";
import type { DatabaseServer, SharedStore } from "../../core/shared-store.ts";
import type {
  AttemptOutcome,
  AttemptRef,
  Backup,
  ClaimRequest,
  DeadLetterFilter,
  EnqueueResult,
  PageRequest,
  PreviousEnd,
  QueueStore,
  Recovery,
  SentRecord,
  Store,
  SweepRequest,
} from "../../core/store.ts";
import type { Transaction } from "../../core/transaction.ts";
import { documentTables } from "../sqlite/document-table.ts";
import { places } from "../sqlite/sealed-columns.ts";
import type { TableSetList } from "../sqlite/table-sets.ts";
import { type PreparedMessage, prepareMessages, stepResultText } from "../stored-forms.ts";
import { admit, claimedOf, passesOf, type TurnRow } from "./claims.ts";
import type { Connection } from "./connection.ts";
import { KeyRotation } from "./key-rotation.ts";
import { MessageIds } from "./message-ids.ts";
import { runWork } from "./module-tables.ts";
import {
  attemptOver,
  type Ending,
  freshOf,
  QueueWork,
  resultsOf,
  type WorkRow,
} from "./queue-work.ts";
import * as reading from "./reading.ts";
import { RoleLocks } from "./role-locks.ts";
import { RotationLoop } from "./rotation-loop.ts";
import type { Session } from "./session.ts";
import { notifiedSql } from "./session-locks.ts";
import { Sessions } from "./sessions.ts";
import { SharedFiles, type SharedFilesDeps } from "./shared-files.ts";
import { SharedProcesses } from "./shared-processes.ts";

export interface PostgresStoreDeps {
  readonly url: Secret;
  /** Lower-case letters, digits and underscores. */
  readonly schema: string;
  readonly clock: Clock;
  readonly publish: Publish;
  readonly keys: EncryptionKeys;
  /** The running module's own tables. */
  readonly tableSets: TableSetList;
  /** How long a dedupe key is remembered, in milliseconds; more than 24 h, less than 7 days. */
  readonly dedupeKeepMs: number;
  /** Maximum messages in a lane; further messages become dead letters. */
  readonly laneLengthMax: number;
  /** Names the process and its data directory among those that share the database. */
  readonly name: string;
  /**
   * Called before anything is written when `name` has not worked on the database within the last days; it
   * throws to refuse the start. Default: all are welcome.
   */
  readonly beforeFirst?: () => void;
  /** The program's version, for operators. */
  readonly version: string;
  /** Sessions for steps and for reading. Default 16. */
  readonly stepConnectionsMax?: number;
  /** Milliseconds without a sign after which PostgreSQL ends the session. Default 5000. */
  readonly sessionMs?: number;
  /** Called when the database can no longer be trusted; the process must then end with exit code 74. */
  readonly onFatal: (error: BotError) => void;
}

const defaultStepConnectionsMax = 16;
const defaultSessionMs = 5_000;

/** How often others are asked for whether they still live. */
const recoverEveryMs = 500;
/** Attempts of dead processes that are taken over in one transaction. */
const takeOverMax = 200;
/** Pause before what must succeed is tried again. */
const insistMs = 100;

const takeOverSql = "SELECT * FROM take_over_3($1, $2, $3, $4, $5) ORDER BY id";
const notifySql = `SELECT 1 FROM ${notifiedSql("true")}`;
const workSql = "SELECT * FROM queue_work_2($1, $2, $3, $4, $5, $6, $7, $8, $9)";

export class PostgresStore implements Store, SharedStore {
  readonly shared = this;
  readonly recoverEveryMs = recoverEveryMs;
  readonly roles: RoleLocks;
  readonly files: SharedFiles;
  readonly processes: SharedProcesses;
  readonly #deps: PostgresStoreDeps;
  readonly #sessionMs: number;
  readonly #now: () => number;
  readonly #ids = new MessageIds();
  readonly #sessions: Sessions;
  readonly #rotation: KeyRotation;
  readonly #rotationLoop: RotationLoop;
  #onWork: (pool: Pool) => void = () => {};

  constructor(deps: PostgresStoreDeps) {
    const { clock, schema, sessionMs = defaultSessionMs } = deps;
    if (!/^[a-z_][a-z0-9_]*$/.test(schema)) throw new Error(`"${schema}" cannot name a schema`);
    this.#deps = { ...deps, tableSets: [documentTables, ...deps.tableSets] };
    this.#sessionMs = sessionMs;
    this.#now = steadyEpoch(clock);
    const now = this.#now;
    this.#sessions = new Sessions({
      ...{ stepConnectionsMax: defaultStepConnectionsMax, ...this.#deps },
      ...{ sessionMs, now, ids: this.#ids, worksElsewhere: this.#worksElsewhere },
      onWork: (pool) => this.#onWork(pool),
      onChange: () => {
        this.roles.wake();
        this.#rotationLoop.wake();
      },
      onKeys: () => this.#rotationLoop.wake(),
    });
    const session = () => this.#sessions.current;
    const use: SharedFilesDeps["use"] = (work) => this.#sessions.read(work);
    this.roles = new RoleLocks({ clock, session });
    this.processes = new SharedProcesses({ now, use, session });
    const sweeps = () => this.roles.isMine("sweeping");
    this.files = new SharedFiles({ now, use, sweeps });
    const { keys: dataKeys } = this.#sessions;
    const { publish } = deps;
    this.#rotation = new KeyRotation({ ...this.#deps, dataKeys, now, use });
    this.#rotationLoop = new RotationLoop({
      ...{ clock, dataKeys, publish, sweeps },
      rotation: this.#rotation,
    });
  }

  // ---- life -------------------------------------------------------------------------------------

  async open(): Promise<PreviousEnd> {
    const previousEnd = await this.#sessions.open();
    this.#rotationLoop.start();
    return previousEnd;
  }

  async close(): Promise<void> {
    await this.#rotationLoop.stop();
    await this.roles.stop();
    await this.#sessions.close();
  }

  /** Ends all sessions at once, as a kill does. For tests. */
  async kill(): Promise<void> {
    const killed = this.#sessions.kill();
    await this.roles.stop();
    await this.#rotationLoop.stop();
    await killed;
  }

  // ---- turns ------------------------------------------------------------------------------------

  async enqueue(messages: readonly NewMessage[]): Promise<readonly EnqueueResult[]> {
    const queue = prepareMessages(messages);
    return (await this.#sessions.require().turns.run({ queue })).results;
  }

  async claim(request: ClaimRequest): Promise<readonly Message[]> {
    const session = this.#sessions.require();
    session.checkMayBegin();
    const ask = request.admit;
    const passes = passesOf(request, this.#now(), ask !== undefined);
    const { rows } = await session.turns.run({ passes });
    if (!ask) return this.#claimed(session, rows);
    const { ids, laterAt, laterIds } = admit(rows, { ...request, admit: ask });
    if (ids.length + laterIds.length === 0) return [];
    const taken = await session.turns.run({
      passes: [
        {
          ...{ pool: request.pool, limit: ids.length, ids },
          ...(laterIds.length > 0 && { later_ids: laterIds, later_at: laterAt }),
        },
      ],
    });
    const there = new Set(taken.rows.map(({ id }) => id));
    for (const id of ids) if (!there.has(id)) request.withdraw?.(id);
    const order = (row: TurnRow) => ids.indexOf(row.id as number);
    const rowsInOrder = taken.rows.toSorted((a, b) => order(a) - order(b));
    return this.#claimed(session, rowsInOrder);
  }

  #claimed(session: Session, rows: readonly TurnRow[]): readonly Message[] {
    return rows.map((row) => {
      const { held, message } = claimedOf(row, this.#sessions.ring);
      session.hold(held);
      return message;
    });
  }

  async finish(
    attempt: AttemptRef,
    outcome: AttemptOutcome,
    sent?: SentRecord,
  ): Promise<readonly EnqueueResult[]> {
    const followUps = "enqueue" in outcome ? prepareMessages(outcome.enqueue) : [];
    const session = this.#sessions.require();
    const end: Ending = { held: session.heldBy(attempt), outcome, followUps, sent };
    const results = await this.#insist(session, () => this.#finish(session, attempt, end));
    session.letGo(attempt);
    return results;
  }

  async #finish(
    session: Session,
    attempt: AttemptRef,
    end: Ending,
  ): Promise<readonly EnqueueResult[]> {
    const write = end.outcome.kind === "done" ? end.outcome.write : undefined;
    if (!write) return (await session.turns.run({ end })).results;
    return this.#inTransaction(async (connection) => {
      await this.#fence(connection, session, attempt);
      const now = this.#now();
      await this.#work(connection, now, write);
      return this.#queueWork(connection, session, now, [end]);
    });
  }

  /**
   * Repeats what must not be given up while the session lives, because nobody else could take it over.
   * If a lost answer hid a success, the repetition finds the attempt over.
   */
  async #insist<T>(session: Session, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const again = error instanceof StorageBusyError || error instanceof StorageSessionLostError;
        if (!again || this.#sessions.current !== session) throw error;
        await this.#deps.clock.sleep(insistMs, this.#sessions.signal);
      }
    }
  }

  // ---- steps ------------------------------------------------------------------------------------

  async step(
    attempt: AttemptRef,
    name: string,
    work: (tx: Transaction) => Promise<unknown>,
    enqueue: () => readonly NewMessage[],
  ): Promise<unknown> {
    const session = this.#sessions.require();
    const held = session.heldBy(attempt);
    session.checkMayBegin();
    return this.#inTransaction(async (connection) => {
      const { origin, result } = await this.#fence(connection, session, attempt, name);
      const ring = this.#sessions.ring;
      const place = places.stepResult(origin, name);
      if (result) return JSON.parse(ring.open(result, place)) as unknown;
      const now = this.#now();
      const value = await this.#work(connection, now, work);
      const text = stepResultText(name, value);
      const followUps = prepareMessages(enqueue());
      held.steps = true;
      await connection.run("INSERT INTO steps (origin, name, result) VALUES ($1, $2, $3)", [
        ...[origin, name, ring.seal(text, place)],
      ]);
      if (followUps.length > 0) await this.#queueWork(connection, session, now, [], followUps);
      return JSON.parse(text) as unknown;
    });
  }

  /** Locks the message's row, so that a takeover leaves it alone until the transaction ends. */
  async #fence(connection: Connection, session: Session, attempt: AttemptRef, step = "") {
    const [row] = await connection.all<{ origin: number; result: Uint8Array | null }>(
      `SELECT coalesce(m.origin, m.id) AS origin, s.result FROM messages m
       LEFT JOIN steps s ON s.origin = coalesce(m.origin, m.id) AND s.name = $4
       WHERE m.id = $1 AND m.claims = $2 AND m.owner = $3 FOR UPDATE OF m`,
      [attempt.messageId, attempt.claims, session.number, step],
    );
    if (row) return row;
    throw attemptOver(attempt);
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    this.#sessions.require();
    return this.#inTransaction((connection) => this.#work(connection, this.#now(), work));
  }

  read<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.transaction(work);
  }

  #inTransaction<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#sessions.write(work);
  }

  #work<T>(
    connection: Connection,
    nowEpochMs: number,
    work: (tx: Transaction) => Promise<T>,
  ): Promise<T> {
    const { clock, dedupeKeepMs, tableSets } = this.#deps;
    const session = this.#sessions.require();
    const messages: KeyedMessages = {
      find: (key) => reading.keyState(connection, key, nowEpochMs, dedupeKeepMs),
      cancel: async (key) => {
        const work = new QueueWork();
        const rows = await this.#callQueueWork(connection, session, nowEpochMs, work, [key]);
        return rows.length > 0;
      },
    };
    const deps = { connection, ring: this.#sessions.ring, tableSets, nowEpochMs, messages };
    return withDeadline(clock, this.#sessionMs, ({ signal }) => runWork(deps, work, signal), {
      late: () => {
        throw new TransactionTooSlowError(this.#sessionMs);
      },
    });
  }

  /** Ends and queues within a transaction of a step connection. */
  async #queueWork(
    connection: Connection,
    session: Session,
    now: number,
    endings: readonly Ending[],
    queued: readonly PreparedMessage[] = [],
  ): Promise<readonly EnqueueResult[]> {
    const ring = this.#sessions.ring;
    const ids = this.#ids;
    const work = new QueueWork();
    const slices = [
      work.queue(freshOf(queued, await ids.take(queued.length, connection), ring, now)),
    ];
    for (const end of endings) {
      const fresh = freshOf(
        end.followUps,
        await ids.take(end.followUps.length, connection),
        ring,
        now,
      );
      slices.push(work.end(end, fresh, ring));
    }
    const rows = await this.#callQueueWork(connection, session, now, work);
    return slices.flatMap((slice) => resultsOf(slice, rows));
  }

  async #callQueueWork(
    connection: Connection,
    session: Session,
    now: number,
    work: QueueWork,
    cancelled: readonly string[] = [],
  ) {
    const { dedupeKeepMs, laneLengthMax } = this.#deps;
    if (work.pools.some(this.#worksElsewhere)) await connection.run(notifySql);
    return connection.all<WorkRow>(workSql, [
      ...[session.number, now, laneLengthMax, now + dedupeKeepMs],
      ...work.parameters,
      cancelled,
    ]);
  }

  onWork(wake: (pool: Pool) => void): void {
    this.#onWork = wake;
  }

  readonly #worksElsewhere = (pool: Pool): boolean =>
    pool === "sending" && !this.roles.isMine("sending");

  mayBegin(): boolean {
    return this.#sessions.current?.mayBegin ?? false;
  }

  // ---- recovery ---------------------------------------------------------------------------------

  async recover(decide: (message: Message) => Recovery): Promise<readonly Message[]> {
    const session = this.#sessions.require();
    const ring = this.#sessions.ring;
    return this.#inTransaction(async (connection) => {
      const rows = await connection.all<TurnRow>(takeOverSql, [
        ...[session.lockClass, session.number, this.#sessions.lives, takeOverMax],
        // What is sent counts for flood control, so only the process that sends takes it over.
        pools.filter((pool) => !this.#worksElsewhere(pool)),
      ]);
      if (rows.length === 0) return [];
      const now = this.#now();
      const messages: Message[] = [];
      const endings = rows.map((row): Ending => {
        const { held, message } = claimedOf(row, ring);
        messages.push(message);
        const { outcome, sent } = decide(message);
        return { held, outcome, sent, followUps: followUpsOf(outcome) };
      });
      await this.#queueWork(connection, session, now, endings);
      return messages;
    });
  }

  // ---- looking, operating and sweeping ----------------------------------------------------------

  async nextAvailableAtEpochMs(pool: Pool): Promise<number | undefined> {
    const { turns } = this.#sessions.require();
    if (turns.heartbeat.beats === 0) await turns.run({});
    return turns.nextAvailableAt(pool);
  }

  waitingLanes(limit: number) {
    return this.#sessions.read((connection) =>
      reading.waitingLanes(connection, this.#now(), limit),
    );
  }

  releaseLane(pool: Pool, lane: string): Promise<boolean> {
    return this.#sessions.read((connection) =>
      reading.releaseLane(connection, pool, lane, this.#now()),
    );
  }

  delayedMessages(request: Parameters<QueueStore["delayedMessages"]>[0]) {
    return this.#sessions.read((connection) =>
      reading.delayedMessages(connection, request, this.#now()),
    );
  }

  async runNow(messageId: number): Promise<boolean> {
    const due = await this.#sessions.read((connection) =>
      reading.runNow(connection, messageId, this.#now()),
    );
    // A turn lets what is due enter its lane.
    if (due) await this.#sessions.require().turns.run({});
    return due;
  }

  depth(pool: Pool, atLeast: Priority = "low"): Promise<number> {
    return this.#sessions.read((connection) => reading.depth(connection, pool, atLeast));
  }

  snapshot() {
    return this.#sessions.read((connection) => reading.snapshot(connection));
  }

  deadLetters(filter: DeadLetterFilter & PageRequest) {
    return this.#sessions.read((connection) =>
      reading.deadLetters(connection, this.#sessions.ring, filter),
    );
  }

  countDeadLetters(filter: DeadLetterFilter): Promise<number> {
    return this.#sessions.read((connection) => reading.countDeadLetters(connection, filter));
  }

  deadLetter(id: number) {
    return this.#sessions.read((connection) =>
      reading.deadLetter(connection, this.#sessions.ring, id),
    );
  }

  async requeue(deadLetterId: number): Promise<number | undefined> {
    const session = this.#sessions.require();
    const ring = this.#sessions.ring;
    return this.#inTransaction(async (connection) => {
      const letter = await reading.takeDeadLetter(connection, deadLetterId);
      if (!letter) return undefined;
      const now = this.#now();
      const { died_at, payload, reason, ...rest } = letter;
      const [id] = await this.#ids.take(1, connection);
      const row = {
        ...rest,
        ...{ id: id as number, available_at: now, expires_at: null, attempts: 0, deaths: 0 },
        ...{ origin: letter.origin ?? letter.id, replaces: null, enters_at: null },
        key: await reading.keyFor(connection, letter.key),
      };
      const work = new QueueWork();
      work.queue([{ row, payload: ring.renew(payload, places.payload(letter)) }]);
      await this.#callQueueWork(connection, session, now, work);
      await reading.moveLinks(connection, letter.id, row.id);
      return row.id;
    });
  }

  deleteDeadLetter(deadLetterId: number): Promise<boolean> {
    this.#sessions.require();
    return this.#inTransaction((connection) => reading.deleteDeadLetter(connection, deadLetterId));
  }

  async sweep(request: SweepRequest) {
    if (!this.roles.isMine("sweeping")) return { dedupeKeys: 0, deadLetters: 0 };
    return this.#sessions.read((connection) =>
      reading.sweep(connection, request, this.#now(), this.#sessions.ring),
    );
  }

  sentSince(epochMs: number): Promise<readonly SentRecord[]> {
    return this.#sessions.read((connection) => reading.sentSince(connection, epochMs));
  }

  async recordSent(sent: SentRecord): Promise<void> {
    await this.#sessions.require().turns.run({ sent });
  }

  resolveReference(reference: number): Promise<ReferenceState> {
    return this.#sessions.read((connection) => reading.resolveReference(connection, reference));
  }

  filesInUse(): Promise<readonly string[]> {
    return this.#sessions.read((connection) => reading.filesInUse(connection));
  }

  unreachableReason(chat: string, sinceEpochMs = 0): Promise<string | undefined> {
    return this.#sessions.read((connection) =>
      reading.unreachableReason(connection, chat, sinceEpochMs),
    );
  }

  getFact(name: string): Promise<string | undefined> {
    return this.#sessions.read((connection) => reading.getFact(connection, name));
  }

  async setFact(name: string, value: string): Promise<void> {
    await this.#sessions.read((connection) => reading.setFact(connection, name, value));
  }

  // ---- the rest of the contract -----------------------------------------------------------------

  async backup(): Promise<Backup> {
    throw new BackupFailedError("PostgreSQL makes its own backups", {
      hint: "Use pg_dump, or continuous archiving, on the database of DATABASE_URL.",
    });
  }

  async rotateKey(): Promise<{ readonly keyId: number }> {
    return { keyId: await this.#rotation.begin() };
  }

  async server(): Promise<DatabaseServer> {
    const { clock } = this.#deps;
    const askedAtMs = clock.epochMs();
    const { at, oldestSeconds, ...standbys } = await this.#sessions.read((connection) =>
      reading.server(connection),
    );
    return {
      ...standbys,
      oldestSnapshotMs: oldestSeconds * 1_000,
      // The server has looked at its clock somewhere in between.
      clockAheadMs: (askedAtMs + clock.epochMs()) / 2 - at,
    };
  }

  heartbeat(): Heartbeat {
    return this.#sessions.current?.turns.heartbeat ?? { beats: 0, overdueMs: 0 };
  }

  /** A lost session is noticed by the connection itself. */
  verify(): void {}

  async probe(): Promise<void> {
    await this.#sessions.require().turns.run({});
  }
}

function followUpsOf(outcome: AttemptOutcome): readonly PreparedMessage[] {
  return "enqueue" in outcome ? prepareMessages(outcome.enqueue) : [];
}
