import { describe, expect, test } from "vitest";
import { allFaults } from "../../../lab/drill/faults/all.ts";
import { machineFaults } from "../../../lab/drill/machines/faults.ts";
import { findInHand } from "../../../lab/drill/machines/judge.ts";
import type { TakenOver } from "../../../lab/drill/machines/observer.ts";
import type { JournalEntry } from "../../../sandbox/control-api.ts";

const help = "This is what I can do: nothing";
const balance = "Balance: 100";

function call(sequence: number, text: string, arrivedAtEpochMs: number, chat = 7): JournalEntry {
  return {
    ...{ sequence, botId: 1, method: "sendMessage", status: 200, description: null },
    parameters: { chat_id: String(chat), text },
    ...{ arrivedAtMs: arrivedAtEpochMs, arrivedAtEpochMs, answeredAtMs: arrivedAtEpochMs },
    ...{ executed: true, executedAtMs: arrivedAtEpochMs, chatId: chat, messageId: 1, cost: 1 },
    answerWritten: true,
  };
}

function takenOver(text: string, atEpochMs: number): TakenOver {
  const payload = JSON.stringify({ method: "sendMessage", payload: { chat_id: 7, text } });
  return { id: 1, origin: null, owner: 1, atEpochMs, payload };
}

describe("a repeated send is excused", () => {
  test("where it was in hand when another process took it over", () => {
    const journal = [call(1, balance, 1_000), call(2, help, 2_000), call(3, help, 3_000)];
    expect(findInHand(journal, [takenOver(help, 2_500)])).toEqual(new Set([2]));
  });

  test("where its request was still in the socket then", () => {
    expect(findInHand([call(1, help, 2_600)], [takenOver(help, 2_500)])).toEqual(new Set([1]));
  });
});

describe("a repeated send has no excuse", () => {
  test.each([
    ["when nothing was taken over", [call(1, help, 1_000), call(2, help, 2_000)], []],
    ["when another one was in hand", [call(1, balance, 1_000)], [takenOver(help, 2_500)]],
    ["when it began long after", [call(1, help, 3_000)], [takenOver(help, 2_500)]],
    ["when another chat's was in hand", [call(1, help, 1_000, 8)], [takenOver(help, 2_500)]],
  ])("%s", (_, journal, takenOvers) => {
    expect(findInHand(journal, takenOvers)).toEqual(new Set());
  });
});

test("names of faults are unique, and can be typed", () => {
  const names = [...allFaults, ...machineFaults].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name } of machineFaults) expect(name).toMatch(/^machines-[a-z-]+$/);
});
