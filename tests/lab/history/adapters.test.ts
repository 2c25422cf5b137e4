/** The adapters turn the sandbox's journal and the database into a history with the same meaning. */
import { describe, expect, test } from "vitest";
import { checkHistory } from "../../../lab/history/checker.ts";
import {
  checkBooks,
  historyFromDatabase,
  type ReadTable,
  sendsInHand,
} from "../../../lab/history/from-database.ts";
import {
  historyFromJournal,
  type NamedCall,
  type ObservedCall,
  type WitnessedEnd,
} from "../../../lab/history/from-journal.ts";

const call: ObservedCall = {
  sequence: 1,
  method: "sendMessage",
  parameters: { chat_id: "7", text: "Hello" },
  arrivedAtMs: 10,
  answeredAtMs: 20,
  status: 200,
  description: null,
  executedAtMs: 15,
  chatId: 7,
  cost: 1,
  answerWritten: true,
};

describe("from the journal", () => {
  const reply = ({ parameters }: NamedCall) => parameters["text"];
  const tell = (...calls: readonly Partial<ObservedCall>[]) =>
    historyFromJournal(
      calls.map((one) => ({ ...call, ...one })),
      [],
      { reply },
    ).slice(1);

  test.each<[string, Partial<ObservedCall>, boolean]>([
    ["an answer that was read is certain", {}, false],
    ["an answer that was cut is ambiguous", { fault: "cut" }, true],
    ["an answer that was never written is ambiguous", { answerWritten: false }, true],
    ["no answer is ambiguous", { answeredAtMs: null, status: null }, true],
    ["an error of the server is ambiguous", { status: 502 }, true],
    ["a client gone right after the answer may not have read it", { clientGoneAfterMs: 3 }, true],
    ["a client gone later has read it", { clientGoneAfterMs: 5_000 }, false],
  ])("%s", (_, change, ambiguous) => {
    const chat = "7";
    expect(tell(change)).toEqual([
      { at: 15, kind: "executed", chat, reply: "Hello", ambiguous, cost: 1 },
    ]);
  });

  const inHand = [{ chat: "7", method: "sendMessage", parameters: call.parameters }];
  const other = [{ ...inHand[0]!, parameters: { chat_id: "7", text: "Help" } }];
  const elsewhere = [{ ...inHand[0]!, chat: "8" }];
  const dying: Partial<ObservedCall> = { clientGoneAfterMs: 30 };

  test.each<[string, Partial<ObservedCall>, Partial<WitnessedEnd>, boolean]>([
    ["answered, and in hand at the death: ambiguous", dying, { inHand }, true],
    ["answered just before the death, and not in hand any more: certain", dying, {}, false],
    ["answered, another one in hand: certain", dying, { inHand: other }, false],
    ["answered, one of another chat in hand: certain", dying, { inHand: elsewhere }, false],
    ["in hand long after its answer: certain", {}, { atMs: 1_500, inHand }, false],
    ["in hand after a hang as long: ambiguous", {}, { atMs: 1_500, deafMs: 2_000, inHand }, true],
    ["a disk that could not be read: the server decides", dying, { inHand: undefined }, true],
    ["never answered: ambiguous, whatever the disk says", { status: null }, {}, true],
    ["made by the next process: certain", { arrivedAtMs: 400, ...dying }, { inHand }, false],
    ["a living client's link broke: ambiguous", dying, { atMs: 9_000 }, true],
  ])("at a witnessed end: %s", (_, change, end, ambiguous) => {
    const ends = [
      { atMs: 50, inHand: [], ...end },
      { atMs: 60_000, inHand: [] },
    ];
    const late = change.arrivedAtMs === undefined ? {} : { answeredAtMs: 59_990, executedAtMs: 15 };
    const history = historyFromJournal([{ ...call, ...change, ...late }], [], { reply }, ends);
    expect(history[1]).toMatchObject({ kind: "executed", ambiguous });
  });

  test("a needless repetition is a violation, even within the last second before a death", () => {
    const repeated = [
      { ...call, ...dying },
      { ...call, sequence: 2, arrivedAtMs: 900, executedAtMs: 905, answeredAtMs: 910 },
    ];
    const judged = (left: WitnessedEnd["inHand"]) => {
      const names = { reply, expectation: () => ({ replies: ["Hello"] }) };
      const history = historyFromJournal(repeated, [fate], names, [{ atMs: 50, inHand: left }]);
      const { counts, findings } = checkHistory(history, { limits: null });
      return [counts.repliesAmbiguous, findings.map(({ what }) => what)];
    };
    expect(judged([])).toEqual([0, ["reply-doubled"]]);
    expect(judged(inHand)).toEqual([1, []]);
    expect(judged(undefined)).toEqual([1, []]);
  });

  test("a refusal with 429 is one, other refusals and questions are nothing", () => {
    const refused = { executedAtMs: null, status: 429 };
    const description = "Too Many Requests: retry after 5";
    expect(
      tell(
        { ...refused, description },
        { executedAtMs: null, status: 403, description: "Forbidden" },
        { method: "getMe", chatId: null, cost: 0 },
        { method: "sendChatAction", parameters: {}, cost: 0 },
      ),
    ).toEqual([{ at: 20, kind: "rate-limited", chat: "7", retryAfterMs: 5_000 }]);
  });

  test("a send without a name counts under flood control alone", () => {
    const history = historyFromJournal([{ ...call, parameters: {} }, call], [fate], {
      reply,
      expectation: () => ({ replies: ["Hello"] }),
    });
    const limits = { chatPerSecond: 1, groupPerMinute: 20, botPerSecond: 30 };
    const { findings } = checkHistory(history, { limits });
    expect(findings.map(({ what }) => what)).toEqual(["chat-per-second"]);
  });

  const fate = { updateId: 5, chatId: 7, createdAtMs: 1, end: "confirmed", endedAtMs: 9 } as const;

  test("an update's fate is told with what is expected of it", () => {
    const expectation = () => ({ replies: ["Hello"] });
    const fates = [fate, { ...fate, updateId: 6, chatId: null, end: "expired" as const }];
    expect(historyFromJournal([], fates, { reply, expectation }).slice(1)).toEqual([
      { at: 1, kind: "sent-by-user", update: "5", chat: "7", replies: ["Hello"] },
      { at: 1, kind: "sent-by-user", update: "6", chat: "update:6", replies: ["Hello"] },
      { at: 9, kind: "confirmed", update: "5" },
      { at: 9, kind: "forgotten", update: "6" },
    ]);
  });
});

const tables = {
  accounts: [{ user_id: 7 }],
  dedupe: [{ key: "update:42:5" }, { key: "callback:42:abc" }],
  orders: [{ id: 1, user_id: 7, price_minor: 900, status: "cancelled", idempotency_key: "7:k" }],
  ledger: [
    { user_id: 7, amount_minor: 5_000, kind: "welcome", reference: "user:7" },
    { user_id: 7, amount_minor: -900, kind: "purchase", reference: "order:1" },
    { user_id: 7, amount_minor: 900, kind: "refund", reference: "order:1" },
  ],
  messages: [{ type: "update", lane: "chat:7", payload: '{"update_id":6}' }],
  dead_letters: [
    {
      type: "send",
      lane: "chat:8",
      payload: '{"method":"sendMessage","payload":{"text":"Hello"}}',
    },
  ],
};
type Tables = Record<keyof typeof tables, readonly Record<string, unknown>[]>;
const reader = (change: Partial<Tables> = {}): ReadTable => {
  const all: Tables = { ...tables, ...change };
  return (table) => all[table];
};

test("the database tells what is stored, done, waiting and given up", () => {
  const reply = (_: string, payload: Readonly<Record<string, unknown>>) => String(payload["text"]);
  expect(historyFromDatabase(reader(), { at: 50, reply })).toEqual([
    { at: 50, kind: "covers", evidence: ["storage", "effects"] },
    { at: 0, kind: "stored", update: "5" },
    { at: 50, kind: "effect", chat: "7", effect: "welcome:7", amountMinor: 5_000 },
    { at: 50, kind: "effect", chat: "7", effect: "purchase:7:k", amountMinor: -900 },
    { at: 50, kind: "effect", chat: "7", effect: "refund:7:k", amountMinor: 900 },
    { at: 50, kind: "dead", chat: "8", reply: "Hello" },
    { at: 50, kind: "waiting", chat: "7", update: "6" },
  ]);
});

test("the database tells which sends are in hand", () => {
  const payload = '{"method":"sendMessage","payload":{"chat_id":7,"text":"Hello"}}';
  const in_hand = [
    { pool: "sending", ids: "[3]" },
    { pool: "handling", ids: "[2]" },
  ];
  const messages = [2, 3, 4].map((id) => ({ id, payload }));
  expect(sendsInHand((table) => ({ in_hand, messages })[table])).toEqual([
    { chat: "7", method: "sendMessage", parameters: { chat_id: "7", text: "Hello" } },
  ]);
});

describe("the books", () => {
  const [welcome, purchase, refund] = tables.ledger;
  const [order] = tables.orders;

  test("are in order", () => expect(checkBooks(reader())).toEqual([]));

  test.each<[string, Partial<Tables>, string]>([
    ["an order never paid", { ledger: [welcome!, refund!] }, "order:1 was never paid"],
    ["a refund left out", { ledger: [welcome!, purchase!] }, "order:1 is cancelled"],
    ["a refund too many", { orders: [{ ...order, status: "paid" }] }, "order:1 is paid"],
    [
      "a purchase posted twice",
      { ledger: [purchase!, purchase!, refund!] },
      "purchase of order:1 was posted twice",
    ],
    [
      "a purchase without an order",
      { ledger: [...tables.ledger, { ...purchase, reference: "order:2" }] },
      "purchase of order:2 has no order",
    ],
    [
      "another user's purchase",
      { ledger: [{ ...purchase, user_id: 8 }, refund!] },
      "purchase of order:1 is another user's",
    ],
    [
      "a wrong amount",
      { ledger: [{ ...purchase, amount_minor: -1 }, refund!] },
      "purchase of order:1 moves -1 at a price of 900",
    ],
  ])("%s is found", (_, change, where) => {
    expect(checkBooks(reader(change)).map((finding) => finding.where)).toEqual([
      expect.stringContaining(where),
    ]);
  });
});
