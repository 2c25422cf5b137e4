/** Key file: the encryption key in a file of its own, which only its owner can read. */
import { randomBytes } from "node:crypto";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { EncryptionKeys } from "../core/encryption-keys.ts";
import { EncryptionKeyError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import { syncPath } from "../core/sync-path.ts";
import { encryptionKey } from "./setting-kinds.ts";
import type { FaultToleranceConfig } from "./settings-table.ts";

/**
 * Where the encryption key of this configuration comes from.
 *
 * @param onCreated Called with the file's path when a key was made.
 */
export function encryptionKeysOf(
  storage: FaultToleranceConfig["storage"],
  onCreated: (file: string) => void = () => {},
): EncryptionKeys {
  const file = join(storage.directory, "encryption.key");
  return {
    find: () => storage.encryptionKey ?? readKeyFile(file),
    previous: storage.encryptionKeyPrevious,
    create: () => {
      const key = createKeyFile(file);
      onCreated(file);
      return key;
    },
  };
}

/** The key that a running bot has made in its data directory, for programs that only read its data. */
export function existingKeysIn(dataDirectory: string): EncryptionKeys {
  const file = join(dataDirectory, "encryption.key");
  return {
    find: () => readKeyFile(file),
    previous: undefined,
    create: () => {
      throw new EncryptionKeyError(`there is no key in ${file}`);
    },
  };
}

const othersMask = 0o077;

/**
 * @returns the key, or `undefined` when there is no such file.
 * @throws {EncryptionKeyError} when others may read the file, or it holds no key.
 */
export function readKeyFile(path: string): Secret | undefined {
  if (!existsSync(path)) return undefined;
  const { mode } = statSync(path);
  if (process.platform !== "win32" && (mode & othersMask) !== 0) {
    const shown = (mode & 0o777).toString(8).padStart(3, "0");
    throw new EncryptionKeyError(`${path}: expected mode 600, it has ${shown}`, {
      hint: `Run: chmod 600 ${path}`,
    });
  }
  const kind = encryptionKey();
  const read = kind.read(readFileSync(path, "utf8").trim());
  if (read) return read.value;
  throw new EncryptionKeyError(`${path}: expected ${kind.expected}, received something else`, {
    hint: "Nothing was overwritten. Put your copy of the file back in its place.",
  });
}

/**
 * Makes a key and its file, both on disk when this returns. When another process was faster, its key is
 * taken.
 */
export function createKeyFile(path: string): Secret {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, `${randomBytes(32).toString("base64")}\n`, {
    mode: 0o600,
    flush: true,
  });
  try {
    // A link is made in one step: a crash leaves no half-written key, and no other process's key is replaced.
    linkSync(unfinished, path);
    syncPath(directory);
  } catch (error) {
    if (!existsSync(path)) throw error;
  } finally {
    rmSync(unfinished, { force: true });
  }
  const key = readKeyFile(path);
  if (key) return key;
  throw new EncryptionKeyError(`${path} has vanished`);
}
