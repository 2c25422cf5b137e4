/**
 * Bot under test: runs the shop over in-memory tables and records every Telegram call.
 *
 * It behaves like the durable context: a step runs once per update, its result comes back from
 * JSON, and a call's result cannot be read. Every call is checked against Telegram's limits.
 */

import { Context, Telegram } from "telegraf";
import { expect } from "vitest";
import type { BotEvent } from "../../../bot/core/events.ts";
import { Secret } from "../../../bot/core/secret.ts";
import type { Transaction } from "../../../bot/core/transaction.ts";
import { createBot } from "../../../bot/index.ts";
import type { BotContext } from "../../../bot/kit/bot-context.ts";
import { miniAppTaskOf } from "../../../bot/kit/mini-app.ts";
import type { CommandOptions } from "../../../bot/shop/commands/routes.ts";
import { InMemoryShopTables } from "../in-memory-shop-tables.ts";
import { shopWith } from "../shop-setup.ts";

export interface Call {
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read payloads as Telegram would.
  readonly payload: any;
}

interface Button {
  readonly text: string;
  readonly callback_data?: string;
  readonly url?: string;
  readonly web_app?: { readonly url: string };
}

export const botName = "UnsinkableBot";

export function setup(overrides: Partial<CommandOptions> = {}) {
  const tables = new InMemoryShopTables();
  const calls: Call[] = [];
  const events: BotEvent[] = [];
  const laters: { readonly name: string; readonly data: unknown }[] = [];
  const steps = new Map<string, string>();
  const writes: ((tx: Transaction) => Promise<void>)[] = [];

  class RecordingTelegram extends Telegram {
    override async callApi(method: string, payload: unknown): Promise<never> {
      const call = { method, payload: JSON.parse(JSON.stringify(payload)) };
      expectSendable(call);
      calls.push(call);
      return Object.freeze({}) as never;
    }
  }

  class TestContext extends Context implements BotContext {
    readonly receivedAtEpochMs = tables.nowEpochMs;
    readonly now = new Telegram("1:unused");
    #steps = 0;

    constructor(...[update, , botInfo]: ConstructorParameters<typeof Context>) {
      super(update, new RecordingTelegram("1:unused"), botInfo);
      const task = miniAppTaskOf(update);
      if (task) Object.defineProperty(this, "chat", { value: task.chat });
    }

    call: BotContext["call"] = (method, ...[fields]) =>
      this.telegram.callApi(method as "sendMessage", fields as never) as never;

    async transaction<T>(work: (tx: Transaction) => Promise<T>, step?: string): Promise<T> {
      const key = `${this.update.update_id}#${step ?? this.#steps++}`;
      const stored = steps.get(key) ?? JSON.stringify(await tables.transaction(work)) ?? "null";
      steps.set(key, stored);
      return JSON.parse(stored);
    }

    onDone(write: (tx: Transaction) => Promise<void>): void {
      writes.push(write);
    }

    later(...[, name, data]: Parameters<BotContext["later"]>): void {
      laters.push({ name, data });
    }

    async cancelLater(): Promise<boolean> {
      return false;
    }

    lastWordsIn(): void {}
  }

  const bot = createBot({
    token: new Secret("1:secret"),
    contextType: TestContext,
    ...shopWith({
      publish: (event) => events.push(event),
      read: (work) => tables.read(work),
      ...overrides,
    }),
  });
  bot.botInfo = { id: 1, is_bot: true, first_name: "Bot", username: botName } as Context["botInfo"];

  /** Handles one update after a round trip through JSON; returns the calls it made. */
  const handle = async (update: unknown): Promise<readonly Call[]> => {
    const before = calls.length;
    await bot.handleUpdate(JSON.parse(JSON.stringify(update)));
    for (const write of writes.splice(0)) await tables.transaction(write);
    return calls.slice(before);
  };
  return { tables, calls, events, handle, laters };
}

export interface Person {
  readonly id: number;
  readonly first_name: string;
  readonly username?: string;
  readonly language_code?: string;
}

export const ada: Person = { id: 1001, first_name: "Ada", language_code: "en" };
export const li: Person = { id: 1002, first_name: "李雷", language_code: "zh-hans" };
export const group = { id: -500, type: "group", title: "Friends" };

let updateIds = 1000;

/** Makes an update with a text message; a command gets its entity, as Telegram would add it. */
export function said(from: Person, text: string, chat: object = privateChat(from)) {
  const length = /^\/\w+(@\w+)?/.exec(text)?.[0].length;
  const entities = length ? [{ type: "bot_command", offset: 0, length }] : [];
  return {
    update_id: ++updateIds,
    message: {
      message_id: updateIds,
      date: 1_767_225_600,
      from: { ...from, is_bot: false },
      chat,
      text,
      ...(length && { entities }),
    },
  };
}

/** Makes an update with a press on a button of the bot's message 77. */
export function pressed(from: Person, data: string, chat: object = privateChat(from)) {
  const id = String(++updateIds);
  return {
    update_id: updateIds,
    callback_query: {
      id: `query-${id}`,
      from: { ...from, is_bot: false },
      chat_instance: "1",
      message: { message_id: 77, date: 1_767_225_600, chat, text: "before" },
      data,
    },
  };
}

export function privateChat({ id, first_name }: Person) {
  return { id, type: "private", first_name };
}

/** Returns the buttons of a sent or edited message, row by row. */
export function buttonsOf(call: Call | undefined): readonly Button[] {
  return call?.payload.reply_markup?.inline_keyboard?.flat() ?? [];
}

/** Returns the data of the button whose label contains `label`. */
export function dataOf(call: Call | undefined, label: string): string {
  const button = buttonsOf(call).find(({ text }) => text.includes(label));
  expect(button?.callback_data, `a button "${label}"`).toBeDefined();
  return button?.callback_data ?? "";
}

/** Checks Telegram's limits: a call that it would refuse must never be recorded. */
function expectSendable({ method, payload }: Call) {
  // JSON writes a broken surrogate as an escape, and Telegram refuses the resulting text.
  expect(JSON.stringify(payload)).not.toMatch(/\\ud[89a-f]/i);
  if (method === "answerCallbackQuery") {
    expect((payload.text ?? "").length).toBeLessThanOrEqual(200);
    return;
  }
  if (method === "sendDocument") {
    expect(payload.caption.length).toBeLessThanOrEqual(1024);
    // It is recorded inside a step (telegram/context/recorded-files.ts).
    expect(payload.document.source.data.length).toBeLessThanOrEqual(768_000);
    return;
  }
  if (method === "sendPhoto" || method === "copyMessage") return;
  expect(["sendMessage", "editMessageText"]).toContain(method);
  expect(payload.parse_mode).toBeUndefined();
  expect(payload.text.trim()).not.toBe("");
  expect(payload.text.length).toBeLessThanOrEqual(4096);
  const buttons = buttonsOf({ method, payload });
  const rows: readonly (readonly Button[])[] | undefined = payload.reply_markup?.inline_keyboard;
  expect(rows?.length).not.toBe(0);
  for (const row of rows ?? []) expect(row).not.toEqual([]);
  expect(buttons.length).toBeLessThanOrEqual(100);
  for (const { text, callback_data: data, url, web_app: webApp } of buttons) {
    expect(text).not.toBe("");
    expect([data, url, webApp].filter((kind) => kind !== undefined)).toHaveLength(1);
    if (data !== undefined) expect(Buffer.byteLength(data)).toBeLessThanOrEqual(64);
    if (webApp) expect(payload.chat_id).toBeGreaterThan(0);
  }
}
