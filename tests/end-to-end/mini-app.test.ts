/** The Mini App end to end: a page that asks and acts, while the real process is killed under it. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { eventually } from "../../lab/drill/bot-process.ts";
import { freePort } from "../../sandbox/ensure.ts";
import { type LiveBot, setupLiveBot } from "../support/live-bot.ts";

const userId = 9_001;

/** A bot that serves its Mini App, by the listener of its own or by the webhook's. */
async function setupApp(
  mode: "polling" | "webhook" = "polling",
  more: Record<string, string> = {},
) {
  const port = String(await freePort("127.0.0.1"));
  const origin = `http://127.0.0.1:${port}`;
  const live = await setupLiveBot({
    MINI_APP_URL: `${origin}/app/`,
    ...(mode === "polling"
      ? { MINI_APP_PORT: port }
      : {
          UPDATE_MODE: "webhook",
          WEBHOOK_URL: `${origin}/telegram`,
          WEBHOOK_SECRET: "a-secret-of-telegrams",
          WEBHOOK_PORT: port,
        }),
    ...more,
  });
  live.bot.start();
  await live.sandbox.write({ userId, text: "/start" });
  const isGreeting = ({ text }: { text?: string }) => /^Hello/.test(text ?? "");
  const greeting = await live.sandbox.waitForMessage(userId, isGreeting, { timeoutMs: 40_000 });
  return { ...live, origin, greeting };
}

/** What the page would send; a connection that breaks is `undefined`. */
async function pageOf({ sandbox }: LiveBot, origin: string) {
  const { url } = await sandbox.webApp({ userId, url: `${origin}/app/` });
  const launch = new URLSearchParams(new URL(url).hash.slice(1));
  const initData = launch.get("tgWebAppData") ?? "";
  const send = async (method: "GET" | "POST", path: string, data: unknown = null) => {
    const headers = { authorization: `tma ${initData}`, "content-type": "application/json" };
    const body = method === "POST" ? { body: JSON.stringify(data) } : {};
    try {
      const answer = await fetch(`${origin}/app/${path}`, { method, headers, ...body });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    } catch {
      return undefined;
    }
  };
  /** Sends an act until it is answered, as the page does. */
  const act = (name: string, id: string, data: unknown) =>
    eventually(`${name} is answered`, async () => {
      const answer = await send("POST", `act/${name}/${id}`, data);
      return answer?.status === 200 ? answer.body : undefined;
    });
  return { act, initData, send };
}

const espresso = { sku: "espresso", priceMinor: 900 };

test.each(["polling", "webhook"] as const)(
  "with %s, a person buys on the page and is told in the chat",
  {
    timeout: 90_000,
  },
  async (mode) => {
    const live = await setupApp(mode);
    const { bot, greeting, origin, sandbox } = live;
    const buttons = greeting.reply_markup?.inline_keyboard?.flat() ?? [];
    expect(buttons).toMatchObject([{ web_app: { url: `${origin}/app/` } }]);
    const page = await pageOf(live, origin);
    expect(await page.send("POST", "ask/shop")).toMatchObject({
      status: 200,
      body: { language: "en", balance: expect.stringContaining("50.00") },
    });
    const id = randomUUID();
    expect(await page.act("buy", id, espresso)).toMatchObject({
      state: "answered",
      answer: { kind: "bought", text: expect.stringContaining("41.00") },
    });
    await sandbox.waitForMessage(userId, ({ text }) => /Order #1/.test(text ?? ""));
    // The same press again is the same order, and its answer the same answer.
    expect(await page.act("buy", id, espresso)).toMatchObject({ answer: { kind: "bought" } });
    const orders = await page.send("POST", "ask/orders", { page: 0 });
    expect(orders?.body["orders"]).toMatchObject([{ id: 1, status: "paid" }]);
    expect(await bot.stop()).toBe(0);
  },
);

test("a press on the page is one order and one receipt, although the process is killed under it", {
  timeout: 180_000,
}, async () => {
  const live = await setupApp("polling", {
    FLOOD_LIMITS_ENABLED: "false",
    WELCOME_BALANCE: "1000",
  });
  const { bot, origin, sandbox } = live;
  const page = await pageOf(live, origin);
  const presses = 4;
  for (let press = 0; press < presses; press++) {
    const id = randomUUID();
    // The kill comes before the act, in the middle of it, or after its commit.
    const killed = new Promise((resolve) => setTimeout(resolve, press * 8)).then(() => bot.kill());
    const both = [
      page.send("POST", `act/buy/${id}`, espresso),
      page.send("POST", `act/buy/${id}`, espresso),
    ];
    await Promise.all([killed, ...both]);
    bot.start();
    expect(await page.act("buy", id, espresso)).toMatchObject({ answer: { kind: "bought" } });
  }
  const { body } = (await page.send("POST", "ask/shop")) ?? {};
  expect(body?.["balance"]).toContain(`${1_000 - presses * 9}.00`);
  const receipts = () =>
    sandbox
      .journalAll()
      .then((calls) =>
        calls.filter(
          ({ executed, parameters }) => executed && /Order #/.test(parameters["text"] ?? ""),
        ),
      );
  await eventually("every receipt is there", async () => (await receipts()).length >= presses);
  const numbers = (await receipts()).map(
    ({ parameters }) => /Order #(\d+)/.exec(parameters["text"] ?? "")?.[1],
  );
  // A send that was cut off is made again, so a receipt may come twice; an order never does.
  expect([...new Set(numbers)]).toEqual(Array.from({ length: presses }, (_, at) => `${at + 1}`));
});

test("init data that prove nothing open nothing", { timeout: 90_000 }, async () => {
  const { bot, origin, sandbox } = await setupApp("polling", { MINI_APP_AGE_MAX_MINUTES: "1" });
  const page = await pageOf({ sandbox } as LiveBot, origin);
  const ask = async (authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await fetch(`${origin}/app/ask/shop`, { method: "POST", headers, body: "null" });
    return [answer.status, ((await answer.json()) as { error?: string }).error];
  };
  expect(await ask()).toEqual([401, "INIT_DATA_MISSING"]);
  expect(await ask("tma x")).toEqual([401, "INIT_DATA_FORGED"]);
  const other = page.initData.replace(String(userId), String(userId + 1));
  expect(await ask(`tma ${other}`)).toEqual([401, "INIT_DATA_FORGED"]);
  expect(await ask(`tma ${page.initData}`)).toEqual([200, undefined]);
  const html = await fetch(`${origin}/app`);
  expect(html.url).toBe(`${origin}/app/`);
  expect(html.headers.get("content-security-policy")).toContain("script-src 'self'");
  expect((await fetch(`${origin}/app/..%2f..%2fmodule.ts`)).status).toBe(404);
  expect(await bot.stop()).toBe(0);
});
