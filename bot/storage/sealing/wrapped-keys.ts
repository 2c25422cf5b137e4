/**
 * Wrapped keys: the data keys as they are stored, sealed with the operator's encryption key.
 */
import { randomBytes } from "node:crypto";
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import { EncryptionKeyError, StorageCorruptError } from "../../core/errors.ts";
import type { Secret } from "../../core/secret.ts";
import { keyLength, SealingKey } from "./sealing-key.ts";

export interface DataKeyRow {
  readonly id: number;
  readonly wrapped: Uint8Array;
}

/** The id of the encryption key in what it sealed; that key is on no ring. */
const encryptionKeyId = 0;

/** A new data key. */
export function newDataKey(): Buffer {
  return randomBytes(keyLength);
}

/** @throws {EncryptionKeyError} when the encryption key does not fit. */
export function unwrapAll(rows: readonly DataKeyRow[], keys: EncryptionKeys) {
  const secret = keys.find();
  if (!secret) throw missingKey();
  const encryptionKey = sealingKey(secret);
  const previous = keys.previous && sealingKey(keys.previous);
  const opened = rows.map((row) => {
    const current = unwrap(encryptionKey, row);
    const bytes = current ?? (previous && unwrap(previous, row));
    if (!bytes) throw wrongKey();
    return { id: row.id, bytes, current: current !== undefined };
  });
  return { encryptionKey, opened };
}

/** Opens a data key; `undefined` when another key sealed it. */
function unwrap(key: SealingKey, { id, wrapped }: DataKeyRow): Buffer | undefined {
  try {
    return Buffer.from(key.open(wrapped, placeOf(id)), "base64");
  } catch (error) {
    if (error instanceof StorageCorruptError) return undefined;
    throw error;
  }
}

/** The key as it is stored. */
export function wrap(key: SealingKey, bytes: Buffer, id: number): Buffer {
  return key.seal(bytes.toString("base64"), placeOf(id));
}

function placeOf(id: number): string {
  return `data_keys|wrapped|${id}`;
}

export function sealingKey(secret: Secret): SealingKey {
  return new SealingKey(encryptionKeyId, Buffer.from(secret.reveal(), "base64"));
}

export function missingKey(): EncryptionKeyError {
  return new EncryptionKeyError("the encryption key of this database is missing", {
    hint:
      "Nothing was overwritten. Put encryption.key back into DATA_DIR, or set ENCRYPTION_KEY to the " +
      "key it was sealed with. Without the key, the personal data in it cannot be read.",
  });
}

function wrongKey(): EncryptionKeyError {
  return new EncryptionKeyError("the encryption key does not open this database", {
    hint:
      "Nothing was overwritten. Use the key it was sealed with; to change the key, set ENCRYPTION_KEY " +
      "to the new one and ENCRYPTION_KEY_PREVIOUS to the old one (or to the text in encryption.key).",
  });
}
