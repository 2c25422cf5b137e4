/** Older database: brings a database of today back to the schema in which lanes were a table. */

/** The schema of version 3; every message is at rest. */
export const backToLaneTable = `
  DROP TABLE message_references;
  DROP TABLE message_files;
  DROP TABLE in_hand;
  DROP TABLE parks;
  DROP INDEX messages_by_entry;
  DROP INDEX messages_by_key;
  DROP INDEX dead_letters_by_key;
  ALTER TABLE messages DROP COLUMN enters_at;
  ALTER TABLE messages DROP COLUMN key;
  ALTER TABLE dead_letters DROP COLUMN key;
  ALTER TABLE messages DROP COLUMN replaces;
  ALTER TABLE messages ADD COLUMN claims INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX messages_of_lane ON messages (lane, pool, id);
  CREATE TABLE lanes (
    lane TEXT NOT NULL, pool TEXT NOT NULL, head_id INTEGER,
    high INTEGER NOT NULL, normal INTEGER NOT NULL, low INTEGER NOT NULL,
    priority INTEGER NOT NULL, available_at INTEGER NOT NULL, not_before INTEGER NOT NULL DEFAULT 0,
    busy INTEGER NOT NULL DEFAULT 0, deaths INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (lane, pool)
  ) WITHOUT ROWID;
  CREATE INDEX lanes_busy ON lanes (head_id) WHERE busy = 1;
  INSERT INTO lanes (lane, pool, head_id, high, normal, low, priority, available_at)
    SELECT lane, pool, min(id), sum(priority = 0), sum(priority = 1), sum(priority = 2),
      min(priority), available_at
    FROM messages GROUP BY lane, pool;
  DELETE FROM migrations WHERE version > 3;
`;
