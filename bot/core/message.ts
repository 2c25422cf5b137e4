/**
 * Message: one unit of work in the durable queue.
 *
 * Words: a *lane* is a strictly ordered line of messages, one for each chat and pool; its first
 * message is its *head*; an *attempt* is one run of a message's handler; a *death* is the end of the
 * process during an attempt; a *dead letter* is a message that was given up, kept with its errors.
 */
import type { ErrorRecord } from "./errors.ts";

/** The kinds of content that a message has. */
export const messageTypes = ["update", "task", "send", "broadcast", "alert"] as const;
export type MessageType = (typeof messageTypes)[number];

/**
 * The workers that it is for. Every pool has its own, so that a full one never blocks another:
 * `handling` runs updates and tasks, `sending` calls Telegram under flood control, `answering` calls Telegram
 * for queries that Telegram does not limit but that expire within seconds.
 */
export const pools = ["handling", "sending", "answering"] as const;
export type Pool = (typeof pools)[number];

/** High goes first, but never starves low (utils/message-queue/priority-rules.ts). */
export const priorities = ["high", "normal", "low"] as const;
export type Priority = (typeof priorities)[number];

/** Plain data, as JSON knows it. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [k: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** The policy for a send when nothing tells whether it was executed. */
export type AmbiguousPolicy = "retry" | "drop";

/** Names a message, so that it can be found, and taken away while it waits. */
export interface MessageKey {
  /** 1 to 250 characters. It is stored as it is, so it holds ids and no words of people. */
  readonly name: string;
  /**
   * What happens while the name is taken. `refuse`: the new message is a duplicate; a name stays taken
   * while its message waits, is in hand or is a dead letter, and for the lifetime of dedupe keys after it
   * was done. `replace`: the new message takes the place of those that wait.
   *
   * Messages that are queued together with one name stand or fall together.
   */
  readonly again: "refuse" | "replace";
}

/** A message to be queued. */
export interface NewMessage {
  readonly type: MessageType;
  readonly pool: Pool;
  /** Messages of one pool and lane are worked on one at a time, in the order they were queued. */
  readonly lane: string;
  readonly priority: Priority;
  readonly payload: JsonObject;
  /**
   * Not before this instant. Until then it holds nothing back and counts as delayed; then it goes to the
   * end of its lane. Default: at once.
   */
  readonly availableAtEpochMs?: number;
  /** Not after this instant: an older message leaves the queue unworked, counted as expired. */
  readonly expiresAtEpochMs?: number;
  /** If any of these was seen within its lifetime, the message is a duplicate and is not queued. */
  readonly dedupeKeys?: readonly string[];
  /** Default: it has no name. */
  readonly key?: MessageKey;
  /**
   * Names what this message sets, so that a later one that sets the same replaces it: messages of this
   * pool and lane with the same name that were never claimed leave the queue in the commit that
   * queues this one. Everything else keeps its place, and this one goes to the end of the lane. A
   * delayed message replaces nothing.
   */
  readonly replaces?: string;
  /** Default `retry`. */
  readonly ambiguous?: AmbiguousPolicy;
  /** Chat whose flood window this uses (telegram/delivery/flood-rules.ts). Default: none. */
  readonly floodScope?: string;
  /** Messages it counts as under flood control: an album its items. Default 1 with a scope. */
  readonly floodCost?: number;
  /** The numbers that stand for the ids of what it sends (core/message-reference.ts). */
  readonly references?: readonly NewReference[];
  /** The names of the files it needs (core/file-store.ts). */
  readonly files?: readonly string[];
}

/** A number that stands for the id of what a message sends. */
export interface NewReference {
  readonly id: number;
  /** Which of the sent messages: that of an album's item, otherwise 0. */
  readonly position: number;
}

/** A message that is being worked on. */
export interface Message {
  readonly id: number;
  readonly type: MessageType;
  readonly pool: Pool;
  readonly lane: string;
  readonly priority: Priority;
  readonly payload: JsonObject;
  readonly createdAtEpochMs: number;
  readonly expiresAtEpochMs: number | undefined;
  /** Failed attempts before this one. */
  readonly attempts: number;
  /**
   * How often this process claimed it, this time included: the fence against attempts that were given
   * up. Attempts of a process that died need none.
   */
  readonly claims: number;
  /** How often the process died during an attempt at it. */
  readonly deaths: number;
  /** Whether it was a dead letter before and an operator put it back. */
  readonly requeued: boolean;
  readonly errors: readonly ErrorRecord[];
  readonly ambiguous: AmbiguousPolicy;
  readonly floodScope: string | undefined;
  readonly floodCost: number;
}

/** Why a message was given up. */
export const deadReasons = [
  "attempts-exhausted",
  "refused",
  "quarantined",
  "ambiguous-dropped",
  /** Its lane has no room, or too many messages are delayed. */
  "lane-full",
  /** Telegram wanted its chat to wait for longer than the bot does. */
  "rate-limited",
] as const;
export type DeadReason = (typeof deadReasons)[number];

/** A message given up, kept until an operator or the sweeper removes it. */
export interface DeadLetter {
  readonly id: number;
  readonly type: MessageType;
  readonly pool: Pool;
  readonly lane: string;
  readonly priority: Priority;
  readonly payload: JsonObject;
  readonly createdAtEpochMs: number;
  readonly diedAtEpochMs: number;
  readonly reason: DeadReason;
  readonly attempts: number;
  readonly deaths: number;
  readonly errors: readonly ErrorRecord[];
}

/** The lane of everything that is said in a chat. */
export function laneOfChat(chatId: number): string {
  return `chat:${chatId}`;
}
