/** Outbox: calls from anywhere are sent once, in order, later if wanted, and survive a death. */
import { expect, test } from "vitest";
import type { OutboxOptions } from "../../bot/kit/outbox.ts";
import { ada, said } from "../shop/commands/bot-under-test.ts";
import type { Routes } from "../support/durable-bot.ts";
import { expectRefusal, pass, TimedBot } from "../support/timed-bot.ts";

const silent: Routes = () => {};
const chatId = ada.id;

test("what is sent outside of a handler is on disk when it resolves, and sent by the next process", async () => {
  const bot = new TimedBot(silent);
  const first = await bot.start();
  await first.queue.pause("sending");
  await first.outbox.send(chatId, "hello");
  first.kill();
  const second = await bot.start();
  expect(bot.calls).toEqual([]);
  await second.queue.resume("sending");
  await pass(bot, 1_000);
  expect(bot.calls).toEqual(["sendMessage hello"]);
});

test("a message id that is not there yet can be used by later calls", async () => {
  const bot = new TimedBot(silent);
  const { outbox } = await bot.start();
  const sent = await outbox.send(chatId, "hello");
  await outbox.call("editMessageText", {
    chat_id: chatId,
    message_id: sent.message_id,
    text: "bye",
  });
  await outbox.call("deleteMessage", { chat_id: chatId, message_id: sent.message_id });
  await pass(bot, 2_000);
  expect(bot.calls).toEqual(["sendMessage hello", "editMessageText bye", "deleteMessage 901"]);
  expect(bot.payloads[1]?.["message_id"]).toBe(901);
});

test("bot.telegram goes through the queue outside of handlers, and asks at once", async () => {
  const bot = new TimedBot(silent);
  const { bot: telegraf, queue } = await bot.start();
  await queue.pause("sending");
  await telegraf.telegram.getMe();
  expect(bot.calls).toEqual(["getMe"]);
  const sent = await telegraf.telegram.sendMessage(chatId, "hello");
  await telegraf.telegram.editMessageText(chatId, sent.message_id, undefined, "bye");
  await pass(bot, 1_000);
  expect(bot.calls).toEqual(["getMe"]);
  await queue.resume("sending");
  await pass(bot, 1_000);
  expect(bot.calls).toEqual(["getMe", "sendMessage hello", "editMessageText bye"]);
});

test("what is delayed holds nothing back, and is sent when its time has come, after a death as well", async () => {
  const bot = new TimedBot(silent);
  const first = await bot.start();
  await first.outbox.send(chatId, "in an hour", {}, { in: 3_600_000 });
  await first.outbox.send(
    chatId,
    "at an instant",
    {},
    { at: new Date(bot.clock.epochMs() + 5_000) },
  );
  await first.outbox.send(chatId, "now");
  await pass(bot, 4_000);
  expect(bot.calls).toEqual(["sendMessage now"]);
  first.kill();
  await bot.start();
  await pass(bot, 2_000);
  expect(bot.calls).toEqual(["sendMessage now", "sendMessage at an instant"]);
  await bot.clock.advance(3_600_000);
  expect(bot.calls.at(-1)).toBe("sendMessage in an hour");
});

test("a key makes it once, and finds it and takes it away", async () => {
  const bot = new TimedBot(silent);
  const { outbox } = await bot.start();
  const dueAt = bot.clock.epochMs() + 60_000;
  const ask = () => outbox.send(chatId, "once", {}, { key: "k", at: dueAt });
  expect(await outbox.find("k")).toEqual({ kind: "unknown" });
  await ask();
  const repeated = await ask();
  expect(() => repeated.message_id).toThrow("its key was used before");
  expect(await outbox.find("k")).toEqual({ kind: "waiting", atEpochMs: dueAt });
  await pass(bot, 61_000);
  expect(bot.calls).toEqual(["sendMessage once"]);
  expect(await outbox.find("k")).toMatchObject({ kind: "done" });
  await ask();
  await pass(bot, 1_000);
  expect(bot.calls).toEqual(["sendMessage once"]);
  expect(await outbox.cancel("k")).toBe(false);
  await outbox.send(chatId, "never", {}, { key: "other", in: 10_000 });
  expect(await outbox.cancel("other")).toBe(true);
  await pass(bot, 11_000);
  expect(bot.calls).toEqual(["sendMessage once"]);
});

test("a long text is split, and all of it belongs to its key", async () => {
  const bot = new TimedBot(silent);
  const { outbox } = await bot.start();
  const long = `${"a".repeat(4_000)}\n${"b".repeat(4_000)}`;
  await outbox.send(chatId, long, {}, { key: "k", in: 10_000 });
  await outbox.send(chatId, long, {}, { key: "k", in: 10_000 });
  await pass(bot, 11_000);
  expect(bot.calls).toHaveLength(2);
});

test("inside a handler it is part of the attempt, also when bot.telegram is used", async () => {
  let attempts = 0;
  const bot = new TimedBot((telegraf, _session, { outbox }) => {
    telegraf.hears("go", async (ctx) => {
      await outbox.send(ctx.chat.id, "from the outbox");
      await telegraf.telegram.sendMessage(ctx.chat.id, "from bot.telegram");
      await outbox.send(ctx.chat.id, "keyed", {}, { key: "k" });
      await outbox.send(ctx.chat.id, "keyed", {}, { key: "k" });
      attempts += 1;
      if (attempts < 3) throw new Error("not yet");
    });
  });
  const { say } = await bot.start();
  await say(said(ada, "go"));
  await pass(bot, 60_000);
  expect(attempts).toBe(3);
  expect(bot.calls).toEqual([
    "sendMessage from the outbox",
    "sendMessage from bot.telegram",
    "sendMessage keyed",
  ]);
});

test("a cancellation in a handler happens once, and every attempt gets its answer", async () => {
  const answers: boolean[] = [];
  const bot = new TimedBot((telegraf, _session, { outbox }) => {
    telegraf.hears("go", async (ctx) => {
      answers.push(await outbox.cancel("k"));
      answers.push(await ctx.transaction(async () => outbox.cancel("k")));
      if (answers.length < 4) throw new Error("not yet");
    });
  });
  const { outbox, say } = await bot.start();
  await outbox.send(chatId, "never", {}, { key: "k", in: 3_600_000 });
  await say(said(ada, "go"));
  await pass(bot, 30_000);
  expect(answers).toEqual([true, false, true, false]);
});

test("code that a handler leaves running can send nothing any more", async () => {
  const late = Promise.withResolvers<void>();
  let refused: Promise<unknown> | undefined;
  const bot = new TimedBot((telegraf, _session, { outbox }) => {
    telegraf.hears("go", () => {
      refused = late.promise.then(() => outbox.send(chatId, "too late"));
      refused.catch(() => {});
    });
  });
  const { say } = await bot.start();
  await say(said(ada, "go"));
  await pass(bot, 1_000);
  late.resolve();
  await expect(refused).rejects.toMatchObject({ code: "ATTEMPT_OVER" });
});

test("a call before the queue is there waits for it", async () => {
  let early: Promise<unknown> | undefined;
  const bot = new TimedBot((_telegraf, _session, { outbox }) => {
    early = outbox.send(chatId, "early");
  });
  await bot.start();
  await early;
  await pass(bot, 1_000);
  expect(bot.calls).toEqual(["sendMessage early"]);
});

test.each([
  [{ at: Number.NaN }, /^outbox: at: expected a Date, .* received NaN/],
  [{ at: 1_700_000_000 }, /seconds: multiply them by 1000/],
  [{ at: new Date("never") }, /received an invalid Date/],
  [{ at: "tomorrow" }, /received a string/],
  [{ in: -1 }, /^outbox: in: expected a number of milliseconds/],
  [{ in: 1, at: 2 }, /expected either at or in, received both/],
  [{ key: "" }, /^outbox: key: expected a Unicode text of 1 to 200/],
  [{ key: "k".repeat(201) }, /received a text of 201 characters/],
  [{ priority: "urgent" }, /^outbox: priority: expected high, normal, low/],
  [{ ambiguous: "maybe" }, /^outbox: ambiguous: expected retry, drop/],
  [{ expires: 1_600_000_000_000 }, /^outbox: expires: expected an instant after at/],
  [null, /^outbox: options: expected an object/],
])("%j is refused in words", async (options, message) => {
  const { outbox } = await new TimedBot(silent).start();
  await expectRefusal(outbox.send(chatId, "x", {}, options as OutboxOptions), message);
});

test("a method that asks, one that is none, and what is too large are refused in words", async () => {
  const { outbox } = await new TimedBot(silent).start();
  await expectRefusal(outbox.call("getMe", undefined), /received getMe, which asks/);
  await expectRefusal(outbox.call("no method" as "close", {} as never), /received another text/);
  const large = "x".repeat(1024 * 1024);
  await expectRefusal(outbox.send(chatId, large), /at most 1048576/, "CALL_UNRECORDABLE");
});
