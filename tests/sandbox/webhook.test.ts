import { describe, expect, test } from "vitest";
import type { SandboxOptions } from "../../sandbox/sandbox.ts";
import { type Loose, settle, startConversation } from "./bot-client.ts";
import { type Hit, startWebhookServer, status } from "./webhook-server.ts";

async function setup(answer: (hit: Hit, number: number) => void, options: SandboxOptions = {}) {
  const server = await startWebhookServer(answer);
  const started = await startConversation({ pacing: false, ...options });
  started.control.createUser({ id: 43, firstName: "Ben", started: true });
  const set = await started.call("setWebhook", { url: server.url, secret_token: "s3cret" });
  expect(set.body).toEqual({ ok: true, result: true, description: "Webhook was set" });
  const say = (userId: number, text: string) => started.control.write({ userId, text });
  const texts = () => server.hits.map(({ update }) => update.message?.text ?? "press");
  const info = async (): Promise<Loose> => (await started.call("getWebhookInfo")).body.result;
  const pass = async (ms: number) => {
    started.control.advanceClock({ ms });
    await settle();
  };
  return { ...started, ...server, info, pass, say, texts };
}

test("an update is posted as one JSON object with the secret, and is gone after a 200", async () => {
  const { hits, info, say, control } = await setup(status(200));
  const { updateId } = say(42, "hello");
  await settle();
  expect(hits).toHaveLength(1);
  expect(hits[0]).toMatchObject({
    path: "/hook?a=1",
    update: { update_id: updateId, message: { text: "hello" } },
    headers: {
      "content-type": "application/json",
      "x-telegram-bot-api-secret-token": "s3cret",
      connection: "keep-alive",
    },
  });
  expect(await info()).toMatchObject({ pending_update_count: 0, max_connections: 100 });
  expect(control.facts({ updateId: updateId as number })[0]).toMatchObject({ end: "confirmed" });
});

test("one chat's updates come one at a time and in order, other chats' beside them", async () => {
  const waiting: Hit[] = [];
  const { say, texts } = await setup((hit) => waiting.push(hit));
  for (const text of ["a1", "a2", "a3"]) say(42, text);
  say(43, "b1");
  await settle();
  expect(texts()).toEqual(["a1", "b1"]);
  status(200)(waiting[0] as Hit);
  await settle();
  expect(texts()).toEqual(["a1", "b1", "a2"]);
});

test("a message and a press of one person come side by side", async () => {
  const { call, control, say, texts } = await setup(() => {});
  const markup = { inline_keyboard: [[{ text: "go", callback_data: "go" }]] };
  const sent = await call("sendMessage", { chat_id: 42, text: "?", reply_markup: markup });
  say(42, "a message");
  control.press({ userId: 42, chatId: 42, messageId: sent.body.result.message_id, data: "go" });
  await settle();
  expect(texts()).toEqual(["a message", "press"]);
});

test("a failure is retried after 0, 2, 4, 8, 16 and 32 s, then 60 s and more; others go on", async () => {
  const { hits, info, pass, say, texts } = await setup((hit) =>
    status(hit.update.message.chat.id === 42 ? 500 : 200)(hit),
  );
  say(42, "bad");
  await settle();
  say(42, "behind");
  await pass(0);
  expect(hits).toHaveLength(2);
  for (const [index, seconds] of [2, 4, 8, 16, 32].entries()) {
    await pass(seconds * 1_000 - 1);
    expect(hits).toHaveLength(index + 2);
    await pass(1);
    expect(hits).toHaveLength(index + 3);
  }
  await pass(59_999);
  expect(hits).toHaveLength(7);
  await pass(4_001);
  expect(hits).toHaveLength(8);
  await pass(59_999);
  expect(hits).toHaveLength(8);
  await pass(60_001);
  expect(hits).toHaveLength(9);
  say(43, "fine");
  await settle();
  expect(texts()).toEqual([...Array(9).fill("bad"), "fine"]);
  expect(await info()).toMatchObject({
    pending_update_count: 2,
    last_error_message: "Wrong response from the webhook: 500 Internal Server Error",
  });
});

test("Retry-After is waited for to the second, and does not make the next wait longer", async () => {
  const { hits, pass, say } = await setup((hit, number) =>
    status(number < 3 ? 429 : 500, { "retry-after": "7" })(hit),
  );
  say(42, "x");
  await settle();
  await pass(6_999);
  expect(hits).toHaveLength(1);
  await pass(1);
  expect(hits).toHaveLength(2);
});

test("the last error stays after a success", async () => {
  const { info, pass, say } = await setup((hit, number) => status(number === 1 ? 403 : 200)(hit));
  say(42, "x");
  await settle();
  await pass(0);
  expect(await info()).toMatchObject({
    pending_update_count: 0,
    last_error_message: "Wrong response from the webhook: 403 Forbidden",
  });
});

test("an answer that takes more than a minute counts as none, and the update comes again", async () => {
  const { hits, info, pass, say } = await setup(() => {});
  say(42, "slow");
  await settle();
  await pass(59_999);
  expect(hits).toHaveLength(1);
  await pass(1);
  await pass(0);
  expect(hits).toHaveLength(2);
  expect((await info()).last_error_message).toBe("Read timeout expired");
});

test("an answer that is cut short counts as none", async () => {
  const { hits, pass, say } = await setup(({ response }, number) => {
    if (number > 1) return void response.end();
    response.writeHead(200, { "content-length": "10" });
    response.write("short", () => response.destroy());
  });
  say(42, "x");
  await settle();
  await pass(0);
  expect(hits).toHaveLength(2);
});

test("without a listener the error says so, and the update waits", async () => {
  const { call, control, info } = await setup(status(200));
  await call("deleteWebhook");
  control.advanceClock({ ms: 1_000 });
  await call("setWebhook", { url: "http://127.0.0.1:1/" });
  control.write({ userId: 42, text: "x" });
  await settle();
  expect(await info()).toMatchObject({
    pending_update_count: 1,
    last_error_message: "Connection refused",
  });
});

test("an update that cannot be delivered in its lifetime is dropped", async () => {
  const { control, hits, pass, say, call } = await setup(status(500));
  const markup = { inline_keyboard: [[{ text: "go", callback_data: "go" }]] };
  const sent = await call("sendMessage", { chat_id: 42, text: "?", reply_markup: markup });
  const place = { userId: 42, chatId: 42, messageId: sent.body.result.message_id };
  const { updateId } = control.press({ ...place, data: "go" });
  await settle();
  for (let turn = 0; turn < 80; turn++) await pass(2_000);
  expect(hits.length).toBeGreaterThan(5);
  expect(control.facts({ updateId: updateId as number })[0]?.end).toBe("expired");
  say(42, "still there");
  await settle();
  expect(hits.at(-1)?.update.message.text).toBe("still there");
}, 20_000);

describe("a method call in the answer", () => {
  const answerWith = (body: object) => (hit: Hit) =>
    void hit.response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify(body));

  test("is executed as the bot", async () => {
    const reply = { method: "sendMessage", chat_id: 42, text: "in the answer" };
    const { control, say } = await setup(answerWith(reply));
    say(42, "x");
    await settle();
    expect(control.messages({ chatId: 42 }).at(-1)).toMatchObject({ text: "in the answer" });
    expect(control.journal({ method: "sendMessage" })).toMatchObject([{ executed: true }]);
  });

  test.each(["setWebhook", "deleteWebhook", "close", "logOut", "getMe"])(
    "%s is not",
    async (method) => {
      const { control, info, say, url } = await setup(answerWith({ method }));
      say(42, "x");
      await settle();
      expect((await info()).url).toBe(url);
      expect(control.journal({ method }).filter(({ status }) => status === null)).toEqual([]);
    },
  );

  test("that fails does not bring the update back", async () => {
    const { hits, info, pass, say } = await setup(
      answerWith({ method: "sendMessage", chat_id: 9 }),
    );
    say(42, "x");
    await settle();
    await pass(60_000);
    expect(hits).toHaveLength(1);
    expect((await info()).pending_update_count).toBe(0);
  });
});

test("a webhook that says 410 for 23 hours is removed, its updates are kept", async () => {
  const { call, info, pass, say, url } = await setup(status(410, { "retry-after": "3600" }));
  say(42, "x");
  await settle();
  for (let hour = 0; hour < 23; hour++) await pass(3_600_000);
  expect((await info()).url).toBe(url);
  say(43, "another reason to ask");
  await pass(1);
  expect((await info()).url).toBe("");
  expect((await call("getUpdates")).body.result).toHaveLength(2);
});

test("with pacing there is one connection until the first success", async () => {
  const waiting: Hit[] = [];
  const { say } = await setup((hit) => waiting.push(hit), { pacing: true });
  for (let userId = 100; userId < 105; userId++) say(userId, "x");
  await settle();
  expect(waiting).toHaveLength(1);
  status(200)(waiting[0] as Hit);
  await settle();
  expect(waiting).toHaveLength(5);
});

test("no more connections are used than were asked for", async () => {
  const waiting: Hit[] = [];
  const { call, control, url } = await setup((hit) => waiting.push(hit));
  control.advanceClock({ ms: 1_000 });
  await call("setWebhook", { url, max_connections: 2 });
  for (let userId = 100; userId < 110; userId++) control.write({ userId, text: "x" });
  await settle();
  expect(waiting).toHaveLength(2);
  status(200)(waiting[0] as Hit);
  await settle();
  expect(waiting).toHaveLength(3);
  expect(new Set(waiting.map(({ port }) => port)).size).toBe(2);
});

test("what was in flight when the webhook moves is delivered again", async () => {
  const { call, control, say, url } = await setup(() => {});
  say(42, "x");
  await settle();
  const next = await startWebhookServer(status(200));
  expect((await call("setWebhook", { url: next.url })).status).toBe(429);
  control.advanceClock({ ms: 1_000 });
  await call("setWebhook", { url: next.url });
  await settle();
  expect(next.hits.map(({ update }) => update.message.text)).toEqual(["x"]);
  expect(next.url).not.toBe(url);
});

test("a fault makes the endpoint look down, without the bot's doing", async () => {
  const { control, hits, info, pass, say } = await setup(status(200));
  control.addFault({ match: "webhook", count: 2, fault: { kind: "close" } });
  say(42, "x");
  await settle();
  expect(hits).toHaveLength(0);
  expect((await info()).last_error_message).toBe("Connection refused");
  await pass(0);
  await pass(2_000);
  expect(hits).toHaveLength(1);
});

test("a lost answer brings an update that was handled once more", async () => {
  const { control, hits, pass, say } = await setup(status(200));
  const fault = { kind: "error", status: 502, execute: true } as const;
  control.addFault({ match: "webhook", count: 1, fault });
  say(42, "x");
  await settle();
  await pass(0);
  expect(hits.map(({ update }) => update.update_id)).toEqual(
    Array(2).fill(hits[0]?.update.update_id),
  );
});

describe("setWebhook refuses", () => {
  test.each([
    ["what is no address", { url: "no address" }, "invalid webhook URL specified"],
    [
      "a long secret",
      { url: "https://1.2.3.4", secret_token: "x".repeat(257) },
      "secret token is too long",
    ],
    [
      "a strange secret",
      { url: "https://1.2.3.4", secret_token: "ü" },
      "secret token contains unallowed characters",
    ],
    [
      "plain HTTP",
      { url: "http://1.2.3.4" },
      "bad webhook: An HTTPS URL must be provided for webhook",
    ],
    [
      "another port",
      { url: "https://1.2.3.4:444" },
      "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
    ],
    [
      "a private address",
      { url: "https://127.0.0.1" },
      "bad webhook: IP address 127.0.0.1 is reserved",
    ],
    ["IPv6", { url: "https://[2001:db8::1]" }, "bad webhook: IPv6-only addresses are not allowed"],
    [
      "no IP address",
      { url: "https://1.2.3.4", ip_address: "1.2.3" },
      "bad webhook: Invalid IP address specified",
    ],
    [
      "an unknown name",
      { url: "https://nowhere.invalid" },
      "bad webhook: Failed to resolve host: Name or service not known",
    ],
  ])("%s, as the cloud does, and leaves no webhook", async (_, parameters, text) => {
    const { call, control, info } = await setup(status(200));
    const cloud = await startConversation({ webhookRules: "cloud" });
    const refused = await cloud.call("setWebhook", parameters);
    expect(refused.body).toEqual({
      ok: false,
      error_code: 400,
      description: `Bad Request: ${text}`,
    });
    control.advanceClock({ ms: 1_000 });
    await call("setWebhook", { url: "no address" });
    expect((await info()).url).toBe("");
  });

  test("nothing when nothing changes", async () => {
    const { call, control, url } = await setup(status(200));
    control.advanceClock({ ms: 1_000 });
    const again = await call("setWebhook", { url, secret_token: "s3cret" });
    expect(again.body.description).toBe("Webhook is already set");
  });
});

test("getUpdates and a webhook exclude each other; without it, everything pending comes by polling", async () => {
  const { call, say } = await setup(() => {});
  say(42, "x");
  await settle();
  expect((await call("getUpdates")).status).toBe(409);
  expect((await call("deleteWebhook")).body.description).toBe("Webhook was deleted");
  expect((await call("deleteWebhook")).body.description).toBe("Webhook is already deleted");
  expect((await call("getUpdates")).body.result).toHaveLength(1);
});
