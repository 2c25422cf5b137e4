/** Bad updates: each ends in a reply, a recorded "ignored" or a dead letter, and the next one works. */
import { expect, test } from "vitest";
import { eventually } from "../../lab/drill/bot-process.ts";
import { isQueueEmpty, setupLiveBot } from "../support/live-bot.ts";

const from = { id: 77, is_bot: false, first_name: "Ann", language_code: "en" };
const chat = { id: 77, type: "private", first_name: "Ann" };
const date = 1_760_000_000;
const message = { message_id: 1, from, chat, date };

const updates: readonly (readonly [what: string, update: unknown])[] = [
  ["a message without a sender", { message: { message_id: 1, chat, date, text: "/balance" } }],
  [
    "a channel post",
    { channel_post: { message_id: 1, chat: { id: -1001, type: "channel" }, date } },
  ],
  ["an unknown type", { hologram: { from, chat, content: "?" } }],
  ["an empty update", {}],
  ["64 KB of text", { message: { ...message, text: "x".repeat(64 * 1024) } }],
  ["broken surrogates", { message: { ...message, text: "/start \ud800 \udc00\ud800" } }],
  [
    "a name of broken surrogates",
    { message: { ...message, from: { ...from, first_name: "\udfff" }, text: "/start" } },
  ],
  ["fields of the wrong type", { message: { ...message, chat: "home", from: 5, text: { a: 1 } } }],
  [
    "ids as text",
    {
      message: {
        ...message,
        from: { ...from, id: "77" },
        chat: { ...chat, id: "77" },
        text: "/start",
      },
    },
  ],
  [
    "a sender with a negative id",
    {
      message: {
        ...message,
        from: { ...from, id: -77 },
        chat: { ...chat, id: -77 },
        text: "/start",
      },
    },
  ],
  [
    "ids above 2^53",
    {
      message: {
        ...message,
        from: { ...from, id: 2 ** 60 },
        chat: { ...chat, id: 2 ** 60 },
        text: "/start",
      },
    },
  ],
  ["null everywhere", { message: null, callback_query: null }],
  [
    "a press without a message",
    { callback_query: { id: "1", from, chat_instance: "1", data: "buy:x" } },
  ],
  [
    "a press with odd data",
    { callback_query: { id: "2", from, message, chat_instance: "1", data: "buy:::::" } },
  ],
  ["a deep structure", { message: { ...message, text: "hi", reply_to_message: nest(60) } }],
];

function nest(depth: number): unknown {
  return depth === 0 ? message : { ...message, reply_to_message: nest(depth - 1) };
}

test("bad updates do no harm, and the next update still works", { timeout: 120_000 }, async () => {
  const { bot, sandbox } = await setupLiveBot({ FLOOD_LIMITS_ENABLED: "false" }, [
    "--flood",
    "off",
  ]);
  await sandbox.createUser({ id: 77, firstName: "Ann", started: true });
  bot.start();
  for (const [what, update] of updates) {
    await sandbox.inject({ update });
    const before = (await sandbox.messages({ chatId: 88 }).catch(() => [])).at(-1)?.message_id ?? 0;
    await sandbox.write({ userId: 88, text: "/help" });
    const reply = await sandbox.waitForMessage(
      88,
      ({ text }) => text?.startsWith("This is what I can do") ?? false,
      { after: before, timeoutMs: 15_000 },
    );
    expect(reply.text, what).toBeDefined();
  }
  await eventually("the queue is empty", () => isQueueEmpty(bot));
  expect((await sandbox.queue()).pending).toBe(0);
  expect(await bot.stop()).toBe(0);
});

test("duplicates and ids that jump down are each handled once", { timeout: 60_000 }, async () => {
  const { bot, sandbox } = await setupLiveBot({ FLOOD_LIMITS_ENABLED: "false" }, [
    "--flood",
    "off",
  ]);
  bot.start();
  const first = await sandbox.write({ userId: 5, text: "/start" });
  await sandbox.waitForMessage(5, (reply) => reply.text?.startsWith("Hello") ?? false);
  await eventually("it is confirmed", async () => (await sandbox.queue()).pending === 0);
  await sandbox.redeliver({ updateId: first.updateId as number });
  await eventually(
    "the repetition is confirmed",
    async () => (await sandbox.queue()).pending === 0,
  );

  await sandbox.jumpUpdateId({ to: 1_000, dropPending: true });
  await sandbox.write({ userId: 5, text: "/help" });
  await sandbox.waitForMessage(5, (reply) => reply.text?.startsWith("This is what") ?? false);
  await eventually("the low id is confirmed", async () => (await sandbox.queue()).pending === 0);
  await eventually("the queue is empty", () => isQueueEmpty(bot));

  const sends = (await sandbox.journalAll({ method: "sendMessage" })).filter(
    (entry) => entry.executed,
  );
  expect(sends).toHaveLength(2);
});
