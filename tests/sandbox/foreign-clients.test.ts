/**
 * Foreign clients: other people's libraries, unmodified, against the sandbox.
 *
 * They show that the sandbox works for clients of Telegram, and that clients fail at it in the ways in
 * which they are known to fail at Telegram.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { autoRetry } from "@grammyjs/auto-retry";
import { run } from "@grammyjs/runner";
import { apiThrottler } from "@grammyjs/transformer-throttler";
import { Bot as GrammyBot, GrammyError, InlineKeyboard } from "grammy";
import { InlineKeyboardBuilder, Bot as NodeBot } from "node-telegram-bot-api";
import { Markup, Telegraf } from "telegraf";
import { describe, expect, onTestFinished, test } from "vitest";
import { type SandboxOptions, sandboxToken } from "../../sandbox/sandbox.ts";
import { startConversation } from "./bot-client.ts";

async function setup(options: SandboxOptions = {}) {
  const started = await startConversation({ frozenClock: false, pacing: false, ...options });
  const { control } = started;
  const texts = (chatId = 42) =>
    control
      .messages({ chatId })
      .filter(({ from }) => from?.is_bot)
      .map(({ text }) => text);
  const reply = (text: string, timeout = 10_000) =>
    expect.poll(() => texts(), { timeout, interval: 20 }).toContain(text);
  /** Presses the first button of the bot's last message. */
  const press = () => {
    const message = control.messages({ chatId: 42 }).findLast(({ reply_markup }) => reply_markup);
    const messageId = message?.message_id ?? 0;
    control.press({ userId: 42, chatId: 42, messageId, row: 0, column: 0 });
  };
  const polling = () => expect.poll(() => control.queue().waiting, { timeout: 10_000 }).toBe(true);
  return { ...started, polling, press, reply, texts };
}

const conflict = { match: "getUpdates", count: 1, fault: { kind: "conflict" } } as const;

describe("grammY", () => {
  function createBot(url: string): GrammyBot {
    const bot = new GrammyBot(sandboxToken, { client: { apiRoot: url } });
    bot.catch(() => {});
    bot.command("start", (ctx) =>
      ctx.reply("welcome", { reply_markup: new InlineKeyboard().text("go", "go") }),
    );
    bot.callbackQuery("go", async (ctx) => {
      await ctx.answerCallbackQuery("ok");
      await ctx.editMessageText("gone");
    });
    bot.on("message:text", (ctx) => ctx.reply(`heard ${ctx.message.text}`));
    return bot;
  }

  test("polls, replies, edits after a press, and survives a page of a proxy and a 429", async () => {
    const { control, press, reply, url } = await setup();
    const bot = createBot(url);
    control.addFault({ match: "getUpdates", count: 1, fault: { kind: "html", status: 502 } });
    control.addFault({
      match: "getUpdates",
      count: 1,
      fault: { kind: "error", status: 429, retryAfterS: 1 },
    });
    const running = bot.start();
    control.write({ userId: 42, text: "/start" });
    await reply("welcome", 20_000);
    press();
    await reply("gone");
    await bot.stop();
    await running;
    expect(control.journal({ method: "answerCallbackQuery" })).toMatchObject([{ status: 200 }]);
    expect(control.queue().pending).toBe(0);
  });

  test("ends at a single 409, as it is known to", async () => {
    const { control, url } = await setup();
    control.addFault(conflict);
    const failure = await createBot(url)
      .start()
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(failure).toBeInstanceOf(GrammyError);
    expect(failure).toMatchObject({ error_code: 409 });
  });

  test("with runner, auto-retry and throttler it handles a crowd and honours a 429", async () => {
    const { control, texts, url } = await setup();
    const bot = createBot(url);
    bot.api.config.use(autoRetry());
    bot.api.config.use(apiThrottler());
    control.addFault({
      match: "sendMessage",
      count: 1,
      fault: { kind: "error", status: 429, retryAfterS: 1 },
    });
    const runner = run(bot);
    control.feed({ count: 40, users: 40, firstUserId: 1_000, text: "hello {n}" });
    const replied = () => Array.from({ length: 40 }, (_, n) => texts(1_000 + n).length);
    await expect.poll(replied, { timeout: 20_000 }).toEqual(Array(40).fill(1));
    await runner.stop();
  });

  test("its runner ends at a single 409, as it is known to", async () => {
    const { control, polling, url } = await setup();
    const runner = run(createBot(url), { runner: { silent: true } });
    await polling();
    control.addFault(conflict);
    control.write({ userId: 42, text: "wakes the poll" });
    await expect(runner.task()).rejects.toMatchObject({ error_code: 409 });
  });

  test("its throttler lets more than 30 through in a second, as it is known to", async () => {
    const { control, url } = await setup({ flood: "off" });
    const bot = new GrammyBot(sandboxToken, { client: { apiRoot: url } });
    bot.api.config.use(apiThrottler());
    for (let id = 2_000; id < 2_100; id++) {
      control.createUser({ id, firstName: "Many", started: true });
    }
    // The reservoir is full, and is filled again a second after it was made, not after it was used.
    await bot.api.getMe();
    await new Promise((resolve) => setTimeout(resolve, 850));
    const sends = Array.from({ length: 90 }, (_, n) => bot.api.sendMessage(2_000 + n, "news"));
    await Promise.all(sends);
    const found = control.violations({ rules: ["bot-per-second"] });
    expect(Math.max(...found.map(({ messages }) => messages))).toBeGreaterThan(30);
  });
});

describe("known failures of others, made by the sandbox:", () => {
  const answer = (status: number, match: string) =>
    ({ match, count: 1, fault: { kind: "error", status, retryAfterS: 1 } }) as const;

  function telegraf(url: string): Telegraf {
    const bot = new Telegraf(sandboxToken, { telegram: { apiRoot: url } });
    bot.catch(() => {});
    bot.on("text", (ctx) => ctx.reply("heard"));
    return bot;
  }

  function grammy(url: string): GrammyBot {
    const bot = new GrammyBot(sandboxToken, { client: { apiRoot: url } });
    bot.catch(() => {});
    bot.on("message:text", (ctx) => ctx.reply("heard"));
    return bot;
  }

  test.each([401, 400])("a single %i ends Telegraf", async (status) => {
    const { control, url } = await setup();
    control.addFault(answer(status, "getUpdates"));
    await expect(telegraf(url).launch()).rejects.toMatchObject({
      response: { error_code: status },
    });
  });

  test("no network at the start ends Telegraf", async () => {
    await expect(telegraf("http://127.0.0.1:1").launch()).rejects.toMatchObject({
      code: "ECONNREFUSED",
    });
  });

  test("a single 401 ends grammY, a 400 does not", async () => {
    const { control, reply, url } = await setup();
    control.addFault(answer(401, "getUpdates"));
    await expect(grammy(url).start()).rejects.toMatchObject({ error_code: 401 });
    control.addFault(answer(400, "getUpdates"));
    const bot = grammy(url);
    const running = bot.start();
    control.write({ userId: 42, text: "x" });
    await reply("heard", 20_000);
    await bot.stop();
    await running;
  });

  test.each([
    [
      "Telegraf",
      async (url: string) => {
        const bot = telegraf(url);
        void bot.launch();
        return () => bot.stop();
      },
    ],
    [
      "grammY",
      async (url: string) => {
        const bot = grammy(url);
        void bot.start();
        return () => bot.stop();
      },
    ],
  ])("%s loses a reply to a 429, and the update is confirmed", async (_, launch) => {
    const { control, reply, texts, url } = await setup();
    control.addFault(answer(429, "sendMessage"));
    const stop = await launch(url);
    control.write({ userId: 42, text: "first" });
    await expect.poll(() => control.journal({ method: "sendMessage" }).length).toBe(1);
    control.write({ userId: 42, text: "second" });
    await reply("heard");
    expect(texts()).toEqual(["heard"]);
    await stop();
    expect(control.facts()[0]?.end).toBe("confirmed");
  });
});

describe("node-telegram-bot-api", () => {
  test("polls, replies, answers a press, and survives an outage", async () => {
    const { control, press, reply, url } = await setup();
    const bot = new NodeBot(sandboxToken, { apiRoot: url });
    bot.catch(() => {});
    bot.command("start", (ctx) =>
      ctx.reply("welcome", { reply_markup: new InlineKeyboardBuilder().text("go", "go").build() }),
    );
    bot.on("callback_query", (ctx) => ctx.answerCallbackQuery({ text: "ok" }));
    bot.hears(/.*/, (ctx) => ctx.reply("heard"));
    void Promise.resolve(bot.startPolling()).catch(() => {});
    onTestFinished(() => bot.stop());
    control.write({ userId: 42, text: "/start" });
    await reply("welcome");
    press();
    const answered = () => control.journal({ method: "answerCallbackQuery" }).length;
    await expect.poll(answered, { timeout: 10_000 }).toBe(1);
    await control.outage({ ms: 300 });
    control.write({ userId: 42, text: "after the outage" });
    await reply("heard", 20_000);
  });
});

describe("Telegraf", () => {
  function createBot(url: string): Telegraf {
    const bot = new Telegraf(sandboxToken, { telegram: { apiRoot: url, webhookReply: true } });
    bot.catch(() => {});
    bot.start((ctx) =>
      ctx.reply("welcome", Markup.inlineKeyboard([Markup.button.callback("go", "go")])),
    );
    bot.action("go", async (ctx) => {
      await ctx.answerCbQuery("ok");
      await ctx.editMessageText("gone");
    });
    // Not by ctx: that would reply in the webhook's answer.
    bot.on("text", (ctx) => bot.telegram.sendMessage(ctx.chat.id, "heard"));
    return bot;
  }

  test("launches by polling, replies, edits after a press", async () => {
    const { control, press, reply, url } = await setup();
    const bot = createBot(url);
    const launched = bot.launch();
    control.write({ userId: 42, text: "/start" });
    await reply("welcome");
    press();
    await reply("gone");
    bot.stop();
    await launched;
  });

  test("ends at a single 409, as it is known to", async () => {
    const { control, url } = await setup();
    control.addFault(conflict);
    await expect(createBot(url).launch()).rejects.toMatchObject({
      response: { error_code: 409 },
    });
  });

  test("by webhook it replies in the answer, and says it twice when an answer is lost", async () => {
    const { call, control, reply, texts, url } = await setup();
    const bot = createBot(url);
    const server = createServer(bot.webhookCallback("/hook"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    await call("setWebhook", { url: `http://127.0.0.1:${port}/hook` });
    control.write({ userId: 42, text: "/start" });
    await reply("welcome");
    const answer = control.journal({ method: "sendMessage" });
    expect(answer).toMatchObject([{ executed: true }]);
    const fault = { kind: "error", status: 502, execute: true } as const;
    control.addFault({ match: "webhook", count: 1, fault });
    control.write({ userId: 42, text: "twice?" });
    await expect.poll(() => control.queue().pending, { timeout: 10_000 }).toBe(0);
    expect(texts().filter((text) => text === "heard")).toHaveLength(2);
    expect(control.facts().at(-1)?.deliveries).toHaveLength(2);
  });
});
