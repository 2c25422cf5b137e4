/**
 * Session locks: the advisory locks that say who lives. PostgreSQL frees them when their session ends.
 *
 * Whoever can take the lock of a process's life knows that its session is over, and that it can commit
 * nothing more. Locks belong to a database, and several bots may share one, so a lock's class is the
 * number of its schema. Notifications belong to a database too, and are named after the schema.
 */
import { type Role, roles } from "../../core/roles.ts";

/** The text of the notification that the data keys have changed. */
export const keysNotice = "keys";

/** Key of the lock under which a database is migrated; it comes before the schema ("TGFT"). */
export const migrationLock = 0x54474654;

/** The class of this schema's locks: its number, moved to where four bytes with a sign hold it. */
export const lockClass = "(current_schema()::regnamespace::oid::bigint - 2147483648)::int";

export const lockClassSql: string = `SELECT ${lockClass} AS class`;

/** Processes have numbers from 1, so roles have those below. */
export function lockOf(role: Role): number {
  return -1 - roles.indexOf(role);
}

/** The key of the lock that transactions hold which seal with this data key, as in `seals_1`. */
export function lockOfDataKey(id: number): number {
  return -1_000 - id;
}

/** Joins the locks of `processes p`: `life.pid` is there for one that lives. @param lockClass As SQL. */
export function livesSql(lockClass: string): string {
  return `pg_locks life ON life.locktype = 'advisory' AND life.granted
    AND life.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND life.classid::bigint = ${lockClass} AND life.objid::bigint = p.number AND life.objsubid = 2`;
}

/** The class of this schema's locks, as `pg_locks` shows it: without a sign. */
export const shownLockClass: string = `(${lockClass}::bigint & 4294967295)`;

/** Tries to become the one process of a name on this schema. */
export const nameLockSql =
  "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || ':name:' || $1, 0)) AS ok";

/** Tells all processes of the schema to read the data keys, when the transaction commits. */
export const notifyKeysSql: string = `SELECT pg_notify(current_schema(), '${keysNotice}')`;

/** Tries to become the one machine that updates the bot of a schema, which need not be there yet. */
export const updateLockSql =
  "SELECT pg_try_advisory_lock(hashtextextended($1 || ':update', 0)) AS ok";

/** The text of the notification that a process has given up a role. */
export const roleIsFree = "role";

/** A table that notifies the schema's other processes of work, when the transaction commits. */
export function notifiedSql(condition: string): string {
  return `unnest(ARRAY['work']) WHERE ${condition} AND pg_notify(current_schema(), 'work') IS NOT NULL`;
}
