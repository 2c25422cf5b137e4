/** Clocks: faults in which the wall clock jumps while monotonic time goes on. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DrillFault } from "../fault.ts";
import { faketimeLibrary } from "../tools.ts";

const fileName = "clock-offset";

function jump(name: string, title: string, seconds: number): DrillFault {
  const offset = `${seconds > 0 ? "+" : ""}${seconds}`;
  const set = (directory: string, text: string) => writeFileSync(join(directory, fileName), text);
  return {
    name,
    title,
    how: `libfaketime: ${offset} s, then back`,
    areas: ["health", "queue"],
    needs: ["faketime"],
    setup: {
      prepare: (directory) => {
        set(directory, "+0");
        return undefined;
      },
      env: (directory) => ({
        LD_PRELOAD: faketimeLibrary ?? "",
        FAKETIME_TIMESTAMP_FILE: join(directory, fileName),
        FAKETIME_NO_CACHE: "1",
        FAKETIME_DONT_FAKE_MONOTONIC: "1",
      }),
    },
    detection: { by: "health", probe: "clock" },
    aim: "outage",
    inject: async ({ directory }) => set(directory, offset),
    end: async ({ directory }) => set(directory, "+0"),
  };
}

export const clocks: readonly DrillFault[] = [
  jump("clock-forward", "the clock jumps an hour forward, and back", 3_600),
  jump("clock-back", "the clock jumps a day back, and forward", -86_400),
];
