import { describe, expect, test } from "vitest";
import { allFaults } from "../../../lab/drill/faults/all.ts";
import { machineFaults } from "../../../lab/drill/machines/faults.ts";
import { findInHand } from "../../../lab/drill/machines/judge.ts";
import { findForgotten, judgeReports } from "../../../lab/drill/machines/loss.ts";
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

describe("a reply that was sent within a loss of commits", () => {
  const losses = [{ fromMs: 1_000, untilMs: 2_000 }];
  const journal = [call(1, help, 1_500), call(2, balance, 1_600), call(3, help, 5_000)];

  test("is forgotten where it was sent again", () => {
    expect(findForgotten(journal, () => 1, losses)).toEqual(new Set([1]));
  });

  test.each([
    ["where it was owed as often as it was sent", () => 2, losses],
    ["where the commits of its time were kept", () => 1, [{ fromMs: 2_000, untilMs: 3_000 }]],
    ["where no commits were lost", () => 1, []],
  ])("is not forgotten %s", (_, owed, during) => {
    expect(findForgotten(journal, owed, during)).toEqual(new Set());
  });
});

describe("what is said of lost commits", () => {
  const lost = { commits: 40, updates: 20, entries: 3 };

  test("may lack the commits that were not answered yet, one for each process", () => {
    const reports = [20, 19].map((commits) => ({ commits, afterMs: 900 }));
    expect(judgeReports(lost, reports, 2)).toEqual([]);
  });

  test.each([
    ["is nothing", [], /40 commits were lost, and 0 reported/],
    ["is too little", [{ commits: 37, afterMs: 900 }], /and 37 reported/],
    ["is too much", [{ commits: 41, afterMs: 900 }], /and 41 reported/],
    ["comes late", [{ commits: 40, afterMs: 11_000 }], /after 11000 ms/],
  ])("is a broken promise when it %s", (_, reports, problem) => {
    expect(judgeReports(lost, reports, 2)).toEqual([expect.stringMatching(problem)]);
  });

  test("proves nothing when no update was lost", () => {
    const none = { commits: 0, updates: 0, entries: 0 };
    expect(judgeReports(none, [], 2)).toEqual([expect.stringContaining("no update was lost")]);
  });
});

test("names of faults are unique, and can be typed", () => {
  const names = [...allFaults, ...machineFaults].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name } of machineFaults) expect(name).toMatch(/^machines-[a-z-]+$/);
});
