/**
 * Unmoved file: a `bot.db` in the data directory of a bot that is to work on PostgreSQL, whose data never
 * went there.
 *
 * Such a bot would begin with nothing, and tell people so: their balances are in the file.
 */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { StorageUnmovedError } from "../../core/errors.ts";
import { type MovedMark, movedError, movedFact, readMark } from "../moved-mark.ts";
import { factOf, inspectDatabase } from "./schema.ts";
import { openNodeSqlite } from "./sqlite-driver.ts";

/**
 * Whether a file has data that are nowhere else; `cut off`: a move of them has begun, and not ended.
 *
 * @throws {BotError} when it is no database of this bot, or one of a newer version.
 */
export function lookForUnmoved(path: string): "data" | "nothing" | { readonly cutOff: MovedMark } {
  if (!existsSync(path)) return "nothing";
  const database = openNodeSqlite(path, { readOnly: true });
  try {
    if (inspectDatabase(database, path) === "first") return "nothing";
    const mark = readMark(factOf(database, movedFact));
    if (!mark) return "data";
    return mark.complete ? "nothing" : { cutOff: mark };
  } finally {
    database.close();
  }
}

/** @throws {StorageUnmovedError | StorageMovedError} when the file has data that are to be moved first. */
export function refuseUnmoved(file: string): void {
  const path = resolve(file);
  const directory = dirname(path);
  const found = lookForUnmoved(path);
  if (found === "nothing") return;
  if (found !== "data") throw movedError(found.cutOff, path);
  throw new StorageUnmovedError(
    `DATABASE_URL is set, and the data of this bot are in ${path}: they were never moved to PostgreSQL`,
    {
      hint:
        "Nothing was written. Bring them there: npm run move -- --to postgres. To go on with the file: remove " +
        `DATABASE_URL. To begin without these data, and keep them: mv '${directory}' '${directory}-unused'`,
    },
  );
}
