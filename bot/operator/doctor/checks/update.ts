/** Update check: whether an update was interrupted between its two versions. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Check, doubtful, fine, toCheck } from "../check.ts";

/** deploy-fault-tolerance.sh writes it while it changes versions: the version it leaves, the one it tries. */
const markFile = "updating";

export const interruptedUpdate: Check<string | undefined> = {
  name: "update",
  applies: "running",
  look: ({ home }) => {
    const path = join(home, "releases", markFile);
    return existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
  },
  judge: (mark) =>
    mark === undefined
      ? fine("none is under way")
      : doubtful(
          `an update was interrupted, or is under way: ${mark}`,
          "If none is running: ./deploy-fault-tolerance.sh starts the last good version again.",
        ),
};

export const updateChecks = [toCheck(interruptedUpdate)];
