/** Keyed messages: what a transaction can ask and do about messages of the queue that have a key. */
import { DataRefusedError } from "./errors.ts";

/** The state of the message with a key. Instants are milliseconds since the epoch. */
export type KeyState =
  /** It waits, and is not worked on before this instant. */
  | { readonly kind: "waiting"; readonly atEpochMs: number }
  /** It is being worked on; it was due at this instant. */
  | { readonly kind: "in-hand"; readonly atEpochMs: number }
  /** It was done at this instant. Forgotten after the lifetime of dedupe keys. */
  | { readonly kind: "done"; readonly atEpochMs: number }
  /** It was given up at this instant. */
  | { readonly kind: "dead"; readonly atEpochMs: number; readonly deadLetterId: number }
  | { readonly kind: "unknown" };

export interface KeyedMessages {
  /** The state of the message that was queued last with this key. */
  find(key: string): Promise<KeyState>;
  /**
   * Takes away what waits under this key, when the transaction commits; the key is free then.
   *
   * @returns whether anything waited. A message in hand stays.
   */
  cancel(key: string): Promise<boolean>;
}

/** The name under which the queue knows a key of `kit.outbox`. */
export function outboxKeyName(key: string): string {
  return `outbox:${key}`;
}

const keyLengthMax = 250;

/** @throws {DataRefusedError} */
export function checkMessageKey(
  key: unknown,
  field = "key",
  lengthMax = keyLengthMax,
): asserts key is string {
  const fits = typeof key === "string" && key !== "" && key.length <= lengthMax;
  // SQL engines end a text at NUL, or change what is not Unicode, so two keys could become one.
  if (fits && key.isWellFormed() && !key.includes("\0")) return;
  throw new DataRefusedError(
    field,
    `a Unicode text of 1 to ${lengthMax} characters without NUL`,
    typeof key === "string" ? `a text of ${key.length} characters` : `a ${typeof key}`,
    "Make the key of ids, such as String(ctx.from.id).",
  );
}
