/** Fact tables in SQLite: what is known of chats, small settings, and the boots of this directory. */
import type { ChatFacts } from "../contracts/store.ts";
import type { Database } from "./sqlite-driver.ts";

export class FactTables {
  readonly #sql;

  constructor(database: Database) {
    const sql = (text: string) => database.prepare(text);
    this.#sql = {
      findChat: sql("SELECT unreachable, migrated_to FROM chats WHERE chat = ?"),
      setUnreachable: sql(
        `INSERT INTO chats (chat, unreachable) VALUES (?, ?)
         ON CONFLICT (chat) DO UPDATE SET unreachable = excluded.unreachable`,
      ),
      setMigrated: sql(
        `INSERT INTO chats (chat, migrated_to) VALUES (?, ?)
         ON CONFLICT (chat) DO UPDATE SET migrated_to = excluded.migrated_to`,
      ),
      getSetting: sql("SELECT value FROM settings WHERE name = ?"),
      setSetting: sql(
        `INSERT INTO settings VALUES (?, ?)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      ),
      beginBoot: sql("INSERT INTO boots (pid, started_at) VALUES (?, ?)"),
      endBoot: sql("UPDATE boots SET ended_at = ? WHERE id = ?"),
      forgetBoots: sql("DELETE FROM boots WHERE id <= ?"),
    };
  }

  chatFacts(chat: string): ChatFacts {
    const row = this.#sql.findChat.get<{ unreachable: string | null; migrated_to: string | null }>(
      chat,
    );
    return {
      unreachable: row?.unreachable ?? undefined,
      migratedTo: row?.migrated_to ?? undefined,
    };
  }

  setChatUnreachable(chat: string, reason: string | undefined): void {
    this.#sql.setUnreachable.run(chat, reason ?? null);
  }

  setChatMigrated(chat: string, migratedTo: string): void {
    this.#sql.setMigrated.run(chat, migratedTo);
  }

  getSetting(name: string): string | undefined {
    return this.#sql.getSetting.get<{ value: string }>(name)?.value;
  }

  setSetting(name: string, value: string): void {
    this.#sql.setSetting.run(name, value);
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

/** Boots remembered. */
const bootsKeptMax = 1000;
