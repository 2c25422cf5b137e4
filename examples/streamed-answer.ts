/** Streamed answer: shows an answer while it grows, by editing the message that it is in. */
import { defineBot } from "unsinkable-telegram-bot/kit";

const texts = {
  en: {
    hello: "Ask me something.",
    thinking: "…",
    words: "You asked {}, and that is a good question",
  },
  zh: { hello: "请向我提问。", thinking: "…", words: "您 问 的 是 {} ， 这 是 个 好 问题" },
};
const textsFor = (languageCode = "en") => (languageCode.startsWith("zh") ? texts.zh : texts.en);

/** Stands for a language model: the answer, part by part. */
async function* answerTo(question: string, words: string): AsyncIterable<string> {
  for (const word of words.replace("{}", question).split(" ")) yield word;
}

export default defineBot({
  name: "streamed-answer",
  setup: (bot) => {
    bot.start((ctx) => ctx.reply(textsFor(ctx.from.language_code).hello));
    bot.on("text", async (ctx) => {
      const { thinking, words } = textsFor(ctx.from.language_code);
      // What comes before the answer is there at once; a handler that runs again says it again.
      await ctx.sendChatAction("typing");
      const message = await ctx.reply(thinking);
      const parts: string[] = [];
      for await (const part of answerTo(ctx.message.text, words)) {
        parts.push(part);
        // Edits that still wait are replaced by newer ones, so Telegram's limits slow nothing down.
        await ctx.telegram.editMessageText(
          ctx.chat.id,
          message.message_id,
          undefined,
          parts.join(" "),
        );
      }
    });
  },
});
