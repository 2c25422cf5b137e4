/** Delivery through the real queue: each outcome of a call and its effect on the chat's lane. */
import { describe, expect, test } from "vitest";
import {
  AlreadyDoneError,
  CallNotSentError,
  CallRefusedError,
  CallUnknownError,
  ChatGoneError,
  ChatMigratedError,
  FormRefusedError,
  QueryTooOldError,
  RateLimitedError,
} from "../../../bot/core/errors.ts";
import type { BotEvent } from "../../../bot/core/events.ts";
import { Holds } from "../../../bot/core/holds.ts";
import type { NewMessage } from "../../../bot/core/message.ts";
import { toCallMessage } from "../../../bot/telegram/delivery/call-message.ts";
import { Delivery } from "../../../bot/telegram/delivery/delivery.ts";
import { FloodGate } from "../../../bot/telegram/delivery/flood-gate.ts";
import { RateLimits } from "../../../bot/telegram/delivery/rate-limits.ts";
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
  let limited: RateLimits | undefined;
  let holds = new Holds(clock);
  const recorded = {
    call: async <T>(method: string, payload: never, options: never): Promise<T> => {
      const { chat_id: chat, text } = payload as { chat_id: unknown; text: unknown };
      seen.push({ text: String(text), chat, atMs: clock.monotonicMs() });
      return api.call<T>(method, payload, options);
    },
  };
  const process = await machine.boot((store) => {
    const made = new Holds(clock);
    const waitMaxMs = 300_000;
    limited = new RateLimits({ clock, publish, holds: made, store, waitMaxMs });
    const rateLimits = limited;
    gate = new FloodGate({ clock, limits, store, paused: () => rateLimits.paused });
    const deps = { api: recorded, gate, rateLimits, clock, random, publish, facts: store };
    const send = new Delivery(deps);
    holds = made;
    return {
      holds,
      gates: { sending: gate },
      handlers: { ...handlers({}), send, broadcast: send },
    };
  });
  await gate?.restore();
  await limited?.restore();
  await process.queue.start();
  return {
    ...process,
    api,
    clock,
    events,
    queueEvents: process.events,
    gate: gate as FloodGate,
    holds,
    seen,
  };
}

function say(chat: number | string, text: string, more: Partial<NewMessage> = {}): NewMessage {
  const options = { type: "send", priority: "normal", receivedAtEpochMs: 0 } as const;
  return { ...toCallMessage("sendMessage", { chat_id: chat, text }, options), ...more };
}

const sayBold = (chat: number, text: string): NewMessage =>
  say(chat, `<b>${text}`, {
    payload: {
      method: "sendMessage",
      payload: { chat_id: chat, text: `<b>${text}`, parse_mode: "HTML" },
    },
  });

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

  test("429s of three chats stop the others for a second only", async () => {
    const bot = await setup();
    bot.api.script(...Array(3).fill(new RateLimitedError("sendMessage", 200_000)));
    await bot.queue.insertMessageByPriority([1, 2, 3].map((chat) => say(chat, `${chat}`)));
    await bot.clock.advance(10);
    const others = Array.from({ length: 10 }, (_, index) => say(10 + index, `other ${index}`));
    await bot.queue.insertMessageByPriority(others);
    await bot.clock.advance(900);
    expect(bot.seen).toHaveLength(3);
    await bot.clock.advance(2_000);
    expect(bot.seen).toHaveLength(13);
    await bot.clock.advance(200_000);
    expect((await bot.queue.snapshot()).counts).toMatchObject({ dead: 0, done: 13 });
  });

  test("a limit over all chats lets one send at a time ask, less and less often, also after a restart", async () => {
    const machine = new QueueMachine();
    const first = await start(
      machine,
      new ScriptedApi(() => {
        throw new RateLimitedError("sendMessage", 3_600_000);
      }),
    );
    const chats = Array.from({ length: 40 }, (_, index) => say(1 + index, "x"));
    await first.queue.insertMessageByPriority(chats.slice(0, 4));
    await first.clock.advance(10);
    await first.queue.insertMessageByPriority(chats.slice(4));
    await first.clock.advance(300_000);
    const askedAfterMs = first.seen.map(({ atMs }) => atMs);
    const pauses = askedAfterMs
      .slice(4)
      .map((atMs, index) => atMs - (askedAfterMs[3 + index] ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(15_250);
    expect(first.seen.length).toBeLessThan(30);
    first.kill();
    const slowly = () => machine.clock.sleep(500, new AbortController().signal);
    const second = await start(machine, new ScriptedApi(slowly));
    await second.clock.advance(499);
    expect(second.seen).toHaveLength(1);
    await second.clock.advance(60_000);
    expect((await second.queue.snapshot()).pools.sending.waiting).toBe(0);
  });

  test("a message whose chat would have to wait for hours is set aside, and its lane goes on", async () => {
    const bot = await setup();
    bot.api.script(new RateLimitedError("sendPhoto", 73_414_000));
    await bot.queue.insertMessageByPriority([say(1, "photo"), say(1, "text")]);
    await bot.clock.advance(2_000);
    expect(texts(bot)).toEqual(["photo", "text"]);
    const [letter] = await bot.store.deadLetters({ offset: 0, limit: 9 });
    expect(letter).toMatchObject({ reason: "rate-limited", attempts: 1 });
    await bot.queue.requeue(letter?.id ?? 0);
    await bot.clock.advance(2_000);
    expect(texts(bot)).toEqual(["photo", "text", "photo"]);
  });

  test("short waits that follow each other without an end set a message aside as well", async () => {
    const bot = await setup();
    bot.api.script(...Array(20).fill(new RateLimitedError("sendMessage", 60_000)));
    await bot.queue.insertMessageByPriority([say(1, "a")]);
    await bot.clock.advance(600_000);
    expect(texts(bot)).toHaveLength(6);
    expect(await bot.store.countDeadLetters({ reason: "rate-limited" })).toBe(1);
  });

  test("a chat that waits is a hold with its end, which can be released by hand", async () => {
    const bot = await setup();
    bot.api.script(new RateLimitedError("sendMessage", 200_000));
    await bot.queue.insertMessageByPriority([say(1, "a")]);
    await bot.clock.advance(10);
    const [hold] = await bot.holds.list();
    expect(hold).toMatchObject({ id: "chat-rate-limited:sending:chat:1", releasable: true });
    expect(Number(hold?.untilEpochMs) - bot.clock.epochMs()).toBeCloseTo(200_000, -2);
    expect(await bot.holds.release(hold?.id ?? "")).toBe("released");
    await bot.clock.advance(1_100);
    expect(texts(bot)).toEqual(["a", "a"]);
    expect(await bot.holds.list()).toEqual([]);
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

  test("what waits for a group that the bot was put out of is not tried, until an hour has passed", async () => {
    const bot = await setup();
    bot.api.script(new ChatGoneError("sendMessage", "kicked"));
    await bot.queue.insertMessageByPriority([say(-7, "a"), say(-7, "b"), say(-7, "c")]);
    await bot.clock.advance(30_000);
    expect(texts(bot)).toEqual(["a"]);
    expect(await bot.store.countDeadLetters({ reason: "refused" })).toBe(3);
    await bot.clock.advance(3_600_000);
    await bot.queue.insertMessageByPriority([say(-7, "d"), say(-7, "e")]);
    await bot.clock.advance(30_000);
    expect(texts(bot)).toEqual(["a", "d", "e"]);
    expect(await bot.store.unreachableReason("-7")).toBeUndefined();
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
    bot.api.script(new CallRefusedError("sendMessage", 400, "BUTTON_DATA_INVALID"));
    await bot.queue.insertMessageByPriority([say(1, "bad"), say(1, "good")]);
    await bot.clock.advance(2_000);
    expect(texts(bot)).toEqual(["bad", "good"]);
    expect(await bot.store.deadLetters({ offset: 0, limit: 9 })).toMatchObject([
      { reason: "refused", attempts: 1, errors: [{ code: "TELEGRAM_REFUSED" }] },
    ]);
  });

  test("a text whose form is refused goes out once more as plain text, before the next message", async () => {
    const bot = await setup();
    bot.api.script(new FormRefusedError("can't parse entities"));
    await bot.queue.insertMessageByPriority([sayBold(1, "a"), say(1, "b")]);
    await bot.clock.advance(999);
    expect(texts(bot)).toEqual(["<b>a"]);
    await bot.clock.advance(2_001);
    expect(texts(bot)).toEqual(["<b>a", "a", "b"]);
    expect(bot.api.calls[1]?.payload).toEqual({ chat_id: 1, text: "a" });
    expect(bot.events).toContainEqual(
      expect.objectContaining({ type: "send.simplified", method: "sendMessage" }),
    );
    expect((await bot.queue.snapshot()).counts).toMatchObject({ dead: 0, done: 2 });
  });

  test("a plain text whose form is refused is a dead letter, after one call more", async () => {
    const bot = await setup();
    bot.api.otherwise(new FormRefusedError("can't parse entities"));
    await bot.queue.insertMessageByPriority([sayBold(1, "a")]);
    await bot.clock.advance(60_000);
    expect(texts(bot)).toEqual(["<b>a", "a"]);
    expect(await bot.store.deadLetters({ offset: 0, limit: 9 })).toMatchObject([
      { reason: "refused", attempts: 1, errors: [{ code: "TELEGRAM_FORM_REFUSED" }] },
    ]);
  });

  test("a process that dies before the plain text leaves it to the next one", async () => {
    const machine = new QueueMachine();
    const first = await start(machine);
    first.api.script(new FormRefusedError("can't parse entities"));
    await first.queue.insertMessageByPriority([sayBold(1, "a"), say(1, "b")]);
    await first.clock.advance(100);
    first.kill();
    const second = await start(machine);
    await second.clock.advance(5_000);
    expect(texts(second)).toEqual(["a", "b"]);
  });

  test("an answer without a chat is simplified too", async () => {
    const bot = await setup();
    bot.api.script(new FormRefusedError("can't parse entities"));
    const content = { message_text: "*a", parse_mode: "MarkdownV2" };
    const fields = { inline_query_id: "9", results: [{ input_message_content: content }] };
    const options = { type: "send", priority: "normal", receivedAtEpochMs: bot.clock.epochMs() };
    await bot.queue.insertMessageByPriority([
      toCallMessage("answerInlineQuery", fields, options as never),
    ]);
    await bot.clock.advance(5_000);
    expect(bot.api.calls.map(({ payload }) => payload["results"])).toEqual([
      fields.results,
      [{ input_message_content: { message_text: "*a" } }],
    ]);
  });
});

describe("flood control:", () => {
  test("200 edits of one message within two seconds are few calls, and the last text stands", async () => {
    const bot = await setup();
    const options = { type: "send", priority: "normal", receivedAtEpochMs: 0 } as const;
    for (let n = 1; n <= 200; n++) {
      const fields = { chat_id: 1, message_id: 5, text: `${n}` };
      await bot.queue.insertMessageByPriority([toCallMessage("editMessageText", fields, options)]);
      if (n === 100) await bot.queue.insertMessageByPriority([say(1, "between")]);
      await bot.clock.advance(10);
    }
    await bot.clock.advance(5_000);
    expect(texts(bot).length).toBeLessThanOrEqual(5);
    expect(texts(bot)).toContain("between");
    expect(texts(bot).at(-1)).toBe("200");
    const replaced = bot.queueEvents.flatMap((event) =>
      event.type === "messages.replaced" ? [event.replaced] : [],
    );
    expect(replaced.reduce((sum, one) => sum + one, 0)).toBe(201 - texts(bot).length);
  });

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
