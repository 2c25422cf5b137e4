/**
 * The bot: Telegraf as a router for the module that is run.
 *
 * It never polls, launches or retries; the queue feeds it through `handleUpdate`, and every error
 * comes out there. Importing this file has no effect.
 */
import { type Context, Telegraf, type Telegram } from "telegraf";
import type { ModuleChoice } from "./config/module-choice.ts";
import { Secret } from "./core/secret.ts";
import { type UpdateKind, updateKinds } from "./kit/bot-api.ts";
import type { BotContext } from "./kit/bot-context.ts";
import { useLeanComposer } from "./kit/lean-composer.ts";
import { loadModule } from "./kit/loading/load-module.ts";
import type { BotModule, Kit } from "./kit/module.ts";
import { shop } from "./shop/module.ts";

/** The module that is run when no other one is named. */
export const shippedModule: BotModule = shop;

/**
 * The module that is run: the named one, or the shop. Every program of ours asks here, and nowhere else.
 *
 * @throws {ConfigurationError} when the file does not hold a module.
 */
export async function chooseModule(choice: ModuleChoice | undefined): Promise<BotModule> {
  return choice ? await loadModule(choice) : shippedModule;
}

export interface CreateBotOptions<Settings> {
  readonly token: Secret | string;
  /** The durable context (telegram/context/); Telegraf makes one for every update. */
  readonly contextType: new (
    ...args: ConstructorParameters<typeof Context>
  ) => BotContext;
  readonly module: BotModule<Settings>;
  /** The value of `bot.telegram`. Default: Telegraf's own, which makes calls without any of our care. */
  readonly telegram?: Telegram;
  readonly kit: Kit<Settings>;
  /** Called with each kind of update that `setup` names in `bot.on` or `bot.reaction`. Default: no one asks. */
  readonly onUpdateKind?: (kind: UpdateKind) => void;
}

/**
 * Makes the router.
 *
 * Set `botInfo` (the answer of `getMe`) before the first `handleUpdate`; Telegraf would otherwise
 * ask for it by itself, without our deadlines.
 */
export function createBot<Settings>(options: CreateBotOptions<Settings>): Telegraf<BotContext> {
  const { contextType, kit, module, onUpdateKind, telegram, token } = options;
  useLeanComposer();
  const bot = new Telegraf<BotContext>(token instanceof Secret ? token.reveal() : token, {
    contextType,
    // The queue has its own limit; Telegraf's would let the handler run on after it.
    handlerTimeout: Number.POSITIVE_INFINITY,
    telegram: { webhookReply: false },
  });
  if (telegram) bot.telegram = telegram;
  if (onUpdateKind) watchRegistrations(bot, onUpdateKind);
  module.setup(bot, kit);
  // Telegraf's own handler prints the update, which is the user's, before it throws.
  bot.catch((error) => {
    throw error;
  });
  return bot;
}

/** Telegram sends some kinds of updates only to bots that ask for them. */
function watchRegistrations(bot: Telegraf<BotContext>, note: (kind: UpdateKind) => void): void {
  const on: (filters: unknown, ...handlers: never[]) => typeof bot = bot.on.bind(bot);
  const reaction = bot.reaction.bind(bot);
  bot.on = (filters: unknown, ...handlers: never[]) => {
    for (const kind of updateKinds) if ([filters].flat().includes(kind)) note(kind);
    return on(filters, ...handlers);
  };
  bot.reaction = (...reactions) => {
    note("message_reaction");
    return reaction(...reactions);
  };
}
