/**
 * The bot: Telegraf as a router, with every command registered.
 *
 * It never polls, launches or retries; the queue feeds it through `handleUpdate`, and every error
 * comes out there. Importing this file has no effect.
 */
import { type Context, Telegraf } from "telegraf";
import { Secret } from "./core/secret.ts";
import { balanceRoutes } from "./shop/commands/balance.ts";
import { exportRoutes } from "./shop/commands/export.ts";
import { fallback } from "./shop/commands/fallback.ts";
import { forgetRoutes } from "./shop/commands/forget.ts";
import { createFormats } from "./shop/commands/format.ts";
import { helpRoutes } from "./shop/commands/help.ts";
import { noteRoutes } from "./shop/commands/note.ts";
import { ordersRoutes } from "./shop/commands/orders.ts";
import { limitRequests } from "./shop/commands/rapid-requests.ts";
import type { CommandOptions } from "./shop/commands/routes.ts";
import { shopRoutes } from "./shop/commands/shop.ts";
import { startRoutes } from "./shop/commands/start.ts";
import { gate } from "./shop/commands/visitor.ts";
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
