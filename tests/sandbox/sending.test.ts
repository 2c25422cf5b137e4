import { expect, test } from "vitest";
import type { Access } from "../../sandbox/control-api.ts";
import { startConversation } from "./bot-client.ts";

const button = (callback_data: string) => ({ inline_keyboard: [[{ text: "b", callback_data }]] });

test("a sent message comes back as Telegram writes it, and is in the chat", async () => {
  const { control, call } = await startConversation();
  const { body } = await call("sendMessage", {
    chat_id: 42,
    text: " hi *you* ",
    parse_mode: "Markdown",
    reply_markup: button("x"),
  });
  expect(body.result).toMatchObject({
    message_id: 1,
    from: { id: 123456789, is_bot: true },
    chat: { id: 42, first_name: "Ann", type: "private" },
    text: "hi you",
    entities: [{ type: "bold", offset: 3, length: 3 }],
    reply_markup: button("x"),
  });
  expect(Object.keys(body.result)).toEqual([
    "message_id",
    "from",
    "chat",
    "date",
    "text",
    "entities",
    "reply_markup",
  ]);
  expect(control.messages({ chatId: 42 })).toEqual([body.result]);
  expect(control.journal()[0]).toMatchObject({ executed: true, messageId: 1, chatId: 42, cost: 1 });
});

test("message ids go up across private chats and basic groups, and apart in a supergroup", async () => {
  const { control, call } = await startConversation();
  control.createUser({ id: 43, firstName: "Ben", started: true });
  const group = control.createGroup({ title: "G", type: "group" }).id;
  const supergroup = control.createGroup({ title: "S" }).id;
  const ids = [];
  for (const chat_id of [42, 43, group, supergroup, 42]) {
    ids.push((await call("sendMessage", { chat_id, text: "x" })).body.result.message_id);
  }
  expect(ids).toEqual([1, 2, 3, 1, 4]);
  expect(supergroup).toBeLessThan(-(10 ** 12));
});

test.for([
  { title: "nothing at all", parameters: {}, text: "Bad Request: message text is empty" },
  {
    title: "blank text",
    parameters: { chat_id: 42, text: " \n" },
    text: "Bad Request: text must be non-empty",
  },
  { title: "no chat", parameters: { text: "x" }, text: "Bad Request: chat_id is empty" },
  {
    title: "an unknown chat",
    parameters: { chat_id: 999, text: "x" },
    text: "Bad Request: chat not found",
  },
  {
    title: "a user's name",
    parameters: { chat_id: "@ann", text: "x" },
    text: "Bad Request: chat not found",
  },
  {
    title: "4,097 characters",
    parameters: { chat_id: 42, text: "😀".repeat(4_097) },
    text: "Bad Request: message is too long",
  },
  {
    title: "an unknown reply",
    parameters: { chat_id: 42, text: "x", reply_parameters: { message_id: 9 } },
    text: "Bad Request: message to be replied not found",
  },
  {
    title: "markup that is not JSON",
    parameters: { chat_id: 42, text: "x", reply_markup: "{" },
    text: "Bad Request: can't parse reply keyboard markup JSON object",
  },
  {
    title: "markup that is no object",
    parameters: { chat_id: 42, text: "x", reply_markup: "[]" },
    text: "Bad Request: object expected as reply markup",
  },
  {
    title: "65 bytes of data",
    parameters: { chat_id: 42, text: "x", reply_markup: button("é".repeat(33)) },
    text: "Bad Request: BUTTON_DATA_INVALID",
  },
  {
    title: "a button that is only text",
    parameters: { chat_id: 42, text: "x", reply_markup: { inline_keyboard: [[{ text: "b" }]] } },
    text: "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
  },
  {
    title: "bad markup before a missing chat",
    parameters: { text: "<b>", parse_mode: "HTML" },
    text: `Bad Request: can't parse entities: Can't find end tag corresponding to start tag "b"`,
  },
])("refused: $title", async ({ parameters, text }) => {
  const { control, call } = await startConversation();
  const { status, body } = await call("sendMessage", parameters);
  expect([status, body.description]).toEqual([400, text]);
  expect(control.journal()[0]).toMatchObject({ executed: false, description: text });
});

test("4,096 characters pass, however many bytes they are", async () => {
  const { call } = await startConversation();
  expect((await call("sendMessage", { chat_id: 42, text: "😀".repeat(4_096) })).status).toBe(200);
});

test.for([
  {
    access: "not-started",
    chat: "user",
    text: "Forbidden: bot can't initiate conversation with a user",
  },
  { access: "blocked", chat: "user", text: "Forbidden: bot was blocked by the user" },
  { access: "deactivated", chat: "user", text: "Forbidden: user is deactivated" },
  { access: "kicked", chat: "group", text: "Forbidden: bot was kicked from the group chat" },
  {
    access: "kicked",
    chat: "supergroup",
    text: "Forbidden: bot was kicked from the supergroup chat",
  },
  {
    access: "not-member",
    chat: "channel",
    text: "Forbidden: bot is not a member of the channel chat",
  },
  { access: "deleted", chat: "group", text: "Forbidden: the group chat was deleted" },
] as const)("$access in a $chat", async ({ access, chat, text }) => {
  const { control, call } = await startConversation();
  const id = chat === "user" ? 42 : control.createGroup({ title: "G", type: chat }).id;
  control.setAccess({ chatId: id, access: access as Access });
  const { status, body } = await call("sendMessage", { chat_id: id, text: "x" });
  expect([status, body.description]).toEqual([403, text]);
  expect(
    (await call("sendMessage", { chat_id: id, text: "_", parse_mode: "MarkdownV2" })).status,
  ).toBe(400);
});

test("blocking is told to the bot, and writing again opens the chat", async () => {
  const { control, call } = await startConversation();
  control.setAccess({ chatId: 42, access: "blocked" });
  control.write({ userId: 42, text: "I am back" });
  const { body } = await call("getUpdates");
  const statuses = body.result.map(
    (update: { my_chat_member?: { new_chat_member: { status: string } } }) =>
      update.my_chat_member?.new_chat_member.status,
  );
  expect(statuses).toEqual(["kicked", "member", undefined]);
  expect((await call("sendMessage", { chat_id: 42, text: "x" })).status).toBe(200);
});

test("an upgraded group names its new id", async () => {
  const { control, call } = await startConversation();
  const { id } = control.createGroup({ title: "G", type: "group", memberIds: [42] });
  const { migrateToChatId } = control.migrate({ chatId: id });
  const { body } = await call("sendMessage", { chat_id: id, text: "x" });
  expect(body).toEqual({
    ok: false,
    error_code: 400,
    description: "Bad Request: group chat was upgraded to a supergroup chat",
    parameters: { migrate_to_chat_id: migrateToChatId },
  });
  expect((await call("sendMessage", { chat_id: migrateToChatId, text: "x" })).status).toBe(200);
});

test("a reply quotes one message, and may be sent without it", async () => {
  const { control, call } = await startConversation();
  const { message } = control.write({ userId: 42, text: "question" });
  const first = await call("sendMessage", {
    chat_id: 42,
    text: "answer",
    reply_parameters: { message_id: message.message_id },
  });
  expect(first.body.result.reply_to_message).toEqual(message);
  const second = await call("sendMessage", {
    chat_id: 42,
    text: "deep",
    reply_to_message_id: first.body.result.message_id,
  });
  expect(second.body.result.reply_to_message.reply_to_message).toBeUndefined();
  const free = { message_id: 999, allow_sending_without_reply: true };
  expect(
    (await call("sendMessage", { chat_id: 42, text: "x", reply_parameters: free })).status,
  ).toBe(200);
});

test("copies and forwards skip what is not there", async () => {
  const { control, call } = await startConversation();
  control.createUser({ id: 43, firstName: "Ben", started: true });
  const { message } = control.write({ userId: 42, text: "pass it on" });
  const source = { chat_id: 43, from_chat_id: 42, message_id: message.message_id };
  expect((await call("copyMessage", source)).body.result).toEqual({ message_id: 2 });
  expect((await call("forwardMessage", source)).body.result.forward_origin).toMatchObject({
    type: "user",
    sender_user: { id: 42 },
  });
  expect((await call("copyMessage", { ...source, message_id: 99 })).body.description).toBe(
    "Bad Request: message to copy not found",
  );
  expect(
    (await call("forwardMessages", { ...source, message_ids: [1, 77] })).body.result,
  ).toHaveLength(1);
  expect((await call("copyMessages", { ...source, message_ids: [77] })).body.description).toBe(
    "Bad Request: messages can't be forwarded",
  );
});

test("an edit changes text and keyboard, and must change something", async () => {
  const { control, call } = await startConversation();
  await call("sendMessage", { chat_id: 42, text: "one", reply_markup: button("x") });
  const target = { chat_id: 42, message_id: 1 };
  const edited = await call("editMessageText", {
    ...target,
    text: "<b>two</b>",
    parse_mode: "HTML",
  });
  expect(edited.body.result).toMatchObject({ text: "two", edit_date: expect.any(Number) });
  expect(edited.body.result.reply_markup).toBeUndefined();
  const same = await call("editMessageText", { ...target, text: "<b>two</b>", parse_mode: "HTML" });
  expect(same.body.description).toBe(
    "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
  );
  expect(
    (await call("editMessageReplyMarkup", { ...target, reply_markup: button("y") })).status,
  ).toBe(200);
  expect(
    (await call("editMessageReplyMarkup", { ...target, reply_markup: button("y") })).status,
  ).toBe(400);
  expect(control.messages({ chatId: 42 })[0]).toMatchObject({
    text: "two",
    reply_markup: button("y"),
  });
});

test.for([
  {
    method: "editMessageText",
    parameters: { chat_id: 42, text: "x" },
    text: "message identifier is not specified",
  },
  {
    method: "editMessageText",
    parameters: { chat_id: 42, message_id: 9, text: "x" },
    text: "message to edit not found",
  },
  {
    method: "editMessageText",
    parameters: { chat_id: 42, message_id: 1, text: "x" },
    text: "message can't be edited",
  },
  {
    method: "editMessageText",
    parameters: { chat_id: 42, message_id: 3, text: "x" },
    text: "there is no text in the message to edit",
  },
  {
    method: "editMessageCaption",
    parameters: { chat_id: 42, message_id: 2, caption: "x" },
    text: "there is no caption in the message to edit",
  },
  {
    method: "deleteMessage",
    parameters: { chat_id: 42, message_id: 9 },
    text: "message to delete not found",
  },
  {
    method: "deleteMessages",
    parameters: { chat_id: 42 },
    text: "message identifiers are not specified",
  },
  {
    method: "deleteMessages",
    parameters: { chat_id: 42, message_ids: "{" },
    text: "can't parse message_ids JSON object",
  },
  {
    method: "deleteMessages",
    parameters: { chat_id: 42, message_ids: Array.from({ length: 101 }, (_, id) => id) },
    text: "too many message identifiers specified",
  },
  {
    method: "setMessageReaction",
    parameters: { chat_id: 42, message_id: 9 },
    text: "message to react not found",
  },
  {
    method: "pinChatMessage",
    parameters: { chat_id: 42, message_id: 9 },
    text: "message to pin not found",
  },
  { method: "unpinChatMessage", parameters: { chat_id: 42 }, text: "message to unpin not found" },
  {
    method: "sendChatAction",
    parameters: { chat_id: 42, action: "flying" },
    text: "wrong parameter action in request",
  },
  { method: "getFile", parameters: { file_id: "nonsense" }, text: "invalid file_id" },
  { method: "sendPhoto", parameters: { chat_id: 42 }, text: "there is no photo in the request" },
  {
    method: "sendPhoto",
    parameters: { chat_id: 42, photo: "nonsense" },
    text: "wrong file identifier/HTTP URL specified",
  },
  { method: "banChatMember", parameters: { chat_id: 42 }, text: "invalid user_id specified" },
  {
    method: "answerPreCheckoutQuery",
    parameters: { pre_checkout_query_id: "1" },
    text: 'parameter "error_message" is required',
  },
])("$method: $text", async ({ method, parameters, text }) => {
  const { control, call } = await startConversation();
  control.write({ userId: 42, text: "from Ann" });
  await call("sendMessage", { chat_id: 42, text: "from the bot" });
  await call("sendDice", { chat_id: 42 });
  const answer = await call(method, parameters);
  expect([answer.status, answer.body.description]).toEqual([400, `Bad Request: ${text}`]);
});

test("a message can be deleted for 48 hours, and many at once skip what is gone", async () => {
  const { control, call } = await startConversation();
  for (let number = 0; number < 3; number++) control.write({ userId: 42, text: "x" });
  expect((await call("deleteMessage", { chat_id: 42, message_id: 1 })).body.result).toBe(true);
  expect((await call("deleteMessages", { chat_id: 42, message_ids: [1, 2, 99] })).body.result).toBe(
    true,
  );
  expect(control.messages({ chatId: 42 }).map(({ message_id }) => message_id)).toEqual([3]);
  control.advanceClock({ ms: 48 * 3_600_000 });
  expect((await call("deleteMessage", { chat_id: 42, message_id: 3 })).body.description).toBe(
    "Bad Request: message can't be deleted for everyone",
  );
});

test("commands are kept by scope and language", async () => {
  const { call } = await startConversation();
  const commands = [{ command: "start", description: "开始" }];
  const place = { scope: { type: "chat", chat_id: 42 }, language_code: "zh" };
  expect((await call("setMyCommands", { commands, ...place })).body.result).toBe(true);
  expect((await call("getMyCommands", place)).body.result).toEqual(commands);
  expect((await call("getMyCommands")).body.result).toEqual([]);
  await call("deleteMyCommands", place);
  expect((await call("getMyCommands", place)).body.result).toEqual([]);
  expect(
    (await call("setMyCommands", { commands: [{ command: "Ä", description: "x" }] })).status,
  ).toBe(400);
});

test("close and logOut end the session as Telegram does", async () => {
  const { call, control } = await startConversation();
  expect((await call("close")).body.result).toBe(true);
  expect((await call("close")).body.description).toBe(
    "Bad Request: the bot has already been closed",
  );
  expect((await call("getMe")).status).toBe(200);
  control.write({ userId: 42, text: "lost" });
  expect((await call("logOut")).body.result).toBe(true);
  expect((await call("getMe")).body).toEqual({
    ok: false,
    error_code: 400,
    description: "Logged out",
  });
  control.advanceClock({ ms: 1_800_000 });
  expect((await call("getUpdates")).body.result).toEqual([]);
});
