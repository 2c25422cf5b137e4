/** Defects: faults of the process itself, such as leaks, exhausted memory and unhandled errors. */
import type { DrillFault } from "../fault.ts";
import { MemoryGroup } from "../tools.ts";

const common = {
  areas: ["process", "integration"],
  aim: "kill",
} as const satisfies Partial<DrillFault>;

export const defects: readonly DrillFault[] = [
  {
    ...common,
    name: "memory-leak",
    title: "memory leaks, 80 MB a second",
    how: "code loaded into the process keeps what it allocates",
    areas: ["process", "health"],
    setup: { env: { MEMORY_LIMIT_MB: "256" } },
    detection: { by: "exit", code: 0 },
    aim: "outage",
    inject: ({ bot }) => bot.sabotage({ kind: "leak" }),
  },
  {
    ...common,
    name: "heap-exhausted",
    title: "the heap is exhausted at once",
    deafens: true,
    how: "--max-old-space-size=96, and an endless array",
    setup: { nodeOptions: ["--max-old-space-size=96"] },
    detection: { by: "exit", code: "killed" },
    inject: ({ bot }) => bot.sabotage({ kind: "exhaust", what: "heap" }),
  },
  {
    ...common,
    name: "out-of-memory",
    title: "the kernel kills the process because of its memory",
    deafens: true,
    how: "a memory cgroup of 300 MB, and buffers without end",
    needs: ["cgroup"],
    detection: { by: "exit", code: "killed" },
    inject: async ({ bot, supervisor }) => {
      const group = new MemoryGroup(300);
      const deaths = supervisor.ends.length;
      group.add(bot.pid ?? 0);
      await bot.sabotage({ kind: "exhaust", what: "buffers" });
      await supervisor.died(deaths);
      group.remove();
    },
  },
  {
    ...common,
    name: "unhandled-rejection",
    title: "a promise rejection is not handled",
    how: "Promise.reject() in the running process",
    areas: ["process", "logger"],
    detection: { by: "exit", code: 70 },
    quick: true,
    overlaps: true,
    inject: ({ bot }) => bot.sabotage({ kind: "reject" }),
  },
  {
    ...common,
    name: "uncaught-exception",
    title: "an exception is not caught",
    how: "throw from a timer of the running process",
    detection: { by: "exit", code: 70 },
    overlaps: true,
    inject: ({ bot }) => bot.sabotage({ kind: "throw" }),
  },
];
