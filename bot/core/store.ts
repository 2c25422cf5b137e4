/**
 * Store: the durable memory of the bot, and the only thing that survives a kill.
 *
 * Everything is asynchronous and says nothing about SQL, so that SQLite and PostgreSQL can stand
 * side by side. Every method that changes something is one durable transaction: when its promise
 * resolves, the effect is on disk; when it rejects, nothing of it happened. Rejections are
 * `Storage…Error`s or `AttemptOverError`. There is one exception: after a `StorageSessionLostError`
 * nobody knows whether it happened, and every attempt in hand is over; `recover` finds what is left.
 */

import type { ErrorRecord } from "./errors.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type {
  DeadLetter,
  DeadReason,
  JsonObject,
  Message,
  MessageType,
  NewMessage,
  Pool,
  Priority,
} from "./message.ts";
import type { ReferenceState } from "./message-reference.ts";
import type { SharedStore } from "./shared-store.ts";
import type { Transaction } from "./transaction.ts";

/** How queueing a message ended. */
export type EnqueueResult =
  | {
      readonly kind: "queued";
      readonly messageId: number;
      /** How many waiting messages it replaced (`NewMessage.replaces`). Default 0. */
      readonly replaced?: number;
    }
  | { readonly kind: "duplicate" }
  /** Its lane is full; it was kept as a dead letter. */
  | { readonly kind: "lane-full"; readonly deadLetterId: number };

/** The head of a lane, offered for claiming. */
export interface ClaimCandidate {
  readonly messageId: number;
  readonly lane: string;
  readonly priority: Priority;
  readonly floodScope: string | undefined;
  readonly floodCost: number;
}

/**
 * The claimer's word on a candidate: take it; leave it until an instant; leave it and look on among
 * the next priority; or stop looking in this claim, because the limit over all is used up.
 */
export type Admission = "take" | "next-priority" | "stop" | { readonly notBeforeEpochMs: number };

export interface ClaimRequest {
  readonly pool: Pool;
  /**
   * At most so many are claimed. This and `agedLimit` are read when the claim is carried out, so that
   * they may grow until then.
   */
  readonly limit: number;
  /** Only heads of this priority or higher; suspects of any. Default `low`: all. */
  readonly atLeast?: Priority;
  /** How many of `limit` go first to heads that have waited past their age. */
  readonly agedLimit: number;
  /** A normal or low head available since before this instant is aged. */
  readonly agedBefore: { readonly normal: number; readonly low: number };
  /**
   * Heads that were being worked on when the process died are suspects: `only` them, fewest deaths
   * first; `without` them; or `with` them, like any other.
   */
  readonly suspects: "only" | "without" | "with";
  /**
   * Asked once per candidate; must be quick and must not throw. It is asked inside the transaction, or
   * before the one that takes what it admits. Default: every candidate is taken.
   */
  readonly admit?: ((candidate: ClaimCandidate) => Admission) | undefined;
  /** Told of a candidate that was admitted and that another process has taken first. */
  readonly withdraw?: (messageId: number) => void;
}

/** Names one attempt; the store refuses it once a newer claim exists. */
export interface AttemptRef {
  readonly messageId: number;
  readonly claims: number;
}

/** A send that used up flood-control room, for the windows to survive a restart. */
export interface SentRecord {
  readonly scope: string;
  readonly cost: number;
  readonly atEpochMs: number;
}

/** The outcome for a message that a dead process was working on. */
export interface Recovery {
  readonly outcome: AttemptOutcome;
  /** Flood-control room it may have used up. */
  readonly sent?: SentRecord | undefined;
}

/** How an attempt ended. */
export type AttemptOutcome =
  /**
   * Done: the message leaves the queue, `enqueue` enters it and `write` writes, in one transaction.
   * What `write` rejects with, `finish` rejects with, and nothing of the outcome is kept.
   */
  | {
      readonly kind: "done";
      readonly enqueue: readonly NewMessage[];
      readonly write?: (tx: Transaction) => Promise<void>;
      /** Forgets that this chat was unreachable. */
      readonly reachedChat?: string;
      /** Remembers that this chat cannot be written to. */
      readonly unreachableChat?: { readonly chat: string; readonly reason: string };
      /** The ids of what was sent, for the references to it. */
      readonly telegramIds?: readonly number[];
    }
  /** Failed: again at `availableAtEpochMs`. `hold` keeps the lane waiting, `skip` lets it go on. */
  | {
      readonly kind: "retry";
      readonly availableAtEpochMs: number;
      readonly error: ErrorRecord;
      readonly onRetry: "hold" | "skip";
    }
  /** Not its fault: again later, no attempt spent. With `parkLane` the whole lane waits. */
  | {
      readonly kind: "postponed";
      readonly availableAtEpochMs: number;
      readonly parkLane: boolean;
      /** Replaces the payload and the flood scope, e.g. when a chat has moved. */
      readonly readdressed?: {
        readonly payload: JsonObject;
        readonly floodScope: string | undefined;
      };
    }
  /** Given up: becomes a dead letter; `enqueue` (last words to the user) enters with it. */
  | {
      readonly kind: "dead";
      readonly reason: DeadReason;
      readonly error: ErrorRecord | undefined;
      readonly enqueue: readonly NewMessage[];
      /** Remembers that this chat cannot be written to. */
      readonly unreachableChat?: { readonly chat: string; readonly reason: string };
    }
  /** Too late to be of use: leaves the queue. */
  | { readonly kind: "expired" }
  /** Handed back unworked, e.g. at the end of a drain. */
  | { readonly kind: "released" };

export interface PoolSnapshot {
  readonly waiting: number;
  readonly inHand: number;
  readonly lanes: number;
  /** Messages whose time has not come; none of the others counts them. */
  readonly delayed: number;
  /** Milliseconds since the epoch at which the oldest waiting message was queued. */
  readonly oldestCreatedAtEpochMs: number | undefined;
}

export interface StoreSnapshot {
  readonly pools: Readonly<Record<Pool, PoolSnapshot>>;
  readonly deadLetters: number;
  readonly dedupeKeys: number;
}

/** A field that is missing or `undefined` does not filter. */
export interface DeadLetterFilter {
  readonly type?: MessageType | undefined;
  readonly reason?: DeadReason | undefined;
  /** Code of the latest error. */
  readonly code?: string | undefined;
}

/** A part of a list. */
export interface PageRequest {
  readonly offset: number;
  /** 1 to 1000. */
  readonly limit: number;
}

/** A lane whose first message waits on purpose: after a 429, or between two attempts. */
export interface WaitingLane {
  readonly pool: Pool;
  readonly lane: string;
  /** Whether the whole lane is parked (a 429); otherwise its head waits for its next attempt. */
  readonly parked: boolean;
  readonly availableAtEpochMs: number;
  /** When its head was queued. */
  readonly createdAtEpochMs: number;
  readonly attempts: number;
}

/** A message whose time has not come, without its payload. */
export interface DelayedMessage {
  readonly id: number;
  readonly type: MessageType;
  readonly pool: Pool;
  readonly lane: string;
  /** The name of its key (`NewMessage.key`); `undefined`: it has none. */
  readonly key: string | undefined;
  readonly createdAtEpochMs: number;
  /** When it enters its lane. */
  readonly dueAtEpochMs: number;
}

/** Ages after which finished things are forgotten, in milliseconds since the epoch. */
export interface SweepRequest {
  readonly deadLettersBeforeEpochMs: number;
  readonly sentBeforeEpochMs: number;
  readonly referencesBeforeEpochMs: number;
}

/** The queue's side of a store. */
export interface QueueStore {
  /** All or nothing, in this order. */
  enqueue(messages: readonly NewMessage[]): Promise<readonly EnqueueResult[]>;
  /**
   * Claims heads: marks them as in hand, and only then resolves. By then the mark of an update outlives
   * this process, that of a send also the machine. Sees what was submitted before it in the same turn of
   * the event loop, so a message can be claimed in the commit that queues it, and the next of a lane in
   * the commit that ends the one before.
   */
  claim(request: ClaimRequest): Promise<readonly Message[]>;
  /** Ends an attempt. Rejects with `AttemptOverError` when a newer claim exists. */
  finish(
    attempt: AttemptRef,
    outcome: AttemptOutcome,
    sent?: SentRecord,
  ): Promise<readonly EnqueueResult[]>;
  /**
   * The durable step `name` of a message: runs `work` once and keeps its result with it; from the
   * second time on gives the kept result back without running `work`. `enqueue` is read after `work`
   * and commits with it. Rejects with `AttemptOverError` when a newer claim exists, and with what
   * `work` rejected with (then nothing of it is kept).
   */
  step(
    attempt: AttemptRef,
    name: string,
    work: (tx: Transaction) => Promise<unknown>,
    enqueue: () => readonly NewMessage[],
  ): Promise<unknown>;
  /**
   * Takes over the messages that a dead process was working on, in one transaction: counts the death,
   * then ends each attempt as `decide` says.
   *
   * @param decide Sees the message with this death counted; must not throw.
   * @returns those messages, oldest first.
   */
  recover(decide: (message: Message) => Recovery): Promise<readonly Message[]>;
  /**
   * How often `recover` has something to look for after the start, because other processes work on the
   * same messages, or this one may lose what it holds. Default: never.
   */
  readonly recoverEveryMs?: number | undefined;
  /**
   * Whether an attempt may begin what cannot be undone: false when others may have taken its message
   * over without this process knowing. Default: it always may.
   */
  mayBegin?(): boolean;
  /**
   * When the pool should look for work next, at the latest; `undefined` when nothing waits or is delayed.
   *
   * @param atLeast Only heads of this priority or higher matter. A store that cannot tell them apart gives the
   *   instant for all. Default `low`: all.
   */
  nextAvailableAtEpochMs(pool: Pool, atLeast?: Priority): Promise<number | undefined>;
  /** Lanes whose head waits for a parking or a back-off to end, the longest wait first. */
  waitingLanes(limit: number): Promise<readonly WaitingLane[]>;
  /** Ends a lane's parking or back-off. @returns false when it does not wait. */
  releaseLane(pool: Pool, lane: string): Promise<boolean>;
  /** Messages whose time has not come, the next one first. */
  delayedMessages(
    request: PageRequest & { readonly type?: MessageType | undefined },
  ): Promise<readonly DelayedMessage[]>;
  /** Ends a message's delay: it enters its lane now. @returns false when no such message is delayed. */
  runNow(messageId: number): Promise<boolean>;
  /**
   * Messages waiting or being worked on, without delayed ones. Cheap enough to ask before every poll.
   *
   * @param atLeast Counts only those of this priority or higher. Default `low`: all.
   */
  depth(pool: Pool, atLeast?: Priority): Promise<number>;
  snapshot(): Promise<StoreSnapshot>;
  /** Newest first. */
  deadLetters(filter: DeadLetterFilter & PageRequest): Promise<readonly DeadLetter[]>;
  countDeadLetters(filter: DeadLetterFilter): Promise<number>;
  deadLetter(id: number): Promise<DeadLetter | undefined>;
  /** Puts a dead letter back at its lane's end. @returns the new message's id, or `undefined`. */
  requeue(deadLetterId: number): Promise<number | undefined>;
  /** @returns false when there was none. */
  deleteDeadLetter(deadLetterId: number): Promise<boolean>;
  sweep(
    request: SweepRequest,
  ): Promise<{ readonly dedupeKeys: number; readonly deadLetters: number }>;
  /** Flood-control room used since then, for the windows to survive a restart. */
  sentSince(epochMs: number): Promise<readonly SentRecord[]>;
  recordSent(sent: SentRecord): Promise<void>;
  /** Returns the state of the message behind a reference (`NewMessage.references`). */
  resolveReference(reference: number): Promise<ReferenceState>;
  /** The files that messages and dead letters still need (`NewMessage.files`), each once. */
  filesInUse(): Promise<readonly string[]>;
}

/** Small facts beside the queue. */
export interface FactStore {
  /**
   * Why a chat cannot be written to; `undefined` when nothing is known against it.
   *
   * @param sinceEpochMs What was last heard before this instant does not count. Default: all counts.
   */
  unreachableReason(chat: string, sinceEpochMs?: number): Promise<string | undefined>;
  /**
   * A small named value, e.g. the fingerprint of the registered commands. One whose name ends in
   * `-until` is an instant, in milliseconds since the epoch: it moves along when the clock is set.
   */
  getFact(name: string): Promise<string | undefined>;
  setFact(name: string, value: string): Promise<void>;
}

/** A copy of everything, as it was at one instant while the store worked. */
export interface Backup {
  /** Its whole path. */
  readonly file: string;
  readonly bytes: number;
  readonly durationMs: number;
}

/** How the previous process of this data directory ended. */
export type PreviousEnd = "first" | "clean" | "unclean";

export interface Store extends QueueStore, FactStore {
  /** Present where several processes may work on it. */
  readonly shared?: SharedStore | undefined;
  /**
   * Opens, locks, migrates and, after an unclean end, checks the store.
   * Rejects with a `Storage…Error`; a damaged file is never written to.
   */
  open(): Promise<PreviousEnd>;
  /** One transaction outside any message. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * Reads what is on disk, without the costs of a commit. `work` must not write: SQLite rejects then with
   * `DataRefusedError`, and nothing of it is kept.
   */
  read<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * Looks whether what was opened is still in its place, without writing; takes microseconds. When it is
   * not, the store has failed, as at a commit that fails.
   */
  verify(): void;
  /** Writes and syncs one row: proof that the disk takes data. */
  probe(): Promise<void>;
  /**
   * Writes a verified copy beside the data without holding up the store, and removes the oldest ones.
   * Gives the one under way when there is one. Rejects with `BackupFailedError`, always where the
   * database has backups of its own (PostgreSQL).
   */
  backup(): Promise<Backup>;
  /**
   * Seals with a new data key from now on, or, where several processes share the store, as soon as each of
   * them has it. A pass in the background seals older rows with it and drops the old key. While a rotation
   * is under way, gives its key.
   */
  rotateKey(): Promise<{ readonly keyId: number }>;
  /** Beats once per synced transaction; overdue only while one is asked for. */
  heartbeat(): Heartbeat;
  /** Finishes what was submitted, records the clean end and lets go of the lock. Never rejects. */
  close(): Promise<void>;
}
