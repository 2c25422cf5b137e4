/** Kills: SIGKILL at random, at every step of an update, and other sudden ends. */
import { eventually, nowMs, pause } from "../bot-process.ts";
import type { DrillFault } from "../fault.ts";
import type { SabotageOrder } from "../sabotage.ts";
import type { Scene } from "../scene.ts";

const common = {
  areas: ["endToEnd", "queue", "integration"],
  groups: ["T10"],
  detection: { by: "exit", code: "killed" },
  aim: "kill",
} as const satisfies Partial<DrillFault>;

type Death = Omit<Extract<SabotageOrder, { kind: "die" }>, "kind">;

const atCommits: Readonly<Record<string, Death>> = {
  "received, not stored": { when: "before", step: "update stored" },
  "stored, not confirmed": { when: "after", step: "update stored" },
  "claimed, not handled": { when: "after", step: "update claimed" },
  "money moved, not replied": { when: "after", step: "durable step" },
  "handled, not committed": { when: "before", step: "update done" },
  "committed, not sent": { when: "after", step: "update done" },
  "about to be sent": { when: "after", step: "send claimed" },
  "sent, not recorded": { when: "before", step: "send done" },
  "sent and recorded": { when: "after", step: "send done" },
};

const deathsEach = 3;

function killAtCommit(step: string, death: Death): DrillFault {
  return {
    ...common,
    ...(step.startsWith("stored") && { groups: ["T10", "T12"] }),
    name: `kill-${step.replaceAll(/[^a-z]+/g, "-")}`,
    title: `SIGKILL: ${step}`,
    how: `the process kills itself ${death.when} the commit "${death.step}", ${deathsEach} times`,
    inject: async ({ replies, bot, supervisor }) => {
      for (let turn = 0; turn < deathsEach; turn++) {
        // Wait until the claimed work is done: an update that sees three deaths counts as a poison.
        await replies.firstAfter(nowMs(), 60_000);
        await pause(500);
        const deaths = supervisor.ends.length;
        await bot.sabotage({ kind: "die", ...death });
        await supervisor.died(deaths);
      }
    },
  };
}

/** Kills the process in the middle of a call, which the sandbox holds. */
function killDuring(method: string, step: string, execute: boolean): DrillFault {
  return {
    ...common,
    ...(execute && method === "sendMessage" && { groups: ["T8", "T10"] }),
    name: `kill-${step.replaceAll(/[^a-z]+/g, "-")}`,
    title: `SIGKILL: ${step}`,
    how: `Telegram ${execute ? "executes" : "holds"} a ${method} and does not answer; kill -9`,
    inject: async ({ bot, sandbox }) => {
      await holdOne({ sandbox }, method, execute);
      await bot.kill();
    },
  };
}

/** Holds the next call at Telegram. Resolves when it hangs there. */
async function holdOne({ sandbox }: Pick<Scene, "sandbox">, method: string, execute: boolean) {
  const fault = { kind: "hang", execute } as const;
  const { id } = await sandbox.addFault({ match: method, count: 1, fault });
  await eventually(`a ${method} hangs`, async () => {
    const rule = (await sandbox.faults()).find((one) => one.id === id);
    return !rule || rule.struck > 0;
  });
}

const progressEvery = 50;

/** Kills at random moments under load, every third one at a commit step, in one run. */
export function manyKills(times: number): DrillFault {
  return {
    ...common,
    name: `kill-${times}-times`,
    title: `${times} SIGKILLs under load`,
    how: "kill -9 at random moments, the start included, every third one at a step of an update",
    givesUp: true,
    // At the usual pace a long run would exceed the sandbox's memory of requests.
    setup: { pauseMs: 2_500, callEveryMs: 400 },
    inject: async (scene) => {
      for (let kill = 0; kill < times; kill++) {
        await killOnce(scene, kill);
        if ((kill + 1) % progressEvery === 0) {
          process.stderr.write(`        ${kill + 1} of ${times} kills\n`);
        }
      }
    },
  };
}

const deaths = Object.values(atCommits);

/** Kills in turn at any moment, the start included; at work; at a commit step. */
async function killOnce({ bot, random, supervisor }: Scene, turn: number): Promise<void> {
  const before = supervisor.ends.length;
  const death = turn % 3 === 2 ? deaths[Math.floor(turn / 3) % deaths.length] : undefined;
  if (turn % 3 !== 0) await bot.monitoringUrl();
  if (death) {
    await bot.sabotage({ kind: "die", ...death }).catch(() => {
      // The process is too busy to receive the order, so it is killed like the others.
    });
  }
  await Promise.race([supervisor.died(before), pause(death ? 5_000 : random() * 1_000)]);
  if (supervisor.ends.length > before) return;
  await eventually("there is a process to kill", async () => bot.running);
  await bot.kill();
}

export const kills: readonly DrillFault[] = [
  {
    ...common,
    name: "kill-at-random",
    // By chance one update can be claimed at three deaths, and then it counts as the killer.
    givesUp: true,
    title: "SIGKILL at a random moment, five times",
    how: "kill -9",
    quick: true,
    overlaps: true,
    inject: async ({ bot, random }) => {
      for (let turn = 0; turn < 5; turn++) {
        await bot.monitoringUrl();
        await new Promise((resolve) => setTimeout(resolve, random() * 800));
        await bot.kill();
      }
    },
  },
  ...Object.entries(atCommits).map(([step, death]) => killAtCommit(step, death)),
  killDuring("getUpdates", "confirmed, answer not received", true),
  killDuring("sendMessage", "written, not executed", false),
  killDuring("sendMessage", "sent, answer not received", true),
  {
    ...common,
    name: "stop-under-load",
    title: "SIGTERM under load",
    how: "kill -15, as a deploy does",
    detection: { by: "exit", code: 0 },
    overlaps: true,
    inject: async ({ bot }) => {
      await bot.stop("SIGTERM");
    },
  },
];
