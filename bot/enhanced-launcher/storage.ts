/** Storage: the durable memory, and the component that opens and closes it. */
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import { encryptionKeysOf } from "../config/key-file.ts";
import type { Component } from "../core/component.ts";
import type { BotError } from "../core/errors.ts";
import type { Publish } from "../core/events.ts";
import type { Store } from "../core/store.ts";
import type { BotModule } from "../kit/module.ts";
import { SqliteStore } from "../storage/sqlite/sqlite-store.ts";
import type { Runtime } from "./runtime.ts";

export function createStore(
  { queue, storage }: FaultToleranceConfig,
  deps: Runtime & {
    directory: string;
    module: BotModule;
    onFatal: (error: BotError) => void;
  },
): Store {
  const { clock, directory, module, onFatal, publish } = deps;
  return new SqliteStore({
    clock,
    directory,
    onFatal,
    publish,
    keys: encryptionKeysOf(storage, (file) => publish({ type: "encryption-key.created", file })),
    tableSets: module.tables ?? [],
    dedupeKeepMs: storage.dedupeKeepMs,
    backupsKept: storage.backupsKept,
    laneLengthMax: queue.laneLengthMax,
  });
}

export function storageComponent(store: Store, publish: Publish): Component {
  return {
    name: "storage",
    start: async () => {
      const previousEnd = await store.open();
      publish({ type: "process.started", previousEnd });
    },
    stop: () => store.close(),
    heartbeat: () => store.heartbeat(),
  };
}
