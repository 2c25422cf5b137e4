/** Database checks: who holds the data, and whether the file is whole. */
import { existsSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { StorageInUseError } from "../../../core/errors.ts";
import { lockDataDirectory } from "../../../storage/sqlite/data-lock.ts";
import {
  checkIntegrity,
  inspectDatabase,
  refuseMovedFile,
} from "../../../storage/sqlite/schema.ts";
import { openNodeSqlite } from "../../../storage/sqlite/sqlite-driver.ts";
import { lookForUnmoved } from "../../../storage/sqlite/unmoved-file.ts";
import { type Check, doubtful, fine, toCheck, wrong } from "../check.ts";
import type { Installation } from "../installation.ts";
import { readRestarts } from "./restarts.ts";

/** Whether a process holds the directory's lock. Asking takes the lock for an instant. */
export function isHeld(directory: string): boolean {
  if (!existsSync(join(directory, "lock"))) return false;
  try {
    lockDataDirectory(directory, openNodeSqlite).close();
    return false;
  } catch (error) {
    if (error instanceof StorageInUseError) return true;
    throw error;
  }
}

/** The process that holds the data: the last one in the ledger, if it is a bot of this installation. */
export function holderPid(installation: Installation): number | undefined {
  if (installation.botDirectory === undefined || !isHeld(installation.botDirectory))
    return undefined;
  const last = readRestarts(installation).at(-1);
  return last && !last.end && worksIn(last.pid, installation.home) ? last.pid : undefined;
}

/** A bot that has just started is not in the ledger yet, and another process may have a dead one's id. */
function worksIn(pid: number, home: string): boolean {
  if (!existsSync("/proc/self/cwd")) return true;
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === home;
  } catch {
    // There is no such process, or it belongs to another user.
    return false;
  }
}

interface HeldFact {
  readonly held: boolean;
  readonly pid: number | undefined;
  /** The data are in PostgreSQL, which has checks of its own. Default: they are not. */
  readonly elsewhere?: boolean;
}

const look = (installation: Installation): HeldFact => ({
  held: installation.botDirectory !== undefined && isHeld(installation.botDirectory),
  pid: holderPid(installation),
  elsewhere: installation.config.storage.databaseUrl !== undefined,
});

export const dataIsHeld: Check<HeldFact> = {
  name: "data lock",
  applies: "running",
  look,
  judge: ({ elsewhere, held, pid }) => {
    if (elsewhere) return [];
    return held
      ? fine(`held by process ${pid ?? "unknown"}`)
      : wrong("no bot holds the data: none is running", "pm2 restart telegram-bot");
  },
};

export const dataIsFree: Check<HeldFact> = {
  name: "data lock",
  applies: "before-start",
  look,
  judge: ({ elsewhere, held, pid }) => {
    if (elsewhere) return [];
    return held
      ? wrong(
          `process ${pid ?? "unknown"} holds the data already`,
          pid === undefined ? "Stop the other bot first." : `kill ${pid}`,
        )
      : fine("free");
  },
};

interface DatabaseFact {
  readonly path: string | undefined;
  /** The file is too large to check while the bot runs. */
  readonly unchecked: boolean;
  /** The data are in PostgreSQL, which has checks of its own. Default: they are not. */
  readonly elsewhere?: boolean;
  /** A file whose data never went there. */
  readonly unmoved?: string | undefined;
}

const checkedBytesMax = 512 * 2 ** 20;

export const database: Check<DatabaseFact> = {
  name: "database",
  applies: "always",
  look: ({ botDirectory, config }) => {
    const path = botDirectory === undefined ? undefined : join(botDirectory, "bot.db");
    const elsewhere = config.storage.databaseUrl !== undefined;
    if (path === undefined || !existsSync(path)) {
      return { path: undefined, unchecked: true, elsewhere };
    }
    if (elsewhere) {
      const unmoved = lookForUnmoved(path) === "nothing" ? undefined : path;
      return { path, unchecked: true, elsewhere, unmoved };
    }
    const unchecked = statSync(path).size > checkedBytesMax;
    const opened = openNodeSqlite(path, { readOnly: true });
    try {
      inspectDatabase(opened, path);
      refuseMovedFile(opened, path);
      if (!unchecked) checkIntegrity(opened, path);
    } finally {
      opened.close();
    }
    return { path, unchecked };
  },
  judge: ({ elsewhere, path, unchecked, unmoved }) => {
    if (unmoved !== undefined) {
      return doubtful(
        `DATABASE_URL is set, and ${unmoved} holds data that were not moved there`,
        "A first start there is refused. npm run move -- --to postgres, or move its directory away if nobody needs it.",
      );
    }
    if (elsewhere) return [];
    if (path === undefined) return fine("there is none yet");
    if (unchecked) {
      return doubtful(
        "a database of this bot, too large to check while it runs",
        "Stop the bot and start it again: it checks the file after an unclean end.",
      );
    }
    return fine(`${path} is whole`);
  },
};

export const databaseChecks = [toCheck(dataIsHeld), toCheck(dataIsFree), toCheck(database)];
