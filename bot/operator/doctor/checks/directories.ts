/** Directory checks: whether data and logs are writable, private to the bot, and have free space. */
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Check, doubtful, fine, toCheck, wrong } from "../check.ts";
import type { Installation } from "../installation.ts";

export interface DirectoryFact {
  readonly path: string;
  readonly exists: boolean;
  readonly directory: boolean;
  readonly writable: boolean;
  readonly mode: number | undefined;
}

export const directory = (
  name: string,
  pathOf: (installation: Installation) => string,
): Check<DirectoryFact> => ({
  name,
  applies: "always",
  look: (installation) => lookAtDirectory(pathOf(installation)),
  judge: ({ directory: isDirectory, exists, mode, path, writable }) => {
    const owner = `chown -R $(id -un) '${path}' && chmod 700 '${path}'`;
    if (exists && !isDirectory)
      return wrong(`${path} is not a directory`, `mv '${path}' '${path}.old'`);
    if (!writable) return wrong(`${path} cannot be written`, owner);
    if (exists && mode !== undefined && (mode & 0o077) !== 0) {
      return doubtful(`${path} is open to others`, `chmod 700 '${path}'`);
    }
    return fine(exists ? path : `${path} will be made at the first start`);
  },
});

function lookAtDirectory(path: string): DirectoryFact {
  const exists = existsSync(path);
  const stat = exists ? statSync(path) : undefined;
  const mode = process.platform === "win32" ? undefined : stat?.mode;
  return { path, exists, directory: stat?.isDirectory() ?? false, mode, writable: canWrite(path) };
}

/** A directory that does not exist yet is writable when it can be made. */
function canWrite(path: string): boolean {
  const nearest = existsSync(path) ? path : dirname(path);
  if (nearest === path && !existsSync(path)) return false;
  if (!existsSync(nearest)) return canWrite(nearest);
  try {
    accessSync(nearest, constants.W_OK);
    return true;
  } catch {
    // The error is the answer.
    return false;
  }
}

const degradedMb = 500;
const wrongMb = 100;

export const diskSpace: Check<number> = {
  name: "disk space",
  applies: "always",
  look: async ({ dataDirectory, home, logDirectory }) => {
    const paths = [home, dataDirectory, logDirectory].filter((path) => existsSync(path));
    const free = await Promise.all(paths.map(async (path) => freeMb(await statfs(path))));
    return Math.min(...free);
  },
  judge: (mb) => {
    const mend = "Free space on the disk of DATA_DIR and LOG_DIR; see: df -h, du -sh data logs";
    if (mb < wrongMb) return wrong(`only ${mb} MB are free`, mend);
    if (mb < degradedMb) return doubtful(`only ${mb} MB are free`, mend);
    return fine(`${mb} MB free`);
  },
};

function freeMb({ bavail, bsize }: { bavail: number; bsize: number }): number {
  return Math.floor((bavail * bsize) / 2 ** 20);
}

const lastWordsMax = 600;

/** The last lines the bot printed when it could not start, before its logger ran. */
export const lastWords = ({ logDirectory }: Installation): string => {
  const path = join(logDirectory, "pm2-error.log");
  return existsSync(path) ? readFileSync(path, "utf8").trim().slice(-lastWordsMax) : "";
};

export const directoryChecks = [
  toCheck(directory("data directory", (installation) => installation.dataDirectory)),
  toCheck(directory("log directory", (installation) => installation.logDirectory)),
  toCheck(diskSpace),
];
