/**
 * The checker accepts every sound history, and catches every way of breaking one.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkHistory } from "../../../lab/history/checker.ts";
import { type HistoryRecord, parseJsonLines, toJsonLines } from "../../../lab/history/history.ts";
import { limitRulesDefault } from "../../../lab/history/limits.ts";
import { mutations, soundHistory } from "./generated-history.ts";

const options = { limits: limitRulesDefault };
const found = (history: readonly HistoryRecord[]) =>
  checkHistory(history, options).findings.map(({ what }) => what);

test("every sound history is accepted", () => {
  fc.assert(
    fc.property(soundHistory, (history) => {
      expect(checkHistory(history, options).findings).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("what was allowed is counted", () => {
  fc.assert(
    fc.property(soundHistory, (history) => {
      const count = (kind: HistoryRecord["kind"]) =>
        history.filter((record) => record.kind === kind).length;
      expect(checkHistory(history, options).counts).toEqual({
        updates: count("sent-by-user"),
        deaths: count("died"),
        lost: 0,
        effects: count("effect"),
        effectsMissing: 0,
        effectsDoubled: 0,
        replies: count("executed"),
        repliesMissing: 0,
        repliesDuplicated: 0,
        repliesAmbiguous: history.filter((one) => one.kind === "executed" && one.ambiguous).length,
        deadLetters: count("dead"),
        orderViolations: 0,
        limitViolations: 0,
      });
    }),
  );
});

describe("a sound history is broken and caught:", () => {
  test.each(mutations.map((mutation) => [mutation.name, mutation] as const))(
    "%s",
    (_, mutation) => {
      let broken = 0;
      fc.assert(
        fc.property(soundHistory, fc.nat(), (history, choice) => {
          const mutated = mutation.apply(history, (items) => items[choice % items.length]);
          fc.pre(mutated !== undefined);
          broken++;
          const whats = found(mutated);
          expect(
            mutation.finds.some((what) => whats.includes(what)),
            whats.join(),
          ).toBe(true);
        }),
        { numRuns: 200 },
      );
      expect(broken).toBeGreaterThanOrEqual(200);
    },
  );
});

describe("one chat's replies", () => {
  const history = (...executed: readonly string[]): HistoryRecord[] => [
    { at: 0, kind: "covers", evidence: ["replies"] },
    { at: 0, kind: "sent-by-user", update: "1", chat: "7", replies: ["a", "b", "c"] },
    { at: 0, kind: "confirmed", update: "1" },
    // "a?" is an ambiguous send.
    ...executed.map((text, index): HistoryRecord => {
      const reply = text.replace("?", "");
      return { at: index, kind: "executed", chat: "7", reply, ambiguous: reply !== text };
    }),
  ];

  test.each([
    ["complete and in order", ["a", "b", "c"], []],
    ["repeated after an ambiguous send", ["a", "b?", "b", "c"], []],
    ["repeated twice after ambiguous sends", ["a", "b?", "b?", "b", "c"], []],
    ["one that never came", ["a", "b"], ["reply-missing"]],
    ["one left out", ["a", "c"], ["reply-missing"]],
    ["repeated without reason", ["a", "a", "b", "c"], ["reply-doubled"]],
    ["repeated twice after one ambiguous send", ["a?", "a", "a", "b", "c"], ["reply-doubled"]],
    ["repeated too late", ["a?", "b", "a", "c"], ["reply-doubled"]],
    ["in a wrong order", ["b", "a", "c"], ["replies-out-of-order"]],
    ["a stranger among them", ["a", "x", "b", "c"], ["reply-unexpected"]],
    ["one too many at the end", ["a", "b", "c", "c"], ["reply-doubled"]],
  ])("%s", (_, executed, whats) => {
    const verdict = checkHistory(history(...executed), { limits: null });
    expect(verdict.findings.map(({ what }) => what)).toEqual(whats);
  });

  test("that share names are told apart by their order", () => {
    const twice: HistoryRecord[] = [
      ...history("a", "b", "c", "a", "c"),
      { at: 0, kind: "sent-by-user", update: "2", chat: "7", replies: ["a", "b", "c"] },
      { at: 9, kind: "confirmed", update: "2" },
    ];
    expect(checkHistory(twice, { limits: null }).findings).toEqual([
      expect.objectContaining({ what: "reply-missing", where: "update 2: b was never sent" }),
    ]);
  });
});

test("what a history does not cover is not missed in it", () => {
  const journalAlone: HistoryRecord[] = [
    { at: 0, kind: "covers", evidence: ["replies"] },
    { at: 0, kind: "sent-by-user", update: "1", chat: "7", effects: ["e"], replies: ["a"] },
    { at: 1, kind: "confirmed", update: "1" },
    { at: 2, kind: "executed", chat: "7", reply: "a", ambiguous: false },
  ];
  expect(found(journalAlone)).toEqual([]);
});

test("windows are half open, and an album counts its items", () => {
  const send = (at: number, cost = 1): HistoryRecord => {
    return { at, kind: "executed", chat: "7", reply: `${at}`, ambiguous: false, cost };
  };
  expect(found([send(0), send(1_000), send(2_000, 10)])).toEqual([]);
  expect(found([send(0), send(999)])).toEqual(["chat-per-second"]);
  const albums = Array.from({ length: 4 }, (_, chat): HistoryRecord => {
    return { ...send(0, 10), chat: `${chat}` } as HistoryRecord;
  });
  expect(found(albums)).toEqual(["bot-per-second"]);
});

test("JSON lines give the same history back", () => {
  fc.assert(
    fc.property(soundHistory, (history) => {
      expect(parseJsonLines(toJsonLines(history))).toEqual(history);
    }),
  );
});

test.each([
  ["{", "line 1: expected a JSON object"],
  ["\n[]", "line 2: expected a JSON object"],
  ['{"at":1,"kind":"toString"}', "line 1: expected kind to be one of covers"],
  ['{"at":"1","kind":"died"}', "line 1: expected at: number, received string"],
  ['{"at":1,"kind":"effect","chat":"7"}', "line 1: expected effect: string, received undefined"],
])("the damaged line %j is named", (text, message) => {
  expect(() => parseJsonLines(text)).toThrow(message);
});
