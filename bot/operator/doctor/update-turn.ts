/**
 * Update-turn program: waits until no other machine updates the bot, says who works meanwhile, and keeps the
 * turn until the process that called it ends: `node bot/operator/doctor/update-turn.ts PID SECONDS`.
 *
 * The turn is a lock of its session in PostgreSQL, so it is never left behind. When the session is lost, as
 * in a failover, the turn is taken again. It prints one line when it has the turn, and ends with 1 when it
 * does not get it in so many seconds.
 */
import { hostname } from "node:os";
import { systemClock } from "../../core/clock.ts";
import { describeError, exitCodeOf } from "../../core/exit-code.ts";
import { Connection } from "../../storage/postgres/connection.ts";
import { schemaOf } from "../../storage/postgres/schema.ts";
import { serverFacts } from "../../storage/postgres/server-facts.ts";
import { updateLockSql } from "../../storage/postgres/session-locks.ts";
import { holderPid } from "./checks/database.ts";
import type { Installation } from "./installation.ts";
import { enterInstallation } from "./this-installation.ts";

/** The session that keeps the turn; without PostgreSQL there is none. */
type Turn = Pick<Connection, "lost">;

const lookEveryMs = 500;
const [caller = 0, seconds = 600] = process.argv.slice(2).map(Number);
const never = new AbortController().signal;

try {
  const installation = await enterInstallation();
  const turn = await takeTurn(installation);
  if (turn) {
    process.stdout.write(`${await whoGoesOn(installation)}\n`);
    await keepTurn(installation, turn);
    process.exit(0);
  }
  process.stderr.write(`another machine has updated this bot for more than ${seconds} s\n`);
  process.exit(1);
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(exitCodeOf(error));
}

/** Returns nothing when another machine does not give it up in time. */
async function takeTurn({ botId = "0", config }: Installation): Promise<Turn | undefined> {
  const url = config.storage.databaseUrl;
  if (!url) return { lost: undefined };
  const schema = schemaOf(botId);
  const connection = await Connection.open({ url, schema, settings: {} });
  const untilMs = systemClock.monotonicMs() + seconds * 1_000;
  for (let told = false; ; told = true) {
    const [turn] = await connection.all<{ ok: boolean }>(updateLockSql, [schema]);
    if (turn?.ok) return connection;
    if (systemClock.monotonicMs() > untilMs || !isThere(caller)) {
      await connection.end();
      return undefined;
    }
    if (!told) process.stderr.write("    another machine updates this bot; waiting for its end\n");
    await systemClock.sleep(lookEveryMs, never);
  }
}

/** Resolves when the caller has ended. Meanwhile another machine may have begun, which cannot be undone. */
async function keepTurn(installation: Installation, taken: Turn): Promise<void> {
  for (let turn = taken, told = false; isThere(caller); ) {
    await systemClock.sleep(lookEveryMs, never);
    if (!turn.lost) continue;
    if (!told) process.stderr.write("    the turn was lost with its session; taking it again\n");
    // PostgreSQL may be away for a while.
    const again = await takeTurn(installation).catch(() => undefined);
    told = again === undefined;
    turn = again ?? turn;
  }
}

async function whoGoesOn(installation: Installation): Promise<string> {
  const { botId = "0", clock, config } = installation;
  const url = config.storage.databaseUrl;
  const { living } = url ? (await serverFacts(url, schemaOf(botId), clock)).schema : { living: [] };
  const own = holderPid(installation);
  const others = living.filter(({ host, pid }) => host !== hostname() || pid !== own);
  if (others.length === 0) return "no other process works: people wait for some seconds";
  const names = others.map(({ host, pid }) => `process ${pid} on ${host}`);
  return `meanwhile ${names.join(", ")} answers`;
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
