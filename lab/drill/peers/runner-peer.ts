/** Runner peer: the small bot on grammY's runner, with the usual stop: `await stop(); exit`. */
import { run } from "@grammyjs/runner";
import { Bot } from "grammy";
import { replyTo } from "./small-bot.ts";

const token = process.env["TELEGRAM_BOT_TOKEN"] ?? "";
const apiRoot = process.env["TELEGRAM_API_ROOT"] ?? "";
const bot = new Bot(token, { client: { apiRoot } });
bot.on("message:text", async (ctx) => {
  await ctx.reply(await replyTo(ctx.message.text));
});
const runner = run(bot);
const stop = async () => {
  await runner.stop();
  process.exit(0);
};
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
await runner.task();
