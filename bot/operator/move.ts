/**
 * Move program: `npm run move -- --to postgres|sqlite`. Moves all data of one bot between its file and
 * PostgreSQL. Refuses while the bot runs, and where the other place holds data already.
 */
import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import { encryptionKeysOf } from "../config/key-file.ts";
import { databaseAddress } from "../config/setting-kinds.ts";
import { systemClock } from "../core/clock.ts";
import { UsageError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import { type ComparedFigure, moveData } from "../storage/move/move-data.ts";
import { PostgresEnd } from "../storage/move/postgres-end.ts";
import { SqliteEnd } from "../storage/move/sqlite-end.ts";
import { schemaOf } from "../storage/postgres/schema.ts";
import { type Invocation, runProgram } from "./program.ts";

const usage =
  "Usage: npm run move -- --to postgres | --to postgres://… | --to sqlite [--from postgres://…] [--bot ID]";

await runProgram(usage, 0, run, ["to", "from"]);

async function run(invocation: Invocation): Promise<void> {
  const { config, directory, module, say } = invocation;
  const { address, toPostgres } = readDirection(invocation);
  const clock = systemClock;
  const nowEpochMs = clock.epochMs();
  const keys = encryptionKeysOf(config.storage);
  const tableSets = module.tables ?? [];
  const markDirectory = config.telegram.token && config.log.directory;
  const sqlite = new SqliteEnd({ clock, directory, keys, markDirectory, tableSets });
  const schema = schemaOf(basename(directory));
  const postgres = new PostgresEnd({ nowEpochMs, schema, tableSets, url: address });
  const [from, to] = toPostgres ? [sqlite, postgres] : [postgres, sqlite];
  const report = await moveData({ from, id: randomUUID(), keys, nowEpochMs, tableSets, to });
  switch (report.kind) {
    case "released":
      return say(`The move to ${from.address} was cut off before anything was moved.
The data are, and always were, in ${to.address}; start the bot there.`);
    case "finished":
      return say(
        `An earlier move had been cut off when all was there: the data are in ${to.address}.`,
      );
    case "moved":
      say(`${asTable(report.figures)}

All data are the same on both sides, row by row. They are now in ${to.address}`);
      if (report.filesMissing > 0)
        say(`${report.filesMissing} files that messages wait to send are in neither place.
When its turn comes, such a message becomes a dead letter (FILE_GONE). Copy what another machine has in
DATA_DIR/<bot id>/files/ into this one before that.`);
      if (report.kept !== undefined) say(`What was left there before is kept as ${report.kept}`);
      say(whatItMeans(toPostgres, from.address));
  }
}

/** The database, and whether the data go there. */
function readDirection({ config, option }: Invocation) {
  const [to, from] = [option("to"), option("from")];
  const toPostgres = to !== "sqlite";
  if (to === undefined || (toPostgres && from !== undefined)) {
    throw new UsageError(
      to === undefined ? "--to is missing" : "--from goes with --to sqlite only",
      {
        hint: usage,
      },
    );
  }
  const written = toPostgres ? to : from;
  const named = written === undefined || written === "postgres" ? undefined : readAddress(written);
  const address = named ?? config.storage.databaseUrl;
  if (address) return { address, toPostgres };
  throw new UsageError("DATABASE_URL is not set, so the database has to be named", { hint: usage });
}

function readAddress(text: string): Secret {
  const kind = databaseAddress();
  const read = kind.read(text);
  if (read) return read.value;
  throw new UsageError(`expected "sqlite", "postgres" or ${kind.expected}`, { hint: usage });
}

function asTable(figures: readonly ComparedFigure[]): string {
  const rows = [
    ["", "from", "to"],
    ...figures.map((row) => [row.name, `${row.from}`, `${row.to}`]),
  ];
  const widths = [0, 1, 2].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map(([name = "", from = "", to = ""]) => {
      const [first = 0, second = 0, third = 0] = widths;
      return `${name.padEnd(first)}  ${from.padStart(second)}  ${to.padStart(third)}`;
    })
    .join("\n");
}

function whatItMeans(toPostgres: boolean, from: string): string {
  const start = toPostgres
    ? "- Set DATABASE_URL in .env to that database, and start the bot."
    : "- Remove DATABASE_URL from .env, and start the bot.";
  const back = toPostgres ? "sqlite" : "postgres";
  return `
What this means:
${start}
- A bot that is started on ${from}
  all the same is refused (exit code 78) and told where the data are. Delete it once you are sure.
- The encryption key goes on opening the data. DATA_DIR keeps it, the restart token and the backups: to go on
  with another machine, copy DATA_DIR to it.
- To move the data back: npm run move -- --to ${back}`;
}
