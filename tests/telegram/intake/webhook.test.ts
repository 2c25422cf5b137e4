/** Webhook: its answers to Telegram, when it is set, and that nothing is confirmed too early. */
import { type RequestListener, request } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { CallNotSentError, StorageFullError } from "../../../bot/core/errors.ts";
import type { BotEvent } from "../../../bot/core/events.ts";
import { Holds } from "../../../bot/core/holds.ts";
import type { NewMessage } from "../../../bot/core/message.ts";
import { Secret } from "../../../bot/core/secret.ts";
import { Intake, type IntakeDeps } from "../../../bot/telegram/intake/intake.ts";
import { allowedUpdates } from "../../../bot/telegram/intake/update-message.ts";
import { Webhook } from "../../../bot/telegram/intake/webhook.ts";
import { freePort } from "../../../sandbox/ensure.ts";
import { heldWhile } from "../../support/held-while.ts";
import { lifecycleConformance } from "../../support/lifecycle-conformance.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { ScriptedApi } from "../../support/scripted-api.ts";

const secret = "a-secret-of-telegrams";
const url = "https://bot.example/updates";
const text = (update_id: number) => ({ update_id, message: { chat: { id: 1 }, text: "x" } });

type Setup = Partial<IntakeDeps> & { port?: number; miniApp?: RequestListener };

async function setup({ miniApp, port: given, ...overrides }: Setup = {}) {
  const clock = new ManualClock();
  const api = new ScriptedApi(() => ({ url }));
  const events: BotEvent[] = [];
  const accepted: NewMessage[] = [];
  const port = given ?? (await freePort("127.0.0.1"));
  const deps: IntakeDeps = {
    api,
    clock,
    random: () => 0.5,
    publish: (event) => events.push(event),
    botId: "42",
    accept: async (messages) => {
      accepted.push(...messages);
      return messages.map((_, index) => ({ kind: "queued", messageId: index }));
    },
    room: async () => 1_000,
    onHeard: () => {},
    holds: new Holds(clock),
    ...overrides,
  };
  const webhook = new Intake(deps, createWebhook(port, miniApp));
  onTestFinished(() => webhook.stop());
  const post = (body: string, headers: Record<string, string> = {}) =>
    answerTo(port, body, { "X-Telegram-Bot-Api-Secret-Token": secret, ...headers });
  return { accepted, api, clock, events, port, post, webhook };
}

function createWebhook(port: number, miniApp?: RequestListener) {
  const at = { url, secret: new Secret(secret), host: "127.0.0.1", port };
  return new Webhook({ ...at, ...(miniApp && { miniApp }) });
}

function answerTo(port: number, body: string, headers: Record<string, string>, method = "POST") {
  return new Promise<{ status: number | undefined; retryAfter: string | undefined }>(
    (resolve, reject) => {
      const sent = request(
        { port, host: "127.0.0.1", method, path: "/any", headers },
        (response) => {
          response.resume();
          const { statusCode: status, headers: answered } = response;
          resolve({ status, retryAfter: answered["retry-after"] });
        },
      );
      sent.on("error", reject);
      sent.end(body);
    },
  );
}

const types = (events: readonly BotEvent[]) => events.map(({ type }) => type);

lifecycleConformance("the webhook", () => {
  const clock = new ManualClock();
  const api = new ScriptedApi(() => ({ url }));
  const deps: IntakeDeps = {
    api,
    clock,
    random: () => 0.5,
    publish: () => {},
    botId: "42",
    accept: async () => [],
    room: async () => 1,
    holds: new Holds(clock),
    onHeard: () => {},
  };
  return { component: new Intake(deps, createWebhook(0)), clock };
});

test("it is set at the start, with the secret, and then checks whether Telegram reaches it", async () => {
  const { api, clock, events, webhook } = await setup();
  await webhook.start();
  await clock.advance(30_000);
  expect(api.calls.map(({ method }) => method)).toEqual([
    "setWebhook",
    "getWebhookInfo",
    "getWebhookInfo",
    "getWebhookInfo",
  ]);
  expect(api.calls[0]?.payload).toEqual({
    url,
    secret_token: secret,
    allowed_updates: allowedUpdates,
    max_connections: 40,
  });
  expect(types(events)).toEqual(["webhook.set"]);
  expect(webhook.snapshot()).toMatchObject({ state: "listening", failuresInARow: 0 });
});

test("an update is confirmed only after its commit", async () => {
  let commit = () => {};
  const committed = new Promise<void>((resolve) => {
    commit = resolve;
  });
  const order: string[] = [];
  const { post, webhook } = await setup({
    accept: async (messages) => {
      await committed;
      order.push("committed");
      return messages.map(() => ({ kind: "queued", messageId: 1 }));
    },
  });
  await webhook.start();
  const answered = post(JSON.stringify(text(7))).then((answer) => {
    order.push("confirmed");
    return answer;
  });
  commit();
  expect((await answered).status).toBe(200);
  expect(order).toEqual(["committed", "confirmed"]);
});

test("an update that cannot be committed is left to Telegram", async () => {
  const { events, post, webhook } = await setup({
    accept: async () => {
      throw new StorageFullError("no room");
    },
  });
  await webhook.start();
  expect(await post(JSON.stringify(text(7)))).toEqual({ status: 503, retryAfter: "5" });
  expect(events).toContainEqual(
    expect.objectContaining({
      type: "intake.failed",
      error: expect.objectContaining({ code: "STORAGE_FULL" }),
    }),
  );
});

test("while the queue is full updates are refused and that is reported once; then they are taken again", async () => {
  let room = 0;
  const { accepted, clock, events, post, webhook } = await setup({ room: async () => room });
  await webhook.start();
  expect((await post(JSON.stringify(text(7)))).status).toBe(503);
  expect((await post(JSON.stringify(text(7)))).status).toBe(503);
  expect(webhook.snapshot().state).toBe("back-pressure");
  room = 5;
  await clock.advance(1_000);
  expect((await post(JSON.stringify(text(7)))).status).toBe(200);
  expect(accepted).toHaveLength(1);
  const about = types(events).filter((type) => /^intake/.test(type));
  expect(about).toEqual(["intake.held-back", "intake.resumed"]);
});

test("while work is held back on purpose no update is taken", async () => {
  const { accepted, post, webhook } = await setup({
    holds: heldWhile(new ManualClock(), () => true),
  });
  await webhook.start();
  expect((await post(JSON.stringify(text(7)))).status).toBe(503);
  expect(accepted).toEqual([]);
});

test.for([
  ["without the secret", { "X-Telegram-Bot-Api-Secret-Token": "" }],
  ["with another secret", { "X-Telegram-Bot-Api-Secret-Token": `${secret}x` }],
] as const)("a request %s is refused unread", async ([, headers]) => {
  const { accepted, events, post, webhook } = await setup();
  await webhook.start();
  expect((await post(JSON.stringify(text(7)), headers)).status).toBe(401);
  expect(accepted).toEqual([]);
  expect(types(events)).toContain("webhook.refused");
});

test.for([
  ["a body that is not JSON", "{"],
  ["an empty body", ""],
  ["a body that is not an update", '"hello"'],
  ["an update without an id", "{}"],
  ["a far too large body", JSON.stringify({ update_id: 1, filler: "x".repeat(1_100_000) })],
] as const)("%s is confirmed, so that later updates do not have to wait", async ([, body]) => {
  const { accepted, events, post, webhook } = await setup();
  await webhook.start();
  expect((await post(body)).status).toBe(200);
  expect(accepted).toEqual([]);
  expect(types(events)).toContain("update.ignored");
});

test("what is asked under the path of the Mini App goes there, unless it carries a secret", async () => {
  const asked: (string | undefined)[] = [];
  const { accepted, port, webhook } = await setup({
    miniApp: (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end("the app");
    },
  });
  await webhook.start();
  const post = (path: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(text(7)),
    });
  expect(await (await post("/app/ask/shop")).text()).toBe("the app");
  expect(await (await fetch(`http://127.0.0.1:${port}/app`)).text()).toBe("the app");
  expect((await post("/application")).status).toBe(401);
  expect((await post("/app/", { "X-Telegram-Bot-Api-Secret-Token": "x" })).status).toBe(401);
  const update = await post("/app/", { "X-Telegram-Bot-Api-Secret-Token": secret });
  expect([update.status, accepted.length]).toEqual([200, 1]);
  expect(asked).toEqual(["POST /app/ask/shop", "GET /app"]);
});

test("a webhook that another program has replaced is set again", async () => {
  const { api, clock, events, webhook } = await setup();
  api.script(true, { url }, { url: "https://other.example/" }, true, { url });
  await webhook.start();
  await clock.advance(20_000);
  expect(types(events).filter((type) => type === "webhook.set")).toHaveLength(2);
});

test("failed deliveries are reported in Telegram's own words until they succeed", async () => {
  const { api, clock, events, webhook } = await setup();
  const last_error_date = Math.floor(clock.epochMs() / 1_000) + 10;
  const stuck = { url, pending_update_count: 3, last_error_date, last_error_message: "refused" };
  api.script(true, { url }, stuck);
  await webhook.start();
  await clock.advance(15_000);
  expect(webhook.snapshot()).toMatchObject({ reason: "WEBHOOK_UNREACHABLE", failuresInARow: 1 });
  expect(events).toContainEqual(
    expect.objectContaining({
      error: expect.objectContaining({ message: expect.stringContaining("refused") }),
    }),
  );
  await clock.advance(30_000);
  expect(webhook.snapshot()).toMatchObject({ state: "listening", failuresInARow: 0 });
  expect(types(events)).toContain("intake.recovered");
});

test("during an outage it keeps trying, and it is set when Telegram is back", async () => {
  const { api, clock, webhook } = await setup();
  api.script(...Array(5).fill(new CallNotSentError("setWebhook: no network")));
  await webhook.start();
  await clock.advance(30_000);
  expect(webhook.snapshot()).toMatchObject({ state: "listening", failuresInARow: 0 });
});

test("a taken port is an error that says what to do", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  onTestFinished(() => void taken.close());
  const { webhook } = await setup({ port: (taken.address() as AddressInfo).port });
  await expect(webhook.start()).rejects.toMatchObject({
    code: "WEBHOOK_LISTEN_FAILED",
    hint: expect.stringContaining("WEBHOOK_PORT"),
  });
});
