/** The chat page in a browser: what a bot offers, and how a person takes it. */
import { afterAll, expect, test } from "vitest";
import { closeBrowser } from "../support/borrowed-page.ts";
import type { Loose } from "./bot-client.ts";
import { openPage } from "./page-client.ts";

afterAll(closeBrowser);

const timeout = 60_000;

test("a person sees what the bot says about itself, and chooses one of its commands", {
  timeout,
}, async (context) => {
  const { call, control, log, page, problems, show } = await openPage(context);
  await call("setMyDescription", { description: "Sells tea" });
  const commands = [
    { command: "shop", description: "What we sell" },
    { command: "help", description: "How it works" },
  ];
  await call("setMyCommands", { commands });
  await call("verifyUser", { user_id: 42, custom_description: "A real Ann" });
  await show("Ann");
  await page.getByRole("heading", { name: "Ann" }).getByTitle("A real Ann").waitFor();
  await log.getByText("Sells tea").waitFor();
  await page.getByRole("button", { name: "Start" }).click();
  await log.getByText("Sells tea").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Commands" }).click();
  await page.getByRole("button", { name: "/help How it works" }).waitFor();
  await page.getByRole("textbox", { name: "Message" }).fill("/sh");
  await page.getByRole("button", { name: "/help How it works" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "/shop What we sell" }).click();
  await log.getByText("/shop").waitFor();
  expect(control.messages({ chatId: 42 }).map(({ text }) => text)).toEqual(["/start", "/shop"]);
  expect(problems).toEqual([]);
});

test("a customer ticks a task in a business chat, and adds one", { timeout }, async (context) => {
  const { call, control, log, page, problems } = await openPage(context);
  control.createUser({ id: 43, firstName: "Ben", started: true });
  const { connectionId } = control.connectBusiness({ userId: 42 });
  control.writeBusiness({ connectionId, userId: 43, text: "Is it open?" });
  const tasks = [{ id: 1, text: "Pay" }];
  const others = { others_can_mark_tasks_as_done: true, others_can_add_tasks: true };
  const checklist = { title: "Before Friday", tasks, ...others };
  const chat = { business_connection_id: connectionId, chat_id: 43 };
  await call("sendChecklist", { ...chat, checklist });
  await page.getByRole("navigation", { name: "Chats" }).getByText("business").click();
  await log.getByText("✓", { exact: true }).waitFor();
  const question = control.messages({ chatId: 43, connectionId })[0]?.message_id;
  await call("readBusinessMessage", { ...chat, message_id: question });
  await log.getByText("✓✓", { exact: true }).waitFor();
  await log.getByRole("checkbox", { name: "Pay" }).check();
  await log.getByText("Ben marked “Pay” as done").waitFor();
  await log.getByText("1 of 1 done").waitFor();
  await log.getByRole("button", { name: "Add a task" }).click();
  await page.getByRole("dialog").getByLabel("Task").fill("Fetch");
  await page.getByRole("dialog").getByRole("button", { name: "Add" }).click();
  await log.getByRole("checkbox", { name: "Fetch" }).waitFor();
  const { result } = (await call("getUpdates")).body;
  const heard = result.map((update: Loose) => update.business_message).filter(Boolean);
  expect(heard.at(-2)?.checklist_tasks_done.marked_as_done_task_ids).toEqual([1]);
  expect(heard.at(-1)?.checklist_tasks_added.tasks).toEqual([{ id: 2, text: "Fetch" }]);
  expect(problems).toEqual([]);
});

test("a person chooses a way of shipping, and pays", { timeout }, async (context) => {
  const { call, log, page, problems, show } = await openPage(context);
  await show("Ann");
  const prices = [{ label: "Kettle", amount: 2_000 }];
  const provider = { provider_token: "1:TEST:any", currency: "EUR", is_flexible: true };
  const invoice = { title: "Kettle", description: "It whistles", payload: "p", prices };
  await call("sendInvoice", { chat_id: 42, ...invoice, ...provider });
  await log.getByRole("button", { name: "Pay €20.00" }).click();
  const dialog = page.getByRole("dialog", { name: "Pay for Kettle" });
  await dialog.getByLabel("Street and number").fill("Baker Street 221b");
  await dialog.getByRole("button", { name: "Continue" }).click();
  const hear = async () => (await call("getUpdates", { offset: -1 })).body.result[0] ?? {};
  await expect.poll(async () => (await hear()).shipping_query?.id).toBeTypeOf("string");
  const { id, shipping_address } = (await hear()).shipping_query;
  expect(shipping_address.street_line1).toBe("Baker Street 221b");
  const post = { id: "post", title: "By post", prices: [{ label: "Post", amount: 500 }] };
  await call("answerShippingQuery", { shipping_query_id: id, ok: true, shipping_options: [post] });
  await dialog.getByLabel("Shipping").selectOption({ label: "By post: €25.00 in all" });
  await dialog.getByRole("button", { name: "Pay" }).click();
  await expect.poll(async () => (await hear()).pre_checkout_query?.total_amount).toBe(2_500);
  const { pre_checkout_query: query } = await hear();
  await call("answerPreCheckoutQuery", { pre_checkout_query_id: query.id, ok: true });
  await log.getByText("You paid €25.00").waitFor();
  expect(problems).toEqual([]);
});

test("a keyboard's buttons make a poll and share a person, and one for one press goes away", {
  timeout,
}, async (context) => {
  const { call, log, page, problems, show } = await openPage(context);
  await show("Ann");
  const friend = { text: "A friend", request_users: { request_id: 7 } };
  const keyboard = [[{ text: "A poll", request_poll: {} }, friend]];
  await call("sendMessage", { chat_id: 42, text: "Choose", reply_markup: { keyboard } });
  const keys = page.getByRole("group", { name: "Reply keyboard" });
  await keys.getByRole("button", { name: "A poll" }).click();
  await page
    .getByRole("dialog", { name: "New poll" })
    .getByRole("button", { name: "Send" })
    .click();
  await log.getByRole("button", { name: "Yes" }).waitFor();
  await keys.getByRole("button", { name: "A friend" }).click();
  await page
    .getByRole("dialog", { name: "A friend" })
    .getByRole("button", { name: "Share" })
    .click();
  await log.getByText("You shared a person").waitFor();
  const { result } = (await call("getUpdates")).body;
  expect(result[0].message.poll.question).toBe("Tea?");
  expect(result[1].message.users_shared).toMatchObject({ request_id: 7, user_ids: [42] });
  const once = { keyboard: [["Once"]], one_time_keyboard: true };
  await call("sendMessage", { chat_id: 42, text: "Now", reply_markup: once });
  await keys.getByRole("button", { name: "Once" }).click();
  await keys.waitFor({ state: "hidden" });
  expect(problems).toEqual([]);
});

test("links start the bot, buttons begin an inline query, and a question begins an answer", {
  timeout,
}, async (context) => {
  const { call, control, log, page, problems, show } = await openPage(context);
  await show("Ann");
  const { username } = control.botProfile({ userId: 42 });
  const text = `Begin: https://t.me/${username}?start=from-a-link`;
  const inline_keyboard = [[{ text: "Search", switch_inline_query_current_chat: "tea" }]];
  await call("sendMessage", { chat_id: 42, text, reply_markup: { inline_keyboard } });
  await log.getByRole("link").click();
  await log.getByText("/start from-a-link").waitFor();
  await log.getByRole("button", { name: "Search" }).click();
  const field = page.getByRole("textbox", { name: "Message" });
  expect(await field.inputValue()).toBe(`@${username} tea`);
  await field.fill("");
  await call("sendMessage", {
    chat_id: 42,
    text: "Your name?",
    reply_markup: { force_reply: true },
  });
  await page.getByRole("button", { name: "Cancel" }).waitFor();
  await field.fill("Ann");
  await page.keyboard.press("Enter");
  await log.getByText("Ann", { exact: true }).last().waitFor();
  await expect
    .poll(() => control.messages({ chatId: 42 }).at(-1))
    .toMatchObject({ text: "Ann", reply_to_message: { text: "Your name?" } });
  expect(problems).toEqual([]);
});
