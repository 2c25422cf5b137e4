/** Encryption keys for tests, kept in memory. */
import { createHash } from "node:crypto";
import type { EncryptionKeys } from "../../bot/core/encryption-keys.ts";
import { Secret } from "../../bot/core/secret.ts";

/** A key made of a word: the same word is the same key. */
export function keyOf(word: string): Secret {
  return new Secret(createHash("sha256").update(word).digest("base64"));
}

/** @param word `undefined`: the key is lost, and making another one is a mistake. */
export function keysOf(word: string | undefined, previous?: string): EncryptionKeys {
  const key = word === undefined ? undefined : keyOf(word);
  return {
    find: () => key,
    previous: previous === undefined ? undefined : keyOf(previous),
    create: () => {
      throw new Error("a key was made although there should be one");
    },
  };
}
