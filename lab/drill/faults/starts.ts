/** Starts: faults that hinder the start of the process. */
import { createServer, type Server } from "node:net";
import { freePort } from "../../../sandbox/ensure.ts";
import { sandboxToken } from "../../../sandbox/sandbox.ts";
import { BotProcess } from "../bot-process.ts";
import type { DrillFault } from "../fault.ts";
import { whileDead } from "./disks.ts";

const common = { areas: ["integration"], aim: "outage" } as const satisfies Partial<DrillFault>;

let holder: Server | undefined;

export const starts: readonly DrillFault[] = [
  {
    ...common,
    name: "port-taken",
    title: "the monitoring port is taken at a restart",
    how: "another program listens on it",
    detection: { by: "exit", code: 75 },
    inject: async (scene) => {
      const port = await freePort("127.0.0.1");
      await whileDead(scene, async () => {
        scene.bot.setEnv({ MONITORING_PORT: String(port) });
        const server = createServer();
        holder = server;
        await new Promise<void>((listening) => server.listen(port, "127.0.0.1", listening));
      });
    },
    end: async () => {
      await new Promise((closed) => holder?.close(closed));
    },
  },
  {
    ...common,
    name: "second-instance",
    title: "a second process on the same data",
    how: "a second start.ts, which must refuse to run",
    detection: { by: "nothing" },
    groups: ["T9"],
    inject: async ({ directory, network }) => {
      const second = new BotProcess({ directory, apiRoot: network.url, token: sandboxToken });
      second.start();
      const code = await second.ended();
      if (code !== 75) throw new Error(`the second process ended with ${code} instead of 75`);
    },
  },
  {
    ...common,
    name: "configuration-wrong",
    title: "a setting is wrong at a restart",
    how: "QUEUE_CONCURRENCY=many; corrected afterwards",
    needsHuman: true,
    detection: { by: "exit", code: 78 },
    inject: async (scene) => {
      await whileDead(scene, () => scene.bot.setEnv({ QUEUE_CONCURRENCY: "many" }));
    },
    end: async ({ bot }) => {
      if (!bot.output.includes("QUEUE_CONCURRENCY"))
        throw new Error("the output does not say what is wrong");
      bot.setEnv({ QUEUE_CONCURRENCY: "10" });
    },
  },
];
