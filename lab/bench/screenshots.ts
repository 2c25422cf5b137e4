/**
 * Screenshots: takes the pictures in docs/images, of a bot after a few eventful minutes.
 *
 * `npm run screenshots` starts the sandbox and the bot as processes of their own, lets people write,
 * cuts the network for a while, and photographs chat page and dashboard, light and dark. CHROMIUM is the
 * path of the browser.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { sandboxClient } from "../../sandbox/client.ts";
import { ensureSandbox } from "../../sandbox/ensure.ts";
import type { Message } from "../../sandbox/world/objects.ts";
import { browserArguments, browserFile } from "./browser.ts";

const imageDirectory = fileURLToPath(new URL("../../docs/images", import.meta.url));
const startFile = fileURLToPath(new URL("../../bot/start.ts", import.meta.url));
const imageBytesMax = 200 * 1024;
const token = "operator-token-of-the-screenshots";
const firstId = 1_001_001;
const words = ["/help", "/balance", "/shop", "/orders", "/start"];
/** Seconds of ordinary traffic before and after the outage. */
const quietSeconds = 100;
const outageMs = 20_000;
/** Seconds for which people go on writing while the dashboard is photographed. */
const pictureSeconds = 40;
/** Sends that Telegram refuses, so that there are dead letters to look at. */
const refusals = 9;

const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const directory = mkdtempSync(join(tmpdir(), "bot-screenshots-"));
const started = await ensureSandbox({ port: 0 });
const sandbox = sandboxClient(started.url);
const bot = startBot();
try {
  const browser = await chromium.launch({
    ...(browserFile !== undefined && { executablePath: browserFile }),
    args: browserArguments,
  });
  try {
    mkdirSync(imageDirectory, { recursive: true });
    await photographChat(browser);
    await live();
    await Promise.all([photographDashboard(browser), people(pictureSeconds)]);
  } finally {
    await browser.close();
  }
} finally {
  bot.kill("SIGKILL");
  await started.stop();
  rmSync(directory, { recursive: true, force: true });
}

function startBot(): ChildProcess {
  return spawn(process.execPath, [startFile], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      PATH: process.env["PATH"],
      NODE_ENV: "development",
      TELEGRAM_BOT_TOKEN: started.token,
      TELEGRAM_API_ROOT: started.url,
      DATA_DIR: join(directory, "data"),
      LOG_DIR: join(directory, "logs"),
      MONITORING_PORT: String(port),
      RESTART_TOKEN: token,
    },
  });
}

/** Makes events to see: traffic, refused sends, a restarted component, an outage, traffic again. */
async function live(): Promise<void> {
  await people(quietSeconds);
  const description = "Forbidden: bot was blocked by the user";
  const fault = { kind: "error", status: 403, description } as const;
  await sandbox.addFault({ match: "sendMessage", probability: 0.2, count: refusals, fault });
  await people(quietSeconds / 4);
  await fetch(`${url}/api/restart`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ component: "process-monitor", reason: "for the picture" }),
  });
  await people(quietSeconds / 4);
  // The outage also cuts off its own answer.
  await sandbox.outage({ ms: outageMs }).catch(() => {});
  await pause(outageMs + 3_000);
  await people(quietSeconds);
}

/** People write in waves. */
async function people(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    const count = Math.round(8 + 5 * Math.sin(second / 11) + 3 * Math.random());
    const text = words[second % words.length] ?? "/help";
    const firstUserId = firstId + ((second * 13) % 100);
    await sandbox.feed({ count, users: 100, firstUserId, text });
    await pause(1_000);
  }
}

/** Runs before there are other people in the list. */
async function photographChat(browser: Browser): Promise<void> {
  const ann = (await sandbox.users()).find(({ first_name }) => first_name === "Ann");
  if (!ann) throw new Error("the sandbox has no user Ann");
  const { id: userId } = ann;
  const answer = (after: number, accept: (message: Message) => boolean) =>
    sandbox.waitForMessage(userId, accept, { after, timeoutMs: 20_000 });
  const hasButtons = ({ reply_markup }: Message) => reply_markup !== undefined;
  const greeting = await ask(userId, "/start");
  await answer(greeting, () => true);
  const shop = await answer(await ask(userId, "/shop"), hasButtons);
  const first = { userId, chatId: userId, row: 0, column: 0 };
  await sandbox.press({ ...first, messageId: shop.message_id });
  const question = await answer(shop.message_id, hasButtons);
  await sandbox.press({ ...first, messageId: question.message_id });
  await answer(shop.message_id, ({ text }) => text?.includes("Thank you") ?? false);
  await answer(await ask(userId, "/balance"), ({ text }) => text?.includes("Balance") ?? false);
  await photograph(browser, "chat", async (page) => {
    await page.goto(started.url);
    await page.getByRole("navigation", { name: "Chats" }).getByText("Ann").first().click();
    await page.getByRole("log").getByText("Last entries").waitFor();
  });
}

/** @returns the id of the written message; the reply's id is higher. */
async function ask(userId: number, text: string): Promise<number> {
  return (await sandbox.write({ userId, text })).message.message_id;
}

async function photographDashboard(browser: Browser): Promise<void> {
  if (bot.exitCode !== null || bot.signalCode !== null) {
    throw new Error(`the bot has ended by itself: ${bot.exitCode ?? bot.signalCode}`);
  }
  await photograph(browser, "dashboard", async (page) => {
    await page.goto(url);
    await page.getByText("● live").waitFor();
    await page.getByRole("figure").first().waitFor();
    // This is long enough for a few heartbeats of every component.
    await pause(12_000);
  });
}

type Preparation = (page: Awaited<ReturnType<Browser["newPage"]>>) => Promise<void>;

async function photograph(browser: Browser, name: string, prepare: Preparation): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    const page = await browser.newPage({
      colorScheme,
      locale: "en-US",
      viewport: { width: 1280, height: name === "chat" ? 720 : 1000 },
    });
    await prepare(page);
    const path = join(imageDirectory, `${name}-${colorScheme}.png`);
    await page.screenshot({ path });
    await page.close();
    const { size } = statSync(path);
    if (size > imageBytesMax) throw new Error(`${path} has ${size} bytes, too many for a README`);
    console.log(`${name}-${colorScheme}.png: ${Math.round(size / 1024)} KB`);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A free port, so that no other program of this machine is photographed. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
