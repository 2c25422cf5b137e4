/** What people do beside writing: they send files and places, edit, delete, suggest and publish. */
import { expect, test } from "vitest";
import { type Loose, startConversation } from "./bot-client.ts";

const content = Buffer.from("not really a picture").toString("base64");

async function setup() {
  const started = await startConversation({ pacing: false });
  const ask = async (method: string, parameters: object = {}): Promise<Loose> => {
    const { body } = await started.call(method, parameters);
    return body.ok ? body.result : body.description;
  };
  const hear = async (): Promise<Loose> => (await ask("getUpdates", { offset: -1 }))[0];
  return { ...started, ask, hear };
}

test("a person sends a photo with a caption, and the bot can download it", async () => {
  const { ask, control, hear, url } = await setup();
  const { message } = control.attach({
    userId: 42,
    attachment: { kind: "photo", content, fileName: "a.jpg" },
    caption: "look /here",
  });
  const heard = (await hear()).message;
  expect(heard).toEqual(message);
  expect(heard).toMatchObject({
    caption: "look /here",
    caption_entities: [{ type: "bot_command", offset: 5, length: 5 }],
  });
  const { file_path } = await ask("getFile", { file_id: heard.photo[0].file_id });
  const { token } = control.describe();
  const download = await fetch(`${url}/file/bot${token}/${file_path}`);
  expect(await download.text()).toBe("not really a picture");
});

test("a person sends a voice message, a place and a contact, in answer to a message", async () => {
  const { control, hear } = await setup();
  const { message_id } = control.write({ userId: 42, text: "hello" }).message;
  const place = { userId: 42, replyToMessageId: message_id };
  control.attach({ ...place, attachment: { kind: "voice", content } });
  expect((await hear()).message).toMatchObject({
    voice: { duration: 1 },
    reply_to_message: { message_id },
  });
  const location = { kind: "location", latitude: 1.5, longitude: -2 } as const;
  control.attach({ ...place, attachment: location });
  expect((await hear()).message.location).toEqual({ latitude: 1.5, longitude: -2 });
  const contact = { kind: "contact", phoneNumber: "+1", firstName: "Ann", userId: 42 } as const;
  control.attach({ ...place, attachment: contact });
  expect((await hear()).message.contact).toMatchObject({ phone_number: "+1", user_id: 42 });
  const nowhere = { ...location, latitude: 91 };
  expect(() => control.attach({ ...place, attachment: nowhere })).toThrow("latitude");
});

test("a person edits their own message, and the bot hears of the new text", async () => {
  const { ask, control, hear } = await setup();
  const { message_id: messageId } = control.write({ userId: 42, text: "tee" }).message;
  control.edit({ userId: 42, messageId, text: "tea" });
  const { edited_message: edited } = await hear();
  expect(edited).toMatchObject({ message_id: messageId, text: "tea" });
  expect(edited.edit_date).toBeGreaterThan(0);
  const { message_id } = await ask("sendMessage", { chat_id: 42, text: "mine" });
  const others = { userId: 42, messageId: message_id, text: "yours" };
  expect(() => control.edit(others)).toThrow("only its author");
});

test("a message that a person deletes is gone for the bot, which is not told", async () => {
  const { ask, control, hear } = await setup();
  const { message_id: messageId } = control.write({ userId: 42, text: "oops" }).message;
  const before = await hear();
  expect(control.erase({ userId: 42, messageId })).toEqual({ updateId: null });
  expect(await hear()).toEqual(before);
  const reply_parameters = { message_id: messageId };
  expect(await ask("sendMessage", { chat_id: 42, text: "?", reply_parameters })).toBe(
    "Bad Request: message to be replied not found",
  );
});

test("a suggested post is approved once, or declined with a comment", async () => {
  const { ask, control, hear } = await setup();
  const group = { title: "Channel's", memberIds: [42], directMessages: true };
  const chatId = control.createGroup(group).id;
  const suggest = (text: string) =>
    control.suggestPost({ userId: 42, chatId, text, stars: 5 }).message.message_id;
  const message_id = suggest("an idea");
  expect((await hear()).message).toMatchObject({
    suggested_post_info: { state: "pending", price: { currency: "XTR", amount: 5 } },
    direct_messages_topic: { topic_id: 42 },
  });
  expect(await ask("approveSuggestedPost", { chat_id: chatId, message_id })).toBe(true);
  expect(await ask("approveSuggestedPost", { chat_id: chatId, message_id })).toContain("anymore");
  const second = { chat_id: chatId, message_id: suggest("another") };
  expect(await ask("declineSuggestedPost", { ...second, comment: "no" })).toBe(true);
  expect(control.messages({ chatId }).at(-1)).toMatchObject({
    suggested_post_declined: { comment: "no" },
  });
});

test("a sticker set that somebody has published can be read and sent", async () => {
  const { ask, control } = await setup();
  control.createStickerSet({ name: "Cats", title: "All cats", emojis: ["😺", "😼"] });
  const { stickers, title } = await ask("getStickerSet", { name: "cats" });
  expect([title, stickers.map(({ emoji }: Loose) => emoji)]).toEqual(["All cats", ["😺", "😼"]]);
  const sticker = stickers[1].file_id;
  expect((await ask("sendSticker", { chat_id: 42, sticker })).sticker.file_id).toBe(sticker);
});

test("an invite link shows its chat, and lets in whoever follows it", async () => {
  const { ask, control } = await setup();
  const chatId = control.createGroup({ title: "Tea" }).id;
  const asking = { chat_id: chatId, creates_join_request: true };
  const link = (await ask("createChatInviteLink", asking)).invite_link;
  expect(control.invitation({ link })).toMatchObject({
    chat: { title: "Tea" },
    members: 0,
    asksToJoin: true,
  });
  expect(control.join({ userId: 42, link })).toMatchObject({ waiting: true });
  expect(await ask("approveChatJoinRequest", { chat_id: chatId, user_id: 42 })).toBe(true);
  expect(control.invitation({ link }).members).toBe(1);
  expect(() => control.invitation({ link: "https://t.me/+none" })).toThrow("no such link");
});

test("a person pays for media once", async () => {
  const { ask, control } = await setup();
  const media = [{ type: "photo", media: "https://example.com/a.png" }];
  const { message_id } = await ask("sendPaidMedia", { chat_id: 42, star_count: 5, media });
  const buying = { userId: 42, chatId: 42, messageId: message_id };
  control.buyMedia(buying);
  expect(() => control.buyMedia(buying)).toThrow("bought it already");
  expect(await ask("getMyStarBalance")).toEqual({ amount: 5 });
});

test("an anonymous administrator writes as the group, signed with their title", async () => {
  const { ask, control, hear } = await setup();
  const chat_id = control.createGroup({ title: "Tea", memberIds: [1, 42] }).id;
  await ask("promoteChatMember", { chat_id, user_id: 42, is_anonymous: true });
  await ask("setChatAdministratorCustomTitle", { chat_id, user_id: 42, custom_title: "Host" });
  control.write({ userId: 42, chatId: chat_id, text: "Who am I?" });
  expect((await hear()).message).toMatchObject({
    from: { username: "GroupAnonymousBot" },
    sender_chat: { id: chat_id },
    author_signature: "Host",
  });
});

test("a rich message has the blocks of its HTML and of its Markdown", async () => {
  const { ask } = await setup();
  const send = async (rich_message: object) =>
    (await ask("sendRichMessage", { chat_id: 42, rich_message })).rich_message.blocks;
  const html =
    "<h2>Tea</h2><p>A <b>green</b> one</p><ol><li>boil</li><li>pour</li></ol><hr><blockquote>ah</blockquote>";
  expect(await send({ html })).toEqual([
    { type: "heading", text: "Tea", size: 2 },
    { type: "paragraph", text: ["A ", { type: "bold", text: "green" }, " one"] },
    {
      type: "list",
      items: [
        { label: "1.", blocks: [{ type: "paragraph", text: "boil" }] },
        { label: "2.", blocks: [{ type: "paragraph", text: "pour" }] },
      ],
    },
    { type: "divider" },
    { type: "blockquote", blocks: [{ type: "paragraph", text: "ah" }] },
  ]);
  const markdown = "# Tea\nof two\nlines\n\n- boil\n- pour\n\n```sh\nmake tea\n```\n> ah";
  expect(await send({ markdown })).toEqual([
    { type: "heading", text: "Tea", size: 1 },
    { type: "paragraph", text: "of two\nlines" },
    {
      type: "list",
      items: ["boil", "pour"].map((text) => ({
        label: "•",
        blocks: [{ type: "paragraph", text }],
      })),
    },
    { type: "pre", text: "make tea", language: "sh" },
    { type: "blockquote", blocks: [{ type: "paragraph", text: "ah" }] },
  ]);
});
