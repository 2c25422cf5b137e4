/**
 * Message reference: a number that stands for the id of a message that Telegram does not have yet.
 *
 *   2^52  +  message id of the update (36 bits)  |  scope (5 bits)  |  number in the scope (10 bits)
 *
 * It is recognised by its value alone, wherever it stands and whatever has kept it meanwhile: Telegram's
 * message ids are 32-bit integers, its chat and user ids have at most 52 significant bits (Bot API, Chat
 * and User), and JSON and SQLite keep integers below 2^53 exactly. The update's own id makes it unique,
 * also over restarts. Calls that commit with the update have scope 0, so that a repeated attempt draws
 * the same numbers; those in a durable step have the scope of the attempt that made the step, because a
 * later attempt does not run it again and would draw its numbers for other calls.
 */
import type { Json, JsonObject } from "./message.ts";

/** The smallest reference; all of them are below twice this. */
export const referenceMin = 2 ** 52;

/** References that one attempt can draw in each scope. */
export const referencesPerScopeMax = 2 ** 10;
const scopes = 2 ** 5;
/** Half of what 37 bits hold; the other half are references without an update. */
const messageIds = 2 ** 36;
/** Free references begin in 2025; with so many for each millisecond their half lasts for 34 years. */
const freeBeginEpochMs = 1_735_689_600_000;
const freePerMs = 2 ** 11;
const freeMs = 2 ** 40;

/** The state of the message behind a reference. */
export type ReferenceState =
  /** Telegram has it under this id. */
  | { readonly kind: "delivered"; readonly telegramId: number }
  /** It waits in this lane, or is being sent. */
  | { readonly kind: "waiting"; readonly lane: string }
  /** It was given up. */
  | { readonly kind: "dead"; readonly deadLetterId: number }
  /** It left the queue without an id, its dead letter was deleted, or it is too long ago. */
  | { readonly kind: "unknown" };

/**
 * @param step The claims of the attempt, for a call inside a durable step.
 * @param number 0 to `referencesPerScopeMax` - 1.
 */
export function drawReference(messageId: number, step: number | undefined, number: number): number {
  const scope = step === undefined ? 0 : 1 + (step % (scopes - 1));
  const within = scope * referencesPerScopeMax + number;
  return referenceMin + (messageId % messageIds) * scopes * referencesPerScopeMax + within;
}

/**
 * Draws references for calls that no update asks for: numbers of a half of their own, counted up from
 * the instant at which they begin, so that no other process has drawn them.
 *
 * @param startEpochMs When the process has started.
 */
export function drawFreeReferences(startEpochMs: number): () => number {
  const sinceMs = Math.max(0, startEpochMs - freeBeginEpochMs) % freeMs;
  let next = referenceMin + referenceMin / 2 + sinceMs * freePerMs;
  return () => next++;
}

export function isReference(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= referenceMin;
}

/** Every reference in a call's fields, each once. */
export function referencesIn(value: Json | undefined, found = new Set<number>()): Set<number> {
  if (isReference(value)) found.add(value);
  else if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) referencesIn(inner, found);
  }
  return found;
}

/** The fields with ids in the place of the references that have one. */
export function withTelegramIds(
  fields: JsonObject,
  telegramIds: ReadonlyMap<number, number>,
): JsonObject {
  const replace = (value: Json): Json => {
    if (typeof value === "number") return telegramIds.get(value) ?? value;
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(replace);
    return withTelegramIds(value as JsonObject, telegramIds);
  };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, replace(value)]));
}
