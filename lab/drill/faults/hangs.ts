/** Hangs: six ways to hang the main thread, and a suspended process. */
import type { DrillFault } from "../fault.ts";
import { hangs as ways } from "../sabotage.ts";

const endless = (Object.keys(ways) as (keyof typeof ways)[]).filter((way) => !way.includes("ends"));

export const hangs: readonly DrillFault[] = [
  ...endless.map(
    (how): DrillFault => ({
      name: `hang-${how.split(" ").at(-1)}`,
      title: `main thread hangs: ${how}`,
      how: "code loaded into the process hangs it",
      areas: ["process", "integration"],
      groups: ["T1"],
      detection: { by: "exit", code: "killed" },
      aim: "hang",
      deafens: true,
      inject: ({ bot }) => bot.sabotage({ kind: "hang", how }),
    }),
  ),
  {
    name: "suspended",
    title: "the machine is suspended for 5 s",
    how: "SIGSTOP, SIGCONT",
    areas: ["process"],
    detection: { by: "nothing" },
    aim: "outage",
    lastsMs: 5_000,
    overlaps: true,
    inject: async ({ bot }) => {
      process.kill(bot.pid ?? 0, "SIGSTOP");
    },
    end: async ({ bot }) => {
      process.kill(bot.pid ?? 0, "SIGCONT");
    },
    check: async ({ supervisor }) =>
      supervisor.ends.length > 1 ? ["a process that was only suspended was killed"] : [],
  },
];
