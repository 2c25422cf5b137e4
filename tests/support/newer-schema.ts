/** Newer schema: what a newer version might have added to every table of a bot on PostgreSQL. */
import { byHand } from "./postgres.ts";

/** Adds it beside processes that work, table by table; as a migration does, it gives way and tries again. */
export async function addByNewer(schema: string): Promise<void> {
  const tables = await byHand<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = $1",
    [schema],
  );
  for (const { name } of tables) await untilFree(addedSql(`${schema}.${name}`));
  await byHand(`CREATE TABLE ${schema}.newer (id int);
    INSERT INTO ${schema}.migrations (version, applied_at) VALUES (99, 0);
    INSERT INTO ${schema}.table_set_migrations (table_set, version, applied_at)
      SELECT DISTINCT t.table_set, 99, 0 FROM ${schema}.table_set_migrations t`);
}

async function untilFree(sql: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await byHand(sql);
      return;
    } catch (error) {
      if (!/deadlock|lock timeout/.test(String(error)) || tries >= 60) throw error;
    }
  }
}

const addedSql = (table: string) => `DO $$ BEGIN
  SET LOCAL lock_timeout = 200;
  ALTER TABLE ${table} ADD COLUMN newer text, ADD COLUMN newest bigint NOT NULL DEFAULT 7;
END $$`;
