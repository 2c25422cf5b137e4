/** Broadcast main: the bot with a broadcast to send, as an operator's script would send it. */

import { parseConfig } from "../../../bot/config/fault-tolerance-config.ts";
import { launch } from "../../../bot/enhanced-launcher.ts";
import { shippedModule } from "../../../bot/index.ts";
import { toCallMessage } from "../../../bot/telegram/delivery/call-message.ts";

const env = Object.entries(process.env).filter(([name]) => !name.startsWith("BROADCAST"));
const firstChatId = Number(process.env["BROADCAST_FIRST_CHAT"]);
const chats = Number(process.env["BROADCAST_CHATS"]);
const config = parseConfig(Object.fromEntries(env), undefined, shippedModule.settings);
if (!config.telegram.token) throw new Error("no token");
const running = await launch(config, {
  token: config.telegram.token,
  onFatal: () => process.exit(74),
});
process.on("SIGTERM", () => void running.stop("SIGTERM").then(() => process.exit(0)));

const messages = Array.from({ length: chats }, (_, index) => {
  const chatId = firstChatId + index;
  const payload = { chat_id: chatId, text: `News for ${chatId}` };
  const options = { type: "broadcast", priority: "low", receivedAtEpochMs: Date.now() } as const;
  // The key makes it one broadcast, no matter how often this process starts.
  return {
    ...toCallMessage("sendMessage", payload, options),
    dedupeKeys: [`broadcast:1:${chatId}`],
  };
});
for (let start = 0; start < messages.length; start += 500) {
  await running.queue.insertMessageByPriority(messages.slice(start, start + 500));
}
process.stderr.write(`Health: ${running.monitoringUrl}/api/health\n`);
