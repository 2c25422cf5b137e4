/** grammY peer: the small bot on grammY's built-in polling, as its guide shows it. */
import { Bot } from "grammy";
import { replyTo } from "./small-bot.ts";

const token = process.env["TELEGRAM_BOT_TOKEN"] ?? "";
const apiRoot = process.env["TELEGRAM_API_ROOT"] ?? "";
const bot = new Bot(token, { client: { apiRoot } });
bot.on("message:text", async (ctx) => {
  await ctx.reply(await replyTo(ctx.message.text));
});
process.once("SIGINT", () => bot.stop());
process.once("SIGTERM", () => bot.stop());
await bot.start();
