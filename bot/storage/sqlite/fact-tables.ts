/** Fact tables: keep unreachable chats, small facts by name, and the boots of this directory. */
import type { Database } from "./sqlite-driver.ts";

export class FactTables {
  readonly #sql;
  /** Chats reached in the open transaction, which are written in one set. */
  readonly #reached = new Set<string>();

  constructor(database: Database) {
    const sql = (text: string) => database.prepare(text);
    this.#sql = {
      findUnreachable: sql("SELECT reason FROM unreachable_chats WHERE chat = ? AND since >= ?"),
      setUnreachable: sql(
        `INSERT INTO unreachable_chats VALUES (?, ?, ?)
         ON CONFLICT (chat) DO UPDATE SET reason = excluded.reason, since = excluded.since`,
      ),
      setReachable: sql(
        "DELETE FROM unreachable_chats WHERE chat IN (SELECT value FROM json_each(?))",
      ),
      getFact: sql("SELECT value FROM settings WHERE name = ?"),
      setFact: sql(
        `INSERT INTO settings VALUES (?, ?)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      ),
      beginBoot: sql("INSERT INTO boots (pid, started_at) VALUES (?, ?)"),
      endBoot: sql("UPDATE boots SET ended_at = ? WHERE id = ?"),
      forgetBoots: sql("DELETE FROM boots WHERE id <= ?"),
    };
  }

  unreachableReason(chat: string, sinceEpochMs: number): string | undefined {
    if (this.#reached.has(chat)) return undefined;
    return this.#sql.findUnreachable.get<{ reason: string }>(chat, sinceEpochMs)?.reason;
  }

  setUnreachable(chat: string, reason: string, nowEpochMs: number): void {
    this.flush();
    this.#sql.setUnreachable.run(chat, reason, nowEpochMs);
  }

  setReachable(chat: string): void {
    this.#reached.add(chat);
  }

  /** Writes which chats were reached. */
  flush(): void {
    if (this.#reached.size === 0) return;
    this.#sql.setReachable.run(JSON.stringify([...this.#reached]));
    this.#reached.clear();
  }

  /** Forgets what a transaction that failed has not written. */
  reset(): void {
    this.#reached.clear();
  }

  getFact(name: string): string | undefined {
    return this.#sql.getFact.get<{ value: string }>(name)?.value;
  }

  setFact(name: string, value: string): void {
    this.#sql.setFact.run(name, value);
  }

  beginBoot(nowEpochMs: number): number {
    const boot = this.#sql.beginBoot.insert(process.pid, nowEpochMs);
    this.#sql.forgetBoots.run(boot - bootsKeptMax);
    return boot;
  }

  endBoot(boot: number, nowEpochMs: number): void {
    this.#sql.endBoot.run(nowEpochMs, boot);
  }
}

/** How many boots are remembered. */
const bootsKeptMax = 1000;
