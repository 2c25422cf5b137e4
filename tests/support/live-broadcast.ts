/** Live broadcast: a bot process that begins with a broadcast, and the people it goes to. */
import { fileURLToPath } from "node:url";
import { setupLiveBot } from "./live-bot.ts";

const file = fileURLToPath(new URL("../../lab/drill/mains/broadcast-main.ts", import.meta.url));
const firstChatId = 20_000;

export async function setupLiveBroadcast(chats: number) {
  const env = { BROADCAST_FIRST_CHAT: String(firstChatId), BROADCAST_CHATS: String(chats) };
  const live = await setupLiveBot(env, [], { file });
  for (let index = 0; index < chats; index++) {
    await live.sandbox.createUser({ id: firstChatId + index, firstName: "Ann", started: true });
  }
  return live;
}
