/** Newer schema: what a newer version might have added to every table of a bot on PostgreSQL. */

export function addedByNewerSql(schema: string): string {
  return `DO $$ DECLARE _name text; BEGIN
    FOR _name IN SELECT tablename FROM pg_tables WHERE schemaname = '${schema}' LOOP
      EXECUTE format('ALTER TABLE ${schema}.%I ADD COLUMN newer text,
        ADD COLUMN newest bigint NOT NULL DEFAULT 7', _name);
    END LOOP;
    CREATE TABLE ${schema}.newer (id int);
    INSERT INTO ${schema}.migrations (version, applied_at) VALUES (99, 0);
    INSERT INTO ${schema}.table_set_migrations (table_set, version, applied_at)
      SELECT DISTINCT t.table_set, 99, 0 FROM ${schema}.table_set_migrations t;
  END $$`;
}
