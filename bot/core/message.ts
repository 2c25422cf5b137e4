/**
 * Message: one unit of work in the durable queue.
 *
 * Words: a *lane* is a strictly ordered line of messages, one chat's in one pool; its first message
 * is its *head*; an *attempt* is one run of a message's handler; a *death* is the process ending
 * while the message was in hand; a *dead letter* is a message given up, kept with its errors.
 */
import type { ErrorRecord } from "./errors.ts";

/** What a message carries. */
export type MessageType = "update" | "send" | "broadcast" | "alert";

/**
 * Who works on it. Every pool has its own workers, so that a full one never blocks another:
 * `handling` runs updates, `sending` calls Telegram under flood control, `answering` calls Telegram
 * for queries that Telegram does not limit but that expire within seconds.
 */
export type Pool = "handling" | "sending" | "answering";

export const pools: readonly Pool[] = ["handling", "sending", "answering"];

/** High goes first, but never starves low (utils/message-queue/priority-rules.ts). */
export type Priority = "high" | "normal" | "low";

export const priorities: readonly Priority[] = ["high", "normal", "low"];

/** Plain data, as JSON knows it. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [k: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** What to do when nobody can know whether a send was executed. */
export type AmbiguousPolicy = "retry" | "drop";

/** A message to be queued. */
export interface NewMessage {
  readonly type: MessageType;
  readonly pool: Pool;
  /** Messages of one pool and lane are worked on one at a time, in the order they were queued. */
  readonly lane: string;
  readonly priority: Priority;
  readonly payload: JsonObject;
  /** Not before this instant. Default: at once. */
  readonly availableAtEpochMs?: number;
  /** Not after this instant: an older message leaves the queue unworked, counted as expired. */
  readonly expiresAtEpochMs?: number;
  /** If any of these was seen within its lifetime, the message is a duplicate and is not queued. */
  readonly dedupeKeys?: readonly string[];
  /** Default `retry`. */
  readonly ambiguous?: AmbiguousPolicy;
  /** Chat whose flood window this uses (telegram/delivery/flood-rules.ts). Default: none. */
  readonly floodScope?: string;
  /** Messages it counts as under flood control: an album its items. Default 1 with a scope. */
  readonly floodCost?: number;
}

/** A message in hand. */
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
  /** How often it was taken in hand, this time included: the fence against given-up attempts. */
  readonly claims: number;
  /** How often the process died with it in hand. */
  readonly deaths: number;
  /** Whether it was a dead letter before and an operator put it back. */
  readonly requeued: boolean;
  readonly errors: readonly ErrorRecord[];
  readonly ambiguous: AmbiguousPolicy;
  readonly floodScope: string | undefined;
  readonly floodCost: number;
}

/** Why a message was given up. */
export type DeadReason =
  | "attempts-exhausted"
  | "refused"
  | "quarantined"
  | "ambiguous-dropped"
  | "lane-full";

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
