/** The chat page in a browser: what people do with polls, reactions, topics, pins and drafts. */
import { afterAll, expect, test } from "vitest";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { closeBrowser } from "../support/borrowed-page.ts";
import { openPage, screenshot } from "./page-client.ts";

afterAll(closeBrowser);

/** One point, which a browser can draw. */
const picture = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

test("a person votes and reacts, and sees what came of it", {
  timeout: 60_000,
}, async (context) => {
  const { call, control, log, page, problems, show } = await openPage(context);
  await show("Ann");
  const poll = { chat_id: 42, question: "Tea?", options: ["yes", "no"], is_anonymous: false };
  await call("sendPoll", poll);
  await log.getByRole("button", { name: "yes" }).click();
  await log.getByText("1 vote").waitFor();
  await log.getByText("100%").waitFor();
  await log.getByRole("article").getByText("Tea?").click({ button: "right" });
  await page.getByRole("menu", { name: "Message menu" }).getByText("🔥").click();
  await log.getByRole("button", { name: "🔥, 1" }).waitFor();
  if (screenshot) await page.screenshot({ path: screenshot });
  const updates = (await call("getUpdates")).body.result;
  expect(updates.at(-1).poll_answer).toMatchObject({ option_ids: [0] });
  expect(control.reactions({ chatId: 42 })[0]?.reactions).toMatchObject([{ total_count: 1 }]);
  await log.getByRole("button", { name: "🔥, 1" }).click();
  await log.getByRole("button", { name: "🔥, 1" }).waitFor({ state: "detached" });
  expect(problems).toEqual([]);
});

test("a person writes in a topic, and sees the pinned message", {
  timeout: 60_000,
}, async (context) => {
  const { call, chatId, control, log, page, problems, show } = await openPage(context);
  const { message_thread_id } = (await call("createForumTopic", { chat_id: chatId, name: "News" }))
    .body.result;
  const sent = await call("sendMessage", { chat_id: chatId, text: "in the general topic" });
  await call("pinChatMessage", { chat_id: chatId, message_id: sent.body.result.message_id });
  await show("Forum");
  await page.getByRole("button", { name: "📌 in the general topic" }).waitFor();
  const topics = page.getByRole("navigation", { name: "Topics" });
  await topics.getByRole("button", { name: "News" }).click();
  await log.getByText("in the general topic").first().waitFor({ state: "detached" });
  await page.getByRole("textbox", { name: "Message" }).fill("from the page");
  await page.keyboard.press("Enter");
  await log.getByText("from the page").waitFor();
  expect(control.messages({ chatId }).at(-1)).toMatchObject({ message_thread_id });
  if (screenshot) await page.screenshot({ path: screenshot.replace(".png", "-topics.png") });
  await page.setViewportSize({ width: 390, height: 800 });
  await page.emulateMedia({ colorScheme: "dark" });
  if (screenshot) await page.screenshot({ path: screenshot.replace(".png", "-phone.png") });
  expect(problems).toEqual([]);
});

test("a draft grows on the page until the message is there", {
  timeout: 60_000,
}, async (context) => {
  const { call, log, page, problems, show } = await openPage(context);
  await show("Ann");
  await call("sendMessageDraft", { chat_id: 42, draft_id: 1, text: "Once upon" });
  await page.getByText("Once upon").waitFor();
  await call("sendMessage", { chat_id: 42, text: "Once upon a time" });
  await log.getByText("Once upon a time").waitFor();
  await page.locator("#draft").waitFor({ state: "hidden" });
  expect(problems).toEqual([]);
});

test("a message that comes while the page asks for those before it is shown as well", {
  timeout: 60_000,
}, async (context) => {
  const { call, log, page, problems, show } = await openPage(context);
  const told = Promise.withResolvers<void>();
  await page.route("**/sandbox/messages", async (route) => {
    const response = await route.fetch();
    await call("sendMessage", { chat_id: 42, text: "just now" });
    await told.promise;
    await route.fulfill({ response });
  });
  await show("Ann");
  await log.getByText("just now").waitFor();
  const answered = page.waitForResponse("**/sandbox/messages");
  told.resolve();
  await answered;
  await log.getByText("just now").waitFor();
  // The answer was drawn, and the message after it.
  expect(await log.locator(".introduction").count()).toBe(0);
  expect(await log.getByText("just now").count()).toBe(1);
  expect(problems).toEqual([]);
});

test("a person answers, edits and deletes, sends a picture, a place, a contact and a voice", {
  timeout: 60_000,
}, async (context) => {
  const { call, control, log, page, problems, show } = await openPage(context);
  await show("Ann");
  await call("sendMessage", { chat_id: 42, text: "What would you like?" });
  const field = page.getByRole("textbox", { name: "Message" });
  const choose = async (text: string, item: string) => {
    await log.getByText(text, { exact: true }).click({ button: "right" });
    await page.getByRole("menuitem", { name: item }).click();
  };
  const last = () => control.messages({ chatId: 42 }).at(-1);

  await choose("What would you like?", "Reply");
  await field.fill("Tee");
  await page.keyboard.press("Enter");
  await log.getByText("Tee", { exact: true }).waitFor();
  expect(last()).toMatchObject({ reply_to_message: { text: "What would you like?" } });
  await choose("Tee", "Edit");
  expect(await field.inputValue()).toBe("Tee");
  await field.fill("Tea, please");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await log.getByText("edited").waitFor();
  const edited = (await call("getUpdates", { offset: -1 })).body.result[0];
  expect(edited.edited_message.text).toBe("Tea, please");

  const attach = (item: string) => async () => {
    await page.getByRole("button", { name: "Attach" }).click();
    await page.getByRole("menuitem", { name: item }).click();
  };
  const chooser = page.waitForEvent("filechooser");
  await attach("Photo or video")();
  await (await chooser).setFiles({ name: "a.png", mimeType: "image/png", buffer: picture });
  const image = log.getByRole("img", { name: /Photo/ });
  await image.waitFor();
  await expect
    .poll(() => image.evaluate((shown) => (shown as unknown as { width: number }).width > 0))
    .toBe(true);
  for (const [item, field] of [
    ["Location", "location"],
    ["Contact", "contact"],
  ] as const) {
    await attach(item)();
    await page.getByRole("dialog").getByRole("button", { name: "Send" }).click();
    await expect.poll(() => last()?.[field]).toBeDefined();
  }
  await page.getByRole("button", { name: "Send a voice message" }).click();
  await log.getByRole("button", { name: "Play" }).waitFor();
  await choose("Tea, please", "Delete");
  await log.getByText("Tea, please").first().waitFor({ state: "detached" });
  if (screenshot) await page.screenshot({ path: screenshot.replace(".png", "-attach.png") });
  expect(problems).toEqual([]);
});

test("a person joins by a link, pays an invoice, and pays for what is hidden", {
  timeout: 60_000,
}, async (context) => {
  const { call, control, log, page, problems, show } = await openPage(context);
  await show("Ann");
  const club = control.createGroup({ title: "Tea club" }).id;
  const invite = (await call("exportChatInviteLink", { chat_id: club })).body.result;
  await call("sendMessage", { chat_id: 42, text: `Come in: ${invite}` });
  await log.getByRole("link").click();
  await page.getByRole("dialog", { name: "Tea club" }).getByText("Join").click();
  await page.getByText("You have joined Tea club").waitFor();

  const prices = [{ label: "Tea", amount: 5 }];
  const offer = { title: "Tea", description: "A pot", payload: "p", currency: "XTR", prices };
  await call("sendInvoice", { chat_id: 42, ...offer });
  await log.getByRole("button", { name: /Pay/ }).click();
  await page.getByRole("dialog", { name: "Pay for Tea" }).getByText("Pay ⭐️ 5").click();
  const heard = async () => (await call("getUpdates", { offset: -1, timeout: 5 })).body.result[0];
  await expect.poll(async () => (await heard()).pre_checkout_query?.id).toBeTypeOf("string");
  const pre_checkout_query_id = (await heard()).pre_checkout_query.id;
  await call("answerPreCheckoutQuery", { pre_checkout_query_id, ok: true });
  await log.getByText("You paid ⭐️ 5").waitFor();

  const media = [{ type: "photo", media: "https://example.com/a.png" }];
  await call("sendPaidMedia", { chat_id: 42, star_count: 7, media, payload: "hidden" });
  await log.getByRole("button", { name: "Unlock for ⭐️ 7" }).click();
  await page.getByRole("dialog", { name: "Unlock media" }).getByText("Pay ⭐️ 7").click();
  await log.getByRole("button", { name: "Unlock for ⭐️ 7" }).waitFor({ state: "detached" });
  expect((await heard()).purchased_paid_media).toMatchObject({ paid_media_payload: "hidden" });
  expect((await call("getMyStarBalance")).body.result).toEqual({ amount: 12 });
  expect(problems).toEqual([]);
});

test("messages of one author that follow each other are joined, and each day has a line", {
  timeout: 60_000,
}, async (context) => {
  const { control, log, page, problems, show } = await openPage(context);
  control.write({ userId: 42, text: "one" });
  control.write({ userId: 42, text: "two" });
  control.advanceClock({ ms: 86_400_000 });
  control.write({ userId: 42, text: "three" });
  await show("Ann");
  await log.getByText("three").waitFor();
  const lasts = await log
    .locator(".message")
    .evaluateAll((views) =>
      views.map((view) => (view as unknown as { className: string }).className.includes("last")),
    );
  expect(lasts).toEqual([false, true, true]);
  expect(await page.locator(".day").count()).toBe(2);
  expect(problems).toEqual([]);
});

test("the page shows the chats of the bot that is chosen", { timeout: 60_000 }, async (context) => {
  const second = "987654321:SECOND-TOKEN-not-a-real-one-00000000";
  const tokens = [sandboxToken, second];
  const { call, log, page, problems, show } = await openPage(context, { tokens });
  await call("sendMessage", { chat_id: 42, text: "from the second" }, second);
  await show("Ann");
  await page.getByRole("combobox", { name: "Bot" }).selectOption("sandbox_987654321_bot");
  await show("Ann");
  await log.getByText("from the second").waitFor();
  await page.getByRole("textbox", { name: "Message" }).fill("to the second");
  await page.keyboard.press("Enter");
  await log.getByText("to the second").waitFor();
  expect((await call("getUpdates")).body.result).toEqual([]);
  expect((await call("getUpdates", {}, second)).body.result).toHaveLength(1);
  expect(problems).toEqual([]);
});

test("a person chooses an inline result", { timeout: 60_000 }, async (context) => {
  const { call, log, page, problems, show } = await openPage(context);
  await show("Ann");
  await page.getByRole("textbox", { name: "Message" }).fill("@sandbox_123456789_bot cats");
  const { result } = (await call("getUpdates", { timeout: 10 })).body;
  expect(result[0].inline_query).toMatchObject({ query: "cats", from: { id: 42 } });
  const input_message_content = { message_text: "A cat" };
  const cat = {
    type: "article",
    id: "1",
    title: "Cat",
    description: "grey",
    input_message_content,
  };
  await call("answerInlineQuery", { inline_query_id: result[0].inline_query.id, results: [cat] });
  await page.getByRole("button", { name: "Cat grey" }).click();
  await log.getByText("A cat").waitFor();
  if (screenshot) await page.screenshot({ path: screenshot.replace(".png", "-inline.png") });
  expect(await page.getByRole("textbox", { name: "Message" }).inputValue()).toBe("");
  expect(problems).toEqual([]);
});
