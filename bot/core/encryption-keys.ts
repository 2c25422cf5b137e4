/**
 * Encryption keys: where the key comes from that seals the store's own keys.
 *
 * Each is 32 bytes, written in base64.
 */
import type { Secret } from "./secret.ts";

export interface EncryptionKeys {
  /** The one to use; `undefined` when none was ever set or made. @throws {EncryptionKeyError} */
  find(): Secret | undefined;
  /** The one before it, while it is being changed. */
  readonly previous: Secret | undefined;
  /** Makes one for a store that has none; it is on disk when this returns. */
  create(): Secret;
}
