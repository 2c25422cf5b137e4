/**
 * Session locks: the advisory locks that say who lives. PostgreSQL frees them when their session ends.
 *
 * Whoever can take the lock of a process's life knows that its session is over, and that it can commit
 * nothing more. Locks belong to a database, and several bots may share one, so a lock's class is the
 * number of its schema. Notifications belong to a database too, and are named after the schema.
 */
import { type Role, roles } from "../../core/roles.ts";

/** Key of the lock under which a database is migrated; it comes before the schema ("TGFT"). */
export const migrationLock = 0x54474654;

/** The class of this schema's locks: its number, moved to where four bytes with a sign hold it. */
const lockClass = "(current_schema()::regnamespace::oid::bigint - 2147483648)::int";

export const lockClassSql: string = `SELECT ${lockClass} AS class`;

/** Processes have numbers from 1, so roles have those below. */
export function lockOf(role: Role): number {
  return -1 - roles.indexOf(role);
}

/** Tries to become the one process of a name on this schema. */
export const nameLockSql =
  "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || ':name:' || $1, 0)) AS ok";

/** A table that notifies the schema's other processes of work, when the transaction commits. */
export function notifiedSql(condition: string): string {
  return `unnest(ARRAY['work']) WHERE ${condition} AND pg_notify(current_schema(), 'work') IS NOT NULL`;
}
