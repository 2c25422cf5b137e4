/** Poisons: updates that throw, hang or kill; they must affect only the person who sent them. */
import { eventually } from "../bot-process.ts";
import type { DrillFault } from "../fault.ts";
import type { Scene } from "../scene.ts";

const poisonerId = 666;

const common = {
  areas: ["queue", "endToEnd"],
  aim: "outage",
  overlaps: true,
} as const satisfies Partial<DrillFault>;

/** Sends the poison, and a harmless command after it, from the same person. */
async function write({ sandbox }: Scene, name: string): Promise<void> {
  await sandbox.write({ userId: poisonerId, text: `/poison ${name}` });
  await sandbox.write({ userId: poisonerId, text: "/help" });
}

const helped = ({ text }: { text?: string }) => text?.startsWith("This is what") ?? false;

/** Waits until the poison is a dead letter and the same person's next update works. */
async function isOver(scene: Scene, timeoutMs = 60_000): Promise<void> {
  await scene.sandbox.waitForMessage(poisonerId, helped, { timeoutMs });
}

async function deadLetters({ bot }: Scene): Promise<number> {
  const queue = await bot.ask<{ deadLetters: number }>("/api/message-queue");
  return queue?.deadLetters ?? 0;
}

/** A poison that becomes a dead letter, by attempts or by deaths. */
function poison(name: string, title: string, more: Partial<DrillFault>): DrillFault {
  return {
    ...common,
    name: `poison-${name}`,
    title,
    how: "a message whose handler does this every time",
    detection: { by: "log", line: /message\.dead/ },
    givesUp: true,
    inject: async (scene) => {
      await write(scene, name);
      await eventually("it is given up", async () => deadLetters(scene).then((n) => n > 0), 90_000);
      await isOver(scene);
    },
    ...more,
  };
}

export const poisons: readonly DrillFault[] = [
  poison("throw", "an update whose handler throws", { groups: ["T3", "T11"] }),
  poison("reject", "an update whose handler rejects", { groups: ["T3"] }),
  poison("exit", "an update whose handler ends the process", { groups: ["T11"] }),
  poison("kill", "an update that kills the process", { groups: ["T11"], quick: true }),
  poison("exhaust", "an update that exhausts the memory", {
    groups: ["T11"],
    setup: { nodeOptions: ["--max-old-space-size=96"] },
    deafens: true,
    overlaps: false,
  }),
  poison("spin", "an update that hangs the process", {
    groups: ["T11"],
    setup: { env: { HANG_KILL_MS: "2000" } },
    deafens: true,
    overlaps: false,
  }),
  {
    ...common,
    name: "handler-never-settles",
    givesUp: true,
    title: "a handler that never returns",
    how: "a message whose handler waits for ever; ten of them",
    groups: ["T5"],
    setup: {
      env: {
        HANDLER_SLOW_MS: "500",
        HANDLER_TIMEOUT_MS: "2000",
        TELEGRAM_CALL_DEADLINE_MS: "1500",
        QUEUE_ATTEMPTS_MAX: "2",
      },
    },
    detection: { by: "log", line: /message\.found-slow/ },
    overlaps: false,
    inject: async ({ sandbox }) => {
      for (let index = 0; index < 10; index++) {
        await sandbox.write({ userId: poisonerId + index, text: "/poison settle" });
      }
    },
  },
  {
    ...common,
    name: "handler-takes-long",
    title: "a handler that takes long is not run twice",
    how: "a message whose handler takes 6 s, with others in the same chat",
    groups: ["T4"],
    setup: { env: { HANDLER_SLOW_MS: "1000" } },
    detection: { by: "log", line: /message\.found-slow/ },
    overlaps: false,
    inject: async (scene) => {
      await write(scene, "wait 6000");
      await isOver(scene);
    },
    check: async ({ sandbox }) => {
      const sends = (await sandbox.journalAll({ chatId: poisonerId, method: "sendMessage" }))
        .length;
      return sends === 2 ? [] : [`two updates led to ${sends} replies`];
    },
  },
  {
    ...common,
    name: "handlers-dawdle",
    title: "handlers of very different lengths",
    how: "every handler takes up to 300 ms, at random",
    groups: ["T13"],
    detection: { by: "nothing" },
    inject: async ({ bot }) => {
      await bot.sabotage({ kind: "dawdle", upToMs: 300 });
    },
    end: async ({ bot }) => {
      await bot.sabotage({ kind: "dawdle", upToMs: 0 });
    },
    lastsMs: 5_000,
  },
];
