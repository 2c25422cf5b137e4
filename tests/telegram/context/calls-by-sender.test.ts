/** Calls by the sender: a handler on one process calls at once through the process that sends. */
import { describe, expect, test } from "vitest";
import {
  CallRefusedError,
  CallUnknownError,
  ChatGoneError,
  ChatMigratedError,
  FormRefusedError,
  RateLimitedError,
} from "../../../bot/core/errors.ts";
import { Holds } from "../../../bot/core/holds.ts";
import type { Role } from "../../../bot/core/roles.ts";
import type { SharedStore } from "../../../bot/core/shared-store.ts";
import { CallsBySender } from "../../../bot/telegram/context/calls-by-sender.ts";
import { toCallMessage } from "../../../bot/telegram/delivery/call-message.ts";
import { Delivery } from "../../../bot/telegram/delivery/delivery.ts";
import { FloodGate } from "../../../bot/telegram/delivery/flood-gate.ts";
import { RateLimits } from "../../../bot/telegram/delivery/rate-limits.ts";
import { handlers, QueueMachine } from "../../support/queue-under-test.ts";
import { ScriptedApi } from "../../support/scripted-api.ts";

const limits = { enabled: true, chatBurst: 1, groupPerMinute: 20, totalPerSecond: 30 };

async function setup() {
  const machine = new QueueMachine();
  const { clock } = machine;
  const api = new ScriptedApi(() => ({ message_id: 7 }));
  const random = () => 0.5;
  const sender = await machine.start((store, publish) => {
    const holds = new Holds(clock);
    const rateLimits = new RateLimits({ clock, publish, holds, store, waitMaxMs: 300_000 });
    const gate = new FloodGate({ clock, limits, store, paused: () => false });
    const deps = { api, gate, rateLimits, clock, random, publish, facts: store };
    const send = new Delivery(deps);
    return { holds, gates: { sending: gate }, handlers: { ...handlers({}), send } };
  });
  const { store } = sender;
  const has = (role: Role) => role !== "sending";
  const calls = new CallsBySender({
    clock,
    store: {
      enqueue: (messages) => store.enqueue(messages),
      transaction: (work) => store.transaction(work),
      shared: { roles: { has, start: () => {}, giveUp: async () => {} } } as unknown as SharedStore,
    },
  });
  const given = new AbortController();
  const ask = async (text = "hi") => {
    const options = { type: "send", priority: "normal", receivedAtEpochMs: 0 } as const;
    const message = toCallMessage("sendMessage", { chat_id: 5, text }, options);
    const outcome = { result: undefined as unknown, error: undefined as unknown };
    void calls.call("sendMessage", message, [], given.signal).then(
      (result) => {
        outcome.result = result;
      },
      (error: unknown) => {
        outcome.error = error;
      },
    );
    await clock.advance(1);
    sender.queue.wake("sending");
    return outcome;
  };
  return { ...sender, api, ask, calls, clock, give: () => given.abort() };
}

describe("a call by the sender", () => {
  test("gives the result that Telegram gave, and leaves nothing behind", async () => {
    const { api, ask, calls, clock, store } = await setup();
    expect(calls.needed).toBe(true);
    const outcome = await ask();
    await clock.advance(300);
    expect(outcome.result).toEqual({ message_id: 7 });
    expect(api.calls).toMatchObject([{ method: "sendMessage", payload: { text: "hi" } }]);
    const left = await store.transaction(({ documents }) => documents.list("kit:asked-answers"));
    expect(left).toEqual([]);
    expect(await store.depth("sending")).toBe(0);
  });

  test.each([
    new CallRefusedError("sendMessage", 400, "Bad Request: no"),
    new ChatGoneError("sendMessage", "blocked"),
    new ChatMigratedError("sendMessage", -100_5),
    new FormRefusedError("sendMessage: 400 can't parse entities"),
    new CallUnknownError("sendMessage: cut"),
  ])("rejects as the call does: $code", async (error) => {
    const { api, ask, clock, store } = await setup();
    api.script(error);
    const outcome = await ask();
    await clock.advance(300);
    expect(outcome.error).toBeInstanceOf(error.constructor);
    expect(outcome.error).toMatchObject({ ...error, message: error.message });
    expect(api.calls).toHaveLength(1);
    expect(await store.countDeadLetters({})).toBe(0);
  });

  test("waits for the sender's windows and for a 429, like every send", async () => {
    const { api, ask, clock } = await setup();
    api.script({ message_id: 1 }, new RateLimitedError("sendMessage", 3_000));
    const [first, second] = [await ask("one"), await ask("two")];
    await clock.advance(500);
    expect([first.result, second.result]).toEqual([{ message_id: 1 }, undefined]);
    await clock.advance(6_000);
    expect(second.result).toEqual({ message_id: 7 });
    expect(api.calls).toHaveLength(3);
  });

  test("that is given up before it was sent is taken back", async () => {
    const { api, ask, clock, give, queue, store } = await setup();
    await queue.pause("sending");
    const outcome = await ask();
    give();
    await clock.advance(1);
    expect(outcome.error).toMatchObject({ code: "TELEGRAM_NOT_SENT" });
    await queue.resume("sending");
    await clock.advance(1_000);
    expect(api.calls).toEqual([]);
    expect(await store.depth("sending")).toBe(0);
  });

  test("whose fate is not told is unknown, and is not made again", async () => {
    const { api, ask, clock, give } = await setup();
    api.script(async () => {
      await clock.sleep(10_000, new AbortController().signal);
      throw new CallUnknownError("sendMessage: cut");
    });
    const outcome = await ask();
    await clock.advance(100);
    give();
    await clock.advance(1);
    expect(outcome.error).toMatchObject({ code: "TELEGRAM_UNKNOWN_OUTCOME" });
    await clock.advance(120_000);
    expect(api.calls).toHaveLength(1);
  });

  test("that nobody sends in a minute was not sent", async () => {
    const { ask, clock, queue } = await setup();
    await queue.pause("sending");
    const outcome = await ask();
    await clock.advance(59_000);
    expect(outcome.error).toBe(undefined);
    await clock.advance(2_000);
    await queue.resume("sending");
    await clock.advance(2_000);
    expect(outcome.error).toMatchObject({ code: "TELEGRAM_NOT_SENT" });
  });
});
