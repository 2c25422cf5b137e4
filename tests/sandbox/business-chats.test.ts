/** Business chats: an account's owner and its customer, and the checklists that they tick. */
import { expect, test } from "vitest";
import { type Loose, startConversation } from "./bot-client.ts";

/** Ann has a business, and Ben is her customer. */
async function business() {
  const started = await startConversation({ pacing: false });
  const { control } = started;
  control.createUser({ id: 43, firstName: "Ben", started: true });
  const ask = async (method: string, parameters: object = {}): Promise<Loose> => {
    const { body } = await started.call(method, parameters);
    return body.ok ? body.result : body.description;
  };
  const hear = async (): Promise<Loose> => (await ask("getUpdates", { offset: -1 }))[0];
  const { connectionId } = control.connectBusiness({ userId: 42 });
  control.writeBusiness({ connectionId, userId: 43, text: "is it open?" });
  const chat = { chatId: 43, connectionId };
  const bot = { business_connection_id: connectionId, chat_id: 43 };
  const lists = async (options: object = {}) => {
    const tasks = ["sweep", "water"].map((text, index) => ({ id: index + 1, text }));
    return ask("sendChecklist", { ...bot, checklist: { title: "Today", tasks, ...options } });
  };
  return { ...started, ask, bot, chat, connectionId, hear, lists };
}

test("owner and customer write, edit and delete in their chat, and the bot hears of all", async () => {
  const { chat, connectionId, control, hear } = await business();
  const { message } = control.write({ userId: 42, ...chat, text: "yes, till six" });
  expect((await hear()).business_message).toMatchObject({
    business_connection_id: connectionId,
    from: { id: 42 },
    chat: { id: 43 },
  });
  const own = { userId: 42, ...chat, messageId: message.message_id };
  control.edit({ ...own, text: "yes, till seven" });
  expect((await hear()).edited_business_message.text).toBe("yes, till seven");
  control.erase(own);
  expect((await hear()).deleted_business_messages).toMatchObject({
    message_ids: [message.message_id],
  });
  expect(() => control.write({ userId: 44, ...chat, text: "me too" })).toThrow("only the customer");
});

test("a business chat is listed beside the bot's own chat with the same person", async () => {
  const { chat, connectionId, control } = await business();
  const listed = control.chats().filter((summary) => summary.chat.id === 43);
  expect(listed.map((summary) => summary.business)).toEqual([
    undefined,
    { connectionId, ownerId: 42, readMessageId: 0 },
  ]);
  expect([control.messages(chat).length, control.messages({ chatId: 43 }).length]).toEqual([1, 0]);
});

test("the owner ticks tasks, and takes a tick back; the bot hears which", async () => {
  const { chat, control, hear, lists } = await business();
  const sent = await lists();
  const place = { userId: 42, ...chat, messageId: sent.message_id };
  const tasks = () =>
    control.messages(chat).find(({ message_id }) => message_id === sent.message_id)?.["checklist"];
  control.markTasks({ ...place, done: [1, 2] });
  expect((await hear()).business_message.checklist_tasks_done).toMatchObject({
    checklist_message: { message_id: sent.message_id },
    marked_as_done_task_ids: [1, 2],
  });
  control.markTasks({ ...place, undone: [2] });
  expect((await hear()).business_message.checklist_tasks_done).toMatchObject({
    marked_as_not_done_task_ids: [2],
  });
  const [sweep, water] = (tasks() as Loose).tasks;
  expect([sweep.completed_by_user.id, water.completed_by_user]).toEqual([42, undefined]);
  expect(() => control.markTasks({ ...place, done: [3] })).toThrow("no task 3");
});

test("a customer ticks and adds tasks only where the checklist lets them", async () => {
  const { chat, control, hear, lists } = await business();
  const closed = { userId: 43, ...chat, messageId: (await lists()).message_id };
  expect(() => control.markTasks({ ...closed, done: [1] })).toThrow("does not let others");
  expect(() => control.addTasks({ ...closed, texts: ["rake"] })).toThrow("does not let others");
  const open = { others_can_add_tasks: true, others_can_mark_tasks_as_done: true };
  const place = { ...closed, messageId: (await lists(open)).message_id };
  control.addTasks({ ...place, texts: ["rake"] });
  expect((await hear()).business_message.checklist_tasks_added.tasks).toEqual([
    { id: 3, text: "rake" },
  ]);
  control.markTasks({ ...place, done: [3] });
  expect((await hear()).business_message.checklist_tasks_done.marked_as_done_task_ids).toEqual([3]);
});

test("a poll of the bot in a business chat is voted in there", async () => {
  const { ask, bot, chat, control } = await business();
  const poll = await ask("sendPoll", { ...bot, question: "When?", options: ["now", "later"] });
  control.vote({ userId: 43, ...chat, messageId: poll.message_id, optionIds: [0] });
  expect(control.messages(chat).at(-1)?.["poll"]).toMatchObject({ total_voter_count: 1 });
});

test("a customer's message is read when the bot says so", async () => {
  const { ask, bot, chat, control } = await business();
  const read = () =>
    control.chats().find((summary) => summary.business !== undefined)?.business?.readMessageId;
  const message_id = control.messages(chat).at(-1)?.message_id;
  expect(await ask("readBusinessMessage", { ...bot, message_id: 999 })).toBe(
    "Bad Request: MESSAGE_ID_INVALID",
  );
  expect(read()).toBe(0);
  expect(await ask("readBusinessMessage", { ...bot, message_id })).toBe(true);
  expect(read()).toBe(message_id);
});
