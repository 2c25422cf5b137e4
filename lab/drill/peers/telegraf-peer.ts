/** Telegraf peer: the small bot on Telegraf's own polling, as its README shows it. */
import { Telegraf } from "telegraf";
import { replyTo } from "./small-bot.ts";

const token = process.env["TELEGRAM_BOT_TOKEN"] ?? "";
const apiRoot = process.env["TELEGRAM_API_ROOT"] ?? "";
const bot = new Telegraf(token, { telegram: { apiRoot } });
bot.on("text", async (ctx) => {
  await ctx.reply(await replyTo(ctx.message.text));
});
process.once("SIGINT", () => bot.stop("SIGINT"));
process.once("SIGTERM", () => bot.stop("SIGTERM"));
await bot.launch();
