/** Group moderator: removes links that members post, and mutes who posted them for ten minutes. */
import { type BotContext, defineBot } from "unsinkable-telegram-bot/kit";

const muteSeconds = 600;

const texts = {
  en: {
    welcome: (name: string) => `Welcome, ${name}! Links are for admins only here.`,
    removed: (name: string) => `${name}, links are for admins only. You are muted for 10 minutes.`,
  },
  zh: {
    welcome: (name: string) => `欢迎你，${name}！本群仅管理员可以发送链接。`,
    removed: (name: string) => `${name}，本群仅管理员可以发送链接，你已被禁言 10 分钟。`,
  },
};

const textsFor = (languageCode = "en") => (languageCode.startsWith("zh") ? texts.zh : texts.en);

export default defineBot({
  name: "group-moderator",
  setup: (bot) => {
    bot.on("new_chat_members", async (ctx) => {
      for (const member of ctx.message.new_chat_members) {
        await ctx.reply(textsFor(member.language_code).welcome(member.first_name));
      }
    });
    bot.on("text", async (ctx, next) => {
      const { date, from, message_id, text } = ctx.message;
      if (ctx.chat.type === "private" || !/https?:\/\/|t\.me\//i.test(text)) return next();
      if (await isAdmin(ctx, from.id)) return;
      await ctx.deleteMessage(message_id);
      // Counted from the message, so that it is the same time in every attempt.
      const until_date = date + muteSeconds;
      await ctx.restrictChatMember(from.id, {
        permissions: { can_send_messages: false },
        until_date,
      });
      await ctx.reply(textsFor(from.language_code).removed(from.first_name));
    });
  },
});

/** Asks Telegram at once, as every method that begins with `get`. */
async function isAdmin(ctx: BotContext, userId: number): Promise<boolean> {
  const { status } = await ctx.getChatMember(userId);
  return status === "creator" || status === "administrator";
}
