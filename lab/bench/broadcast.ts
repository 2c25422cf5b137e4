/** Broadcast: this bot with its limits on, and news of low priority for many people. */
import { fileURLToPath } from "node:url";
import { type BotProcess, eventually } from "../drill/bot-process.ts";
import { invite, type SceneOptions } from "./scene.ts";

export interface BroadcastOptions {
  /** Messages a second that Telegram allows the bot. */
  readonly perSecond: number;
  /** People who get the news. */
  readonly chats: number;
  /** So many of them are known to the sandbox. Default: all. */
  readonly known?: number;
  /** Whether the sandbox keeps Telegram's limits. Default `off`. */
  readonly flood?: "off" | "strict";
}

const file = fileURLToPath(new URL("../drill/mains/broadcast-main.ts", import.meta.url));
const firstChatId = 50_000_001;
const queuedMsMax = 600_000;

/** The variables of a bot with limits. */
export function limitedTo(perSecond: number): Readonly<Record<string, string>> {
  return {
    FLOOD_LIMITS_ENABLED: "true",
    FLOOD_TOTAL_PER_SECOND: String(perSecond),
  };
}

export function broadcastScene(options: BroadcastOptions): SceneOptions {
  const { chats, flood, known = chats, perSecond } = options;
  const news = { BROADCAST_FIRST_CHAT: String(firstChatId), BROADCAST_CHATS: String(chats) };
  return {
    file,
    env: { ...limitedTo(perSecond), ...news },
    ...(flood && { flood }),
    prepare: (sandbox) => invite(sandbox, firstChatId, known),
    // It says so when everything is queued.
    ready: (bot) => eventually("the broadcast is queued", async () => queued(bot), queuedMsMax),
  };
}

function queued(bot: BotProcess): boolean {
  if (bot.running) return bot.lines.some(({ text }) => text.startsWith("Health: "));
  throw new Error(`the bot ended: ${bot.output.slice(-2_000)}`);
}

export function isBroadcastChat(chatId: number | null): boolean {
  return chatId !== null && chatId >= firstChatId;
}
