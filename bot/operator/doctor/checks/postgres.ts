/**
 * PostgreSQL checks: whether the database at DATABASE_URL can carry the bot, and how it fares. Without
 * DATABASE_URL they find nothing.
 */
import { BotError } from "../../../core/errors.ts";
import { schemaOf } from "../../../storage/postgres/schema.ts";
import { type ServerFacts, serverFacts } from "../../../storage/postgres/server-facts.ts";
import {
  type AnyCheck,
  type Check,
  doubtful,
  fine,
  type Judgement,
  toCheck,
  wrong,
} from "../check.ts";
import type { Installation } from "../installation.ts";

/** `undefined`: the data are in a file. */
type Fact = ServerFacts | BotError | undefined;

/** All checks judge one look, so that a database that does not answer is waited for once. */
const looks = new WeakMap<Installation, Promise<Fact>>();

function look(installation: Installation): Promise<Fact> {
  const known = looks.get(installation);
  if (known !== undefined) return known;
  const { botId = "0", clock, config } = installation;
  const url = config.storage.databaseUrl;
  const found = url
    ? serverFacts(url, schemaOf(botId), clock).catch((error: unknown) => {
        if (error instanceof BotError) return error;
        throw error;
      })
    : Promise.resolve(undefined);
  looks.set(installation, found);
  return found;
}

export const server: Check<Fact> = {
  name: "PostgreSQL",
  applies: "always",
  look,
  judge: (fact) => {
    if (fact === undefined) return [];
    if (!(fact instanceof BotError))
      return fine(`version ${fact.version}, with sessions of our own`);
    return wrong(
      fact.message,
      fact.hint ?? "Start PostgreSQL, or correct host and port in DATABASE_URL; see its log.",
    );
  },
};

/** A check of a database that answers. */
function checkOf<Key extends keyof ServerFacts>(
  name: string,
  key: Key,
  judge: (fact: ServerFacts[Key]) => Judgement | readonly Judgement[],
  applies: Check<Fact>["applies"] = "always",
): AnyCheck {
  return toCheck<Fact>({
    name: `PostgreSQL ${name}`,
    applies,
    look,
    judge: (fact) => (fact === undefined || fact instanceof BotError ? [] : judge(fact[key])),
  });
}

export function judgeRights({
  allowed,
  exists,
  movedTo,
  name,
  role,
}: ServerFacts["schema"]): Judgement {
  if (movedTo !== undefined) {
    return wrong(
      `the data of the schema ${name} were moved to ${movedTo}`,
      "Start the bot there, or bring them back: npm run move",
    );
  }
  if (allowed) return fine(exists ? `the schema ${name} is its own` : "the schema can be made");
  return exists
    ? wrong(`the schema ${name} does not belong to the role ${role}`, ownerMend(name, role))
    : wrong(
        `the role ${role} may not make the schema ${name}`,
        `GRANT CREATE ON DATABASE … TO ${role}`,
      );
}

function ownerMend(name: string, role: string): string {
  return `ALTER SCHEMA ${name} OWNER TO ${role}, and the same for what is in it`;
}

export function judgeProcesses({ living }: ServerFacts["schema"]): Judgement {
  if (living.length === 0) {
    return wrong("no process works on the data: none is running", "pm2 restart telegram-bot");
  }
  const named = living.map(({ host, pid }) => `${pid} on ${host}`).join(", ");
  return fine(`${living.length} at work: ${named}`);
}

export function judgeSessionSettings(refused: readonly string[]): Judgement {
  if (refused.length === 0) return fine("the bot's sessions may set what they need");
  return wrong(
    `a session cannot set ${refused.join("; ")}`,
    "Allow the role these settings, or use a PostgreSQL that runs on Linux; the bot cannot do without.",
  );
}

export function judgeDurability({
  fsync,
  full_page_writes: fullPages,
  synchronous_commit: commit,
}: ServerFacts["durability"]): readonly Judgement[] {
  const found: Judgement[] = [];
  for (const [name, value] of [
    ["fsync", fsync],
    ["full_page_writes", fullPages],
  ]) {
    if (value === "on") continue;
    found.push(
      wrong(
        `${name} is ${value}: a crash of the machine may destroy the database`,
        `ALTER SYSTEM SET ${name} = on; SELECT pg_reload_conf()`,
      ),
    );
  }
  if (commit === "off") {
    found.push(
      wrong(
        "synchronous_commit is off: a crash loses updates that Telegram was told are safe",
        "ALTER ROLE … RESET synchronous_commit, or SET it to on in postgresql.conf",
      ),
    );
  }
  return found.length > 0 ? found : [fine(`fsync, synchronous_commit = ${commit}`)];
}

/** Sessions of one process: its own, those of its steps, and two for a start. */
const sessionsPerProcess = 16 + 3;

export function judgeConnections(
  { max, others, ownMax }: ServerFacts["connections"],
  processes: number,
): Judgement {
  const room = ownMax < 0 ? max - others : Math.min(max - others, ownMax);
  const needed = sessionsPerProcess * Math.max(1, processes);
  const says = `${room} sessions for the bot; ${Math.max(1, processes)} process(es) need up to ${needed}`;
  const limit =
    ownMax >= 0 && ownMax === room ? "the CONNECTION LIMIT of the role" : "max_connections";
  if (room < needed) return wrong(says, `Raise ${limit}, or run fewer processes.`);
  if (room < needed + sessionsPerProcess) {
    return doubtful(`${says}; one more, as in an update, finds no room`, `Raise ${limit}.`);
  }
  return fine(says);
}

export function judgeReplication({
  names,
  standbys,
}: ServerFacts["replication"]): Judgement | readonly Judgement[] {
  const listed = standbys.map(({ name, syncState }) => `${name} (${syncState ?? "not visible"})`);
  if (names === "") {
    if (standbys.length === 0) return fine("no standby: its disk is the only one");
    return doubtful(
      `${listed.join(", ")} may lag behind: a failover to it can lose what was confirmed`,
      "Set synchronous_standby_names, so that commits wait for it.",
    );
  }
  const follows = ({ syncState }: (typeof standbys)[number]) =>
    syncState === "sync" || syncState === "quorum";
  if (standbys.some(follows)) return fine(`commits wait for ${listed.join(", ")}`);
  if (standbys.some(({ syncState }) => syncState === undefined)) {
    return doubtful(
      `commits wait for ${names}, and this role may not see whether it follows`,
      "GRANT pg_monitor to the role.",
    );
  }
  return wrong(
    `commits wait for ${names}, and it is not connected: the bot stands still`,
    "Start the standby, or take it out of synchronous_standby_names and reload.",
  );
}

const snapshotSecondsMax = 60;

export function judgeSnapshots({
  hidden,
  holder,
  oldestSeconds,
}: ServerFacts["snapshots"]): Judgement {
  const blind = hidden > 0 ? `; ${hidden} sessions are hidden from this role` : "";
  if (oldestSeconds <= snapshotSecondsMax) {
    const held = holder === "" ? "none is held" : `${holder} holds one, ${oldestSeconds} s old`;
    return fine(`${held}${blind}`);
  }
  return doubtful(
    `${holder} has held a snapshot for ${oldestSeconds} s: tables swell, and the bot slows down`,
    "End it: SELECT pg_terminate_backend(…), or ROLLBACK PREPARED. Take backups with pg_basebackup, or at night.",
  );
}

const deadRowsMax = 20_000;
const deadPerLiveMax = 3;

export function judgeBloat(tables: ServerFacts["tables"]): readonly Judgement[] {
  const swollen = tables.filter(
    ({ dead, live }) => dead > deadRowsMax && dead > live * deadPerLiveMax,
  );
  if (swollen.length === 0) return [fine("lanes and messages are swept in time")];
  return swollen.map(({ dead, lastAutovacuum, live, table }) =>
    doubtful(
      `${table}: ${dead} dead rows beside ${live}; last autovacuum: ${lastAutovacuum ?? "never"}`,
      "Look for a held snapshot first; then turn autovacuum on, or run VACUUM by hand.",
    ),
  );
}

const clockMsMax = 1_000;

export function judgeClock({ aheadMs, doubtMs }: ServerFacts["clock"]): Judgement {
  const apart = Math.abs(aheadMs) - doubtMs;
  if (apart <= clockMsMax)
    return fine(`within ${Math.abs(aheadMs) + doubtMs} ms of this machine's`);
  return doubtful(
    `it is ${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? "ahead of" : "behind"} this machine's`,
    "Turn on time synchronisation on both: timedatectl set-ntp true",
  );
}

const connections: Check<Fact> = {
  name: "PostgreSQL sessions",
  applies: "always",
  look,
  judge: (fact) =>
    fact === undefined || fact instanceof BotError
      ? []
      : judgeConnections(fact.connections, fact.schema.living.length),
};

export const postgresChecks: readonly AnyCheck[] = [
  toCheck(server),
  checkOf("rights", "schema", judgeRights),
  checkOf("settings", "refusedSettings", judgeSessionSettings),
  checkOf("durability", "durability", judgeDurability),
  toCheck(connections),
  checkOf("processes", "schema", judgeProcesses, "running"),
  checkOf("replication", "replication", judgeReplication),
  checkOf("snapshots", "snapshots", judgeSnapshots),
  checkOf("bloat", "tables", judgeBloat),
  checkOf("clock", "clock", judgeClock),
];
