/**
 * Moved mark: what a database says whose data were moved to another one, so that nobody goes on with what
 * is left in it.
 *
 * It is written before the other database commits. Until it is known that this one has, the mark is not
 * complete: then the other one has all of the data or none of them, and the same move can be made again.
 */
import { formatInstant } from "../core/clock.ts";
import { StorageMovedError } from "../core/errors.ts";

export interface MovedMark {
  /** Names the move; the database that has the data knows it too. */
  readonly id: string;
  /** Where the data went, without a password. */
  readonly to: string;
  readonly atEpochMs: number;
  readonly complete: boolean;
}

/** Name of the fact that holds the mark, as JSON. */
export const movedFact = "storage.moved";
/** Name of the fact that holds the id of the move by which the data came. */
export const arrivedFact = "storage.arrived";

export function readMark(fact: string | undefined): MovedMark | undefined {
  return fact === undefined ? undefined : (JSON.parse(fact) as MovedMark);
}

/** @throws {StorageMovedError} when the fact says that the data are elsewhere. */
export function refuseMoved(fact: string | undefined, what: string): void {
  const mark = readMark(fact);
  if (mark) throw movedError(mark, what);
}

export function movedError({ atEpochMs, complete, to }: MovedMark, what: string) {
  const at = formatInstant(atEpochMs);
  if (!complete) {
    return new StorageMovedError(`a move of ${what} to ${to} was cut off (${at})`, {
      hint: "Nothing was written. Make the same move again: npm run move.",
    });
  }
  return new StorageMovedError(`the data of ${what} were moved to ${to} (${at})`, {
    hint:
      "Nothing was written. Start the bot on that place: with its DATABASE_URL, or without one for a " +
      "directory. To bring the data back: npm run move.",
  });
}
