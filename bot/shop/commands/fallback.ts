/**
 * Fallback: answers what no command took.
 *
 * In a private chat everything gets a hint. In a group, people mostly talk to each other and to
 * other bots, so only a command that names this bot is answered.
 */
import { Composer } from "telegraf";
import type { Publish } from "../../core/events.ts";
import type { BotContext } from "../../kit/bot-context.ts";
import { texts } from "./texts.ts";
import { visitorOf } from "./visitor.ts";

export function fallback(publish: Publish): Composer<BotContext> {
  const composer = new Composer<BotContext>();
  composer.on("callback_query", async (ctx) => {
    await ctx.answerCbQuery(texts(visitorOf(ctx).language).staleButton);
  });
  composer.on("message", async (ctx) => {
    const { language, inPrivateChat } = visitorOf(ctx);
    const { unknownCommand, unknownText, notText } = texts(language);
    const text = "text" in ctx.message ? ctx.message.text : undefined;
    const addressee = text && /^\/\w{1,64}@(\w{1,64})/.exec(text)?.[1];
    if (addressee ? addressee.toLowerCase() !== ctx.me.toLowerCase() : !inPrivateChat) {
      const reason = "not addressed to the bot";
      publish({ type: "update.ignored", updateId: ctx.update.update_id, reason });
    } else if (text === undefined) {
      await ctx.reply(notText);
    } else {
      await ctx.reply(text.startsWith("/") ? unknownCommand : unknownText);
    }
  });
  return composer;
}
