/**
 * Key rotation: introduces a new data key while the bot runs and seals old rows with it.
 *
 * Rows written or moved after the change are sealed with the new key, so one pass over the older
 * rows is enough. Then the old keys are dropped. An interrupted pass starts over at the next start.
 */
import type { Clock } from "../../core/clock.ts";
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import { BotError, KeyRotationRefusedError, recordError } from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import { Loop } from "../../core/loop.ts";
import type { SealedColumn } from "../../core/transaction.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { addDataKey, dropDataKeys } from "./data-keys.ts";
import { type PassPosition, passBegins, type SealedBatch, sealBatch } from "./sealed-columns.ts";
import type { Database } from "./sqlite-driver.ts";

export interface KeyRotationDeps {
  readonly database: Database;
  readonly ring: KeyRing;
  readonly keys: EncryptionKeys;
  /** Every sealed column this process knows. */
  readonly columns: readonly SealedColumn[];
  /**
   * Tables of modules that are not running. Their columns are unknown, so the old keys must stay
   * and nothing is rotated.
   */
  readonly unknownTableSets: readonly string[];
  readonly clock: Clock;
  readonly publish: Publish;
  /** Runs work in the next group commit. */
  readonly write: <T>(work: (nowEpochMs: number) => T) => Promise<T>;
}

/** Rows checked in one transaction, which takes a few milliseconds. */
const rowsPerBatch = 200;
/** Pause between two batches, in which other work commits. */
const pauseMs = 25;
/** Pause after a temporary failure, such as a full disk. */
const retryMs = 30_000;

export class KeyRotation {
  readonly #deps: KeyRotationDeps;
  readonly #loop: Loop;

  constructor(deps: KeyRotationDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.clock, async (loop) => {
      while (await loop.wait(Number.POSITIVE_INFINITY)) await this.#pass(loop);
    });
  }

  /** Continues a rotation that an earlier process could not finish. */
  resume(): void {
    const { ring, unknownTableSets } = this.#deps;
    if (!ring.rotating || unknownTableSets.length > 0) return;
    this.#loop.start();
    this.#loop.wake();
  }

  /**
   * Starts a rotation, unless one is running.
   *
   * @returns the id of the key that seals from now on.
   * @throws {KeyRotationRefusedError} when the database has tables of a module that is not running.
   */
  async rotate(): Promise<{ readonly keyId: number }> {
    const { database, keys, publish, ring, unknownTableSets, write } = this.#deps;
    if (unknownTableSets.length > 0) {
      const names = unknownTableSets.join(", ");
      throw new KeyRotationRefusedError(
        `the database also has the tables of another module: ${names}`,
        {
          hint: "Run the bot with that module, and rotate the key there.",
        },
      );
    }
    if (ring.rotating) {
      this.resume();
      return { keyId: ring.currentId };
    }
    const use = await write((now) => addDataKey(database, ring, keys, now));
    // The key is used only now, because data sealed with a key that is not on disk is lost.
    const keyId = use();
    publish({ type: "keys.rotated", keyId });
    this.resume();
    return { keyId };
  }

  /** Never rejects. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #pass(loop: Loop): Promise<void> {
    const { clock, columns, database, publish, ring, write } = this.#deps;
    let position: PassPosition | undefined = passBegins;
    let sealed = 0;
    while (ring.rotating && !loop.stopped) {
      try {
        const from: PassPosition | undefined = position;
        if (!from) {
          await write(() => dropDataKeys(database, ring.currentId));
          ring.dropBefore(ring.currentId);
          publish({ type: "keys.swept", keyId: ring.currentId, sealed });
          return;
        }
        const batch: SealedBatch = await write(() =>
          sealBatch(database, ring, columns, from, rowsPerBatch),
        );
        position = batch.next;
        sealed += batch.sealed;
        await loop.pause(pauseMs);
      } catch (error) {
        publish({ type: "keys.sweep-failed", error: recordError(error, clock.epochMs()) });
        if (!(error instanceof BotError) || !error.transient) return;
        await loop.pause(retryMs);
      }
    }
  }
}
