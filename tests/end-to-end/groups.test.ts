/** Groups and channels, in the real process: topics, migration, removal and return, posts of no person. */
import { expect, test } from "vitest";
import { eventually } from "../../lab/drill/bot-process.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { isQueueEmpty, setupLiveBot } from "../support/live-bot.ts";

const person = 7;
const privateOnly = /^Balance, shop and orders are private/;

async function setup() {
  const live = await setupLiveBot({ FLOOD_LIMITS_ENABLED: "false" }, ["--flood", "off"]);
  const { apiRoot, bot, sandbox } = live;
  await sandbox.createUser({ id: person, firstName: "Ann", languageCode: "en" });
  const call = async (method: string, fields: object) => {
    const answer = await fetch(`${apiRoot}/bot${sandboxToken}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(fields),
    });
    return ((await answer.json()) as { result: Record<string, unknown> }).result;
  };
  const answers = async (chatId: number) =>
    (await sandbox.messages({ chatId })).filter(({ from, text }) => from?.is_bot && text);
  const settled = () =>
    eventually("all is quiet", async () => {
      return (await sandbox.queue()).pending === 0 && (await isQueueEmpty(bot));
    });
  const write = (chatId: number, text: string, more: object = {}) =>
    sandbox.write({ userId: person, chatId, text, ...more });
  return { ...live, answers, call, settled, write };
}

test("in a group only commands for this bot are answered, in their topic and without private data", {
  timeout: 90_000,
}, async () => {
  const { answers, bot, call, sandbox, settled, write } = await setup();
  const { username } = await call("getMe", {});
  const club = { title: "Club", forum: true, memberIds: [person] };
  const { id: chatId } = await sandbox.createGroup(club);
  const { message_thread_id: thread } = await call("createForumTopic", {
    chat_id: chatId,
    name: "T",
  });
  bot.start();
  const threadId = Number(thread);
  for (const text of ["/balance", `/balance@${username}`, "/balance@another_bot", "hello"]) {
    await write(chatId, text, { threadId });
    // The general topic has no number.
    await write(chatId, text);
  }
  await settled();
  const said = await answers(chatId);
  expect(said.map(({ message_thread_id: topic }) => topic)).toEqual([
    ...[threadId, undefined, threadId, undefined],
  ]);
  for (const { text } of said) expect(text).toMatch(privateOnly);
});

test("messages that wait while their group becomes a supergroup follow it, in order", {
  timeout: 90_000,
}, async () => {
  const { answers, bot, sandbox, settled, write } = await setup();
  const { id } = await sandbox.createGroup({ title: "Club", type: "group", memberIds: [person] });
  for (const text of ["/help", "/balance", "/start"]) await write(id, text);
  const { migrateToChatId } = await sandbox.migrate({ chatId: id });
  await write(migrateToChatId, "/terms");
  bot.start();
  await settled();
  expect(await answers(id)).toEqual([]);
  const begins = (await answers(migrateToChatId)).map(({ text = "" }) => text.slice(0, 12));
  // The new group is a lane of its own, so its first answer may overtake those that followed.
  expect(begins.filter((text) => text !== "Terms of thi")).toEqual([
    "This is what",
    "Balance, sho",
    "Hello, Ann! ",
  ]);
  expect(begins).toContain("Terms of thi");
});

test("a bot that was put out of a group writes there again when it is back", {
  timeout: 90_000,
}, async () => {
  const { answers, bot, sandbox, settled, write } = await setup();
  const { id: chatId } = await sandbox.createGroup({ title: "Club", memberIds: [person] });
  await write(chatId, "/help");
  await sandbox.setAccess({ chatId, access: "kicked" });
  bot.start();
  await settled();
  expect(await answers(chatId)).toEqual([]);
  await sandbox.setAccess({ chatId, access: "open" });
  await write(chatId, "/help");
  await settled();
  expect(await answers(chatId)).toHaveLength(1);
});

test("posts of channels and of anonymous administrators open no account and fail nothing", {
  timeout: 90_000,
}, async () => {
  const { answers, bot, sandbox, settled, write } = await setup();
  const { id: chatId } = await sandbox.createGroup({ title: "Club", memberIds: [person] });
  const group = { id: chatId, type: "supergroup", title: "Club" };
  const channel = { id: -1_000_000_000_900, type: "channel", title: "News" };
  const anonymous = { id: 1_087_968_824, is_bot: true, first_name: "Group" };
  const command = {
    date: 1,
    text: "/start",
    entities: [{ type: "bot_command", offset: 0, length: 6 }],
  };
  bot.start();
  for (const update of [
    { channel_post: { message_id: 1, chat: channel, sender_chat: channel, ...command } },
    { edited_channel_post: { message_id: 1, chat: channel, sender_chat: channel, ...command } },
    { message: { message_id: 801, chat: group, from: anonymous, sender_chat: group, ...command } },
    {
      message: { message_id: 802, chat: group, from: anonymous, sender_chat: channel, ...command },
    },
  ]) {
    await sandbox.inject({ update });
  }
  await write(chatId, "/help");
  await settled();
  expect(await answers(chatId)).toHaveLength(1);
  expect(bot.output).not.toContain("message.dead-lettered");
});
