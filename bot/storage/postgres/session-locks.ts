/**
 * Session locks: the advisory locks that say who lives. PostgreSQL frees them when their session ends.
 *
 * Whoever can take the lock of a process's life knows that its session is over, and that it can commit
 * nothing more. Locks belong to a database, and several bots may share one, so a lock's class is the
 * number of its schema.
 */

/** Key of the lock under which a database is migrated; it comes before the schema ("TGFT"). */
export const migrationLock = 0x54474654;

/** The class of this schema's locks: its number, moved to where four bytes with a sign hold it. */
const lockClass = "(current_schema()::regnamespace::oid::bigint - 2147483648)::int";

export const lockClassSql: string = `SELECT ${lockClass} AS class`;

/** Tries to become the one process that works on this schema. Processes have numbers from 1. */
export const workingLockSql: string = `SELECT pg_try_advisory_lock(${lockClass}, 0) AS ok`;
