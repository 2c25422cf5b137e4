/** Encryption keys: creates keys for tests and keeps them in memory. */
import { createHash } from "node:crypto";
import type { EncryptionKeys } from "../../bot/core/encryption-keys.ts";
import { Secret } from "../../bot/core/secret.ts";

/** Returns a key derived from a word: the same word gives the same key. */
export function keyOf(word: string): Secret {
  return new Secret(createHash("sha256").update(word).digest("base64"));
}

/** @param word `undefined` when the key is lost; creating another one is then an error. */
export function keysOf(word: string | undefined, previous?: string): EncryptionKeys {
  const key = word === undefined ? undefined : keyOf(word);
  return {
    find: () => key,
    previous: previous === undefined ? undefined : keyOf(previous),
    create: () => {
      throw new Error("a key was created although one should exist");
    },
  };
}
