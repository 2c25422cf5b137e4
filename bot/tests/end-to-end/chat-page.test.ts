/** The chat page in a real browser: what a newcomer does in the first minute, and a kill in between. */
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";
import { setupLiveBot } from "../support/live-bot.ts";

const browserFile = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => existsSync(path));
/** Where to put a screenshot, for people; none by default. */
const screenshot = process.env["SCREENSHOT"];

test("a person starts, buys, and sees balance and orders, across a kill", {
  timeout: 60_000,
}, async (context) => {
  if (browserFile === undefined) {
    context.skip("no Chromium is installed");
    return;
  }
  const { bot, sandbox } = await setupLiveBot();
  bot.start();
  const browser = await chromium.launch({ executablePath: browserFile, args: ["--no-sandbox"] });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(8_000);
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(sandbox.url);

  const log = page.getByRole("log");
  await page.getByRole("navigation", { name: "Chats" }).getByText("Ann").first().click();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await log.getByText("Hello").waitFor();

  const say = async (text: string) => {
    await page.getByRole("textbox", { name: "Message" }).fill(text);
    await page.getByRole("button", { name: "Send" }).click();
  };
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
