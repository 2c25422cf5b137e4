/** Page client: the chat page in a browser, for tests. They are skipped where no Chromium is installed. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { onTestFinished, type TestContext } from "vitest";
import type { SandboxOptions } from "../../sandbox/sandbox.ts";
import { startSandbox } from "./bot-client.ts";

const browserFile = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => existsSync(path));
/** Where to put a screenshot, for people; none by default. */
export const screenshot = process.env["SCREENSHOT"];

/** Starting a browser takes longer than a test, so those of a file share one, each with a page of its own. */
let launched: Promise<Browser> | undefined;

/** For `afterAll` of each file: files share this module where they share a worker. */
export async function closeBrowser(): Promise<void> {
  const browser = await launched;
  launched = undefined;
  await browser?.close();
}

/** A sandbox whose page shows a chat. */
export async function openPage(context: TestContext, options: SandboxOptions = {}) {
  if (browserFile === undefined) return context.skip("no Chromium is installed");
  const started = await startSandbox({ frozenClock: false, pacing: false, ...options });
  started.control.createUser({ id: 42, firstName: "Ann", started: true });
  const chatId = started.control.createGroup({ title: "Forum", forum: true, memberIds: [42] }).id;
  launched ??= chromium.launch({ executablePath: browserFile, args: ["--no-sandbox"] });
  const page = await (await launched).newPage();
  onTestFinished(() => page.close());
  page.setDefaultTimeout(10_000);
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(started.url);
  const chats = page.getByRole("navigation", { name: "Chats" });
  const show = (name: string) => chats.getByText(name).first().click();
  const log = page.getByRole("log");
  return { ...started, chatId, log, page, problems, show };
}
