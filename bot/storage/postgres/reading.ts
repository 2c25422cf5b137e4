/** Reading: what operators and the engine ask of the tables outside of turns, and small changes to them. */
import type { KeyState } from "../../core/keyed-messages.ts";
import { type DeadLetter, type Pool, type Priority, priorities } from "../../core/message.ts";
import type { ReferenceState } from "../../core/message-reference.ts";
import type {
  DeadLetterFilter,
  DelayedMessage,
  PageRequest,
  PoolSnapshot,
  PreviousEnd,
  QueueStore,
  SentRecord,
  StoreSnapshot,
  SweepRequest,
  WaitingLane,
} from "../../core/store.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { documentTables } from "../sqlite/document-table.ts";
import { type DeadLetterRow, toDeadLetter } from "../sqlite/message-rows.ts";
import type { Connection } from "./connection.ts";
import { sqlOf } from "./module-tables.ts";
import { snapshotsSql } from "./server-facts.ts";

/** The lock of a key, as in `queue_work_2`. */
const lockKeySql =
  "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ':key:' || $1, 0))";

/** A lane that has been empty for so long is forgotten. */
const laneKeepMs = 3_600_000;
/** Rows that one sweep deletes of each kind. */
const sweptMax = 100_000;
/** More messages or keys than this are not counted exactly. */
const countedMax = 100_000;
/** Processes that ended stay visible for so long. */
const processKeepMs = 7 * 86_400_000;

/** Whether a process of this name has worked here, as far as that is remembered. */
export async function hasWorked(connection: Connection, name: string): Promise<boolean> {
  const [made] = await connection.all("SELECT 1 WHERE to_regclass('processes') IS NOT NULL");
  return made !== undefined && (await previousEnd(connection, name)) !== "first";
}

export async function previousEnd(connection: Connection, name: string): Promise<PreviousEnd> {
  const [row] = await connection.all<{ ended: string | null }>(
    "SELECT ended FROM processes WHERE name = $1 ORDER BY number DESC LIMIT 1",
    [name],
  );
  if (!row) return "first";
  return row.ended === "clean" ? "clean" : "unclean";
}

export async function waitingLanes(
  connection: Connection,
  now: number,
  limit: number,
): Promise<readonly WaitingLane[]> {
  const rows = await connection.all<{
    pool: Pool;
    lane: string;
    parked: boolean;
    available_at: number;
    created_at: number;
    attempts: number;
  }>(
    `SELECT l.pool, l.lane, l.not_before > $1 AS parked, l.available_at,
       coalesce(m.enters_at, m.created_at) AS created_at, m.attempts
     FROM lanes l JOIN messages m ON m.id = l.head
     WHERE l.owner IS NULL AND l.available_at > $1 AND (l.not_before > $1 OR m.attempts > 0)
     ORDER BY l.available_at DESC LIMIT $2`,
    [now, limit],
  );
  return rows.map(({ available_at, created_at, ...row }) => ({
    ...row,
    availableAtEpochMs: available_at,
    createdAtEpochMs: created_at,
  }));
}

export async function releaseLane(
  connection: Connection,
  pool: Pool,
  lane: string,
  now: number,
): Promise<boolean> {
  const released = await connection.run(
    `WITH l AS (
       UPDATE lanes SET not_before = 0, available_at = $3
       WHERE pool = $1 AND lane = $2 AND owner IS NULL AND head IS NOT NULL AND available_at > $3
       RETURNING head)
     UPDATE messages m SET available_at = $3 FROM l WHERE m.id = l.head`,
    [pool, lane, now],
  );
  return released > 0;
}

/** Those that are due are in their lanes as of the next turn. */
export async function delayedMessages(
  connection: Connection,
  { limit, offset, type }: Parameters<QueueStore["delayedMessages"]>[0],
  now: number,
): Promise<readonly DelayedMessage[]> {
  const rows = await connection.all<
    Pick<DelayedMessage, "id" | "type" | "pool" | "lane"> & {
      readonly key: string | null;
      readonly created_at: number;
      readonly enters_at: number;
    }
  >(
    `SELECT id, type, pool, lane, key, created_at, enters_at FROM messages
     WHERE pos IS NULL AND enters_at > $1 AND ($2::text IS NULL OR type = $2)
     ORDER BY enters_at, id LIMIT $3 OFFSET $4`,
    [now, type ?? null, limit, offset],
  );
  return rows.map(({ created_at, enters_at, key, ...row }) => ({
    ...row,
    key: key ?? undefined,
    createdAtEpochMs: created_at,
    dueAtEpochMs: enters_at,
  }));
}

/** Makes a delayed message due. @returns false when it is none. */
export async function runNow(connection: Connection, id: number, now: number): Promise<boolean> {
  const entered = await connection.run(
    `UPDATE messages SET enters_at = $2, available_at = $2
     WHERE id = $1 AND pos IS NULL AND enters_at > $2`,
    [id, now],
  );
  return entered > 0;
}

export async function depth(
  connection: Connection,
  pool: Pool,
  atLeast: Priority,
): Promise<number> {
  const [row] = await connection.all<{ count: number }>(
    `SELECT count(*) AS count FROM (
       SELECT 1 FROM messages WHERE pool = $1 AND pos IS NOT NULL AND priority <= $2 LIMIT $3) m`,
    [pool, priorities.indexOf(atLeast), countedMax],
  );
  return row?.count ?? 0;
}

export async function snapshot(connection: Connection): Promise<StoreSnapshot> {
  const rows = await connection.all<{
    pool: Pool;
    size: number;
    in_hand: number;
    lanes: number;
    oldest: number | null;
  }>(
    `SELECT l.pool, sum(l.high + l.normal + l.low) AS size,
       count(*) FILTER (WHERE l.owner IS NOT NULL) AS in_hand, count(*) AS lanes,
       min(coalesce(m.enters_at, m.created_at)) FILTER (WHERE l.owner IS NULL) AS oldest
     FROM lanes l JOIN messages m ON m.id = l.head GROUP BY 1`,
  );
  const delayed = await connection.all<{ pool: Pool; count: number }>(
    `SELECT m.pool, count(*) AS count FROM (
       SELECT pool FROM messages WHERE pos IS NULL LIMIT $1) m GROUP BY 1`,
    [countedMax],
  );
  const pool = (name: Pool): PoolSnapshot => {
    const {
      in_hand = 0,
      lanes = 0,
      oldest = null,
      size = 0,
    } = rows.find((row) => row.pool === name) ?? {};
    return {
      ...{ waiting: size - in_hand, inHand: in_hand, lanes },
      delayed: delayed.find((row) => row.pool === name)?.count ?? 0,
      oldestCreatedAtEpochMs: oldest ?? undefined,
    };
  };
  return {
    pools: { handling: pool("handling"), sending: pool("sending"), answering: pool("answering") },
    deadLetters: await countOf(connection, "dead_letters"),
    dedupeKeys: await countOf(connection, "dedupe"),
  };
}

/** Counts a table; above `countedMax` as PostgreSQL's own statistics have it. */
async function countOf(connection: Connection, table: string): Promise<number> {
  const [row] = await connection.all<{ count: number }>(
    `SELECT CASE WHEN c.reltuples > $1 THEN c.reltuples::bigint ELSE (SELECT count(*) FROM ${table}) END AS count
     FROM pg_class c WHERE c.oid = '${table}'::regclass`,
    [countedMax],
  );
  return row?.count ?? 0;
}

const filterSql = `($1::text IS NULL OR type = $1) AND ($2::text IS NULL OR reason = $2)
  AND ($3::text IS NULL OR errors::json -> -1 ->> 'code' = $3)`;

const filterValues = ({ code, reason, type }: DeadLetterFilter) => [
  type ?? null,
  reason ?? null,
  code ?? null,
];

export async function deadLetters(
  connection: Connection,
  ring: KeyRing,
  filter: DeadLetterFilter & PageRequest,
): Promise<readonly DeadLetter[]> {
  const rows = await connection.all<DeadLetterRow>(
    `SELECT * FROM dead_letters WHERE ${filterSql} ORDER BY died_at DESC, id DESC LIMIT $4 OFFSET $5`,
    [...filterValues(filter), filter.limit, filter.offset],
  );
  return rows.map((row) => toDeadLetter(row, ring));
}

export async function countDeadLetters(
  connection: Connection,
  filter: DeadLetterFilter,
): Promise<number> {
  const [row] = await connection.all<{ count: number }>(
    `SELECT count(*) AS count FROM dead_letters WHERE ${filterSql}`,
    filterValues(filter),
  );
  return row?.count ?? 0;
}

export async function deadLetter(
  connection: Connection,
  ring: KeyRing,
  id: number,
): Promise<DeadLetter | undefined> {
  const [row] = await connection.all<DeadLetterRow>("SELECT * FROM dead_letters WHERE id = $1", [
    id,
  ]);
  return row && toDeadLetter(row, ring);
}

/** Removes a dead letter to put it back into the queue; its steps stay. */
export async function takeDeadLetter(
  connection: Connection,
  id: number,
): Promise<DeadLetterRow | undefined> {
  const [row] = await connection.all<DeadLetterRow>(
    "DELETE FROM dead_letters WHERE id = $1 RETURNING *",
    [id],
  );
  return row;
}

/** @returns false when there was no such dead letter. */
export async function deleteDeadLetter(connection: Connection, id: number): Promise<boolean> {
  const row = await takeDeadLetter(connection, id);
  if (row) await connection.run("DELETE FROM steps WHERE origin = $1", [row.origin ?? row.id]);
  return row !== undefined;
}

/** A dead letter is put back as a new message. */
export async function moveLinks(connection: Connection, from: number, to: number): Promise<void> {
  await connection.run("UPDATE message_references SET owner = $2 WHERE owner = $1", [from, to]);
  await connection.run("UPDATE message_files SET owner = $2 WHERE owner = $1", [from, to]);
}

const isNeeded = (table: string) =>
  `(EXISTS (SELECT 1 FROM messages m WHERE m.id = ${table}.owner)
    OR EXISTS (SELECT 1 FROM dead_letters d WHERE d.id = ${table}.owner))`;

/** Each kind is a transaction of its own: a sweep that is cut off goes on at the next one. */
export async function sweep(
  connection: Connection,
  request: SweepRequest,
  now: number,
  ring: KeyRing,
): Promise<{ readonly dedupeKeys: number; readonly deadLetters: number }> {
  await connection.run(
    "DELETE FROM steps WHERE origin IN (SELECT coalesce(origin, id) FROM dead_letters WHERE died_at < $1)",
    [request.deadLettersBeforeEpochMs],
  );
  const letters = await connection.run("DELETE FROM dead_letters WHERE died_at < $1", [
    request.deadLettersBeforeEpochMs,
  ]);
  await connection.run("DELETE FROM sent WHERE at < $1", [request.sentBeforeEpochMs]);
  await connection.run(
    `DELETE FROM message_references WHERE at < $1 AND NOT ${isNeeded("message_references")}`,
    [request.referencesBeforeEpochMs],
  );
  await connection.run(
    `DELETE FROM lanes l USING (
       SELECT pool, lane FROM lanes WHERE head IS NULL AND emptied_at < $1 AND not_before < $2
       ORDER BY pool, lane LIMIT $3 FOR UPDATE SKIP LOCKED) q
     WHERE l.pool = q.pool AND l.lane = q.lane`,
    [now - laneKeepMs, now, sweptMax],
  );
  await connection.run(
    `DELETE FROM processes p WHERE p.ended IS NOT NULL AND p.beat_at < $1
       AND NOT EXISTS (SELECT 1 FROM lanes l WHERE l.owner = p.number)`,
    [now - processKeepMs],
  );
  await documentTables
    .open(
      sqlOf(connection, () => false),
      ring,
    )
    .sweep(now);
  const dedupeKeys = await connection.run(
    "DELETE FROM dedupe WHERE key IN (SELECT key FROM dedupe WHERE expires_at <= $1 LIMIT $2)",
    [now, sweptMax],
  );
  return { dedupeKeys, deadLetters: letters };
}

export async function sentSince(
  connection: Connection,
  epochMs: number,
): Promise<readonly SentRecord[]> {
  const rows = await connection.all<{ scope: string; cost: number; at: number }>(
    "SELECT scope, cost, at FROM sent WHERE at >= $1 ORDER BY at, id",
    [epochMs],
  );
  return rows.map(({ at, cost, scope }) => ({ scope, cost, atEpochMs: at }));
}

export async function resolveReference(
  connection: Connection,
  reference: number,
): Promise<ReferenceState> {
  const [row] = await connection.all<{
    telegram_id: number | null;
    lane: string | null;
    dead_letter_id: number | null;
  }>(
    `SELECT r.telegram_id, m.lane, d.id AS dead_letter_id FROM message_references r
     LEFT JOIN messages m ON m.id = r.owner LEFT JOIN dead_letters d ON d.id = r.owner
     WHERE r.id = $1`,
    [reference],
  );
  if (!row) return { kind: "unknown" };
  if (row.telegram_id !== null) return { kind: "delivered", telegramId: row.telegram_id };
  if (row.lane !== null) return { kind: "waiting", lane: row.lane };
  if (row.dead_letter_id === null) return { kind: "unknown" };
  return { kind: "dead", deadLetterId: row.dead_letter_id };
}

/** The files that a message or dead letter still needs. */
export async function filesInUse(connection: Connection): Promise<readonly string[]> {
  await connection.run(`DELETE FROM message_files WHERE NOT ${isNeeded("message_files")}`);
  const rows = await connection.all<{ name: string }>("SELECT DISTINCT name FROM message_files");
  return rows.map(({ name }) => name);
}

export async function keyState(
  connection: Connection,
  key: string,
  now: number,
  dedupeKeepMs: number,
): Promise<KeyState> {
  // In one statement, because a message may change from one state to the other meanwhile.
  const [row] = await connection.all<{
    at: number | null;
    in_hand: boolean;
    dead_letter_id: number | null;
    died_at: number | null;
    expires_at: number | null;
  }>(
    `SELECT m.at, m.in_hand, d.id AS dead_letter_id, d.died_at, k.expires_at
     FROM (SELECT min(available_at) AS at, coalesce(bool_or(owner IS NOT NULL), false) AS in_hand
         FROM messages WHERE key = $1) m
       LEFT JOIN (SELECT id, died_at FROM dead_letters WHERE key = $1 ORDER BY id DESC LIMIT 1) d ON true
       LEFT JOIN dedupe k ON k.key = 'key:' || $1 AND k.expires_at > $2`,
    [key, now],
  );
  const { at, dead_letter_id, died_at, expires_at, in_hand } = row as NonNullable<typeof row>;
  if (at !== null) return { kind: in_hand ? "in-hand" : "waiting", atEpochMs: at };
  if (dead_letter_id !== null) {
    return { kind: "dead", atEpochMs: died_at as number, deadLetterId: dead_letter_id };
  }
  if (expires_at === null) return { kind: "unknown" };
  return { kind: "done", atEpochMs: expires_at - dedupeKeepMs };
}

/** The key that a dead letter takes back into the queue: a newer message with it keeps it. */
export async function keyFor(connection: Connection, key: string | null): Promise<string | null> {
  if (key === null) return null;
  await connection.run(lockKeySql, [key]);
  const [newer] = await connection.all("SELECT 1 FROM messages WHERE key = $1 LIMIT 1", [key]);
  return newer ? null : key;
}

export async function unreachableReason(
  connection: Connection,
  chat: string,
  sinceEpochMs: number,
): Promise<string | undefined> {
  const [row] = await connection.all<{ reason: string }>(
    "SELECT reason FROM unreachable_chats WHERE chat = $1 AND since >= $2",
    [chat, sinceEpochMs],
  );
  return row?.reason;
}

export async function getFact(connection: Connection, name: string): Promise<string | undefined> {
  const [row] = await connection.all<{ value: string }>(
    "SELECT value FROM settings WHERE name = $1",
    [name],
  );
  return row?.value;
}

export async function setFact(connection: Connection, name: string, value: string): Promise<void> {
  await connection.run(
    "INSERT INTO settings VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    [name, value],
  );
}

interface ServerRow {
  readonly synchronous: boolean;
  /** Whether commits wait, and no standby that they may wait for is connected, as far as this role may see. */
  readonly standbyLost: boolean;
  readonly standbys: number;
  readonly oldestSeconds: number;
  readonly at: number;
}

/** Whether commits wait for a standby, the oldest snapshot, and the server's time. */
export async function server(connection: Connection): Promise<ServerRow> {
  const [row] = await connection.all<ServerRow>(
    `SELECT s.waits AS synchronous,
       s.waits AND NOT EXISTS (SELECT 1 FROM pg_stat_replication r
         WHERE r.sync_state IS NULL OR r.sync_state IN ('sync', 'quorum')) AS "standbyLost",
       (SELECT count(*) FROM pg_stat_replication)::int AS standbys,
       snapshots."oldestSeconds", (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS at
     FROM (${snapshotsSql}) snapshots, (SELECT current_setting('synchronous_standby_names') <> ''
       AND current_setting('synchronous_commit') NOT IN ('off', 'local') AS waits) s`,
  );
  return row as NonNullable<typeof row>;
}
