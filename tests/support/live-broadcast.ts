/** Live broadcast: a bot process that begins with a broadcast, and the people it goes to. */
import { fileURLToPath } from "node:url";
import { setupLiveBot } from "./live-bot.ts";

const file = fileURLToPath(new URL("../../lab/drill/mains/broadcast-main.ts", import.meta.url));
const firstChatId = 20_000;

/** All but `possible-duplicate`: a process that dies between a send and its answer sends again. */
export const floodRules = [
  "chat-per-second",
  "group-per-minute",
  "bot-per-second",
  "send-after-block",
  "duplicate",
  "order-broken",
] as const;

export async function setupLiveBroadcast(chats: number) {
  const env = { BROADCAST_FIRST_CHAT: String(firstChatId), BROADCAST_CHATS: String(chats) };
  const live = await setupLiveBot(env, [], { file });
  for (let index = 0; index < chats; index++) {
    await live.sandbox.createUser({ id: firstChatId + index, firstName: "Ann", started: true });
  }
  return live;
}
