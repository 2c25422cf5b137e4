/** Echo: repeats every text, and greets in the person's language. */
import { defineBot } from "unsinkable-telegram-bot/kit";

const texts = {
  en: {
    hello: "Write something, and I repeat it.",
    failed: "That did not work. Please try again.",
  },
  zh: { hello: "请发送任意文字，我会原样回复。", failed: "操作失败，请重试。" },
};

const textsFor = (languageCode = "en") => (languageCode.startsWith("zh") ? texts.zh : texts.en);

export default defineBot({
  name: "echo",
  commandMenus: [
    { languageCode: "", commands: [{ command: "start", description: "Say hello" }] },
    { languageCode: "zh", commands: [{ command: "start", description: "打个招呼" }] },
  ],
  setup: (bot) => {
    bot.start((ctx) => ctx.reply(textsFor(ctx.from.language_code).hello));
    bot.on("text", (ctx) => ctx.reply(ctx.message.text));
  },
  lastWords: (languageCode) => textsFor(languageCode).failed,
});
