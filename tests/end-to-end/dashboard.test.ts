/** The dashboard in a real browser, over a real bot: what an operator sees and does at night. */

import type { Page } from "playwright-core";
import { afterAll, expect, type TestContext, test } from "vitest";
import type { EventStream } from "../../bot/api/event-stream.ts";
import { freePort } from "../../sandbox/ensure.ts";
import { operateToken, readToken, setupApi } from "../api/api-under-test.ts";
import { borrowPage, closeBrowser } from "../support/borrowed-page.ts";
import { setupLiveBot } from "../support/live-bot.ts";

afterAll(closeBrowser);

const token = "operator-token-of-the-test";
const annsId = 1_000_001;

test("a dead letter appears by itself, is put back with the token, and reaches its chat", {
  timeout: 60_000,
}, async (context) => {
  const { page, problems, sandbox } = await openDashboard(context);
  await page.getByText("No dead letters").waitFor();
  const fault = { kind: "error", status: 400, description: "Bad Request: not today" } as const;
  await sandbox.addFault({ match: "sendMessage", count: 1, fault });
  await sandbox.write({ userId: annsId, text: "/help" });
  const warnings = page.getByRole("list", { name: "Warnings and errors" });
  await warnings.getByText("message.dead-lettered").waitFor();
  const region = page.getByRole("region", { name: "Dead letters" }).first();
  const row = region.getByRole("row").filter({ hasText: "refused by Telegram" });
  await row.getByRole("button", { name: /Show dead letter/ }).click();
  const letter = page.getByRole("dialog", { name: /Dead letter \d+/ });
  await letter.getByText("shown only with a token for changes").waitFor();
  await letter.getByRole("button", { name: "Close" }).click();

  await row.getByRole("button", { name: /Put dead letter \d+ back/ }).click();
  await giveToken(page, "not-the-token-at-all");
  await page.getByText("this token is wrong").waitFor();
  await giveToken(page, token);
  await page.getByText("1 put back into the queue").waitFor();
  await page.getByText("No dead letters").waitFor();
  await sandbox.waitForMessage(annsId, ({ text }) => text?.includes("/shop") ?? false);
  await events(page).getByText("dead-letter.requeued").waitFor();
  expect(problems).toEqual([]);
});

test("a component is restarted by the keyboard alone, and the page shows it by itself", {
  timeout: 60_000,
}, async (context) => {
  const { page, problems } = await openDashboard(context);
  const card = page
    .getByRole("listitem")
    .filter({ has: page.getByText("alerts", { exact: true }) });
  await page.getByText("components are alive").waitFor();
  await page.keyboard.press("Tab");
  expect(await focused(page)).toBe("Skip to the state of the bot");
  await page.keyboard.press("Enter");
  const tabTo = async (name: RegExp) => {
    for (let steps = 0; !name.test(await focused(page)); steps++) {
      expect(steps).toBeLessThan(60);
      await page.keyboard.press("Tab");
    }
  };
  await tabTo(/^All \d+ components are alive/);
  await page.keyboard.press("Enter");
  await tabTo(/^Restart alerts$/);
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Restart alerts?" }).waitFor();
  expect(await focused(page)).toContain("Reason");
  await page.keyboard.type("the test wants it");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Token" }).waitFor();
  await page.keyboard.type(token);
  await page.keyboard.press("Enter");
  await events(page).getByText("component.restart-begun").first().waitFor();
  await events(page).getByText("the test wants it").first().waitFor();
  await card.getByText("restarted 1×").waitFor();
  expect(problems).toEqual([]);
});

test("a killed bot is called disconnected, and the page goes on when it is back, in Chinese", {
  timeout: 60_000,
}, async (context) => {
  const { bot, page, problems } = await openDashboard(context);
  await page.getByRole("heading", { name: "The last hour" }).waitFor();
  await page.evaluate("globalThis.neverReloaded = true");
  await bot.kill();
  await page.getByText("Disconnected: the bot does not answer").waitFor();
  await page.getByText(/shows its state of \d+ s ago/).waitFor();
  await page.getByLabel("Language").selectOption("zh");
  await page.getByText("已断开：").waitFor();
  bot.start();
  await page.getByText("实时", { exact: true }).or(page.getByText("● 实时")).first().waitFor();
  await page.getByText("非正常").first().waitFor();
  expect(await page.evaluate("document.documentElement.lang")).toBe("zh-CN");
  expect(await page.evaluate("globalThis.neverReloaded")).toBe(true);
  expect(await page.evaluate("document.getElementById('restarts').rows.length")).toBe(2);
  expect(await nameless(page)).toEqual([]);
  expect(problems).toEqual([]);
});

test("whatever the bot leaves out, the page stands, and every control has a name", {
  timeout: 60_000,
}, async (context) => {
  const { server } = await setupApi();
  const { page, problems } = await borrowPage(context, server.url);
  for (const data of [{}, hollow]) {
    await page.route("**/api/**", async (route) => {
      if (new URL(route.request().url()).pathname === "/api/events") await route.continue();
      else await route.fulfill({ json: { success: true, data } });
    });
    await page.reload();
    await page.getByText("● live").waitFor();
    await page.getByText("Everything works.").waitFor();
    expect(await nameless(page)).toEqual([]);
  }
  await page.getByRole("link", { name: "hollow panel" }).click();
  await page.getByRole("heading", { name: "hollow panel" }).waitFor();
  await page.getByRole("table").first().waitFor();
  expect(await nameless(page)).toEqual([]);
  expect(problems).toEqual([]);
});

test("where looking needs a token it is asked for, and one for looking is kept for that", {
  timeout: 60_000,
}, async (context) => {
  const { server } = await setupApi({ host: "0.0.0.0" });
  const { page, problems } = await borrowPage(context, server.url.replace("0.0.0.0", "127.0.0.1"));
  await page.getByText("Reading needs a token here.").waitFor();
  await giveToken(page, "not-the-token-at-all");
  await page.getByText("this token is wrong").waitFor();
  await giveToken(page, readToken);
  await page.getByText("● live").waitFor();
  await page.getByText("components are alive").click();
  await page.getByRole("button", { name: "Restart polling" }).click();
  await page.getByRole("button", { name: "Restart", exact: true }).last().click();
  await page.getByText("this token is for reading").waitFor();
  await page.keyboard.press("Escape");
  await page.reload();
  await page.getByText("● live").waitFor();
  expect(problems).toEqual([]);
});

test("a wrong token locks the page out only until the right one is given for an action", {
  timeout: 60_000,
}, async (context) => {
  const { asked, server, stream } = await setupApi();
  const { page, problems } = await borrowPage(context, server.url);
  await page.getByText("● live").waitFor();
  await lookWithWrongToken(page, stream);
  await page.getByText("⊘ needs a token").waitFor();
  await giveToken(page, operateToken);
  await page.getByText("1 put back into the queue").waitFor();
  await page.getByText("● live").waitFor();
  stream.push("fact", { type: "queue.resumed" });
  await events(page).getByText("queue.resumed").waitFor();
  expect(asked).toEqual([["requeue", 7]]);
  expect(problems).toEqual([]);
});

test("a wrong token that is refused after the right one was given locks nobody out", {
  timeout: 60_000,
}, async (context) => {
  const { server, stream } = await setupApi();
  const { page, problems } = await borrowPage(context, server.url);
  await page.getByText("● live").waitFor();
  const refusal = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await page.route("**/api/events", async (route) => {
    if (route.request().headers()["authorization"]?.includes("not-the-token")) {
      asked.resolve();
      await refusal.promise;
    }
    await route.continue();
  });
  await lookWithWrongToken(page, stream);
  await asked.promise;
  await giveToken(page, operateToken);
  await page.getByText("1 put back into the queue").waitFor();
  refusal.resolve();
  await page.getByText("● live").waitFor();
  stream.push("fact", { type: "queue.resumed" });
  await events(page).getByText("queue.resumed").waitFor();
  expect(problems).toEqual([]);
});

test("the shop's page shows figures and open orders, and its buyers only with the token for changes", {
  timeout: 60_000,
}, async (context) => {
  const { page, problems, sandbox } = await openDashboard(context);
  const presses = async (...texts: readonly string[]) => {
    for (const text of texts) {
      const asked = await sandbox.waitForMessage(
        annsId,
        ({ reply_markup: markup }) => JSON.stringify(markup ?? "").includes(text),
        { after: 0, timeoutMs: 15_000 },
      );
      const [, data = ""] =
        new RegExp(`"(${text}[^"]*)"`).exec(JSON.stringify(asked.reply_markup)) ?? [];
      const messageId = asked.message_id;
      await sandbox.press({ userId: annsId, chatId: annsId, messageId, data });
    }
  };
  await sandbox.write({ userId: annsId, text: "/shop" });
  await presses("item:espresso", "buy:espresso");

  await page.getByRole("link", { name: "Shop" }).click();
  const row = page.getByRole("row").filter({ hasText: "Espresso" });
  await row.getByText("#1").waitFor();
  await page.getByText("turnover today").waitFor();
  await page.getByText("Nothing was broadcast yet.").waitFor();
  await page.getByText("Names of people are left out").waitFor();
  expect(await page.getByText("Everything works.").isVisible()).toBe(false);
  expect(await page.locator("main").innerText()).not.toContain("Ann");
  expect(await nameless(page)).toEqual([]);

  await page.getByRole("button", { name: "Read only" }).click();
  await giveToken(page, token);
  await row.getByText(`Ann (${annsId})`).waitFor();
  await page.getByLabel("Language").selectOption("zh");
  await page.getByRole("heading", { name: "商店" }).waitFor();
  await page.getByText("今日营业额").waitFor();
  await page.getByRole("link", { name: "图表" }).click();
  await page.getByRole("heading", { name: "最近一小时" }).waitFor();
  expect(await page.getByRole("heading", { name: "商店" }).isVisible()).toBe(false);
  expect(problems).toEqual([]);
});

test("what cannot be undone is asked first, and only a yes does it", {
  timeout: 60_000,
}, async (context) => {
  const { asked, server } = await setupApi();
  const { page, problems } = await borrowPage(context, server.url);
  const letters = page.locator("#dead-letters");
  const question = page.locator("#confirm");
  await letters.getByLabel("Choose all on this page").check();
  await letters.getByText("1 chosen:").waitFor();
  await letters.getByRole("button", { name: "Delete", exact: true }).first().click();
  await question.getByText("Delete 1 dead letters for good?").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Pause sending" }).click();
  await question.getByRole("button", { name: "Cancel" }).click();
  expect(asked).toEqual([]);

  await letters.getByRole("button", { name: "Delete", exact: true }).first().click();
  await question.getByRole("button", { name: "Delete" }).click();
  await giveToken(page, operateToken);
  await page.getByText("1 deleted.").waitFor();
  await page.getByRole("button", { name: "Pause sending" }).click();
  await question.getByRole("button", { name: "Pause" }).click();
  await page.getByText("sending is paused.").waitFor();
  await page.getByRole("button", { name: "Run now: report" }).click();
  await question.getByText("Run “report” now?").waitFor();
  await question.getByRole("button", { name: "Run now" }).click();
  await page.getByText("“report” is in the queue.").waitFor();
  await page.getByRole("button", { name: "Make a backup" }).click();
  await page.getByText("Backup backup.db").waitFor();
  expect(asked).toEqual([
    ["deleteDeadLetter", 7],
    ["setPaused", "sending", true],
    ["runNow", 7],
  ]);
  expect(problems).toEqual([]);
});

/** Every list and table is there, and what is in it says nothing. */
const hollow = {
  checks: { database: {}, unheard: null },
  components: [{}],
  process: {},
  connections: { database: {}, unheard: null },
  pool: {},
  pools: { handling: {}, unheard: null },
  counts: {},
  incidents: [{ closedAtEpochMs: 1 }],
  groups: [{}],
  restarts: [{}, { end: {} }],
  deadLetters: [{}],
  delayed: [{}],
  total: 1,
  probes: { database: [{}], unheard: null },
  atEpochMs: [1],
  columns: { waiting: [] },
  marks: [{}],
  lines: [{}],
  panels: [{}, null, { name: "hollow", title: "hollow panel" }],
  name: "hollow",
  figures: [{}, { value: { en: 1 }, form: "money" }],
  charts: [{}, { title: "a chart", per: "week", bars: [null, {}, { value: 2 }] }],
  tables: [
    { title: "no columns" },
    {
      title: "a table",
      columns: [{ form: "share" }, { form: "unheard" }],
      rows: [null, [0.5], [{}, 1, 2]],
    },
  ],
};

/** Over a real bot. */
async function openDashboard(context: TestContext) {
  // Fixed, so that the page finds the bot again after a kill.
  const env = { MONITORING_PORT: String(await freePort("127.0.0.1")), RESTART_TOKEN: token };
  const { bot, sandbox } = await setupLiveBot(env);
  bot.start();
  const opened = await borrowPage(context, await bot.monitoringUrl());
  await opened.page.getByText("● live").waitFor();
  await sandbox.createUser({ id: annsId, firstName: "Ann", started: true });
  return { bot, sandbox, ...opened };
}

/** Gives a wrong token for an action. Then something happens, so that the page looks, with that token. */
async function lookWithWrongToken(page: Page, stream: EventStream): Promise<void> {
  await page.getByRole("button", { name: /Put dead letter \d+ back/ }).click();
  await giveToken(page, "not-the-token-at-all");
  await page.getByText("this token is wrong").waitFor();
  stream.push("fact", { type: "queue.paused" });
}

async function giveToken(page: Page, text: string): Promise<void> {
  const dialog = page.getByRole("dialog", { name: "Token" });
  await dialog.getByLabel("Token").fill(text);
  await dialog.getByRole("button", { name: "Use it" }).click();
}

function events(page: Page) {
  return page.getByRole("list", { name: "Live events" });
}

/** The name of what has the focus. */
function focused(page: Page): Promise<string> {
  return page.evaluate(`(() => {
    const { activeElement: it } = document;
    return it.getAttribute("aria-label") ?? it.labels?.[0]?.textContent ?? it.textContent;
  })()`);
}

/** Controls and pictures without a name for who cannot see them. */
function nameless(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const named = (it) =>
      [it.getAttribute("aria-label"), it.textContent, it.alt, it.labels?.[0]?.textContent]
        .some((name) => name?.trim());
    const all = document.querySelectorAll("a, button, input, select, summary, [role], [tabindex]");
    const pictures = document.querySelectorAll("svg, canvas");
    const hidden = (it) => !it.checkVisibility() || it.matches("[tabindex='-1'], [role='status'], [role='alert']");
    return [...all].filter((it) => !hidden(it) && !named(it))
      .concat([...pictures].filter((it) => !it.closest("[role='img'][aria-label]")))
      .map((it) => it.outerHTML.slice(0, 100));
  })()`);
}
