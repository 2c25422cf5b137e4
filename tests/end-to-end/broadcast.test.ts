/** A broadcast to some hundred people, with the process killed twice in between. */
import { expect, test } from "vitest";
import { eventually, pause } from "../../lab/drill/bot-process.ts";
import { isQueueEmpty, setupLiveBot } from "../support/live-bot.ts";

const boss = 9;
const people = 300;
const firstId = 1_000_001;
const words = "Coffee is back";

test("a broadcast goes on after two kills, and writes to nobody twice", {
  timeout: 240_000,
}, async () => {
  const { bot, sandbox } = await setupLiveBot(
    { ADMIN_IDS: String(boss), FLOOD_TOTAL_PER_SECOND: "60" },
    ["--flood", "off"],
  );
  await sandbox.createUser({ id: boss, firstName: "Boss", languageCode: "en" });
  bot.start();
  await bot.monitoringUrl();
  await sandbox.feed({ count: people, users: people, firstUserId: firstId, text: "/start" });
  await eventually("all are known", async () => (await sandbox.queue()).pending === 0, 60_000);
  await eventually("all are greeted", () => isQueueEmpty(bot), 60_000);
  const gone = [firstId, firstId + 1, firstId + 2];
  for (const chatId of gone) await sandbox.setAccess({ chatId, access: "blocked", silent: true });

  /** Waits for a message of the bot with this text or button. */
  const wait = (text: string) =>
    sandbox.waitForMessage(boss, (message) => JSON.stringify(message).includes(text), {
      after: 0,
      timeoutMs: 60_000,
    });
  const press = async (data: string) => {
    const { message_id: messageId } = await wait(`"${data}"`);
    await sandbox.press({ userId: boss, chatId: boss, messageId, data });
  };
  const written = async () =>
    (await sandbox.journalAll()).filter(
      ({ method, parameters }) => method === "sendMessage" && parameters["text"] === words,
    );

  await sandbox.write({ userId: boss, text: `/broadcast ${words}` });
  await press("adm-cast-to:1:all");
  await press("adm-cast-go:1:paid");
  for (const reached of [60, 180]) {
    await eventually("some are written to", async () => (await written()).length > reached, 60_000);
    await bot.kill();
    await pause(200);
    bot.start();
  }
  const result = await wait("Broadcast #1: done");
  const [, sent = ""] = /Sent: (\d+)/.exec(result.text ?? "") ?? [];
  const [, unclear = "0"] = /may have arrived; not repeated: (\d+)/.exec(result.text ?? "") ?? [];
  expect(result.text).toContain(`Done: ${people} of ${people}`);
  expect(result.text).toContain("Have blocked the bot: 3");
  expect(Number(sent) + Number(unclear)).toBe(people - gone.length);

  // The administrator has read the preview, which is no part of the broadcast.
  const calls = (await written()).filter(
    ({ parameters }) => parameters["chat_id"] !== String(boss),
  );
  const chats = calls.map(({ parameters }) => parameters["chat_id"]);
  expect(new Set(chats).size).toBe(chats.length);
  expect(chats.length).toBeGreaterThanOrEqual(Number(sent) + gone.length);
  expect(calls.every(({ parameters }) => parameters["allow_paid_broadcast"] === "true")).toBe(true);
  expect(await bot.stop()).toBe(0);
});
