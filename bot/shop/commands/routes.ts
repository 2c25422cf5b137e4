/**
 * Routes: what every command shares, namely who may call it where and how a press is answered.
 *
 * Balance, shop and orders belong to one person, so they are served in private chats only; in a
 * group the same commands and buttons answer with the way to the private chat. A press always acts
 * on the presser's own account: no button carries a user.
 */

import { Composer } from "telegraf";
import type { Publish } from "../../core/events.ts";
import type { Transaction } from "../../core/transaction.ts";
import type { BotContext } from "../../kit/bot-context.ts";
import type { JudgeRequest } from "../../kit/module.ts";
import { openAccount } from "../accounts.ts";
import type { ShopRules } from "../orders.ts";
import { keepProfile, refreshProfile } from "../personal-data.ts";
import { createFormats, type Format } from "./format.ts";
import { keyboard } from "./keyboard.ts";
import { type CommandName, type Texts, texts } from "./texts.ts";
import { type Visitor, visitorOf } from "./visitor.ts";

/** What the commands are made of. */
export interface CommandOptions extends ShopRules {
  /** HTTPS address of the Mini App; without it no button is shown. */
  readonly miniAppUrl?: string | undefined;
  /** Minor units every new account begins with; 0 or more. */
  readonly welcomeBalanceMinor: number;
  /**
   * Business events are published after their transaction, so a handler that is repeated publishes
   * them again: at least once, with the ids to tell.
   */
  readonly publish: Publish;
  /** Whether a person asks more often than a person does. */
  readonly judgeRequest: JudgeRequest;
  /** Default: made of the catalogue's currency. Costly to make, so commands may share them. */
  readonly formats?: ReturnType<typeof createFormats>;
}

/** One visitor's turn: what a command needs to answer. */
export interface Turn {
  readonly ctx: BotContext;
  readonly visitor: Visitor;
  readonly texts: Texts;
  readonly format: Format;
  /** A durable step on the visitor's account, which it opens first if need be. */
  account<T>(work: (tx: Transaction) => Promise<T>): Promise<AccountStep<T>>;
}

export interface AccountStep<T> {
  /** Whether the account was opened by this step. */
  readonly opened: boolean;
  readonly result: T;
}

/** Answers a press with the text of its toast, if any. */
type PressHandler = (turn: Turn, args: readonly string[]) => Promise<string | undefined>;

/** The routes of one command. */
export interface Routes {
  readonly composer: Composer<BotContext>;
  /** `/name`, or `/name@bot`, in any chat. */
  command(name: CommandName, handler: (turn: Turn) => Promise<unknown>): void;
  /** The same, in private chats only. */
  privateCommand(name: CommandName, handler: (turn: Turn) => Promise<unknown>): void;
  /** Buttons whose data is `verb` or `verb:arg:arg`; every press is answered exactly once. */
  press(verb: string, handler: PressHandler): void;
}

/** Makes empty routes; each command file fills its own. */
export function createRoutes(options: CommandOptions): Routes {
  const composer = new Composer<BotContext>();
  const { formats = createFormats(options.catalogue.currency) } = options;
  const turnOf = (ctx: BotContext): Turn => {
    const visitor = visitorOf(ctx);
    const { language } = visitor;
    return {
      ctx,
      visitor,
      texts: texts(language),
      format: formats[language],
      account: (work) => accountStep(ctx, visitor, options, work),
    };
  };
  const command: Routes["command"] = (name, handler) => {
    composer.command(new RegExp(`^${name}$`, "i"), async (ctx) => {
      await handler(turnOf(ctx));
    });
  };
  return {
    composer,
    command,
    privateCommand: (name, handler) =>
      command(name, (turn) =>
        turn.visitor.inPrivateChat ? handler(turn) : replyWithPrivateChat(turn),
      ),
    press: (verb, handler) => {
      composer.action(new RegExp(`^${verb}(?::(.*))?$`, "s"), async (ctx) => {
        const turn = turnOf(ctx);
        const args = ctx.match[1]?.split(":") ?? [];
        const { inPrivateChat } = turn.visitor;
        const toast = inPrivateChat ? await handler(turn, args) : turn.texts.privateOnly;
        await ctx.answerCbQuery(toast);
      });
    },
  };
}

/** Reads a number out of button data, which anyone can forge; `undefined` unless 0 to 10 ** 15. */
export function parseCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Says where the visitor's own things can be seen. */
export async function replyWithPrivateChat(
  { ctx, texts: t }: Turn,
  text = t.privateOnly,
): Promise<void> {
  await ctx.reply(text, keyboard([{ text: t.openPrivateChat, url: `https://t.me/${ctx.me}` }]));
}

async function accountStep<T>(
  ctx: BotContext,
  { profile, userId }: Visitor,
  { welcomeBalanceMinor, publish }: CommandOptions,
  work: (tx: Transaction) => Promise<T>,
): Promise<AccountStep<T>> {
  const step = await ctx.transaction(async (tx) => {
    const opened = await openAccount(tx, userId, welcomeBalanceMinor);
    await (opened ? keepProfile(tx, userId, profile) : refreshProfile(tx, userId, profile));
    return { opened, result: await work(tx) };
  });
  if (step.opened) {
    const facts = { welcomeBalanceMinor };
    publish({ type: "business.recorded", name: "user_registered", userId, facts });
  }
  return step;
}
