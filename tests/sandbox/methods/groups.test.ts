/** Groups: members, rights, invite links, topics, pins and the chat's profile. */
import { expect, test } from "vitest";
import { type Loose, startConversation } from "../bot-client.ts";

async function group(options: object = {}) {
  const started = await startConversation();
  started.control.createUser({ id: 43, firstName: "Ben", started: true });
  const made = started.control.createGroup({ title: "G", memberIds: [42, 43], ...options });
  const ask = async (method: string, parameters: object = {}): Promise<Loose> => {
    const { body } = await started.call(method, { chat_id: made.id, ...parameters });
    return body.ok ? body.result : body.description;
  };
  return { ...started, ask, chatId: made.id };
}

test("a member is promoted with a title, restricted, banned and let in again", async () => {
  const { ask } = await group();
  const person = { user_id: 43 };
  const status = async () => (await ask("getChatMember", person)).status;
  await ask("promoteChatMember", { ...person, can_pin_messages: true });
  await ask("setChatAdministratorCustomTitle", { ...person, custom_title: "Judge" });
  expect(await ask("getChatMember", person)).toMatchObject({
    status: "administrator",
    can_pin_messages: true,
    can_change_info: false,
    custom_title: "Judge",
  });
  const listed = await ask("getChatAdministrators");
  expect(listed.map((member: Loose) => member.status)).toEqual(["creator", "administrator"]);
  await ask("promoteChatMember", person);
  await ask("restrictChatMember", { ...person, permissions: { can_send_messages: true } });
  expect(await ask("getChatMember", person)).toMatchObject({
    status: "restricted",
    can_send_messages: true,
    can_send_polls: false,
  });
  await ask("banChatMember", person);
  expect([await status(), await ask("getChatMemberCount")]).toEqual(["kicked", 2]);
  await ask("unbanChatMember", person);
  expect(await status()).toBe("left");
});

test.for([
  ["pinChatMessage", {}, "not enough rights to manage pinned messages in the chat"],
  ["banChatMember", { user_id: 43 }, "not enough rights to restrict/unrestrict chat member"],
  ["setChatTitle", { title: "x" }, "not enough rights to change chat title"],
  ["createChatInviteLink", {}, "not enough rights to manage chat invite link"],
  ["createForumTopic", { name: "x" }, "not enough rights to manage topics"],
  ["promoteChatMember", { user_id: 43 }, "not enough rights"],
  ["deleteMessage", {}, "message can't be deleted"],
] as const)("a bot without the right is refused: %s", async ([method, parameters, text]) => {
  const { ask, chatId, control } = await group({ forum: true, botRights: [] });
  const { message_id } = control.write({ userId: 42, chatId, text: "x" }).message;
  const given = { ...parameters, message_id };
  expect(await ask(method, given)).toBe(`Bad Request: ${text}`);
  control.setMember({ chatId, status: "administrator" });
  expect(JSON.stringify(await ask(method, given))).not.toContain("Bad Request: not enough");
});

test("a link lets people in, and one that asks makes a request that the bot answers", async () => {
  const { ask, call, chatId, control } = await group();
  const one = await ask("createChatInviteLink", { name: "one", member_limit: 1 });
  expect(control.join({ userId: 50, chatId, link: one.invite_link }).waiting).toBe(false);
  expect(() => control.join({ userId: 51, chatId, link: one.invite_link })).toThrow("not valid");
  const asking = await ask("createChatInviteLink", { creates_join_request: true });
  expect(control.join({ userId: 52, chatId, link: asking.invite_link }).waiting).toBe(true);
  const { result } = (await call("getUpdates", { offset: -1 })).body;
  expect(result[0].chat_join_request).toMatchObject({ from: { id: 52 }, invite_link: asking });
  expect(await ask("approveChatJoinRequest", { user_id: 52 })).toBe(true);
  expect((await ask("getChatMember", { user_id: 52 })).status).toBe("member");
  expect(await ask("approveChatJoinRequest", { user_id: 52 })).toBe(
    "Bad Request: USER_ALREADY_PARTICIPANT",
  );
  await ask("revokeChatInviteLink", { invite_link: asking.invite_link });
  expect(() => control.join({ userId: 53, chatId, link: asking.invite_link })).toThrow("not valid");
  const primary = await ask("exportChatInviteLink");
  expect((await ask("getChat")).invite_link).toBe(primary);
});

test("a topic is made, renamed, closed and deleted with its messages; people write in it", async () => {
  const { ask, chatId, control } = await group({ forum: true });
  const { message_thread_id } = await ask("createForumTopic", { name: "News" });
  const here = { message_thread_id };
  const sent = await ask("sendMessage", { ...here, text: "in the topic" });
  expect(sent).toMatchObject({ ...here, is_topic_message: true });
  const written = control.write({
    userId: 42,
    chatId,
    threadId: message_thread_id,
    text: "me too",
  });
  expect(written.message).toMatchObject(here);
  const answer = { reply_parameters: { message_id: written.message.message_id }, text: "yes" };
  expect(await ask("sendMessage", answer)).toMatchObject(here);
  await ask("editForumTopic", { ...here, name: "Old news" });
  await ask("closeForumTopic", here);
  expect(control.chats().at(-1)?.topics.at(-1)).toMatchObject({ name: "Old news", closed: true });
  expect(() =>
    control.write({ userId: 42, chatId, threadId: message_thread_id, text: "late" }),
  ).toThrow("closed");
  await ask("deleteForumTopic", here);
  expect(await ask("sendMessage", { ...here, text: "x" })).toBe(
    "Bad Request: message thread not found",
  );
  expect(control.messages({ chatId }).filter((message) => message.message_thread_id)).toEqual([]);
});

test("the latest pin is the chat's, and pinning is told by a service message", async () => {
  const { ask, chatId, control } = await group();
  const first = (await ask("sendMessage", { text: "one" })).message_id;
  const second = (await ask("sendMessage", { text: "two" })).message_id;
  await ask("pinChatMessage", { message_id: first });
  await ask("pinChatMessage", { message_id: second });
  expect((await ask("getChat")).pinned_message.text).toBe("two");
  expect(control.messages({ chatId }).at(-1)?.["pinned_message"]).toMatchObject({ text: "two" });
  await ask("unpinChatMessage");
  expect((await ask("getChat")).pinned_message.text).toBe("one");
});

test("title, description and permissions of a chat can be read back", async () => {
  const { ask } = await group();
  await ask("setChatTitle", { title: "New name" });
  await ask("setChatDescription", { description: "About it" });
  await ask("setChatPermissions", { permissions: { can_send_polls: true } });
  const { description, permissions, title } = await ask("getChat");
  expect([title, description]).toEqual(["New name", "About it"]);
  expect([permissions.can_send_polls, permissions.can_send_messages]).toEqual([true, false]);
  expect(await ask("setChatDescription", { description: "About it" })).toBe(
    "Bad Request: chat description is not modified",
  );
});
