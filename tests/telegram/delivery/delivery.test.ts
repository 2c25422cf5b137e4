/** Delivery through the real queue: each outcome of a call and its effect on the chat's lane. */
import { describe, expect, test } from "vitest";
import {
  AlreadyDoneError,
  CallNotSentError,
  CallRefusedError,
  CallUnknownError,
  ChatGoneError,
  ChatMigratedError,
  QueryTooOldError,
  RateLimitedError,
} from "../../../bot/core/errors.ts";
import type { BotEvent } from "../../../bot/core/events.ts";
import type { NewMessage } from "../../../bot/core/message.ts";
import { toCallMessage } from "../../../bot/telegram/delivery/call-message.ts";
import { Delivery } from "../../../bot/telegram/delivery/delivery.ts";
import { FloodGate } from "../../../bot/telegram/delivery/flood-gate.ts";
import { handlers, QueueMachine } from "../../support/queue-under-test.ts";
import { hangUntilAborted, ScriptedApi } from "../../support/scripted-api.ts";

const limits = { enabled: true, chatBurst: 1, groupPerMinute: 20, totalPerSecond: 30 };

/** Starts a process that sends, on this machine. */
async function start(machine: QueueMachine, api = new ScriptedApi()) {
  const { clock } = machine;
  const seen: { text: string; chat: unknown; atMs: number }[] = [];
  const events: BotEvent[] = [];
  const publish = (event: BotEvent) => events.push(event);
  const random = () => 0.5;
  let gate: FloodGate | undefined;
  const recorded = {
    call: async <T>(method: string, payload: never, options: never): Promise<T> => {
      const { chat_id: chat, text } = payload as { chat_id: unknown; text: unknown };
      seen.push({ text: String(text), chat, atMs: clock.monotonicMs() });
      return api.call<T>(method, payload, options);
    },
  };
  const process = await machine.boot((store) => {
    gate = new FloodGate({ clock, publish, limits, store, reachable: () => true });
    const send = new Delivery({ api: recorded, gate, clock, random, publish, facts: store });
    return { gates: { sending: gate }, handlers: { ...handlers({}), send, broadcast: send } };
  });
  await gate?.restore();
  await process.queue.start();
  return { ...process, api, clock, events, gate: gate as FloodGate, seen };
}

function say(chat: number | string, text: string, more: Partial<NewMessage> = {}): NewMessage {
  const options = { type: "send", priority: "normal", receivedAtEpochMs: 0 } as const;
  return { ...toCallMessage("sendMessage", { chat_id: chat, text }, options), ...more };
}

const setup = () => start(new QueueMachine());
const texts = ({ seen }: { seen: { text: string }[] }) => seen.map(({ text }) => text);

describe("an outcome:", () => {
  test("a call that was provably not sent is repeated until it succeeds, in order", async () => {
    const bot = await setup();
    bot.api.script(...Array(20).fill(new CallNotSentError("down")));
    await bot.queue.insertMessageByPriority([say(1, "a"), say(1, "b")]);
    await bot.clock.advance(120_000);
    expect(texts(bot)).toEqual([...Array(21).fill("a"), "b"]);
    expect((await bot.queue.snapshot()).counts).toMatchObject({ dead: 0, done: 2 });
  });

  test("429 parks only its chat, for as long as Telegram says", async () => {
    const bot = await setup();
    bot.api.script(new RateLimitedError("sendMessage", 9_000));
    await bot.queue.insertMessageByPriority([say(1, "a"), say(1, "b"), say(2, "other")]);
    await bot.clock.advance(8_999);
    expect(texts(bot)).toEqual(["a", "other"]);
    await bot.clock.advance(2_001);
    expect(texts(bot)).toEqual(["a", "other", "a", "b"]);
  });

  test("429 from three chats at once parks everything, even over a restart", async () => {
    const machine = new QueueMachine();
    const first = await start(machine);
    first.api.script(...Array(3).fill(new RateLimitedError("sendMessage", 20_000)));
    await first.queue.insertMessageByPriority([1, 2, 3].map((chat) => say(chat, `${chat}`)));
    await first.clock.advance(100);
    first.kill();
    const second = await start(machine);
    await second.queue.insertMessageByPriority([say(4, "4")]);
    await second.clock.advance(19_800);
    expect(texts(second)).toEqual([]);
    await second.clock.advance(200);
    expect(texts(second).toSorted()).toEqual(["1", "2", "3", "4"]);
  });

  test("a call with an unknown outcome is repeated, or given up if its policy says so", async () => {
    const bot = await setup();
    bot.api.script(new CallUnknownError("502"), new CallUnknownError("502"));
    await bot.queue.insertMessageByPriority([
      say(1, "again"),
      say(2, "never", { ambiguous: "drop" }),
    ]);
    await bot.clock.advance(10_000);
    expect(texts(bot)).toEqual(["again", "never", "again"]);
    expect(await bot.store.deadLetters({ offset: 0, limit: 9 })).toMatchObject([
      { reason: "ambiguous-dropped", attempts: 1 },
    ]);
    expect(bot.events.filter(({ type }) => type === "send.cut-off")).toHaveLength(2);
  });

  test("a chat that is gone is remembered, and broadcasts skip it until it can be reached again", async () => {
    const bot = await setup();
    const news = (text: string) => say(1, text, { type: "broadcast", priority: "low" });
    bot.api.script(new ChatGoneError("sendMessage", "blocked"));
    await bot.queue.insertMessageByPriority([say(1, "reply")]);
    await bot.clock.advance(2_000);
    expect(await bot.store.unreachableReason("1")).toBe("blocked");
    await bot.queue.insertMessageByPriority([news("skipped")]);
    await bot.clock.advance(2_000);
    await bot.queue.insertMessageByPriority([say(1, "back again")]);
    await bot.clock.advance(2_000);
    expect(await bot.store.unreachableReason("1")).toBeUndefined();
    await bot.queue.insertMessageByPriority([news("delivered")]);
    await bot.clock.advance(2_000);
    expect(texts(bot)).toEqual(["reply", "back again", "delivered"]);
  });

  test("a chat that has migrated gets its message at its new id, before the next one", async () => {
    const bot = await setup();
    bot.api.script(new ChatMigratedError("sendMessage", -1001));
    await bot.queue.insertMessageByPriority([say(-7, "a"), say(-7, "b")]);
    await bot.clock.advance(5_000);
    expect(bot.seen.map(({ chat, text }) => [chat, text])).toEqual([
      [-7, "a"],
      [-1001, "a"],
      [-7, "b"],
    ]);
  });

  test.each([
    ["already so", new AlreadyDoneError("not modified")],
    ["too old", new QueryTooOldError("too old")],
  ])("%s counts as done", async (_, error) => {
    const bot = await setup();
    bot.api.script(error);
    await bot.queue.insertMessageByPriority([say(1, "a")]);
    await bot.clock.advance(5_000);
    expect((await bot.queue.snapshot()).counts).toMatchObject({ done: 1, dead: 0 });
  });

  test("any other refusal makes a dead letter at once, and the lane goes on", async () => {
    const bot = await setup();
    bot.api.script(new CallRefusedError("sendMessage", 400, "can't parse entities"));
    await bot.queue.insertMessageByPriority([say(1, "bad"), say(1, "good")]);
    await bot.clock.advance(2_000);
    expect(texts(bot)).toEqual(["bad", "good"]);
    expect(await bot.store.deadLetters({ offset: 0, limit: 9 })).toMatchObject([
      { reason: "refused", attempts: 1, errors: [{ code: "TELEGRAM_REFUSED" }] },
    ]);
  });
});

describe("flood control:", () => {
  test("a chat gets one message per second, a group twenty per minute", async () => {
    const bot = await setup();
    const messages = Array.from({ length: 25 }, (_, n) => [
      say(1, `user${n}`),
      say(-2, `group${n}`),
    ]);
    await bot.queue.insertMessageByPriority(messages.flat());
    await bot.clock.advance(59_000);
    const count = (prefix: string) => texts(bot).filter((text) => text.startsWith(prefix)).length;
    expect(count("user")).toBe(25);
    expect(count("group")).toBe(20);
    await bot.clock.advance(10_000);
    expect(count("group")).toBe(25);
  });

  test("the windows survive a kill, and an interrupted call counts as still under way", async () => {
    const machine = new QueueMachine();
    const first = await start(machine);
    first.api.script(true, hangUntilAborted(new CallUnknownError("x")));
    await first.queue.insertMessageByPriority([
      say(1, "answered"),
      say(2, "interrupted"),
      say(1, "next"),
    ]);
    await first.clock.advance(500);
    first.kill();
    const second = await start(machine);
    await second.clock.advance(500);
    expect(texts(second)).toEqual([]);
    await second.clock.advance(10);
    expect(texts(second)).toEqual(["next"]);
    await second.clock.advance(1_500);
    expect(texts(second)).toEqual(["next", "interrupted"]);
  });

  test("a call made at once waits for its turn and counts", async () => {
    const { clock, gate, queue, ...bot } = await setup();
    const never = new AbortController().signal;
    const call = { floodScope: "1", floodCost: 1 };
    const ended = await gate.permit(call, never);
    await queue.insertMessageByPriority([say(1, "queued")]);
    await clock.advance(5_000);
    expect(texts(bot)).toEqual([]);
    await ended("answered");
    await clock.advance(900);
    expect(texts(bot)).toEqual([]);
    await clock.advance(200);
    expect(texts(bot)).toEqual(["queued"]);
    let permitted = false;
    void gate.permit(call, never).then(() => {
      permitted = true;
    });
    await clock.advance(800);
    expect(permitted).toBe(false);
    await clock.advance(200);
    expect(permitted).toBe(true);
  });

  test("a call that is given up while waiting is not made", async () => {
    const { clock, gate } = await setup();
    const call = { floodScope: "1", floodCost: 1 };
    await gate.permit(call, new AbortController().signal);
    const over = new AbortController();
    const waiting = gate.permit(call, over.signal);
    const failed = expect(waiting).rejects.toMatchObject({ effect: "not-sent" });
    over.abort();
    await clock.advance(0);
    await failed;
  });
});
