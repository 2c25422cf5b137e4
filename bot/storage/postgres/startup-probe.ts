/**
 * Start-up probe: whether what answers at DATABASE_URL can carry the bot.
 *
 * Locks and settings of a session are what it relies on. A pooler in transaction mode gives each
 * transaction another server connection, so two processes would both hold the same lock, unnoticed.
 */
import { DatabaseUnsuitableError, StorageSessionLostError } from "../../core/errors.ts";
import { type Connection, sharedSession } from "./connection.ts";

/** The first version that ends the session of a client that is gone (client_connection_check_interval). */
const versionMin = 140_000;

/** Any number that is no other lock of ours. */
const probeLock = 0x54474650;

/**
 * @throws {DatabaseUnsuitableError} with what to change.
 * @throws {StorageSessionLostError} when it is a standby: another server is the primary, or will be.
 */
export async function probeDatabase(first: Connection, second: Connection): Promise<void> {
  await checkSessions(first, second);
  const [server] = await first.all<{ version: number; standby: boolean }>(
    "SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS standby",
  );
  if (!server || server.version < versionMin) {
    throw new DatabaseUnsuitableError(`PostgreSQL ${server?.version} is too old`, {
      hint: "Use PostgreSQL 14 or later.",
    });
  }
  if (server.standby)
    throw new StorageSessionLostError("this server is a standby, not the primary");
}

async function checkSessions(first: Connection, second: Connection): Promise<void> {
  const before = await pidOf(first);
  await first.exec(`SET bot.probe = '${before}'`);
  // In a transaction the second one keeps a server connection, so the first one gets another.
  const [other, after, kept, free] = await second.transaction(async () => [
    await pidOf(second),
    await pidOf(first),
    await settingOf(first),
    await lockIsFree(first, second),
  ]);
  if (other !== before && after === before && kept === String(before) && !free) return;
  throw sharedSession();
}

async function pidOf(connection: Connection): Promise<number | undefined> {
  const [row] = await connection.all<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return row?.pid;
}

async function settingOf(connection: Connection): Promise<string | undefined> {
  const [row] = await connection.all<{ value: string }>(
    "SELECT current_setting('bot.probe', true) AS value",
  );
  return row?.value;
}

/** Whether the second one gets a lock that the first one holds. */
async function lockIsFree(first: Connection, second: Connection): Promise<boolean> {
  const key = [probeLock, Number(await pidOf(first))];
  const [taken] = await first.all<{ ok: boolean }>(
    "SELECT pg_try_advisory_lock($1, $2) AS ok",
    key,
  );
  const [again] = await second.all<{ ok: boolean }>(
    "SELECT pg_try_advisory_xact_lock($1, $2) AS ok",
    key,
  );
  await first.all("SELECT pg_advisory_unlock($1, $2)", key);
  return taken?.ok !== true || again?.ok === true;
}
