/** What people do with buttons: of games, logins, inline mode and the reply keyboard; and new groups. */
import { createHash, createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { type Loose, startConversation } from "./bot-client.ts";

async function setup() {
  const started = await startConversation({ pacing: false });
  const ask = async (method: string, parameters: object = {}): Promise<Loose> => {
    const { body } = await started.call(method, parameters);
    return body.ok ? body.result : body.description;
  };
  const hear = async (): Promise<Loose> => (await ask("getUpdates", { offset: -1 }))[0];
  return { ...started, ask, hear };
}

test("a press of Play tells the bot the game's name, and its answer is the game's address", async () => {
  const { ask, control, hear } = await setup();
  const game = await ask("sendGame", { chat_id: 42, game_short_name: "snake" });
  const place = { userId: 42, chatId: 42, messageId: game.message_id };
  const { callbackQueryId } = control.press({ ...place, row: 0, column: 0 });
  const { callback_query: query } = await hear();
  expect(query).toMatchObject({ id: callbackQueryId, game_short_name: "snake" });
  expect(query.data).toBeUndefined();
  const answer = { callback_query_id: callbackQueryId, url: "https://example.com/snake" };
  await ask("answerCallbackQuery", answer);
  expect((await control.changes()).at(-1)).toMatchObject({ url: "https://example.com/snake" });
});

test("of a message made in inline mode the bot sees a press with its inline id only", async () => {
  const { ask, control, hear } = await setup();
  const { inlineQueryId } = control.askInline({ userId: 42, query: "x" });
  const article = {
    type: "article",
    id: "1",
    title: "x",
    input_message_content: { message_text: "chosen" },
    reply_markup: { inline_keyboard: [[{ text: "go", callback_data: "go" }]] },
  };
  await ask("answerInlineQuery", { inline_query_id: inlineQueryId, results: [article] });
  const chosen = control.chooseResult({ userId: 42, inlineQueryId, resultId: "1" });
  const [message] = control.messages({ chatId: 42 });
  const messageId = message?.message_id ?? 0;
  control.press({ userId: 42, chatId: 42, messageId, data: "go" });
  const { callback_query: query } = await hear();
  expect(query).toMatchObject({ inline_message_id: chosen.inlineMessageId, data: "go" });
  expect(query.message).toBeUndefined();
});

test("a button above inline results leads to the chat with the bot, or to a Mini App", async () => {
  const { ask, control } = await setup();
  const { inlineQueryId: inline_query_id } = control.askInline({ userId: 42, query: "x" });
  const shown = () => control.inlineButton({ inlineQueryId: inline_query_id });
  const answer = (button: object) =>
    ask("answerInlineQuery", { inline_query_id, results: [], button });
  expect(shown()).toBeNull();
  expect(await answer({ text: "Sign in" })).toBe("Bad Request: BUTTON_INVALID");
  expect(await answer({ text: "Sign in", start_parameter: "a b" })).toBe(
    "Bad Request: START_PARAM_INVALID",
  );
  expect(await answer({ text: "Sign in", start_parameter: "login" })).toBe(true);
  expect(shown()).toEqual({ text: "Sign in", start_parameter: "login" });
});

test("a login button's address is signed with the token, as Telegram's login widget does", async () => {
  const { control } = await setup();
  const { url } = control.login({ userId: 42, url: "https://example.com/in?shop=1" });
  const { hash, shop, ...fields } = Object.fromEntries(new URL(url).searchParams);
  const lines = Object.keys(fields).sort();
  const checked = lines.map((name) => `${name}=${fields[name]}`).join("\n");
  const secret = createHash("sha256").update(sandboxToken).digest();
  expect(hash).toBe(createHmac("sha256", secret).update(checked).digest("hex"));
  expect([shop, fields]).toMatchObject(["1", { id: "42", first_name: "Ann" }]);
  expect(() => control.login({ userId: 42, url: "nowhere" })).toThrow("url must be a URL");
});

test("the keyboard's buttons share people and chats, with no more than the bot asked for", async () => {
  const { ask, control, hear } = await setup();
  control.createUser({ id: 43, firstName: "Ben", username: "ben" });
  const club = control.createGroup({ title: "Club", username: "club" }).id;
  const people = { request_id: 1, max_quantity: 2, request_name: true };
  const chat = { request_id: 2, chat_is_channel: false, request_title: true };
  const keyboard = [
    [
      { text: "Who?", request_users: people },
      { text: "Where?", request_chat: chat },
    ],
  ];
  await ask("sendMessage", { chat_id: 42, text: "Tell me", reply_markup: { keyboard } });
  const share = (attachment: Loose) => control.attach({ userId: 42, attachment });
  share({ kind: "users", requestId: 1, userIds: [43] });
  expect((await hear()).message.users_shared).toEqual({
    request_id: 1,
    user_ids: [43],
    users: [{ user_id: 43, first_name: "Ben" }],
  });
  share({ kind: "chat", requestId: 2, sharedChatId: club });
  const shared = { request_id: 2, chat_id: club, title: "Club" };
  expect((await hear()).message.chat_shared).toEqual(shared);
  expect(() => share({ kind: "users", requestId: 2, userIds: [43] })).toThrow("no button");
  expect(() => share({ kind: "users", requestId: 1, userIds: [42, 43, 44] })).toThrow(
    "from 1 to 2",
  );
});

test("a person sends a poll and a dice; the bot hears of the poll, but not of votes in it", async () => {
  const { control, hear } = await setup();
  const poll = { kind: "poll", question: "Tea?", options: ["yes", "no"] } as const;
  const { message } = control.attach({ userId: 42, attachment: poll });
  expect((await hear()).message.poll).toMatchObject({ question: "Tea?", type: "regular" });
  const vote = { userId: 42, chatId: 42, messageId: message.message_id, optionIds: [1] };
  expect(control.vote(vote)).toEqual({ updateId: null });
  const [shown] = control.messages({ chatId: 42 });
  expect(shown?.["poll"]).toMatchObject({ total_voter_count: 1 });
  control.attach({ userId: 42, attachment: { kind: "dice", emoji: "🎯" } });
  const { emoji, value } = (await hear()).message.dice;
  expect([emoji, value >= 1 && value <= 6]).toEqual(["🎯", true]);
});

test("a bot that is added to a group is told so, twice, as at Telegram", async () => {
  const { call, control } = await setup();
  const chatId = control.createGroup({ title: "Club", memberIds: [42] }).id;
  control.setAccess({ chatId, access: "kicked", silent: true });
  control.addBot({ userId: 42, chatId });
  const { result } = (await call("getUpdates")).body;
  expect(result[0].my_chat_member).toMatchObject({
    old_chat_member: { status: "left" },
    new_chat_member: { status: "administrator" },
  });
  expect(result[1].message.new_chat_members).toMatchObject([{ id: 123456789, is_bot: true }]);
  expect((await call("sendMessage", { chat_id: chatId, text: "Hello all" })).status).toBe(200);
});
