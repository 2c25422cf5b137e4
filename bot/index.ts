/**
 * The bot: Telegraf as a router, with every command registered.
 *
 * It never polls, launches or retries; the queue feeds it through `handleUpdate`, and every error
 * comes out there. Importing this file has no effect.
 */
import { type Context, Telegraf } from "telegraf";
import { balanceRoutes } from "./commands/balance.ts";
import { exportRoutes } from "./commands/export.ts";
import { fallback } from "./commands/fallback.ts";
import { forgetRoutes } from "./commands/forget.ts";
import { createFormats } from "./commands/format.ts";
import { helpRoutes } from "./commands/help.ts";
import { noteRoutes } from "./commands/note.ts";
import { ordersRoutes } from "./commands/orders.ts";
import { limitRequests } from "./commands/rapid-requests.ts";
import type { CommandOptions } from "./commands/routes.ts";
import { shopRoutes } from "./commands/shop.ts";
import { startRoutes } from "./commands/start.ts";
import { gate } from "./commands/visitor.ts";
import { Secret } from "./core/secret.ts";
import type { BotContext } from "./telegram/context/bot-context.ts";

export interface CreateBotOptions extends CommandOptions {
  readonly token: Secret | string;
  /** The durable context (telegram/); Telegraf makes one for every update. */
  readonly contextType: new (
    ...args: ConstructorParameters<typeof Context>
  ) => BotContext;
}

/**
 * Makes the router.
 *
 * Set `botInfo` (the answer of `getMe`) before the first `handleUpdate`; Telegraf would otherwise
 * ask for it by itself, without our deadlines.
 */
export function createBot(options: CreateBotOptions): Telegraf<BotContext> {
  const { token, contextType, publish } = options;
  const bot = new Telegraf<BotContext>(token instanceof Secret ? token.reveal() : token, {
    contextType,
    // The queue has its own limit; Telegraf's would let the handler run on after it.
    handlerTimeout: Number.POSITIVE_INFINITY,
    telegram: { webhookReply: false },
  });
  bot.use(gate(publish), limitRequests(options.judgeRequest, publish));
  const shared = { ...options, formats: createFormats(options.catalogue.currency) };
  const all = [startRoutes, balanceRoutes, shopRoutes, ordersRoutes, noteRoutes];
  for (const routes of [...all, exportRoutes, forgetRoutes, helpRoutes]) {
    bot.use(routes(shared).composer);
  }
  bot.use(fallback(publish));
  // Telegraf's own handler prints the update, which is the user's, before it throws.
  bot.catch((error) => {
    throw error;
  });
  return bot;
}
