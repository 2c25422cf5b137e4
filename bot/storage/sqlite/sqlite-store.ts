/**
 * SQLite store: keeps all durable data in one file, `bot.db` in the data directory.
 *
 * Owns the file, its lock and its single writer. Uses WAL and group commit; every commit is synced.
 * Statements and tables are in the files beside it; this class opens and checks the file and runs
 * every call in a transaction.
 */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Clock, steadyEpoch } from "../../core/clock.ts";
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import { type BotError, StorageUnavailableError } from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import type { Heartbeat } from "../../core/heartbeat.ts";
import type { KeyedMessages } from "../../core/keyed-messages.ts";
import type { Message, NewMessage, Pool, Priority } from "../../core/message.ts";
import type {
  AttemptOutcome,
  AttemptRef,
  Backup,
  ClaimRequest,
  DeadLetterFilter,
  PageRequest,
  PreviousEnd,
  Recovery,
  SentRecord,
  Store,
  SweepRequest,
} from "../../core/store.ts";
import type { TableSet, Transaction } from "../../core/transaction.ts";
import { fencedTransaction, transactionOver } from "../fenced-transaction.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { prepareMessages } from "../stored-forms.ts";
import { backUpInWorker } from "./backup.ts";
import { undoClockStep } from "./clock-step.ts";
import { openDataKeys, readDataKeys } from "./data-keys.ts";
import { lockDataDirectory, lockPath } from "./data-lock.ts";
import { DatabaseMark } from "./database-mark.ts";
import { documentTables } from "./document-table.ts";
import { FactTables } from "./fact-tables.ts";
import { watchFiles } from "./file-watch.ts";
import {
  GroupCommit,
  type GroupCommitDeps,
  type ToldAfter,
  writtenInRead,
} from "./group-commit.ts";
import { KeyRotation } from "./key-rotation.ts";
import type { DelayedRequest } from "./message-table.ts";
import { QueueTables, type QueueTablesOptions } from "./queue-tables.ts";
import {
  checkIntegrity,
  configureDatabase,
  inspectDatabase,
  migrate,
  refuseMovedFile,
  sealPlainValues,
} from "./schema.ts";
import { type Database, type OpenDatabase, openNodeSqlite } from "./sqlite-driver.ts";
import {
  inspectTableSets,
  migrateTableSets,
  type OpenTables,
  openTableSets,
  sealedColumnsOf,
  type TableSetList,
  unknownTableSets,
} from "./table-sets.ts";

export interface SqliteStoreDeps extends QueueTablesOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly publish: Publish;
  readonly keys: EncryptionKeys;
  /** The running module's own tables. */
  readonly tableSets: TableSetList;
  /** Directory of the mark that says which database belongs here. Default: none is kept. */
  readonly markDirectory?: string | undefined;
  /** How many backups are kept; 1 or more. */
  readonly backupsKept: number;
  /** Called when the disk can no longer be trusted; the process must then end with exit code 74. */
  readonly onFatal: (error: BotError) => void;
  readonly openDatabase?: OpenDatabase;
  /** Default: `setImmediate`. */
  readonly defer?: GroupCommitDeps["defer"];
}

interface Opened {
  readonly database: Database;
  readonly lock: Database;
  readonly writer: GroupCommit;
  readonly queue: QueueTables;
  readonly facts: FactTables;
  readonly tables: OpenTables;
  readonly rotation: KeyRotation;
  readonly boot: number;
}

/** Maximum free pages returned to the file system in one sweep. */
const pagesFreedPerSweepMax = 2000;

export class SqliteStore implements Store {
  readonly #deps: SqliteStoreDeps;
  readonly #open: OpenDatabase;
  readonly #now: () => number;
  /** The present of an earlier process. No later one may be before it: what had entered its lane is in it. */
  #notBefore = 0;
  #opened: Opened | undefined;
  #backup: Promise<Backup> | undefined;

  constructor(deps: SqliteStoreDeps) {
    this.#deps = { ...deps, tableSets: [documentTables, ...deps.tableSets] };
    const now = steadyEpoch(deps.clock);
    this.#now = () => Math.max(this.#notBefore, now());
    this.#open = deps.openDatabase ?? openNodeSqlite;
  }

  async open(): Promise<PreviousEnd> {
    const { clock, defer, directory, markDirectory, tableSets } = this.#deps;
    makeDirectory(directory);
    const lock = lockDataDirectory(directory, this.#open);
    try {
      const path = join(directory, "bot.db");
      const mark = markDirectory === undefined ? undefined : new DatabaseMark(markDirectory, path);
      const previousEnd = this.#inspect(path, mark);
      const database = this.#open(path);
      configureDatabase(database);
      migrate(database, this.#now());
      migrateTableSets(database, tableSets, this.#now());
      mark?.keep(database);
      this.#notBefore = undoClockStep(database, this.#now(), clock.machineBoot?.());
      const ring = this.#openRing(database);
      const columns = sealedColumnsOf(tableSets);
      sealPlainValues(database, ring, columns);
      const facts = new FactTables(database);
      const queue = new QueueTables(database, ring, this.#deps, this.#now());
      const write = <T>(work: (now: number) => T) => this.#withTables((_, now) => work(now));
      const rotation = new KeyRotation({
        ...this.#deps,
        database,
        ring,
        columns,
        unknownTableSets: unknownTableSets(database, tableSets),
        write,
      });
      this.#opened = {
        database,
        lock,
        facts,
        queue,
        rotation,
        boot: facts.beginBoot(this.#now()),
        tables: openTableSets(database, tableSets, ring),
        writer: new GroupCommit({
          database,
          clock,
          verify: watchFiles(path, lockPath(directory)),
          flush: () => {
            queue.flush(this.#now());
            facts.flush();
          },
          committed: () => queue.committed(),
          rolledBack: () => {
            facts.reset();
            queue.rolledBack();
          },
          onFatal: (error) => this.#fail(error),
          ...(defer && { defer }),
        }),
      };
      rotation.resume();
      return previousEnd;
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  /** Checks an existing file read-only, so that a wrong or damaged file is not changed. */
  #inspect(path: string, mark: DatabaseMark | undefined): PreviousEnd {
    if (!existsSync(path) || statSync(path).size === 0) {
      mark?.check(undefined);
      return "first";
    }
    const { clock, publish } = this.#deps;
    const database = this.#open(path, { readOnly: true });
    try {
      const previousEnd = inspectDatabase(database, path);
      mark?.check(previousEnd === "first" ? undefined : database);
      if (previousEnd === "first") return previousEnd;
      refuseMovedFile(database, path);
      inspectTableSets(database, this.#deps.tableSets, path);
      // A wrong key is noticed here, before anything is written.
      readDataKeys(database, this.#deps.keys);
      if (previousEnd === "clean") return previousEnd;
      const startedAtMs = clock.monotonicMs();
      checkIntegrity(database, path);
      publish({ type: "storage.checked", durationMs: clock.monotonicMs() - startedAtMs });
      return "unclean";
    } finally {
      database.close();
    }
  }

  #openRing(database: Database): KeyRing {
    const { keys, publish } = this.#deps;
    const { rewrapped, ring } = openDataKeys(database, keys, this.#now());
    if (rewrapped) publish({ type: "encryption-key.changed" });
    return ring;
  }

  #fail(error: BotError): void {
    const { publish, onFatal } = this.#deps;
    publish({
      type: "storage.failed",
      error: { code: error.code, message: error.message, atEpochMs: this.#now() },
    });
    onFatal(error);
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    if (!opened) return;
    await opened.rotation.stop();
    this.#opened = undefined;
    try {
      await opened.writer.run(() => opened.facts.endBoot(opened.boot, this.#now()));
      await opened.writer.close();
      // The caller of the backup gets its error; this only waits for its end.
      await this.#backup?.catch(() => {});
      opened.database.close();
    } catch (error) {
      // The end is not recorded, so the next start checks the file.
      this.#fail(error as BotError);
    } finally {
      opened.lock.close();
    }
  }

  #parts(): Opened {
    if (this.#opened) return this.#opened;
    throw new StorageUnavailableError("the store is not open");
  }

  /** Runs `work`, which changes nothing when it throws, in the next group commit. */
  #write<T>(work: (opened: Opened, now: number) => T, toldAfter?: ToldAfter): Promise<T> {
    const opened = this.#parts();
    return opened.writer.run(() => work(opened, this.#now()), toldAfter);
  }

  /** Like `#write`, where the tables hold everything that came before it. */
  #withTables<T>(work: (opened: Opened, now: number) => T): Promise<T> {
    return this.#write((opened, now) => {
      opened.queue.flush(now);
      opened.facts.flush();
      return work(opened, now);
    });
  }

  async enqueue(messages: readonly NewMessage[]) {
    const prepared = prepareMessages(messages);
    // An update is handled at once, and what that leads to is synced with it.
    const handled = messages.every(({ pool }) => pool === "handling");
    const toldAfter = handled ? "shared-sync" : "sync";
    return this.#write(({ queue }, now) => queue.enqueue(prepared, now), toldAfter);
  }

  async claim(request: ClaimRequest) {
    const { queue, writer } = this.#parts();
    // An update is handled while its claim is synced: all it leads to is committed later. A send must be in
    // hand on disk before it leaves the process.
    const toldAfter = request.pool === "handling" ? "commit" : "sync";
    return writer.runLast(() => queue.claim(request, this.#now()), toldAfter);
  }

  async finish(attempt: AttemptRef, outcome: AttemptOutcome, sent?: SentRecord) {
    const followUps = "enqueue" in outcome ? prepareMessages(outcome.enqueue) : [];
    const finish = ({ facts, queue }: Opened, now: number) => {
      const results = queue.finish(attempt, outcome, followUps, now);
      if (sent) queue.recordSent(sent);
      if (outcome.kind === "done" && outcome.reachedChat !== undefined) {
        facts.setReachable(outcome.reachedChat);
      }
      if ("unreachableChat" in outcome && outcome.unreachableChat) {
        const { chat, reason } = outcome.unreachableChat;
        facts.setUnreachable(chat, reason, now);
      }
      return results;
    };
    const write = outcome.kind === "done" ? outcome.write : undefined;
    if (!write) return this.#write(finish);
    const opened = this.#parts();
    return opened.writer.runGuarded(async () => {
      const now = this.#now();
      await runWork(opened, now, write);
      // The queue comes last, because it cannot be undone alone.
      return finish(opened, now);
    });
  }

  async step(
    attempt: AttemptRef,
    name: string,
    work: (tx: Transaction) => Promise<unknown>,
    enqueue: () => readonly NewMessage[],
  ): Promise<unknown> {
    const opened = this.#parts();
    return opened.writer.runGuarded(async () => {
      const now = this.#now();
      const { origin, result } = opened.queue.findStep(attempt, name);
      if (result !== undefined) return JSON.parse(result) as unknown;
      const value = await runWork(opened, now, work);
      const prepared = prepareMessages(enqueue());
      // Queueing comes last, because it cannot be undone alone.
      const kept = opened.queue.keepStep(origin, name, value);
      opened.queue.enqueue(prepared, now);
      return kept;
    });
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const opened = this.#parts();
    return opened.writer.runGuarded(() => runWork(opened, this.#now(), work));
  }

  async read<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const opened = this.#parts();
    return opened.writer.read(() =>
      runWork(opened, this.#now(), work, () => {
        throw writtenInRead();
      }),
    );
  }

  recover(decide: (message: Message) => Recovery) {
    return this.#withTables(({ queue }, now) => queue.recover(decide, now));
  }

  async nextAvailableAtEpochMs(pool: Pool, atLeast?: Priority) {
    return this.#parts().queue.nextAvailableAt(pool, atLeast);
  }

  async waitingLanes(limit: number) {
    return this.#parts().queue.waitingLanes(this.#now(), limit);
  }

  releaseLane(pool: Pool, lane: string) {
    return this.#write(({ queue }, now) => queue.releaseLane(pool, lane, now));
  }

  delayedMessages(request: DelayedRequest) {
    return this.#withTables(({ queue }, now) => queue.delayedMessages(request, now));
  }

  runNow(messageId: number) {
    return this.#withTables(({ queue }, now) => queue.runNow(messageId, now));
  }

  async depth(pool: Pool, atLeast: Priority = "low") {
    return this.#parts().queue.depth(pool, atLeast);
  }

  async snapshot() {
    return this.#parts().queue.snapshot();
  }

  deadLetters(filter: DeadLetterFilter & PageRequest) {
    return this.#withTables(({ queue }) => queue.deadLetters.list(filter));
  }

  countDeadLetters(filter: DeadLetterFilter) {
    return this.#withTables(({ queue }) => queue.deadLetters.count(filter));
  }

  deadLetter(id: number) {
    return this.#withTables(({ queue }) => queue.deadLetters.find(id));
  }

  requeue(deadLetterId: number) {
    return this.#withTables(({ queue }, now) => queue.requeue(deadLetterId, now));
  }

  deleteDeadLetter(deadLetterId: number) {
    return this.#withTables(({ queue }) => queue.deadLetters.delete(deadLetterId));
  }

  async sweep(request: SweepRequest) {
    const swept = await this.#withTables(({ queue, tables }, now) => {
      openSet(tables, documentTables).sweep(now);
      return queue.sweep(request, now);
    });
    // This is a separate transaction, because pages are free only after the deletion is committed.
    await this.#withTables(({ database }) =>
      database.exec(`PRAGMA incremental_vacuum(${pagesFreedPerSweepMax})`),
    );
    return swept;
  }

  resolveReference(reference: number) {
    return this.#write(({ queue }) => queue.links.resolve(reference));
  }

  filesInUse() {
    return this.#write(({ queue }) => queue.links.filesInUse());
  }

  sentSince(epochMs: number) {
    return this.#withTables(({ queue }) => queue.sentSince(epochMs));
  }

  recordSent(sent: SentRecord) {
    return this.#write(({ queue }) => queue.recordSent(sent));
  }

  unreachableReason(chat: string, sinceEpochMs = 0) {
    return this.#write(({ facts }) => facts.unreachableReason(chat, sinceEpochMs));
  }

  getFact(name: string) {
    return this.#withTables(({ facts }) => facts.getFact(name));
  }

  setFact(name: string, value: string) {
    return this.#withTables(({ facts }) => facts.setFact(name, value));
  }

  backup(): Promise<Backup> {
    this.#backup ??= this.#backUp().finally(() => {
      this.#backup = undefined;
    });
    return this.#backup;
  }

  async #backUp(): Promise<Backup> {
    this.#parts();
    const { backupsKept, clock, directory, publish } = this.#deps;
    const startedAtMs = clock.monotonicMs();
    const written = await backUpInWorker({
      directory: resolve(directory),
      nowEpochMs: this.#now(),
      kept: backupsKept,
    });
    const backup = { ...written, durationMs: Math.round(clock.monotonicMs() - startedAtMs) };
    publish({ type: "storage.backed-up", ...backup });
    return backup;
  }

  async rotateKey() {
    return this.#parts().rotation.rotate();
  }

  heartbeat(): Heartbeat {
    return this.#opened?.writer.heartbeat ?? { beats: 0, overdueMs: 0 };
  }

  verify(): void {
    this.#opened?.writer.verify();
  }

  probe(): Promise<void> {
    return this.#withTables(({ facts }, now) => facts.setFact("probe", String(now)));
  }
}

/**
 * Runs a step's work with a transaction that can be used only until its closure ends.
 *
 * @param beforeCancel Called before a message is taken away; throws where that is not allowed.
 */
async function runWork<T>(
  { queue, tables, writer }: Opened,
  nowEpochMs: number,
  work: (tx: Transaction) => Promise<T>,
  beforeCancel = () => {},
): Promise<T> {
  const closureNumber = writer.closureNumber;
  const isOver = () => writer.closureNumber !== closureNumber;
  const cancelled = new Set<string>();
  const messages: KeyedMessages = {
    find: async (key) => {
      const found = queue.find(key, nowEpochMs);
      return found.kind === "waiting" && cancelled.has(key) ? { kind: "unknown" } : found;
    },
    cancel: async (key) => {
      beforeCancel();
      const waits = queue.waits(key) && !cancelled.has(key);
      cancelled.add(key);
      return waits;
    },
  };
  const result = await work(
    fencedTransaction({
      nowEpochMs,
      isOver,
      messages,
      open: (set) => openSet(tables, set),
      documents: () => openSet(tables, documentTables).at(nowEpochMs),
      // Closures run one at a time, so nothing else reads or writes meanwhile.
      lock: async () => {},
      deleteDeadLettersOfLane: async (lane) => queue.deadLetters.deleteOfLane(lane),
    }),
  );
  // The queue comes last, because it cannot be undone alone.
  if (cancelled.size > 0 && isOver()) throw transactionOver();
  for (const key of cancelled) queue.cancel(key);
  return result;
}

function openSet<Tables extends object>(tables: OpenTables, set: TableSet<Tables>): Tables {
  const opened = tables.get(set);
  if (!opened) throw new Error(`the running module does not list the tables "${set.name}"`);
  return opened as Tables;
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new StorageUnavailableError(`${directory} cannot be created`, {
      cause,
      hint: "Set DATA_DIR to a directory that the bot's user may write to.",
    });
  }
}
