/** Queue statements: hold the SQL of queue-tables.ts. */
import { messageColumns } from "./message-rows.ts";
import type { Database } from "./sqlite-driver.ts";

export function prepareQueueStatements(database: Database) {
  const sql = (text: string) => database.prepare(text);
  return {
    rememberKey: sql(
      `INSERT INTO dedupe (key, expires_at) VALUES (?, ?)
       ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at WHERE expires_at <= ?`,
    ),
    lastMessageId: sql("SELECT seq FROM sqlite_sequence WHERE name = 'messages'"),
    insertMessage: sql(
      `INSERT INTO messages (id, type, pool, lane, priority, payload, created_at, available_at,
         expires_at, origin, ambiguous, flood_scope, flood_cost, errors, replaces)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    findMessage: sql(`SELECT ${messageColumns} FROM messages WHERE id = ?`),
    payloadOf: sql("SELECT payload FROM messages WHERE id = ?"),
    findInHand: sql(
      `SELECT ${messageColumns.map((name) => `m.${name}`)} FROM messages m JOIN lanes l ON l.lane = m.lane AND l.pool = m.pool
       WHERE m.id = ? AND m.claims = ? AND l.head_id = m.id AND l.busy = 1`,
    ),
    deleteReplaced: sql(
      `DELETE FROM messages WHERE lane = ? AND pool = ? AND replaces = ? AND claims = 0
       RETURNING id, priority`,
    ),
    deleteMessage: sql("DELETE FROM messages WHERE id = ?"),
    countClaim: sql(
      `UPDATE messages SET claims = claims + 1 WHERE id = ? RETURNING ${messageColumns}`,
    ),
    countAttempt: sql(
      "UPDATE messages SET attempts = attempts + 1, available_at = ?, errors = ? WHERE id = ?",
    ),
    countDeaths: sql(
      `UPDATE messages SET deaths = deaths + 1, claims = claims + 1
       WHERE id IN (SELECT head_id FROM lanes WHERE busy = 1) RETURNING ${messageColumns}`,
    ),
    moveToLane: sql("UPDATE messages SET lane = ? WHERE id = ?"),
    readdress: sql("UPDATE messages SET payload = ?, flood_scope = ? WHERE id = ?"),
    findStep: sql("SELECT result FROM steps WHERE origin = ? AND name = ?"),
    insertStep: sql("INSERT INTO steps (origin, name, result) VALUES (?, ?, ?)"),
    deleteSteps: sql("DELETE FROM steps WHERE origin = ?"),
    depth: sql("SELECT COALESCE(sum(high + normal + low), 0) AS count FROM lanes WHERE pool = ?"),
    laneFigures: sql(
      `SELECT count(*) AS lanes, COALESCE(sum(high + normal + low), 0) AS total,
         COALESCE(sum(busy), 0) AS busy
       FROM lanes WHERE pool = ? AND head_id IS NOT NULL`,
    ),
    oldest: sql(
      `SELECT min(m.created_at) AS at FROM lanes l JOIN messages m ON m.id = l.head_id
       WHERE l.pool = ?`,
    ),
    countDedupe: sql("SELECT count(*) AS count FROM dedupe"),
    sweepDedupe: sql("DELETE FROM dedupe WHERE expires_at <= ?"),
    insertSent: sql("INSERT INTO sent (scope, cost, at) VALUES (?, ?, ?)"),
    sentSince: sql("SELECT scope, cost, at FROM sent WHERE at >= ? ORDER BY at"),
    sweepSent: sql("DELETE FROM sent WHERE at < ?"),
  };
}
