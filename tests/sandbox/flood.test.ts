import { expect, test } from "vitest";
import { FloodModel, floodLimitsDefault } from "../../sandbox/flood/flood-model.ts";
import { isPending, settle, startConversation } from "./bot-client.ts";

test.for([
  {
    title: "a private chat takes 5 at once, then one a second",
    group: false,
    takes: 7,
    waits: [0, 0, 0, 0, 0, 1_000, 1_000],
  },
  {
    title: "a group takes 3 at once, then one a second",
    group: true,
    takes: 5,
    waits: [0, 0, 0, 1_000, 1_000],
  },
])("$title", ({ group, takes, waits }) => {
  const model = new FloodModel(floodLimitsDefault, 0);
  const got = Array.from({ length: takes }, () => Math.round(model.take(1, group, 1, 0)));
  expect(got).toEqual(waits);
  expect(model.take(1, group, 1, 1_000)).toBe(0);
});

test("a group takes 20 in any minute", () => {
  const model = new FloodModel(floodLimitsDefault, 0);
  let taken = 0;
  for (let atMs = 0; atMs < 60_000; atMs += 1_000)
    if (model.take(-1, true, 1, atMs) === 0) taken += 1;
  expect(taken).toBe(20);
  expect(model.take(-1, true, 1, 59_000)).toBe(1_000);
  expect(model.take(-1, true, 1, 60_000)).toBe(0);
});

test("all chats together take 30 a second", () => {
  const model = new FloodModel(floodLimitsDefault, 0);
  const waits = Array.from({ length: 31 }, (_, chat) => model.take(chat, false, 1, 0));
  expect(waits.filter((waitMs) => waitMs === 0)).toHaveLength(30);
  expect(waits[30]).toBeCloseTo(1_000 / 30);
});

test("an album dearer than the burst passes when the bucket is full, and is paid off afterwards", () => {
  const model = new FloodModel(floodLimitsDefault, 0);
  expect(model.take(1, false, 10, 0)).toBe(0);
  expect(model.take(1, false, 1, 0)).toBeCloseTo(6_000);
});

test("strict: the sixth message at once is refused, not executed, and told when to come back", async () => {
  const { control, call } = await startConversation();
  for (let number = 0; number < 5; number++) await call("sendMessage", { chat_id: 42, text: "x" });
  const { status, headers, body } = await call("sendMessage", { chat_id: 42, text: "x" });
  expect([status, headers["retry-after"], body.parameters.retry_after]).toEqual([429, "1", 1]);
  expect((await call("sendChatAction", { chat_id: 42, action: "typing" })).status).toBe(200);
  expect(control.messages({ chatId: 42 })).toHaveLength(5);
  expect(control.journal()[5]).toMatchObject({ executed: false, cost: 1, status: 429 });
  control.advanceClock({ ms: 1_000 });
  expect((await call("sendMessage", { chat_id: 42, text: "x" })).status).toBe(200);
});

test("absorb: a short wait is silent", async () => {
  const { control, call } = await startConversation({ flood: "absorb" });
  for (let number = 0; number < 5; number++) await call("sendMessage", { chat_id: 42, text: "x" });
  const slow = call("sendMessage", { chat_id: 42, text: "slow" });
  await settle();
  control.advanceClock({ ms: 999 });
  expect(await isPending(slow)).toBe(true);
  control.advanceClock({ ms: 1 });
  expect((await slow).status).toBe(200);
});

test("absorb: beyond 8 s there is a 429 after all", async () => {
  const { control, call } = await startConversation({
    flood: "absorb",
    floodLimits: { groupPerMinute: 1 },
  });
  const { id } = control.createGroup({ title: "G" });
  expect((await call("sendMessage", { chat_id: id, text: "x" })).status).toBe(200);
  expect((await call("sendMessage", { chat_id: id, text: "x" })).body.parameters.retry_after).toBe(
    60,
  );
});

test("off: nothing is limited", async () => {
  const { call } = await startConversation({ flood: "off" });
  for (let number = 0; number < 50; number++) {
    expect((await call("sendMessage", { chat_id: 42, text: "x" })).status).toBe(200);
  }
});
