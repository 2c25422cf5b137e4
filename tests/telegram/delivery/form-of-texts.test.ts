/** The form of texts and edits that pile up, with the real delivery, against the sandbox. */
import type { Telegraf } from "telegraf";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../bot/core/clock.ts";
import { Secret } from "../../../bot/core/secret.ts";
import type { BotContext } from "../../../bot/kit/bot-context.ts";
import { BotApiClient } from "../../../bot/telegram/client/bot-api-client.ts";
import { toUpdateMessage } from "../../../bot/telegram/intake/update-message.ts";
import { sandboxToken } from "../../../sandbox/sandbox.ts";
import { startConversation } from "../../sandbox/bot-client.ts";
import { bootDurableBot, withRoutes } from "../../support/durable-bot.ts";
import { QueueMachine } from "../../support/queue-under-test.ts";

const chatId = 42;
const ann = { id: chatId, is_bot: false, first_name: "Ann" };
const chat = { id: chatId, type: "private", first_name: "Ann" };

/** Runs a handler over one message of Ann, and returns her chat when everything is sent. */
async function run(handler: (ctx: BotContext) => Promise<unknown>) {
  const { control, url } = await startConversation({ flood: "off" });
  const api = new BotApiClient({
    token: new Secret(sandboxToken),
    apiRoot: url,
    clock: systemClock,
    deadlineMs: 5_000,
    connections: 4,
  });
  onTestFinished(() => api.close());
  const machine = new QueueMachine();
  const makeBot = withRoutes((bot: Telegraf<BotContext>) => {
    bot.command("go", handler);
  });
  const { queue, store } = await bootDurableBot(machine, makeBot, api);
  await queue.start();
  const message = { message_id: 1, from: ann, chat, date: 0, text: "/go" };
  const entities = [{ type: "bot_command", offset: 0, length: 3 }];
  await queue.insertMessageByPriority([
    toUpdateMessage({ update_id: 1, message: { ...message, entities } }, "42"),
  ]);
  await expect
    .poll(
      async () => {
        // The clock is ours and the network is real.
        await machine.clock.advance(100);
        const { handling, sending } = (await store.snapshot()).pools;
        return handling.waiting + handling.inHand + sending.waiting + sending.inHand;
      },
      { interval: 5, timeout: 10_000 },
    )
    .toBe(0);
  const letters = await store.deadLetters({ offset: 0, limit: 9 });
  return { control, letters, messages: control.messages({ chatId }) };
}

test.each([
  ["HTML", "5 <b>is < 7</i> &amp; more", "5 is < 7 & more"],
  ["MarkdownV2", "costs 1.5 *euros", "costs 1.5 *euros"],
  ["Markdown", "a snake_case", "a snake_case"],
  ["None of these", "words", "words"],
])("broken %s reaches its reader as plain text", async (parse_mode, text, plain) => {
  const { letters, messages } = await run((ctx) =>
    ctx.reply(text, { parse_mode: parse_mode as "HTML" }),
  );
  expect(letters).toEqual([]);
  expect(messages.map((message) => message.text)).toEqual([plain]);
  expect(messages[0]?.entities).toBeUndefined();
});

test("a long formatted text arrives whole, in order, with the keyboard under its end", async () => {
  const lines = Array.from({ length: 400 }, (_, n) => `line ${n} <i>of</i> the long &lt;text&gt;`);
  const { letters, messages } = await run(async (ctx) => {
    await ctx.replyWithHTML(`<b>${lines.join("\n")}</b>`, {
      reply_markup: { inline_keyboard: [[{ text: "OK", callback_data: "ok" }]] },
    });
    await ctx.reply("after");
  });
  expect(letters).toEqual([]);
  const seen = lines.map((line) =>
    line.replace(/<.?i>/g, "").replace(/&lt;/, "<").replace(/&gt;/, ">"),
  );
  const parts = messages.slice(0, -1);
  expect(parts.map(({ text }) => text).join("\n")).toBe(seen.join("\n"));
  expect(messages.at(-1)?.text).toBe("after");
  expect(parts.map((part) => part.reply_markup !== undefined)).toEqual(
    parts.map((_, index) => index === parts.length - 1),
  );
  const marked = (type: string) =>
    parts.flatMap(({ entities = [] }) => entities.filter((one) => one.type === type));
  expect(marked("bold")).toHaveLength(parts.length);
  // Telegram itself keeps 100 entities of a message; ours sends all of them.
  expect(marked("italic")).toHaveLength(lines.length);
});

test("a long caption goes on behind its picture", async () => {
  const caption = Array.from({ length: 500 }, (_, n) => `word${n}`).join(" ");
  const { letters, messages } = await run((ctx) =>
    ctx.replyWithPhoto("https://example.org/photo.jpg", { caption }),
  );
  expect(letters).toEqual([]);
  expect(messages.map((message) => Object.hasOwn(message, "photo"))).toEqual([true, false]);
  expect(messages.map((message) => message.caption ?? message.text).join(" ")).toBe(caption);
});

test("of 200 edits of one message that wait, the last one is made", async () => {
  const { control, letters, messages } = await run(async (ctx) => {
    const { message_id } = await ctx.now.sendMessage(chatId, "0 %");
    for (let percent = 1; percent <= 200; percent++) {
      await ctx.telegram.editMessageText(chatId, message_id, undefined, `${percent / 2} %`);
    }
  });
  expect(letters).toEqual([]);
  expect(messages.map(({ text }) => text)).toEqual(["100 %"]);
  expect(control.journal({ method: "editMessageText" })).toHaveLength(1);
});
