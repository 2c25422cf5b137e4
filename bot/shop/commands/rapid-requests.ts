/** Rapid requests: answers one person's flood once and then ignores it. */

import type { MiddlewareFn } from "telegraf";
import type { Publish } from "../../core/events.ts";
import type { BotContext } from "../../kit/bot-context.ts";
import type { JudgeRequest } from "../../kit/module.ts";
import { texts } from "./texts.ts";
import { visitorOf } from "./visitor.ts";

/** Middleware for use after the gate and before every command. */
export function limitRequests(judge: JudgeRequest, publish: Publish): MiddlewareFn<BotContext> {
  return (ctx, next) => {
    const { language, userId } = visitorOf(ctx);
    const verdict = judge(userId, ctx.update.update_id, askedAtMs(ctx));
    if (verdict === "fine") return next();
    if (verdict === "ignore") return Promise.resolve();
    publish({
      type: "security.recorded",
      name: "suspicious_activity",
      userId,
      facts: { action: "rapid_requests" },
    });
    const text = texts(language).tooManyRequests;
    return ctx.callbackQuery ? ctx.answerCbQuery(text) : ctx.reply(text);
  };
}

/** When a person asked, by Telegram's clock if known: a backlog was not sent all at once. */
function askedAtMs(ctx: BotContext): number {
  const date = ctx.callbackQuery ? undefined : ctx.message?.date;
  return date === undefined ? ctx.receivedAtEpochMs : date * 1_000;
}
