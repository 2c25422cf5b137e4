/** Telegraf peer: the smallest bot on Telegraf's own polling, for the bench to compare with. */
import { Telegraf } from "telegraf";

const token = process.env["TELEGRAM_BOT_TOKEN"] ?? "";
const apiRoot = process.env["TELEGRAM_API_ROOT"] ?? "";
const bot = new Telegraf(token, { telegram: { apiRoot } });
bot.command("help", (ctx) =>
  ctx.reply("This is what I can do:\n\n/start\n/balance\n/shop\n/orders\n/help"),
);
await bot.launch();
