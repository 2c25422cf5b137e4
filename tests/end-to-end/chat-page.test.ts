/** The chat page in a real browser: what a newcomer does in the first minute, and a kill in between. */
import { afterAll, expect, type TestContext, test } from "vitest";
import { freePort } from "../../sandbox/ensure.ts";
import { borrowPage, closeBrowser } from "../support/borrowed-page.ts";
import { setupLiveBot } from "../support/live-bot.ts";

afterAll(closeBrowser);

/** Where to put a screenshot, for people; none by default. */
const screenshot = process.env["SCREENSHOT"];

test("a person starts, buys, and sees balance and orders, across a kill", {
  timeout: 60_000,
}, async (context) => {
  const { bot, log, page, problems, say } = await openPage(context);
  await log.getByText("Hello").waitFor();
  const product = log.getByRole("button", { name: /\d/ });
  await say("/shop");
  await product.first().waitFor();
  await bot.kill();
  await product.first().click();
  bot.start();
  await log
    .getByRole("button", { name: /buy|confirm|yes/i })
    .first()
    .click();
  // The welcome balance of 50, less the espresso.
  await page.getByText("Paid").first().waitFor();
  await say("/balance");
  await log.getByText("41.00").first().waitFor();
  await say("/orders");
  await log.getByText("Your orders, newest first").first().waitFor();
  if (screenshot) await page.screenshot({ path: screenshot });
  expect(problems).toEqual([]);
});

test("a person breaks things by buttons, sees it in the journal, and the bot gets over it", {
  timeout: 60_000,
}, async (context) => {
  const { log, page, problems, say, sandbox } = await openPage(context);
  await log.getByText("Hello").waitFor();
  await page.getByRole("button", { name: "Break it" }).click();
  const lab = page.getByRole("complementary", { name: "Faults and journal" });
  const broken = lab.getByRole("button", { name: "Answers 502 with an HTML page" });
  await broken.click();
  await say("/help");
  // The reply's call, or a poll's: the fault hits all, and a poll may have ended before the words came.
  await lab
    .getByRole("row", { name: /502.*html/ })
    .first()
    .waitFor();
  if (screenshot) await page.screenshot({ path: screenshot.replace(".png", "-lab.png") });
  await broken.click();
  await log.getByText("This is").first().waitFor();
  expect(await sandbox.faults()).toEqual([]);
  await page.setViewportSize({ width: 390, height: 800 });
  if (screenshot) await page.screenshot({ path: screenshot.replace(".png", "-phone.png") });
  await lab.getByRole("button", { name: "Close", exact: true }).click();
  expect(await lab.isVisible()).toBe(false);
  expect(problems).toEqual([]);
});

test("a person opens the Mini App from the chat and buys on it, across a kill", {
  timeout: 90_000,
}, async (context) => {
  const port = String(await freePort("127.0.0.1"));
  const env = { MINI_APP_URL: `http://127.0.0.1:${port}/app/`, MINI_APP_PORT: port };
  const { bot, log, page, problems } = await openPage(context, env);
  await log.getByRole("button", { name: "Open the app" }).click();
  const app = page.frameLocator("#frame");
  await app.getByText("Balance: CN¥50.00").waitFor();
  await app.getByRole("button", { name: /^Espresso/ }).click();
  const confirm = app.getByRole("button", { name: "Buy for CN¥9.00" });
  await confirm.waitFor();
  await bot.kill();
  await confirm.click();
  bot.start();
  // The page sends the press again until the next process answers it.
  const thanks = app.getByText("Thank you! Your balance is now CN¥41.00.");
  await thanks.waitFor({ timeout: 40_000 });
  if (screenshot) await page.screenshot({ path: screenshot.replace(".png", "-app.png") });
  await app.getByRole("button", { name: "OK" }).click();
  await app.getByRole("tab", { name: "My orders" }).click();
  await app.getByText("#1 Espresso").waitFor();
  await page.getByRole("dialog", { name: "Mini App" }).getByLabel("Close").click();
  await log.getByText("Order #1").waitFor();
  expect(problems).toEqual([]);
});

/** A running bot, and Ann in front of the page, who has just pressed Start. */
async function openPage(context: TestContext, env: Readonly<Record<string, string>> = {}) {
  const { bot, sandbox } = await setupLiveBot(env);
  bot.start();
  const { page, problems } = await borrowPage(context, sandbox.url);
  const log = page.getByRole("log");
  await page.getByRole("navigation", { name: "Chats" }).getByText("Ann").first().click();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  const say = async (text: string) => {
    await page.getByRole("textbox", { name: "Message" }).fill(text);
    await page.getByRole("button", { name: "Send", exact: true }).click();
  };
  return { bot, log, page, problems, sandbox, say };
}
