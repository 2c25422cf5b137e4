/** The chat page in a browser: what people do with polls, reactions, topics, pins and drafts. */
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { expect, onTestFinished, type TestContext, test } from "vitest";
import { startSandbox } from "./bot-client.ts";

const browserFile = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => existsSync(path));
/** Where to put a screenshot, for people; none by default. */
const screenshot = process.env["SCREENSHOT"];

/** A sandbox whose page shows a chat. */
async function openPage(context: TestContext) {
  if (browserFile === undefined) return context.skip("no Chromium is installed");
  const started = await startSandbox({ frozenClock: false });
  started.control.createUser({ id: 42, firstName: "Ann", started: true });
  const chatId = started.control.createGroup({ title: "Forum", forum: true, memberIds: [42] }).id;
  const browser = await chromium.launch({ executablePath: browserFile, args: ["--no-sandbox"] });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(started.url);
  const chats = page.getByRole("navigation", { name: "Chats" });
  const show = (name: string) => chats.getByText(name).first().click();
  const log = page.getByRole("log");
  return { ...started, chatId, log, page, problems, show };
}

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
  await log.getByLabel("React").click();
  await log.getByRole("button", { name: "🔥" }).click();
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
