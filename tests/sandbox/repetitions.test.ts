import { expect, test } from "vitest";
import { findRepetitions, type RepeatableCall } from "../../sandbox/flood/repetitions.ts";
import { startConversation } from "./bot-client.ts";

/** A send that took effect a millisecond after it came, and was answered. */
function send(
  sequence: number,
  text: string,
  change: Partial<RepeatableCall> = {},
): RepeatableCall {
  return {
    sequence,
    method: "sendMessage",
    parameters: { chat_id: "42", text },
    chatId: 42,
    cost: 1,
    executedAtMs: sequence,
    answeredAtMs: sequence,
    status: 200,
    answerWritten: true,
    ...change,
  };
}

const refused = { executedAtMs: null, status: 429 };
const lost = { status: null, answeredAtMs: null, answerWritten: false };
const heard = (atMs: number) => ({ chatId: 42, atMs });

test.for<{ title: string; calls: RepeatableCall[]; heard?: number[]; found: [string, number][] }>([
  { title: "two different sends", calls: [send(1, "a"), send(2, "b")], found: [] },
  {
    title: "the same in two chats",
    calls: [send(1, "a"), send(2, "a", { chatId: 43 })],
    found: [],
  },
  {
    title: "the same twice for one update",
    calls: [send(1, "a"), send(2, "a")],
    heard: [0],
    found: [["duplicate", 2]],
  },
  {
    title: "the same twice for two updates",
    calls: [send(1, "a"), send(2, "a")],
    heard: [0, 0],
    found: [],
  },
  {
    title: "the second update came later",
    calls: [send(1, "a"), send(2, "a")],
    heard: [0, 9],
    found: [["duplicate", 2]],
  },
  {
    title: "again after a lost answer",
    calls: [send(1, "a", lost), send(2, "a")],
    heard: [0, 0],
    found: [["possible-duplicate", 2]],
  },
  {
    title: "again after a 500 that took effect",
    calls: [send(1, "a", { status: 500 }), send(2, "a")],
    found: [["possible-duplicate", 2]],
  },
  {
    title: "again after a cut answer",
    calls: [send(1, "a", { fault: "cut" }), send(2, "a")],
    found: [["possible-duplicate", 2]],
  },
  {
    title: "again after the client left",
    calls: [send(1, "a", { clientGoneAfterMs: 5 }), send(2, "a")],
    found: [["possible-duplicate", 2]],
  },
  { title: "again after a refusal", calls: [send(1, "a", refused), send(2, "a")], found: [] },
  {
    title: "overtaken while it was retried",
    calls: [send(1, "a", refused), send(2, "b"), send(3, "a")],
    found: [["order-broken", 3]],
  },
  {
    title: "overtaken while it waited",
    calls: [send(1, "a", { executedAtMs: 9 }), send(2, "b")],
    found: [["order-broken", 1]],
  },
  { title: "questions", calls: [send(1, "a", { cost: 0 }), send(2, "a", { cost: 0 })], found: [] },
])("$title", ({ calls, found, heard: instants = [] }) => {
  const violations = findRepetitions(calls, instants.map(heard));
  expect(violations.map(({ rule, sequence }) => [rule, sequence])).toEqual(found);
});

test("the report holds them, and can be asked for some rules alone", async () => {
  const { call, control } = await startConversation({ flood: "off" });
  control.write({ userId: 42, text: "hello" });
  await call("sendMessage", { chat_id: 42, text: "twice" });
  await call("sendMessage", { chat_id: 42, text: "twice" });
  const rules = control.violations().map(({ rule }) => rule);
  expect(rules.toSorted()).toEqual(["chat-per-second", "duplicate"]);
  expect(control.violations({ rules: ["duplicate"] })).toMatchObject([{ messages: 2, limit: 1 }]);
});
