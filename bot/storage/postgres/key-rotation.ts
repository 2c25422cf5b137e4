/**
 * Key rotation: introduces a new data key while any number of processes seal and open.
 *
 * What is done stands in the database, each step in one transaction, so whoever comes next goes on:
 *
 *   waiting ──► sealing ──► none      The key is made, and is not in use. Every process reads it and says so.
 *                                     Once none is without it, it is the key that seals, for all at once.
 *                                     Older values are sealed with it; then the older keys are deleted.
 *
 * A process that lost its session does not count: it enters again with all keys. What it may still have
 * under way seals only under the lock of `seals_1`, and nothing is sealed again before that lock is free.
 */
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import { KeyRotationRefusedError } from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import { sealedColumnsOf, type TableSetList } from "../sqlite/table-sets.ts";
import type { Connection } from "./connection.ts";
import { addDataKey, type DataKeys, lockKeysSql } from "./data-keys.ts";
import { foreignTableSets } from "./schema.ts";
import { batchesOf, sealBatch } from "./sealed-rows.ts";
import {
  livesSql,
  lockClass,
  lockOfDataKey,
  notifyKeysSql,
  shownLockClass,
} from "./session-locks.ts";

export interface KeyRotationDeps {
  /** Runs work on a connection that nothing else uses meanwhile. */
  readonly use: <T>(work: (connection: Connection) => Promise<T>) => Promise<T>;
  readonly dataKeys: DataKeys;
  readonly keys: EncryptionKeys;
  /** All tables that this program knows. */
  readonly tableSets: TableSetList;
  readonly now: () => number;
  readonly publish: Publish;
}

/** A process that does not know the new key yet. */
export interface UnawareProcess {
  readonly number: number;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  /** Whether its version reads keys only at its start. */
  readonly old: boolean;
}

export type RotationState =
  /** No rotation is under way; this is the only key. */
  | { readonly kind: "none"; readonly keyId: number }
  /** The new key is not in use, because these processes lack it. */
  | {
      readonly kind: "waiting";
      readonly keyId: number;
      readonly processes: readonly UnawareProcess[];
    }
  /** The new key seals, and older values are sealed with it. */
  | { readonly kind: "sealing"; readonly keyId: number };

/** Called between two batches. @returns whether to go on. */
export type BetweenBatches = () => Promise<boolean>;

const unawareSql = `
  SELECT p.number, p.host, p.pid, p.version, p.data_key IS NULL AS old
  FROM processes p JOIN ${livesSql(shownLockClass)}
  WHERE p.ended IS NULL AND coalesce(p.data_key, 0) < $1 ORDER BY p.number`;

export class KeyRotation {
  readonly #deps: KeyRotationDeps;
  /** Values sealed by all passes of this rotation. */
  #sealed = 0;

  constructor(deps: KeyRotationDeps) {
    this.#deps = deps;
  }

  /**
   * Makes a new key, unless a rotation is under way.
   *
   * @returns the id of the newest key.
   * @throws {KeyRotationRefusedError} when the database has tables that this program does not know.
   */
  begin(): Promise<number> {
    const { dataKeys, keys, now, use } = this.#deps;
    return use(async (connection) => {
      await this.#expectAllKnown(connection);
      const keyId = await connection.transaction(async () => {
        // A process that enters meanwhile has its row before the key is there, or reads the key.
        await connection.exec(lockKeysSql);
        await dataKeys.load(connection);
        const { newestId, stored } = dataKeys;
        return stored.length > 1 ? newestId : addDataKey(connection, keys, newestId, now());
      });
      await dataKeys.load(connection);
      await connection.all(notifyKeysSql);
      return keyId;
    });
  }

  /** How far it is. Changes nothing. */
  look(): Promise<RotationState> {
    return this.#deps.use((connection) => this.#look(connection));
  }

  /**
   * Does what can be done now: puts the new key to use, or makes one pass over all older values.
   *
   * @returns how far it was before.
   * @throws {KeyRotationRefusedError} like `begin`; the key that seals is the new one then.
   */
  advance(between: BetweenBatches): Promise<RotationState> {
    return this.#deps.use(async (connection) => {
      const state = await this.#look(connection);
      if (state.kind === "waiting") await this.#putToUse(connection, state);
      if (state.kind === "sealing") await this.#sealOlder(connection, state.keyId, between);
      return state;
    });
  }

  async #look(connection: Connection): Promise<RotationState> {
    const { dataKeys } = this.#deps;
    await dataKeys.load(connection);
    const { newestId: keyId, stored } = dataKeys;
    if (stored.length < 2) return { kind: "none", keyId };
    if (stored.at(-1)?.used_at !== null) return { kind: "sealing", keyId };
    return { kind: "waiting", keyId, processes: await this.#unaware(connection, keyId) };
  }

  #unaware(connection: Connection, keyId: number): Promise<UnawareProcess[]> {
    return connection.all<UnawareProcess>(unawareSql, [keyId]);
  }

  async #putToUse(
    connection: Connection,
    { keyId, processes }: RotationState & { readonly kind: "waiting" },
  ): Promise<void> {
    const { dataKeys, now, publish } = this.#deps;
    if (processes.length > 0) {
      // They may not have heard of it.
      await connection.all(notifyKeysSql);
      return;
    }
    // Those that have entered since the key was made have read it (`Session.enter`).
    const used = await connection.run(
      "UPDATE data_keys SET used_at = $2 WHERE id = $1 AND used_at IS NULL",
      [keyId, now()],
    );
    await dataKeys.load(connection);
    await connection.all(notifyKeysSql);
    if (used > 0) publish({ type: "keys.rotated", keyId });
  }

  /** A pass is made on one connection, so on one server: after a failover all is looked at again. */
  async #sealOlder(connection: Connection, keyId: number, between: BetweenBatches): Promise<void> {
    const { dataKeys, publish, tableSets } = this.#deps;
    await this.#expectAllKnown(connection);
    if (!(await this.#olderAreFree(connection, keyId))) return;
    let left = 0;
    for (const column of sealedColumnsOf(tableSets)) {
      for await (const batch of batchesOf(connection, column)) {
        const done = await dataKeys.writing(connection, () =>
          sealBatch(connection, dataKeys.ring, column, batch),
        );
        this.#sealed += done.sealed;
        left += done.left;
        if (!(await between())) return;
      }
    }
    // What others held is sealed by the next pass.
    if (left > 0 || dataKeys.ring.currentId !== keyId) return;
    await connection.run("DELETE FROM data_keys WHERE id < $1", [keyId]);
    await dataKeys.load(connection);
    await connection.all(notifyKeysSql);
    publish({ type: "keys.swept", keyId, sealed: this.#sealed });
    this.#sealed = 0;
  }

  /** Whether no transaction is under way any more that seals with an older key. */
  async #olderAreFree(connection: Connection, keyId: number): Promise<boolean> {
    const older = this.#deps.dataKeys.stored.filter(({ id }) => id < keyId);
    const [row] = await connection.all<{ free: boolean }>(
      `SELECT bool_and(pg_try_advisory_xact_lock(${lockClass}, k.key)) AS free
       FROM unnest($1::int[]) k(key)`,
      [older.map(({ id }) => lockOfDataKey(id))],
    );
    return row?.free === true;
  }

  /** The columns of tables that this program does not know are sealed too. */
  async #expectAllKnown(connection: Connection): Promise<void> {
    const unknown = await foreignTableSets(connection, this.#deps.tableSets);
    if (unknown.length === 0) return;
    throw new KeyRotationRefusedError(
      `the database also has tables of another module or a newer version: ${unknown.join(", ")}`,
      { hint: "Run the bot with that module, in its newest version, and rotate the key there." },
    );
  }
}
