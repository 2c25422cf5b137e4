import { expect, test } from "vitest";
import { isPending, type Loose, settle, startConversation } from "./bot-client.ts";

const terminated =
  "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
const webhookActive =
  "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";

const ids = (answer: { body: Loose }) =>
  answer.body.result.map((update: Loose) => update.update_id);

test("an update is delivered until a later call confirms it, then never again", async () => {
  const { control, call } = await startConversation({ pacing: false });
  const { updateId } = control.write({ userId: 42, text: "/start now" });

  const first = await call("getUpdates");
  const again = await call("getUpdates", { offset: updateId! });
  const confirming = await call("getUpdates", { offset: updateId! + 1 });
  const after = await call("getUpdates", { offset: updateId! });

  expect([ids(first), ids(again), ids(confirming), ids(after)]).toEqual([
    [updateId],
    [updateId],
    [],
    [],
  ]);
  expect(first.body.result[0].message).toMatchObject({
    message_id: 1,
    from: { id: 42, is_bot: false, first_name: "Ann" },
    chat: { id: 42, type: "private" },
    text: "/start now",
    entities: [{ type: "bot_command", offset: 0, length: 6 }],
  });
  const [fact] = control.facts({ updateId: updateId! });
  expect(fact).toMatchObject({ kind: "message", chatId: 42, end: "confirmed" });
  expect(fact?.deliveries.map(({ journalSequence }) => journalSequence)).toEqual([1, 2]);
});

test("a long poll is answered as soon as something comes, a burst in one answer", async () => {
  const { control, call } = await startConversation();
  const poll = call("getUpdates", { timeout: 50 });
  expect(await isPending(poll)).toBe(true);
  control.feed({ count: 10, users: 3 });
  expect(ids(await poll)).toHaveLength(10);
});

test("a long poll that finds nothing ends with an empty list when its time is over", async () => {
  const { control, call } = await startConversation();
  const poll = call("getUpdates", { timeout: 500 });
  await settle();
  control.advanceClock({ ms: 49_999 });
  expect(await isPending(poll)).toBe(true);
  control.advanceClock({ ms: 1 });
  expect((await poll).body).toEqual({ ok: true, result: [] });
});

test("of two pollers the older gets 409 at once; a quick second 409 comes 3 s late", async () => {
  const { control, call } = await startConversation();
  const first = call("getUpdates", { timeout: 50 });
  await settle();
  const second = call("getUpdates", { timeout: 50, offset: 1 });
  expect((await first).body).toEqual({ ok: false, error_code: 409, description: terminated });

  const third = call("getUpdates", { timeout: 50, offset: 2 });
  await settle();
  control.advanceClock({ ms: 2_999 });
  expect(await isPending(second)).toBe(true);
  control.advanceClock({ ms: 1 });
  expect((await second).status).toBe(409);
  expect(await isPending(third)).toBe(true);
});

test("without pacing every 409 comes at once", async () => {
  const { call } = await startConversation({ pacing: false });
  const polls = [];
  for (let number = 0; number < 4; number++) {
    polls.push(call("getUpdates", { timeout: 50 }));
    await settle();
  }
  const answers = await Promise.all(polls.slice(0, 3));
  expect(answers.map(({ status }) => status)).toEqual([409, 409, 409]);
});

test("a call that is answered at once does not disturb the waiting one", async () => {
  const { control, call } = await startConversation({ pacing: false });
  const poll = call("getUpdates", { timeout: 50 });
  await settle();
  expect((await call("getUpdates")).body.result).toEqual([]);
  expect(await isPending(poll)).toBe(true);
  control.write({ userId: 42, text: "hello" });
  expect(ids(await poll)).toHaveLength(1);
});

test("the same offset again within 3 s waits up to 3 s, and gets one update within 0.5 s", async () => {
  const { control, call } = await startConversation();
  await call("getUpdates", { offset: 5 });
  const repeated = call("getUpdates", { offset: 5 });
  await settle();
  control.advanceClock({ ms: 2_999 });
  expect(await isPending(repeated)).toBe(true);
  control.advanceClock({ ms: 1 });
  expect((await repeated).body.result).toEqual([]);

  control.feed({ count: 3 });
  expect(ids(await call("getUpdates", { offset: 0 }))).toHaveLength(3);
  expect(ids(await call("getUpdates", { offset: 0 }))).toHaveLength(1);
  control.advanceClock({ ms: 500 });
  expect(ids(await call("getUpdates", { offset: 0 }))).toHaveLength(3);
});

test("an answer to a client that has left confirms nothing", async () => {
  const { control, call, url } = await startConversation({ pacing: false });
  const leaving = new AbortController();
  const { token } = control.describe();
  const poll = fetch(`${url}/bot${token}/getUpdates?timeout=50`, { signal: leaving.signal });
  const gone = poll.catch(() => "gone");
  await settle(50);
  leaving.abort();
  expect(await gone).toBe("gone");
  await settle(50);

  const { updateId } = control.write({ userId: 42, text: "is anybody there" });
  await settle(50);
  expect(control.facts()[0]?.deliveries).toMatchObject([{ clientConnected: false }]);
  expect(control.journal({ method: "getUpdates" })[0]).toMatchObject({ answeredAtMs: null });
  expect(ids(await call("getUpdates"))).toEqual([updateId]);
});

test("a confirmed update can be delivered once more, whatever the offset", async () => {
  const { control, call } = await startConversation({ pacing: false });
  const { updateId } = control.write({ userId: 42, text: "again" });
  await call("getUpdates", { offset: updateId! + 1 });
  expect(control.redeliver({ updateId: updateId! })).toEqual({ found: true });
  expect(ids(await call("getUpdates", { offset: updateId! + 1 }))).toEqual([updateId]);
  expect(ids(await call("getUpdates", { offset: updateId! + 1 }))).toEqual([]);
});

test("after a jump downwards a stale offset counts as 0, and nothing is confirmed", async () => {
  const { control, call } = await startConversation({ pacing: false });
  const { updateId } = control.write({ userId: 42, text: "before" });
  await call("getUpdates", { offset: updateId! + 1 });
  control.jumpUpdateId({ to: 1_000 });
  control.write({ userId: 42, text: "after" });
  expect(ids(await call("getUpdates", { offset: updateId! + 1 }))).toEqual([1_000]);
  expect(ids(await call("getUpdates", { offset: updateId! + 1 }))).toEqual([1_000]);
});

test.for([
  { kind: "message", livesMs: 86_400_000, request: { userId: 42, text: "hi" } },
  { kind: "callback_query", livesMs: 150_000 },
  { kind: "inline_query", livesMs: 30_000 },
  { kind: "chosen_inline_result", livesMs: 600_000 },
  { kind: "pre_checkout_query", livesMs: 150_000 },
])("a $kind is kept for $livesMs ms", async ({ kind, livesMs }) => {
  const { control, call } = await startConversation({ pacing: false });
  control.inject({ update: { [kind]: { id: "1" } } });
  control.advanceClock({ ms: livesMs - 1 });
  expect(ids(await call("getUpdates"))).toHaveLength(1);
  control.advanceClock({ ms: 1 });
  expect(ids(await call("getUpdates"))).toHaveLength(0);
  expect(control.facts()[0]?.end).toBe("expired");
});

test("allowed_updates is remembered, applied to what comes later, and reset by an empty list", async () => {
  const { control, call } = await startConversation({ pacing: false });
  control.write({ userId: 42, text: "kept, for it came before" });
  await call("getUpdates", { allowed_updates: ["CALLBACK_QUERY", "nonsense"] });
  expect(control.write({ userId: 42, text: "dropped" }).updateId).toBeNull();
  await call("getUpdates", { allowed_updates: "not json" });
  expect(control.queue().allowedUpdates).toEqual(["callback_query"]);
  await call("getUpdates", { allowed_updates: [] });
  expect(control.queue().allowedUpdates).toBeNull();
  expect(control.write({ userId: 42, text: "heard" }).updateId).not.toBeNull();
  expect(control.queue().pending).toBe(2);
});

test("while a webhook is set, polling is refused and setting it ends the waiting poll", async () => {
  const { control, call } = await startConversation();
  const poll = call("getUpdates", { timeout: 50 });
  await settle();
  const set = await call("setWebhook", { url: "http://127.0.0.1:1/hook" });
  expect(set.body).toEqual({ ok: true, result: true, description: "Webhook was set" });
  expect((await poll).body.description).toBe("Conflict: terminated by setWebhook request");

  control.advanceClock({ ms: 3_000 });
  expect((await call("getUpdates")).body.description).toBe(webhookActive);
  expect((await call("getWebhookInfo")).body.result.url).toBe("http://127.0.0.1:1/hook");
  expect((await call("deleteWebhook")).body.description).toBe("Webhook was deleted");
  expect((await call("deleteWebhook")).body.description).toBe("Webhook is already deleted");
  expect((await call("getUpdates")).status).toBe(200);
});

test("a refused setWebhook leaves the bot without a webhook", async () => {
  const { call, control } = await startConversation();
  await call("setWebhook", { url: "http://127.0.0.1:1/hook" });
  control.advanceClock({ ms: 1_000 });
  const refused = await call("setWebhook", { url: "http://127.0.0.1:1/hook", secret_token: "ü" });
  expect(refused.body.description).toBe("Bad Request: secret token contains unallowed characters");
  expect((await call("getWebhookInfo")).body.result.url).toBe("");
});

test("a verbatim update is delivered as it is", async () => {
  const { control, call } = await startConversation({ pacing: false });
  control.inject({ update: '{"update_id":7,"message":null}', verbatim: true });
  control.inject({ update: [1, "two"], verbatim: true });
  expect((await call("getUpdates")).body.result).toEqual([
    { update_id: 7, message: null },
    [1, "two"],
  ]);
});
