/**
 * Witness: reads what a process left on its disk, after its end and before the next start.
 *
 * It is the judge's second source beside the sandbox's journal (lab/history/from-journal.ts).
 */
import { dirname, join } from "node:path";
import { existingKeysIn } from "../../bot/config/key-file.ts";
import { RowReader } from "../../bot/storage/sqlite/row-reader.ts";
import { sendsInHand } from "../history/from-database.ts";
import type { WitnessedEnd } from "../history/from-journal.ts";

/**
 * @param botDirectory The directory of `bot.db`.
 * @param atMs When the end was seen, by the drill's clock.
 */
export function witnessEnd(botDirectory: string, atMs: number): WitnessedEnd {
  const path = join(botDirectory, "bot.db");
  try {
    const rows = new RowReader(path, existingKeysIn(dirname(botDirectory)));
    try {
      return { atMs, inHand: sendsInHand((table) => rows.all(`SELECT * FROM ${table}`)) };
    } finally {
      rows.close();
    }
  } catch {
    // There are no tables yet, or the fault has damaged or moved the file: the sandbox is the only witness.
    return { atMs, inHand: undefined };
  }
}
