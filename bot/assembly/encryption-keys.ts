/** Encryption keys: from the configuration, or from a file that is made when there is none. */
import { join } from "node:path";
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import { createKeyFile, readKeyFile } from "../config/key-file.ts";
import type { EncryptionKeys } from "../contracts/encryption-keys.ts";
import type { Publish } from "../contracts/events.ts";

export function createEncryptionKeys(
  { storage }: FaultToleranceConfig,
  publish: Publish,
): EncryptionKeys {
  const file = join(storage.directory, "encryption.key");
  return {
    find: () => storage.encryptionKey ?? readKeyFile(file),
    previous: storage.encryptionKeyPrevious,
    create: () => {
      const key = createKeyFile(file);
      publish({ type: "encryption-key.created", file });
      return key;
    },
  };
}
