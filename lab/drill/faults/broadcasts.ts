/** Broadcasts: faults that kill a broadcast under Telegram's limits, while people chat. */
import { fileURLToPath } from "node:url";
import { isAmbiguous } from "../../../sandbox/flood/repetitions.ts";
import { pause } from "../bot-process.ts";
import type { DrillFault } from "../fault.ts";

const firstChatId = 20_000;
const chats = 200;
const rules = ["chat-per-second", "group-per-minute", "bot-per-second", "order-broken"] as const;

export const broadcasts: readonly DrillFault[] = [
  {
    name: "broadcast-killed",
    title: "a broadcast is killed twice on its way, while people chat",
    how: `${chats} recipients, Telegram's limits checked, kill -9`,
    areas: ["queue", "endToEnd"],
    groups: ["T14", "T10"],
    detection: { by: "exit", code: "killed" },
    aim: "outage",
    setup: {
      file: fileURLToPath(new URL("../mains/broadcast-main.ts", import.meta.url)),
      env: { BROADCAST_FIRST_CHAT: String(firstChatId), BROADCAST_CHATS: String(chats) },
      shoppers: 0,
      writers: 5,
      pauseMs: 2_500,
      callEveryMs: 500,
      invite: async (sandbox) => {
        for (let index = 0; index < chats; index++) {
          await sandbox.createUser({ id: firstChatId + index, firstName: "Ann", started: true });
        }
      },
    },
    inject: async ({ bot }) => {
      for (let turn = 0; turn < 2; turn++) {
        await bot.monitoringUrl();
        await pause(1_500);
        await bot.kill();
      }
    },
    check: async ({ sandbox }) => {
      const sends = await sandbox.journalAll({ method: "sendMessage" });
      const news = sends.filter(
        ({ executed, parameters }) => executed && parameters["text"]?.startsWith("News"),
      );
      const reached = new Set(news.map(({ chatId }) => chatId)).size;
      const excess = news.length - reached - news.filter(isAmbiguous).length;
      const violations = await sandbox.violations({ rules });
      return [
        ...(reached === chats ? [] : [`${reached} of ${chats} got the news`]),
        ...(excess > 0 ? [`${excess} got the news twice without reason`] : []),
        ...violations.map(({ chatId, rule }) => `limit ${rule} exceeded in chat ${chatId}`),
      ];
    },
  },
];
