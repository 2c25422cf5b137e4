/**
 * Module: a bot as its author writes it, everything the engine needs to know about it.
 *
 * The engine keeps the promises; a module brings handlers, tables, settings and texts. The shop in
 * `bot/shop/` is one, shaped like any other.
 */
import type { Telegraf } from "telegraf";
import type { Publish } from "../core/events.ts";
import type { JsonObject } from "../core/message.ts";
import type { TableSet, Transaction } from "../core/transaction.ts";
import type { UpdateKind } from "./bot-api.ts";
import type { BotContext } from "./bot-context.ts";
import type { MakeLater } from "./later.ts";
import type { MiniApp } from "./mini-app.ts";
import type { Operations } from "./operations.ts";
import type { Outbox } from "./outbox.ts";
import type { AddPanel } from "./panel.ts";
import type { AddSchedule } from "./schedule.ts";
import type { MakeSession } from "./session.ts";
import type { ModuleSettings } from "./settings.ts";

/** The verdict on one more request of a person; the same for every attempt at an update. */
export type JudgeRequest = (
  userId: number,
  updateId: number,
  /** When the request was made, in milliseconds since the epoch. */
  atEpochMs: number,
) => "fine" | "warn" | "ignore";

/** The engine, as a module sees it. */
export interface Kit<Settings> {
  /** The module's own settings, read and checked. */
  readonly settings: Settings;
  /** Telegram ids of the people who run the bot (ADMIN_IDS); none when it is not set. */
  readonly adminIds: readonly number[];
  /** Messages per second that flood control lets out in all chats together (FLOOD_TOTAL_PER_SECOND). */
  readonly messagesPerSecond: number;
  /** Reports an event to log, metrics and dashboard. A handler that runs again reports it again. */
  readonly publish: Publish;
  /** Tells whether a person asks more often than RAPID_REQUESTS_MAX allows. */
  readonly judgeRequest: JudgeRequest;
  /** Telegraf's `session()`, durable: `bot.use(kit.session())`. */
  readonly session: MakeSession;
  /** Calls to Telegram from anywhere: later, once, outside of handlers. */
  readonly outbox: Outbox;
  /** Runs code at the instants of a timetable. */
  readonly schedule: AddSchedule;
  /** Makes the middleware of a handler that `ctx.later` names. */
  readonly later: MakeLater;
  /** Answers and handles what the page of the module asks and acts. */
  readonly miniApp: MiniApp;
  /** Adds a page with figures of the module to the dashboard. */
  readonly panel: AddPanel;
  /**
   * Reads data outside any step: at once, and in every attempt again. What writes, or has to happen once,
   * belongs in `ctx.transaction`; on SQLite, `work` that writes is refused (`DATA_REFUSED`).
   */
  read<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** The operator's view and actions: dead letters, holds, incidents, pausing. */
  readonly operations: Operations;
}

/** Commands as Telegram's menu shows them. Source: Bot API, setMyCommands. */
export interface CommandMenu {
  /** Two letters (ISO 639-1); "" for everybody whose language has no menu of its own. */
  readonly languageCode: string;
  readonly commands: readonly { readonly command: string; readonly description: string }[];
}

/** Books of money that can be compared with Telegram's own. */
export interface Books<Tables extends object> {
  readonly tables: TableSet<Tables>;
  /**
   * Compares without changing anything.
   *
   * @param ask Calls a method of the Bot API that only asks, such as `getStarTransactions`.
   * @returns a line for each difference; none when both agree.
   */
  compare(
    tables: Tables,
    ask: (method: string, fields: JsonObject) => Promise<unknown>,
    nowEpochMs: number,
  ): Promise<readonly string[]>;
}

export interface BotModule<Settings = Readonly<Record<string, unknown>>> {
  /** Stable and short, such as `shop`. */
  readonly name: string;
  /** Its own settings; `kit.settings` holds their values. Default: none. */
  readonly settings?: ModuleSettings;
  /** Its own tables; `tx.tables` gives them out. Default: none. */
  readonly tables?: readonly TableSet<object>[];
  /** Finds people by username, for `npm run find-user`. Default: there is no such list. */
  readonly people?: TableSet<{
    /** @returns Telegram user ids. */
    findByUsername(username: string): Promise<readonly number[]>;
  }>;
  /** The books that `npm run reconcile` compares with Telegram. Default: none. */
  readonly books?: Books<object>;
  /** Told to Telegram whenever they have changed. Default: none. */
  readonly commandMenus?: readonly CommandMenu[];
  /**
   * The folder of its Mini App, without folders in it; `index.html` is the page. It is served when
   * MINI_APP_URL is set: `new URL("page/", import.meta.url)`. Default: it brings none.
   */
  readonly miniApp?: URL;
  /**
   * Kinds of updates to ask Telegram for, beyond those that it always sends here. Kinds that are named in
   * `bot.on(…)` need not be repeated. Default: none.
   */
  readonly updates?: readonly UpdateKind[];
  /** Registers the handlers. Called once for every process; must not wait for anything. */
  setup(bot: Telegraf<BotContext>, kit: Kit<Settings>): void;
  /**
   * The text for a user whose update was given up, in their language; `undefined` says nothing.
   *
   * @param languageCode IETF tag, as the handler said by `ctx.lastWordsIn`, or else as Telegram sent it.
   */
  lastWords?(languageCode: string | undefined): string | undefined;
}
