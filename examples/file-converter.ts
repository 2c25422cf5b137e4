/** File converter: takes a text file, and answers with the same text in capital letters. */
import { type BotContext, defineBot } from "unsinkable-telegram-bot/kit";

const bytesMax = 1_000_000;
const fetchMsMax = 20_000;

const texts = {
  en: {
    help: "Send me a text file, and I answer with it in capital letters.",
    tooLarge: "Please send a text file of at most 1 MB.",
    failed: "That did not work. Please send the file again.",
  },
  zh: {
    help: "请发送一个文本文件，我会将其转换为大写后发回。",
    tooLarge: "请发送不超过 1 MB 的文本文件。",
    failed: "操作失败，请重新发送文件。",
  },
};
const textsFor = (languageCode = "en") => (languageCode.startsWith("zh") ? texts.zh : texts.en);

export default defineBot({
  name: "file-converter",
  setup: (bot) => {
    bot.on("document", async (ctx) => {
      const {
        file_id,
        file_name = "file.txt",
        file_size = 0,
        mime_type = "",
      } = ctx.message.document;
      if (file_size > bytesMax || !mime_type.startsWith("text/")) {
        return ctx.reply(textsFor(ctx.from.language_code).tooLarge);
      }
      const source = Buffer.from((await download(ctx, file_id)).toUpperCase());
      return ctx.replyWithDocument({ source, filename: `UPPER-${file_name}` });
    });
    bot.on("message", (ctx) => ctx.reply(textsFor(ctx.from.language_code).help));
  },
  lastWords: (languageCode) => textsFor(languageCode).failed,
});

/** Reading changes nothing, so it does no harm when the handler runs again. */
async function download(ctx: BotContext, fileId: string): Promise<string> {
  const response = await fetch(await ctx.telegram.getFileLink(fileId), {
    signal: AbortSignal.timeout(fetchMsMax),
  });
  if (!response.ok) throw new Error(`the file cannot be read: ${response.status}`);
  return response.text();
}
