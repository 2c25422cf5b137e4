/**
 * Know person: reads, before anything else, the language that a person chose and whether they are blocked.
 *
 * What blocked people send is left unanswered; a press is answered, so that its button stops spinning.
 */
import type { MiddlewareFn } from "telegraf";
import type { BotContext } from "../../kit/bot-context.ts";
import type { Kit } from "../../kit/module.ts";
import { texts } from "../commands/texts.ts";
import { visitorOf } from "../commands/visitor.ts";
import { standingOf } from "./standing.ts";

/** Middleware for use right after the gate. */
export function knowPerson(read: Kit<unknown>["read"]): MiddlewareFn<BotContext> {
  return async (ctx, next) => {
    const visitor = visitorOf(ctx);
    const { blocked, language = visitor.language } = await read((tx) =>
      standingOf(tx, visitor.userId),
    );
    ctx.lastWordsIn(language);
    if (!blocked) {
      ctx.state["visitor"] = { ...visitor, language };
      return next();
    }
    return ctx.callbackQuery ? ctx.answerCbQuery(texts(language).blocked) : undefined;
  };
}
