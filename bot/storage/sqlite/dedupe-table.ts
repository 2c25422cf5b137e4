/** Dedupe table: remembers the keys of what was queued, so that the same is not queued twice. */
import type { NewMessage } from "../../core/message.ts";
import type { Database } from "./sqlite-driver.ts";

export class DedupeTable {
  readonly #keepMs: number;
  readonly #sql;
  /** Keys of the open transaction, which are written in one set. */
  readonly #added = new Set<string>();
  #count = 0;

  /** @param keepMs How long a key is remembered, in milliseconds. */
  constructor(database: Database, keepMs: number) {
    const sql = (text: string) => database.prepare(text);
    this.#keepMs = keepMs;
    this.#sql = {
      find: sql("SELECT key, expires_at FROM dedupe WHERE key IN (SELECT value FROM json_each(?))"),
      remember: sql(
        `INSERT INTO dedupe (key, expires_at) SELECT value, ? FROM json_each(?) WHERE true
         ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at`,
      ),
      count: sql("SELECT count(*) AS count FROM dedupe"),
      sweep: sql("DELETE FROM dedupe WHERE expires_at <= ?"),
    };
  }

  /** How many keys are remembered. */
  get count(): number {
    return this.#count;
  }

  /** Tells for each message whether it is new, and remembers its keys. */
  admit(messages: readonly NewMessage[], now: number): readonly boolean[] {
    const keys = messages.flatMap(({ dedupeKeys = [] }) => dedupeKeys);
    if (keys.length === 0) return messages.map(() => true);
    const expiries = new Map(
      this.#sql.find
        .all<{ key: string; expires_at: number }>(JSON.stringify(keys))
        .map((row) => [row.key, row.expires_at]),
    );
    const isNew = (key: string) => {
      if (this.#added.has(key) || (expiries.get(key) ?? 0) > now) return false;
      if (!expiries.has(key)) this.#count++;
      this.#added.add(key);
      return true;
    };
    return messages.map(({ dedupeKeys = [] }) => dedupeKeys.every(isNew));
  }

  /** Remembers a key from now on. */
  remember(key: string): void {
    if (this.#added.has(key)) return;
    if (!this.#sql.find.get(JSON.stringify([key]))) this.#count++;
    this.#added.add(key);
  }

  /** Since when a key is remembered; `undefined` when it is not. */
  rememberedSince(key: string, now: number): number | undefined {
    if (this.#added.has(key)) return now;
    const found = this.#sql.find.get<{ expires_at: number }>(JSON.stringify([key]));
    if (found === undefined || found.expires_at <= now) return undefined;
    return found.expires_at - this.#keepMs;
  }

  flush(now: number): void {
    if (this.#added.size === 0) return;
    this.#sql.remember.run(now + this.#keepMs, JSON.stringify([...this.#added]));
    this.#added.clear();
  }

  /** Reads the table again, at the start and after a transaction that failed. */
  load(): void {
    this.#added.clear();
    this.#count = this.#sql.count.get<{ count: number }>()?.count ?? 0;
  }

  /** @returns how many keys were deleted. */
  sweep(now: number): number {
    const swept = this.#sql.sweep.run(now);
    this.#count -= swept;
    return swept;
  }
}
