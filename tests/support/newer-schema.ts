/** Newer schema: what a newer version might have added to every table of a bot on PostgreSQL. */
import { byHand } from "./postgres.ts";

/** Adds it beside processes that work, as a migration does: it gives way to them and tries again. */
export async function addByNewer(schema: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await byHand(addedSql(schema));
      return;
    } catch (error) {
      const busy = /deadlock|lock timeout/.test(String(error));
      if (!busy || tries >= 60) throw error;
    }
  }
}

const addedSql = (schema: string) => `DO $$ DECLARE _name text; BEGIN
  SET LOCAL lock_timeout = 1000;
  FOR _name IN SELECT tablename FROM pg_tables WHERE schemaname = '${schema}' LOOP
    EXECUTE format('ALTER TABLE ${schema}.%I ADD COLUMN newer text,
      ADD COLUMN newest bigint NOT NULL DEFAULT 7', _name);
  END LOOP;
  CREATE TABLE ${schema}.newer (id int);
  INSERT INTO ${schema}.migrations (version, applied_at) VALUES (99, 0);
  INSERT INTO ${schema}.table_set_migrations (table_set, version, applied_at)
    SELECT DISTINCT t.table_set, 99, 0 FROM ${schema}.table_set_migrations t;
END $$`;
