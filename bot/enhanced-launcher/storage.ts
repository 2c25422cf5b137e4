/** Storage: the durable memory, and the component that opens and closes it. */
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import { encryptionKeysOf } from "../config/key-file.ts";
import type { Component } from "../core/component.ts";
import type { BotError } from "../core/errors.ts";
import { Loop } from "../core/loop.ts";
import type { Secret } from "../core/secret.ts";
import type { Store } from "../core/store.ts";
import type { BotModule } from "../kit/module.ts";
import { SealedFiles } from "../storage/files/sealed-files.ts";
import type { PostgresStore } from "../storage/postgres/postgres-store.ts";
import type { schemaOf } from "../storage/postgres/schema.ts";
import { SqliteStore } from "../storage/sqlite/sqlite-store.ts";
import { refuseUnmoved } from "../storage/sqlite/unmoved-file.ts";
import type { Runtime } from "./runtime.ts";
import { version } from "./version.ts";

/** PostgreSQL's part of the program; a bot that keeps its data in a file does without its client. */
export interface PostgresParts {
  readonly PostgresStore: typeof PostgresStore;
  readonly schemaOf: typeof schemaOf;
  readonly url: Secret;
}

/** Loads it where the data are on PostgreSQL. */
export async function loadPostgres({
  storage: { databaseUrl: url },
}: FaultToleranceConfig): Promise<PostgresParts | undefined> {
  if (!url) return undefined;
  return {
    url,
    ...(await import("../storage/postgres/postgres-store.ts")),
    ...(await import("../storage/postgres/schema.ts")),
  };
}

export function createStore(
  { log, queue, storage, telegram }: FaultToleranceConfig,
  deps: Runtime & {
    botId: string;
    directory: string;
    module: BotModule;
    onFatal: (error: BotError) => void;
    postgres: PostgresParts | undefined;
  },
): Store {
  const { botId, clock, directory, module, onFatal, postgres, publish } = deps;
  const common = {
    ...{ clock, onFatal, publish },
    keys: encryptionKeysOf(storage, (file) => publish({ type: "encryption-key.created", file })),
    tableSets: module.tables ?? [],
    dedupeKeepMs: storage.dedupeKeepMs,
    laneLengthMax: queue.laneLengthMax,
  };
  if (postgres) {
    return new postgres.PostgresStore({
      ...common,
      url: postgres.url,
      schema: postgres.schemaOf(botId),
      name: `${hostname()}:${resolve(directory)}`,
      beforeFirst: () => refuseUnmoved(join(directory, "bot.db")),
      version,
    });
  }
  return new SqliteStore({
    ...common,
    directory,
    backupsKept: storage.backupsKept,
    // With the built-in sandbox the data are nobody's, and may be deleted at any time.
    markDirectory: telegram.token && log.directory,
  });
}

/** Milliseconds after which an attempt's commit, too, is over. */
const commitMsMax = 60_000;

export function createFiles(
  { queue, storage }: FaultToleranceConfig,
  deps: Runtime & { directory: string; store: Store },
): SealedFiles {
  return new SealedFiles({
    ...deps,
    totalBytesMax: storage.filesBytesMax,
    attemptMs: queue.handlerTimeoutMs + commitMsMax,
  });
}

/** How often an idle store is asked whether its files are still there; a busy one looks at each commit. */
const verifyEveryMs = 1_000;

export function storageComponent(store: Store, { clock, publish }: Runtime): Component {
  const watch = new Loop(clock, async (loop) => {
    while (await loop.wait(verifyEveryMs)) store.verify();
  });
  return {
    name: "storage",
    start: async () => {
      const previousEnd = await store.open();
      publish({ type: "process.started", previousEnd });
      watch.start();
    },
    stop: async () => {
      await watch.stop();
      await store.close();
    },
    heartbeat: () => store.heartbeat(),
  };
}
