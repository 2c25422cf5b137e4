/** Message rows: map messages and dead letters to table rows. */
import type { ErrorRecord } from "../../core/errors.ts";
import {
  type AmbiguousPolicy,
  type DeadLetter,
  type DeadReason,
  type JsonObject,
  type Message,
  type MessageType,
  type NewMessage,
  type Pool,
  type Priority,
  priorities,
} from "../../core/message.ts";
import type { ClaimCandidate } from "../../core/store.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { places } from "./sealed-columns.ts";

interface CommonRow {
  readonly id: number;
  readonly type: MessageType;
  readonly pool: Pool;
  readonly lane: string;
  readonly priority: number;
  readonly created_at: number;
  readonly attempts: number;
  readonly deaths: number;
  readonly origin: number | null;
  readonly ambiguous: AmbiguousPolicy;
  readonly flood_scope: string | null;
  readonly flood_cost: number;
  readonly errors: string;
  readonly key: string | null;
}

/** A message's row without its payload. */
export interface MessageRow extends CommonRow {
  readonly available_at: number;
  readonly expires_at: number | null;
  readonly replaces: string | null;
  /** When a message that was delayed enters its lane. */
  readonly enters_at: number | null;
}

/** The columns of `MessageRow`. */
export const messageColumns = [
  ...["id", "type", "pool", "lane", "priority", "created_at", "available_at", "expires_at"],
  ...["attempts", "deaths", "origin", "ambiguous", "flood_scope", "flood_cost", "errors"],
  ...["replaces", "enters_at", "key"],
] as const;

/** The row of a message that was not queued before. */
export function newRow(id: number, message: NewMessage, now: number): MessageRow {
  const { availableAtEpochMs = now } = message;
  const delayed = availableAtEpochMs > now;
  return {
    id,
    type: message.type,
    pool: message.pool,
    lane: message.lane,
    priority: priorities.indexOf(message.priority),
    created_at: now,
    available_at: availableAtEpochMs,
    expires_at: message.expiresAtEpochMs ?? null,
    attempts: 0,
    deaths: 0,
    origin: null,
    ambiguous: message.ambiguous ?? "retry",
    flood_scope: message.floodScope ?? null,
    flood_cost: message.floodScope === undefined ? 0 : (message.floodCost ?? 1),
    errors: "[]",
    replaces: delayed ? null : (message.replaces ?? null),
    enters_at: delayed ? availableAtEpochMs : null,
    key: message.key?.name ?? null,
  };
}

export interface DeadLetterRow extends CommonRow {
  /** The sealed payload; see sealed-columns.ts. */
  readonly payload: Uint8Array;
  readonly died_at: number;
  readonly reason: DeadReason;
}

/** Priorities are stored as 0 (high), 1 (normal), 2 (low). */
function priorityName(stored: number): Priority {
  return priorities[stored] ?? "low";
}

/** @param payload The payload as JSON text. */
export function toMessage(row: MessageRow, payload: string, claims: number): Message {
  return {
    ...common(row, payload),
    expiresAtEpochMs: row.expires_at ?? undefined,
    claims,
    requeued: row.origin !== null,
    ambiguous: row.ambiguous,
    floodScope: row.flood_scope ?? undefined,
    floodCost: row.flood_cost,
  };
}

export function toDeadLetter(row: DeadLetterRow, ring: KeyRing): DeadLetter {
  return {
    ...common(row, ring.open(row.payload, places.payload(row))),
    diedAtEpochMs: row.died_at,
    reason: row.reason,
  };
}

function common(row: CommonRow, payload: string) {
  return {
    id: row.id,
    type: row.type,
    pool: row.pool,
    lane: row.lane,
    priority: priorityName(row.priority),
    payload: JSON.parse(payload) as JsonObject,
    createdAtEpochMs: row.created_at,
    attempts: row.attempts,
    deaths: row.deaths,
    errors: row.errors === "[]" ? [] : (JSON.parse(row.errors) as ErrorRecord[]),
  };
}

/** The facts on which a gate decides. @param priority The lane's, which may be higher than the message's own. */
export function toCandidate(row: MessageRow, priority: number): ClaimCandidate {
  return {
    messageId: row.id,
    lane: row.lane,
    priority: priorityName(priority),
    floodScope: row.flood_scope ?? undefined,
    floodCost: row.flood_cost,
  };
}
