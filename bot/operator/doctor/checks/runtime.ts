/** Runtime checks: the Node.js that runs the bot, and the clock of the machine. */
import { type Check, doubtful, fine, toCheck, wrong } from "../check.ts";
import { readRestarts } from "./restarts.ts";

/** @param version The value of `process.version`. */
export const nodeVersion = (version: string): Check<string> => ({
  name: "Node.js",
  applies: "always",
  look: () => version,
  judge: (found) => {
    const [major = 0, minor = 0] = found.replace(/^v/, "").split(".").map(Number);
    if (major < 22 || (major === 22 && minor < 18)) {
      return wrong(
        `this is ${found}; 22.18 or newer is needed`,
        "Run `npm ci`, which brings Node.js 24 along.",
      );
    }
    if (major % 2 === 1) {
      return doubtful(`${found} has no long-term support`, "Install Node.js 24, or run `npm ci`.");
    }
    return fine(found);
  },
});

interface ClockFact {
  readonly nowEpochMs: number;
  /** The latest start or end in the bot's records. */
  readonly lastEpochMs: number | undefined;
}

/** 2025-01-01: a clock that is right is never earlier. */
const earliestEpochMs = 1_735_689_600_000;
const aheadMsMax = 60_000;

export const clock: Check<ClockFact> = {
  name: "clock",
  applies: "always",
  look: (installation) => {
    const last = readRestarts(installation).at(-1);
    const instants = last ? [last.startedAtEpochMs, last.end?.atEpochMs ?? 0] : [];
    const lastEpochMs = instants.length > 0 ? Math.max(...instants) : undefined;
    return { nowEpochMs: installation.clock.epochMs(), lastEpochMs };
  },
  judge: ({ lastEpochMs, nowEpochMs }) => {
    const mend = "Turn on time synchronisation: timedatectl set-ntp true";
    if (nowEpochMs < earliestEpochMs) return wrong("the clock shows a year before 2025", mend);
    const aheadMs = lastEpochMs === undefined ? 0 : lastEpochMs - nowEpochMs;
    if (aheadMs > aheadMsMax) {
      const seconds = Math.round(aheadMs / 1000);
      return doubtful(`the clock is ${seconds} s behind the bot's own records`, mend);
    }
    return fine("not behind the bot's own records");
  },
};

export const runtimeChecks = [toCheck(nodeVersion(process.version)), toCheck(clock)];
