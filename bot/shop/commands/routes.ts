/**
 * Routes: check for every command who may call it where, and answer every press.
 *
 * Balance, shop and orders belong to one person, so they are served only in private chats; in a
 * group the same commands and buttons answer with a link to the private chat. A press always acts
 * on the account of the user who pressed, because no button carries a user.
 */

import { Composer } from "telegraf";
import type { Publish } from "../../core/events.ts";
import type { Transaction } from "../../core/transaction.ts";
import type { BotContext } from "../../kit/bot-context.ts";
import type { MakeLater } from "../../kit/later.ts";
import type { MiniApp } from "../../kit/mini-app.ts";
import type { JudgeRequest, Kit } from "../../kit/module.ts";
import type { Operations } from "../../kit/operations.ts";
import type { Outbox } from "../../kit/outbox.ts";
import { openAccount } from "../accounts.ts";
import type { CatalogueError } from "../catalogue.ts";
import type { ShopRules } from "../orders.ts";
import { keepProfile, refreshProfile } from "../personal-data.ts";
import type { StarOptions } from "../stars/star-options.ts";
import { createFormats, type Format } from "./format.ts";
import { keyboard } from "./keyboard.ts";
import { type CommandName, type Texts, texts } from "./texts.ts";
import { type Visitor, visitorOf } from "./visitor.ts";

/** The options and dependencies of the commands. */
export interface CommandOptions extends ShopRules, StarOptions {
  /** Welcome balance of a new account in minor units; 0 or more. */
  readonly welcomeBalanceMinor: number;
  /**
   * Receives business events after their transaction. A repeated handler publishes them again, so
   * each comes at least once; their ids reveal repetitions.
   */
  readonly publish: Publish;
  /** Judges whether a person sends more requests than a person would. */
  readonly judgeRequest: JudgeRequest;
  /** Telegram ids of the people who may use /admin, /refund and /reconcile. */
  readonly adminIds: readonly number[];
  /** Why the catalogue file as it is now is not used. Default: it always is. */
  readonly catalogueProblem?: () => CatalogueError | undefined;
  readonly read: Kit<unknown>["read"];
  readonly operations: Operations;
  readonly outbox: Outbox;
  readonly later: MakeLater;
  readonly miniApp: MiniApp;
  readonly messagesPerSecond: number;
  /**
   * Default: made for the catalogue's currency. They are slow to make, so commands may share them.
   */
  readonly formats?: ReturnType<typeof createFormats>;
}

/** The values needed to speak to one visitor. */
export interface Voice {
  readonly visitor: Visitor;
  readonly texts: Texts;
  readonly format: Format;
}

/** Everything a command needs to answer one visitor. */
export interface Turn extends Voice {
  readonly ctx: BotContext;
  /** Runs a durable step on the visitor's account and opens the account first if necessary. */
  account<T>(work: (tx: Transaction) => Promise<T>): Promise<AccountStep<T>>;
}

export interface AccountStep<T> {
  /** Whether the account was opened by this step. */
  readonly opened: boolean;
  readonly result: T;
}

/** Handles a press and returns the text of its toast, if any. */
type PressHandler = (turn: Turn, args: readonly string[]) => Promise<string | undefined>;

/** The routes of one command. */
export interface Routes {
  readonly composer: Composer<BotContext>;
  /** Handles `/name` or `/name@bot` in any chat. */
  command(
    name: CommandName | "admin" | "broadcast",
    handler: (turn: Turn) => Promise<unknown>,
  ): void;
  /** Handles the same only in private chats. */
  privateCommand(name: CommandName, handler: (turn: Turn) => Promise<unknown>): void;
  /** Handles texts in private chats that are no commands; `false` leaves one to the other routes. */
  text(handler: (turn: Turn, text: string) => Promise<boolean>): void;
  /** Handles photos in private chats in the same way, by the file id of their largest size. */
  photo(handler: (turn: Turn, fileId: string) => Promise<boolean>): void;
  /** Handles what a person does in the Mini App; the result is the answer to the page. */
  act(
    name: string,
    handler: (turn: Turn, data: unknown, requestId: string) => Promise<unknown>,
  ): void;
  /** Handles buttons with the data `verb` or `verb:arg:arg`; answers every press exactly once. */
  press(verb: string, handler: PressHandler): void;
}

/** Creates empty routes; each command file adds its own. */
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
      account: (work) => onAccount((step) => ctx.transaction(step), visitor, options, work),
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
    text: (handler) => {
      const isText = (ctx: BotContext) =>
        wordsIn(ctx)?.startsWith("/") === false && visitorOf(ctx).inPrivateChat;
      composer.use(
        Composer.optional(isText, async (ctx, next) => {
          if (!(await handler(turnOf(ctx), wordsIn(ctx) ?? ""))) await next();
        }),
      );
    },
    photo: (handler) => {
      composer.on("photo", async (ctx, next) => {
        const turn = turnOf(ctx);
        const fileId: unknown = ctx.message.photo.at(-1)?.file_id;
        const mine = turn.visitor.inPrivateChat && typeof fileId === "string";
        if (!mine || !(await handler(turn, fileId))) await next();
      });
    },
    act: (name, handler) => {
      composer.use(
        options.miniApp.act<BotContext>(name, (ctx, data, requestId) =>
          handler(turnOf(ctx), data, requestId),
        ),
      );
    },
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

/** What a person wrote; `undefined` when the update is no text. */
export function wordsIn({ message }: BotContext): string | undefined {
  return message && "text" in message ? message.text : undefined;
}

/** Reads a number from button data, which anyone can forge; `undefined` unless 0 to 10 ** 15. */
export function parseCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Replies with a link to the private chat. */
export async function replyWithPrivateChat(
  { ctx, texts: t }: Pick<Turn, "ctx" | "texts">,
  text = t.privateOnly,
): Promise<void> {
  await ctx.reply(text, keyboard([{ text: t.openPrivateChat, url: `https://t.me/${ctx.me}` }]));
}

/** Runs `work` on the visitor's account, in a transaction that opens the account first if necessary. */
export async function onAccount<T>(
  run: <R>(work: (tx: Transaction) => Promise<R>) => Promise<R>,
  { profile, userId }: Visitor,
  { welcomeBalanceMinor, publish }: CommandOptions,
  work: (tx: Transaction) => Promise<T>,
): Promise<AccountStep<T>> {
  const step = await run(async (tx) => {
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
