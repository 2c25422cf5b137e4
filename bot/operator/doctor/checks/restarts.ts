/** Restart checks: how the last processes ended, as the restart ledger has it. */
import { join } from "node:path";
import { RecordFile } from "../../../core/record-file.ts";
import type { RestartRecord } from "../../../utils/process-monitor/restart-ledger.ts";
import { type Check, doubtful, fine, toCheck } from "../check.ts";
import type { Installation } from "../installation.ts";

/** Oldest first; none before the first start. */
export function readRestarts({ botDirectory }: Installation): readonly RestartRecord[] {
  if (botDirectory === undefined) return [];
  const path = join(botDirectory, "restarts.jsonl");
  const keyOf = ({ pid, startedAtEpochMs }: RestartRecord) => `${startedAtEpochMs}:${pid}`;
  return new RecordFile<RestartRecord>({ path, keyOf }).read();
}

/** How many of the latest ends are examined, and how many of them may be unclean. */
const endsShown = 10;
const uncleanMax = 2;

export const lastEnds: Check<readonly RestartRecord[]> = {
  name: "last ends",
  applies: "always",
  look: (installation) => readRestarts(installation),
  judge: (records) => {
    const ends = records.flatMap(({ end }) => (end ? [end] : [])).slice(-endsShown);
    const unclean = ends.filter(({ clean }) => !clean);
    if (unclean.length <= uncleanMax) {
      const last = ends.at(-1);
      return fine(last ? `the last one: ${last.cause}` : "none yet");
    }
    const causes = [...new Set(unclean.map(({ cause, detail }) => detail ?? cause))].slice(0, 5);
    return doubtful(
      `${unclean.length} of the last ${ends.length} were unclean: ${causes.join("; ")}`,
      "See /api/restarts or /api/status, and the log around these times.",
    );
  },
};

export const restartChecks = [toCheck(lastEnds)];
