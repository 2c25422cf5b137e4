import { expect, test } from "vitest";
import {
  findViolations,
  floodRulesDefault,
  type JournalledCall,
} from "../../sandbox/flood/violations.ts";
import { startConversation } from "./bot-client.ts";

const chat = 42;
const group = -7;

function send(sequence: number, atMs: number, chatId = chat, cost = 1): JournalledCall {
  return {
    sequence,
    chatId,
    cost,
    executedAtMs: atMs,
    arrivedAtMs: atMs,
    answeredAtMs: atMs,
    description: null,
  };
}

function refused(sequence: number, atMs: number, description: string): JournalledCall {
  return { ...send(sequence, atMs), executedAtMs: null, description };
}

const every = (count: number, gapMs: number, chatOf: (number: number) => number) =>
  Array.from({ length: count }, (_, number) => send(number + 1, number * gapMs, chatOf(number)));

test.for([
  {
    title: "two in a chat within a second",
    calls: [send(1, 0), send(2, 999)],
    found: [["chat-per-second", 2]],
  },
  { title: "two in a chat exactly a second apart", calls: [send(1, 0), send(2, 1_000)], found: [] },
  { title: "two chats at once", calls: [send(1, 0), send(2, 0, 43)], found: [] },
  { title: "an album alone", calls: [send(1, 0, chat, 10)], found: [] },
  {
    title: "an album and a message",
    calls: [send(1, 0, chat, 10), send(2, 500)],
    found: [["chat-per-second", 2]],
  },
  { title: "questions", calls: [send(1, 0, chat, 0), send(2, 0, chat, 0)], found: [] },
  {
    title: "what was not executed",
    calls: [send(1, 0), { ...send(2, 1), executedAtMs: null }],
    found: [],
  },
  {
    title: "out of order in the journal",
    calls: [send(1, 5_000), send(2, 0), send(3, 5_500)],
    found: [["chat-per-second", 3]],
  },
  {
    title: "21 in a group within a minute",
    calls: every(21, 2_900, () => group),
    found: [["group-per-minute", 21]],
  },
  { title: "21 in a group in just a minute", calls: every(21, 3_000, () => group), found: [] },
  { title: "21 in a private chat within a minute", calls: every(21, 2_900, () => chat), found: [] },
  {
    title: "31 over all within a second",
    calls: every(31, 10, (number) => number + 1),
    found: [["bot-per-second", 31]],
  },
  {
    title: "just under 30 a second for a minute",
    calls: every(1_800, 34, (number) => number % 60),
    found: [],
  },
  {
    title: "a burst across the border of two fixed seconds",
    calls: [
      ...every(30, 0, (number) => number + 1).map((call) => ({ ...call, executedAtMs: 990 })),
      send(31, 1_010, 99),
    ],
    found: [["bot-per-second", 31]],
  },
])("$title", ({ calls, found }) => {
  const violations = findViolations(calls, [], floodRulesDefault);
  expect(violations.map(({ rule, sequence }) => [rule, sequence])).toEqual(found);
});

test("after a block every further attempt counts until the user writes", () => {
  const blocked = "Forbidden: bot was blocked by the user";
  const calls = [
    refused(1, 0, blocked),
    refused(2, 5_000, blocked),
    refused(3, 9_000, blocked),
    send(4, 20_000),
  ];
  const found = findViolations(calls, [{ chatId: chat, atMs: 10_000 }], floodRulesDefault);
  expect(found.map(({ rule, sequence, messages }) => [rule, sequence, messages])).toEqual([
    ["send-after-block", 2, 1],
    ["send-after-block", 3, 2],
  ]);
});

test("what was already on its way when the block was answered does not count", () => {
  const late = { ...refused(1, 0, "Forbidden: bot was blocked by the user"), answeredAtMs: 50 };
  expect(findViolations([late, refused(2, 20, "x")], [], floodRulesDefault)).toEqual([]);
});

test("limits are the caller's", () => {
  const calls = every(4, 100, () => chat);
  const found = findViolations(calls, [], {
    chatPerSecond: 3,
    groupPerMinute: 20,
    botPerSecond: 2,
  });
  expect(found.map(({ rule, sequence, limit }) => [rule, sequence, limit])).toEqual([
    ["bot-per-second", 3, 2],
    ["bot-per-second", 4, 2],
    ["chat-per-second", 4, 3],
  ]);
});

test("a real journal is held to the limits", async () => {
  const { control, call } = await startConversation({ flood: "off" });
  await call("sendMessage", { chat_id: 42, text: "one" });
  control.advanceClock({ ms: 1_000 });
  await call("sendMessage", { chat_id: 42, text: "two" });
  expect(control.violations()).toEqual([]);
  control.advanceClock({ ms: 400 });
  await call("editMessageText", { chat_id: 42, message_id: 1, text: "three" });
  expect(control.violations()).toMatchObject([
    { rule: "chat-per-second", chatId: 42, sequence: 3, messages: 2 },
  ]);
  control.setAccess({ chatId: 42, access: "blocked", silent: true });
  control.advanceClock({ ms: 5_000 });
  await call("sendMessage", { chat_id: 42, text: "refused" });
  control.advanceClock({ ms: 5_000 });
  await call("sendMessage", { chat_id: 42, text: "again" });
  expect(control.violations({ after: 3 })).toMatchObject([
    { rule: "send-after-block", sequence: 5 },
  ]);
});
