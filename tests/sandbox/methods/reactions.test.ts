/** Reactions: the bot's and people's, and what the bot hears. */
import { expect, test } from "vitest";
import { startConversation } from "../bot-client.ts";

const thumb = { type: "emoji", emoji: "👍" };

async function messageInGroup(botRights?: readonly string[]) {
  const started = await startConversation();
  const rights = botRights ? { botRights } : {};
  const chatId = started.control.createGroup({ title: "G", memberIds: [42], ...rights }).id;
  const { message } = started.control.write({ userId: 42, chatId, text: "hi" });
  const allowed_updates = ["message_reaction"];
  await started.call("getUpdates", { allowed_updates });
  return { ...started, chatId, messageId: message.message_id };
}

test("the bot's reaction and a person's stand under the message together", async () => {
  const { call, chatId, control, messageId } = await messageInGroup();
  const target = { chat_id: chatId, message_id: messageId };
  await call("setMessageReaction", { ...target, reaction: [thumb] });
  control.react({ userId: 42, chatId, messageId, reactions: ["👍", "❤"] });
  expect(control.reactions({ chatId })).toEqual([
    {
      messageId,
      reactions: [
        { type: thumb, total_count: 2 },
        { type: { type: "emoji", emoji: "❤" }, total_count: 1 },
      ],
    },
  ]);
  await call("setMessageReaction", target);
  expect(control.reactions({ chatId })[0]?.reactions[0]?.total_count).toBe(1);
});

test("an administrator hears of a reaction with what stood before it; a member does not", async () => {
  const { call, chatId, control, messageId } = await messageInGroup();
  control.react({ userId: 42, chatId, messageId, reactions: ["👍"] });
  control.react({ userId: 42, chatId, messageId, reactions: [] });
  const { result } = (await call("getUpdates", { offset: -1 })).body;
  expect(result[0].message_reaction).toMatchObject({
    message_id: messageId,
    user: { id: 42 },
    old_reaction: [thumb],
    new_reaction: [],
  });
  const member = await messageInGroup([]);
  const place = { chatId: member.chatId, messageId: member.messageId };
  expect(member.control.react({ userId: 42, ...place, reactions: ["👍"] }).updateId).toBeNull();
});

test.for([
  [[thumb, { type: "emoji", emoji: "❤" }], "REACTIONS_TOO_MANY"],
  [[{ type: "emoji", emoji: "🚲" }], "REACTION_INVALID"],
  [[{ type: "paid" }], "REACTION_INVALID"],
  [[{ type: "x" }], "can't parse ReactionType: invalid reaction type specified"],
  ["x", "can't parse reaction types JSON object"],
] as const)("refused: %j", async ([reaction, text]) => {
  const { call, chatId, messageId } = await messageInGroup();
  const answer = await call("setMessageReaction", {
    chat_id: chatId,
    message_id: messageId,
    reaction,
  });
  expect(answer.body.description).toBe(`Bad Request: ${text}`);
});

test("a moderator takes one person's reactions away, from one message or from all", async () => {
  const { call, chatId, control, messageId } = await messageInGroup();
  control.react({ userId: 42, chatId, messageId, reactions: ["👍"] });
  control.react({ userId: 43, chatId, messageId, reactions: ["👍"] });
  await call("deleteMessageReaction", { chat_id: chatId, message_id: messageId, user_id: 42 });
  expect(control.reactions({ chatId })[0]?.reactions[0]?.total_count).toBe(1);
  await call("deleteAllMessageReactions", { chat_id: chatId, user_id: 43 });
  expect(control.reactions({ chatId })[0]?.reactions).toEqual([]);
});
