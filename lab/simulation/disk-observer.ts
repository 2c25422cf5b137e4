/**
 * Disk observer: reads what is durable over a connection of its own, while the bot runs and afterwards.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { EncryptionKeys } from "../../bot/core/encryption-keys.ts";
import { BotError } from "../../bot/core/errors.ts";
import { RowReader } from "../../bot/storage/sqlite/row-reader.ts";
import type { ReadTable } from "../history/from-database.ts";

export class DiskObserver {
  readonly #path: string;
  readonly #keys: EncryptionKeys;
  #rows: RowReader | undefined;

  constructor(directory: string, keys: EncryptionKeys) {
    this.#keys = keys;
    this.#path = join(directory, "bot.db");
  }

  /** Whether an update is on the disk, with everything that was committed up to now. */
  holds(botId: number, updateId: number): boolean {
    const found = this.#all("SELECT 1 FROM dedupe WHERE key = ?", `update:${botId}:${updateId}`);
    return found.length > 0;
  }

  /** Number of messages that wait or are claimed, without those of schedules, which always wait. */
  messages(): number {
    const [row] = this.#all<{ count: number }>(
      "SELECT count(*) AS count FROM messages WHERE lane NOT LIKE 'schedule:%'",
    );
    return row?.count ?? 0;
  }

  /** Claimed sends. They are ambiguous if the process dies now. */
  claimedSends(): readonly { readonly payload: string }[] {
    return this.#all(
      `SELECT m.id, m.origin, m.payload FROM in_hand h, json_each(h.ids) i JOIN messages m ON m.id = i.value
       WHERE h.pool <> 'handling'`,
    );
  }

  readonly read: ReadTable = (table) => this.#all(`SELECT * FROM ${table} ORDER BY 1`);

  close(): void {
    this.#rows?.close();
    this.#rows = undefined;
  }

  /** The rows; none while there are no tables yet. */
  #all<Row extends object>(sql: string, ...parameters: string[]): Row[] {
    if (!this.#rows && !existsSync(this.#path)) return [];
    try {
      this.#rows ??= new RowReader(this.#path, this.#keys);
      return this.#rows.all<Row>(sql, ...parameters);
    } catch (error) {
      if (error instanceof BotError) throw error;
      // The first process died before it had made its tables.
      return [];
    }
  }
}
