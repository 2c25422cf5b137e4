/**
 * Recorded Telegram and `ctx.now`: which calls run at once, wait for the commit, or are refused.
 */
import type { Telegraf } from "telegraf";
import { describe, expect, test } from "vitest";
import { CallNotSentError, CallUnknownError, RateLimitedError } from "../../../bot/core/errors.ts";
import type { BotContext } from "../../../bot/kit/bot-context.ts";
import { toUpdateMessage } from "../../../bot/telegram/intake/update-message.ts";
import { ada, said } from "../../shop/commands/bot-under-test.ts";
import { bootDurableBot, withRoutes } from "../../support/durable-bot.ts";
import { QueueMachine } from "../../support/queue-under-test.ts";
import { ScriptedApi } from "../../support/scripted-api.ts";

/** Runs one handler over one update. */
async function run(handler: (ctx: BotContext) => Promise<unknown>, api = new ScriptedApi()) {
  const machine = new QueueMachine();
  const makeBot = withRoutes((bot: Telegraf<BotContext>) => {
    bot.command("go", handler);
  });
  const { queue, store } = await bootDurableBot(machine, makeBot, api);
  await queue.start();
  await queue.insertMessageByPriority([toUpdateMessage(said(ada, "/go"), "42")]);
  await machine.clock.advance(120_000);
  const letters = await store.deadLetters({ offset: 0, limit: 10 });
  return { api, codes: letters.flatMap(({ errors }) => errors.map(({ code }) => code)) };
}

const methods = (api: ScriptedApi) => api.calls.map(({ method }) => method);

test("a call that changes something waits for the commit, and a query runs at once", async () => {
  const order: string[] = [];
  const api = new ScriptedApi(({ method }) => {
    order.push(method);
    return { id: 5 };
  });
  await run(async (ctx) => {
    await ctx.reply("later");
    const chat = await ctx.telegram.getChat(5);
    order.push(`handler goes on with chat ${chat.id}`);
  }, api);
  expect(order).toEqual(["getChat", "handler goes on with chat 5", "sendMessage"]);
});

test("methods that Telegraf does not know are recorded like the others", async () => {
  const { api } = await run((ctx) =>
    ctx.telegram.callApi("sendFutureThing" as "sendMessage", { chat_id: 5, thing: 1 } as never),
  );
  expect(api.calls).toMatchObject([
    { method: "sendFutureThing", payload: { chat_id: 5, thing: 1 } },
  ]);
});

test("ctx.call records a method of the newest Bot API, and asks at once with one that asks", async () => {
  const order: string[] = [];
  const api = new ScriptedApi(({ method }) => {
    order.push(method);
    return { total_count: 2, gifts: [] };
  });
  await run(async (ctx) => {
    await ctx.call("setMessageReaction", { chat_id: 5, message_id: 1 });
    const { total_count } = await ctx.call("getBusinessAccountGifts", {
      business_connection_id: "b",
    });
    order.push(`handler goes on with ${total_count}`);
    await ctx.call("deleteStory", { business_connection_id: "b", story_id: 1 });
  }, api);
  expect(order.toSorted()).toEqual(
    [
      "getBusinessAccountGifts",
      "handler goes on with 2",
      "setMessageReaction",
      "deleteStory",
    ].toSorted(),
  );
  expect(order.slice(0, 2)).toEqual(["getBusinessAccountGifts", "handler goes on with 2"]);
});

test.each(["", "send Message", "../getMe", "__proto__", undefined])(
  "ctx.call refuses %j, which can be no method",
  async (method) => {
    const { api, codes } = await run((ctx) => ctx.call(method as "getMe"));
    expect(codes).toContain("CALL_UNRECORDABLE");
    expect(methods(api)).toEqual([]);
  },
);

test("nothing is sent when the handler fails, however often it is tried", async () => {
  const { api, codes } = await run(async (ctx) => {
    await ctx.reply("never");
    throw new Error("after the reply");
  });
  expect(methods(api)).toEqual([]);
  expect(codes).toEqual(Array(5).fill("DEFECT"));
});

test("reading more than the id of a recorded call throws an error that says what to do instead", async () => {
  const { codes } = await run(async (ctx) => {
    const message = await ctx.reply("x");
    return message.text;
  });
  expect(codes).toContain("CALL_NOT_SENT_YET");
});

test("what is no plain data is refused and nothing is sent", async () => {
  const { api, codes } = await run(async (ctx) => {
    await ctx.replyWithDocument(new Map() as never);
  });
  expect(codes).toContain("CALL_UNRECORDABLE");
  expect(methods(api)).toEqual([]);
});

test("a reply after the handler's end is refused", async () => {
  let late: Promise<unknown> | undefined;
  const { api } = await run(async (ctx) => {
    // It is not awaited, which is a common mistake in handlers.
    late = new Promise((resolve) => setImmediate(resolve)).then(() => ctx.reply("late"));
    late.catch(() => {});
  });
  await expect(late).rejects.toMatchObject({ code: "ATTEMPT_OVER" });
  expect(methods(api)).toEqual([]);
});

describe("ctx.now", () => {
  test("sends before the commit and returns the result", async () => {
    let id: number | undefined;
    const api = new ScriptedApi(() => ({ message_id: 77 }));
    await run(async (ctx) => {
      id = (await ctx.now.sendMessage(5, "at once")).message_id;
      await ctx.reply("recorded");
    }, api);
    expect(id).toBe(77);
    expect(api.calls.map(({ payload }) => payload["text"])).toEqual(["at once", "recorded"]);
  });

  test.each([
    ["was not sent", new CallNotSentError("x"), 2],
    ["has to wait a little", new RateLimitedError("sendMessage", 2_000), 2],
  ])("repeats a call that %s", async (_, error, calls) => {
    const api = new ScriptedApi();
    api.script(error);
    const { codes } = await run((ctx) => ctx.now.sendMessage(5, "x"), api);
    expect(api.calls).toHaveLength(calls);
    expect(codes).toEqual([]);
  });

  test.each([
    ["may have been sent", new CallUnknownError("502"), "TELEGRAM_UNKNOWN_OUTCOME"],
    ["would have to wait long", new RateLimitedError("x", 60_000), "TELEGRAM_RATE_LIMITED"],
  ])("does not repeat a call that %s", async (_, error, code) => {
    const api = new ScriptedApi(() => {
      throw error;
    });
    let seen: unknown;
    await run(async (ctx) => {
      seen ??= await ctx.now.sendMessage(5, "x").catch((reason: unknown) => reason);
    }, api);
    expect(seen).toMatchObject({ code });
    expect(api.calls).toHaveLength(1);
  });

  test("repeats a query, because a query may be made twice", async () => {
    const api = new ScriptedApi(() => ({ id: 5 }));
    api.script(new CallUnknownError("502"), new CallUnknownError("502"));
    const { codes } = await run((ctx) => ctx.telegram.getChat(5), api);
    expect(methods(api)).toEqual(["getChat", "getChat", "getChat"]);
    expect(codes).toEqual([]);
  });
});
