/**
 * Message queue: tests order, retries, deaths, time and operating, with the real store and no real
 * time.
 */
import { describe, expect, test } from "vitest";
import type { BotError } from "../../bot/core/errors.ts";
import { StorageFullError } from "../../bot/core/errors.ts";
import type { BotEvent } from "../../bot/core/events.ts";
import type { Message } from "../../bot/core/message.ts";
import type { Attempt, HandlerResult } from "../../bot/core/message-handler.ts";
import type { Transaction } from "../../bot/core/transaction.ts";
import { sendDeathsMax } from "../../bot/utils/message-queue/poison-rules.ts";
import { heldWhile } from "../support/held-while.ts";
import { lifecycleConformance } from "../support/lifecycle-conformance.ts";
import { handlers, QueueMachine, send, update } from "../support/queue-under-test.ts";

const done: HandlerResult = { kind: "done" };
const forever = () => new Promise<never>(() => {});
const textOf = ({ payload }: Message) => String(payload["text"]);

/** A handler that records the messages it gets and what happens when. */
function recorder(
  act: (text: string, attempt: Attempt) => Promise<HandlerResult> | HandlerResult = () => done,
) {
  const seen: string[] = [];
  const handle = async (attempt: Attempt) => {
    const text = textOf(attempt.message);
    seen.push(text);
    return act(text, attempt);
  };
  return { seen, handle };
}

const ofType = <T extends BotEvent["type"]>(events: readonly BotEvent[], type: T) =>
  events.filter((event): event is BotEvent & { type: T } => event.type === type);

lifecycleConformance("the message queue", async () => {
  const machine = new QueueMachine();
  const { queue, store } = await machine.boot();
  await store.enqueue([update("a", "1"), update("a", "2")]);
  return { component: queue, clock: machine.clock };
});

describe("order", () => {
  test("a lane's messages run one after the other, and lanes run side by side", async () => {
    const machine = new QueueMachine();
    const running: string[] = [];
    const log: string[] = [];
    const { queue } = await machine.start({
      handlers: handlers({
        update: async ({ message, signal }) => {
          running.push(message.lane);
          log.push(`${textOf(message)}:${running.length}`);
          await machine.clock.sleep(100, signal);
          running.splice(running.indexOf(message.lane), 1);
          return done;
        },
      }),
    });
    await queue.insertMessageByPriority([
      update("a", "a1"),
      update("a", "a2"),
      update("b", "b1"),
      update("b", "b2"),
    ]);
    await machine.clock.advance(150);
    expect(running.toSorted()).toEqual(["a", "b"]);
    await machine.clock.advance(200);
    expect(log.map((entry) => entry.slice(0, 2))).toEqual(["a1", "b1", "a2", "b2"]);
    expect(log.filter((entry) => Number(entry.slice(3)) > 2)).toEqual([]);
  });

  test("an update and its reply take three commits when both can start at once", async () => {
    const machine = new QueueMachine();
    const log: string[] = [];
    const { commits, queue } = await machine.start({
      handlers: handlers({
        update: async ({ message }) => {
          log.push(`${textOf(message)} after ${commits() - before}`);
          return { kind: "done", enqueue: [send("a", "reply")] };
        },
        send: async ({ message }) => {
          log.push(`${textOf(message)} after ${commits() - before}`);
          return done;
        },
      }),
    });
    await machine.clock.advance(1_000);
    const before = commits();
    await queue.insertMessageByPriority([update("a", "update")]);
    await machine.clock.advance(1_000);
    expect(log).toEqual(["update after 1", "reply after 2"]);
    expect(commits() - before).toBe(3);
  });

  test("at most `concurrency` updates are handled at a time", async () => {
    const machine = new QueueMachine();
    const { queue } = await machine.start({
      concurrency: 3,
      handlers: handlers({ update: forever }),
    });
    const lanes = Array.from({ length: 20 }, (_, n) => update(`lane${n}`, "x"));
    await queue.insertMessageByPriority(lanes);
    await machine.clock.advance(1_000);
    expect((await queue.snapshot()).pools.handling).toMatchObject({ inHand: 3, waiting: 17 });
  });

  test("updates that wait for the store share its turns and commits, however few may be handled at a time", async () => {
    const machine = new QueueMachine();
    let handled = 0;
    const { commits, queue } = await machine.start({
      concurrency: 2,
      handlers: handlers({
        update: async (attempt) => {
          await attempt.read(async () => {});
          handled++;
          return done;
        },
      }),
    });
    await machine.clock.advance(1_000);
    const lanes = Array.from({ length: 8 }, (_, n) => update(`lane${n}`, "x"));
    const before = commits();
    await queue.insertMessageByPriority(lanes);
    await machine.clock.advance(1_000);
    expect(handled).toBe(8);
    // Queued and claimed, done, and one that claims nothing; with a claim for each slot they take six.
    expect(commits() - before).toBe(3);
  });

  test("high priority goes before normal, and normal before low", async () => {
    const machine = new QueueMachine();
    const { handle, seen } = recorder();
    const { queue, store } = await machine.boot({
      concurrency: 1,
      handlers: handlers({ update: handle }),
    });
    await store.enqueue([
      update("a", "low", { priority: "low" }),
      update("b", "normal"),
      update("c", "high", { priority: "high" }),
    ]);
    await queue.start();
    await machine.clock.advance(10);
    expect(seen).toEqual(["high", "normal", "low"]);
  });

  test("a check-out is handled at once while every place is taken by handlers that are busy", async () => {
    const machine = new QueueMachine();
    const { seen, handle } = recorder((text) => (text === "pay" ? done : forever()));
    const { commits, queue } = await machine.start({
      concurrency: 5,
      handlerSlowMs: 60_000,
      handlerTimeoutMs: 120_000,
      handlers: handlers({ update: handle }),
    });
    await queue.insertMessageByPriority(
      Array.from({ length: 20 }, (_, n) => update(`lane${n}`, "text")),
    );
    await machine.clock.advance(1_000);
    expect(seen).toEqual(Array(5).fill("text"));
    const before = commits();
    await machine.clock.advance(10_000);
    // Places of their own do not mean looking again and again for what may not take them.
    expect(commits()).toBe(before);
    await queue.insertMessageByPriority([update("checkout:1", "pay", { priority: "high" })]);
    await machine.clock.advance(10);
    expect(seen.at(-1)).toBe("pay");
    // The reserved place is left to what is urgent.
    await machine.clock.advance(10_000);
    expect(seen.filter((text) => text === "text")).toHaveLength(5);
  });

  test("an endless stream of button presses does not stop a broadcast", async () => {
    const machine = new QueueMachine();
    let presses = 0;
    const { handle, seen } = recorder();
    const { queue } = await machine.start({
      concurrency: 1,
      lengthMax: 1_000,
      handlers: handlers({
        update: async (attempt) => {
          await machine.clock.sleep(100, attempt.signal);
          return handle(attempt);
        },
      }),
    });
    await queue.addMessage("update", { text: "broadcast" }, { lane: "low", priority: "low" });
    for (let second = 0; second < 40; second++) {
      // The place for all, and the reserved one, work on 20 a second.
      const batch = Array.from({ length: 21 }, () => {
        return update(`user${presses++}`, "press", { priority: "high" });
      });
      await queue.insertMessageByPriority(batch);
      await machine.clock.advance(1_000);
    }
    expect(seen).toContain("broadcast");
    expect((await queue.snapshot()).pools.handling.waiting).toBeGreaterThan(0);
  });
});

describe("failure", () => {
  test("a failed message is retried after back-off, and after five attempts becomes a dead letter", async () => {
    const machine = new QueueMachine();
    const { handle, seen } = recorder(() => {
      throw new TypeError("broken handler");
    });
    const lastWords = () => [send("a", "sorry")];
    const sends = recorder();
    const { events, queue, store } = await machine.start({
      handlers: handlers({ update: { handle, lastWords }, send: sends.handle }),
    });
    await queue.insertMessageByPriority([update("a", "bad"), update("a", "behind")]);
    await machine.clock.advance(120_000);
    expect(seen).toEqual([...Array(5).fill("bad"), ...Array(5).fill("behind")]);
    const delays = ofType(events, "message.retry-scheduled").map(({ delayMs }) => delayMs);
    expect(delays.slice(0, 4)).toEqual([500, 1_000, 2_000, 4_000]);
    const letters = await store.deadLetters({ offset: 0, limit: 10 });
    expect(letters.map(({ attempts, reason }) => [attempts, reason])).toEqual(
      Array(2).fill([5, "attempts-exhausted"]),
    );
    expect(letters[0]?.errors.at(-1)).toMatchObject({
      code: "DEFECT",
      message: "TypeError: broken handler",
    });
    expect(sends.seen).toEqual(["sorry", "sorry"]);
  });

  test("a requeued dead letter that dies again sends no last words", async () => {
    const machine = new QueueMachine();
    const sends = recorder();
    const { queue, store } = await machine.start({
      attemptsMax: 1,
      handlers: handlers({
        update: {
          handle: () => Promise.reject(new Error("always")),
          lastWords: () => [send("a", "sorry")],
        },
        send: sends.handle,
      }),
    });
    await queue.addMessage("update", { text: "bad" }, { lane: "a" });
    await machine.clock.advance(100);
    const [letter] = await store.deadLetters({ offset: 0, limit: 10 });
    expect(await queue.requeue(letter?.id ?? 0)).toBeTypeOf("number");
    expect(await queue.requeue(letter?.id ?? 0)).toBeUndefined();
    await machine.clock.advance(100);
    expect(sends.seen).toEqual(["sorry"]);
    expect((await queue.snapshot()).deadLetters).toBe(1);
  });

  test("a retried message holds its lane or lets it go on, as its handler decides", async () => {
    for (const onRetry of ["hold", "skip"] as const) {
      const machine = new QueueMachine();
      let failures = 0;
      const { handle, seen } = recorder((text) => {
        if (text === "first" && failures++ === 0) throw new Error("once");
        return done;
      });
      const { queue } = await machine.start({
        handlers: handlers({ update: { handle, onRetry } }),
      });
      await queue.insertMessageByPriority([update("a", "first"), update("a", "second")]);
      await machine.clock.advance(5_000);
      const held = ["first", "first", "second"];
      expect(seen).toEqual(onRetry === "hold" ? held : ["first", "second", "first"]);
    }
  });

  test("a postponed message uses up no attempt, and a parked lane waits with it", async () => {
    const machine = new QueueMachine();
    const error = new StorageFullError("stands for any BotError") as BotError;
    let postponed = 0;
    const { handle, seen } = recorder((text): HandlerResult => {
      if (text !== "first" || postponed++ >= 20) return done;
      return { kind: "postponed", delayMs: 1_000, parkLane: true, error };
    });
    const { queue } = await machine.start({ handlers: handlers({ update: handle }) });
    await queue.insertMessageByPriority([update("a", "first"), update("a", "second")]);
    await machine.clock.advance(19_500);
    expect(seen).not.toContain("second");
    await machine.clock.advance(1_000);
    expect(seen.at(-1)).toBe("second");
    expect((await queue.snapshot()).counts).toMatchObject({ postponed: 20, done: 2, dead: 0 });
  });

  test("an outcome that meets a full disk is written once there is space, and the work is not repeated", async () => {
    const machine = new QueueMachine();
    const { handle, seen } = recorder();
    let refusals = 3;
    const { queue, store } = await machine.start({ handlers: handlers({ update: handle }) });
    const finish = store.finish.bind(store);
    store.finish = (...outcome) =>
      refusals-- > 0 ? Promise.reject(new StorageFullError("no space")) : finish(...outcome);
    await queue.addMessage("update", { text: "once" }, { lane: "a" });
    await machine.clock.advance(20_000);
    expect(seen).toEqual(["once"]);
    expect((await queue.snapshot()).counts.done).toBe(1);
  });
});

describe("what is written with the outcome", () => {
  test("is written again after a full disk, and without running the handler again", async () => {
    const machine = new QueueMachine();
    let refusals = 2;
    let runs = 0;
    const write = async (tx: Transaction) => {
      await tx.documents.put("c", "k", ++runs);
      if (refusals-- > 0) throw new StorageFullError("no space");
    };
    const { seen, handle } = recorder();
    const { queue, store } = await machine.start({
      handlers: handlers({
        update: async (attempt) => {
          await handle(attempt);
          return { kind: "done", write };
        },
      }),
    });
    await queue.addMessage("update", { text: "once" }, { lane: "a" });
    await machine.clock.advance(20_000);
    expect(seen).toEqual(["once"]);
    expect(await store.transaction(({ documents }) => documents.get("c", "k"))).toBe(3);
  });

  test("fails the attempt when it refuses, and nothing of that attempt is kept", async () => {
    const machine = new QueueMachine();
    const { seen, handle } = recorder();
    const enqueue = [send("a", "said")];
    const { queue, store } = await machine.start({
      handlers: handlers({
        update: async (attempt) => {
          await handle(attempt);
          const refused = attempt.message.attempts < 2;
          const write = async (tx: Transaction) => {
            await tx.documents.put("c", String(attempt.message.attempts), 1);
            if (refused) throw new Error("not yet");
          };
          return { kind: "done", enqueue, write };
        },
        send: handle,
      }),
    });
    await queue.addMessage("update", { text: "first" }, { lane: "a" });
    await queue.addMessage("update", { text: "second" }, { lane: "a" });
    await machine.clock.advance(20_000);
    expect(seen.filter((text) => text !== "said")).toEqual([
      ...["first", "first", "first"],
      ...["second", "second", "second"],
    ]);
    expect(seen.filter((text) => text === "said")).toHaveLength(2);
    const kept = await store.transaction(({ documents }) => documents.list("c"));
    expect(kept.map(({ key }) => key)).toEqual(["2"]);
    expect((await queue.snapshot()).counts).toMatchObject({ retried: 4, dead: 0 });
  });

  test("a write that always refuses ends as a dead letter with its error", async () => {
    const machine = new QueueMachine();
    const write = () => Promise.reject(new Error("never"));
    const { queue, store } = await machine.start({
      handlers: handlers({ update: async () => ({ kind: "done", write }) }),
    });
    await queue.addMessage("update", { text: "x" }, { lane: "a" });
    await machine.clock.advance(60_000);
    const [letter] = await store.deadLetters({ offset: 0, limit: 10 });
    expect(letter?.errors.at(-1)).toMatchObject({ message: "Error: never" });
  });
});

describe("time", () => {
  test("an attempt over its time limit is abandoned, and its later calls are refused", async () => {
    const machine = new QueueMachine();
    let zombie: Attempt | undefined;
    const { queue, store } = await machine.start({
      handlers: handlers({
        update: (attempt) => {
          if (zombie) return Promise.resolve(done);
          zombie = attempt;
          return forever();
        },
      }),
    });
    await queue.addMessage("update", { text: "slow" }, { lane: "a" });
    await machine.clock.advance(29_999);
    expect(zombie?.signal.aborted).toBe(false);
    await machine.clock.advance(1);
    expect(zombie?.signal.aborted).toBe(true);
    const late = zombie?.step(
      "late",
      async () => "effect",
      () => [send("a", "late")],
    );
    await expect(late).rejects.toMatchObject({ code: "ATTEMPT_OVER" });
    await machine.clock.advance(1_000);
    expect((await queue.snapshot()).counts).toMatchObject({ retried: 1, done: 1 });
    expect(await store.depth("sending")).toBe(0);
  });

  test("a slow handler lends its slot, and its lane waits for it", async () => {
    const machine = new QueueMachine();
    const { handle, seen } = recorder((text) => (text === "stuck" ? forever() : done));
    const { events, queue } = await machine.start({
      concurrency: 1,
      handlers: handlers({ update: handle }),
    });
    await queue.insertMessageByPriority([
      update("a", "stuck"),
      update("a", "behind"),
      update("b", "other"),
    ]);
    await machine.clock.advance(4_999);
    expect(seen).toEqual(["stuck"]);
    await machine.clock.advance(1);
    expect(seen).toEqual(["stuck", "other"]);
    expect(ofType(events, "message.found-slow")).toHaveLength(1);
  });

  test("a delayed message waits, an expired one is dropped, and a known key is a duplicate", async () => {
    const machine = new QueueMachine();
    const { handle, seen } = recorder();
    const { clock } = machine;
    const { queue } = await machine.start({ handlers: handlers({ update: handle }) });
    await queue.addMessage("update", { text: "later" }, { lane: "a", delayMs: 10_000 });
    await queue.addMessage("update", { text: "keyed" }, { lane: "b", dedupeKey: "k" });
    const again = await queue.addMessage(
      "update",
      { text: "keyed" },
      { lane: "b", dedupeKey: "k" },
    );
    expect(again).toEqual({ kind: "duplicate" });
    await queue.pause("handling");
    const expiresAtEpochMs = clock.epochMs() + 1_000;
    await queue.addMessage("update", { text: "stale" }, { lane: "c", expiresAtEpochMs });
    await clock.advance(2_000);
    await queue.resume("handling");
    await clock.advance(7_999);
    expect(seen).toEqual(["keyed"]);
    await clock.advance(1);
    expect(seen).toEqual(["keyed", "later"]);
    const { counts } = await queue.snapshot();
    expect(counts).toMatchObject({ expired: 1, duplicates: 1, done: 2, queued: 3 });
  });

  test("setting the wall clock neither delays nor speeds up anything", async () => {
    const machine = new QueueMachine();
    const { handle, seen } = recorder();
    const { queue } = await machine.start({ handlers: handlers({ update: handle }) });
    await queue.addMessage("update", { text: "later" }, { lane: "a", delayMs: 1_000 });
    machine.clock.jumpEpoch(-86_400_000);
    await machine.clock.advance(999);
    machine.clock.jumpEpoch(2 * 86_400_000);
    expect(seen).toEqual([]);
    await machine.clock.advance(1);
    expect(seen).toEqual(["later"]);
  });
});

describe("death", () => {
  test("waiting messages survive a kill in order, and pools stay paused", async () => {
    const machine = new QueueMachine();
    const first = await machine.start({ handlers: handlers({ update: forever }) });
    await first.queue.pause("sending");
    await first.queue.insertMessageByPriority([1, 2, 3].map((n) => update("a", `${n}`)));
    await machine.clock.advance(10);
    first.kill();
    const { handle, seen } = recorder();
    const sends = recorder();
    const second = await machine.start({
      handlers: handlers({ update: handle, send: sends.handle }),
    });
    await second.queue.insertMessageByPriority([send("a", "paused")]);
    await machine.clock.advance(10);
    expect(seen).toEqual(["1", "2", "3"]);
    expect(sends.seen).toEqual([]);
    expect((await second.queue.snapshot()).pools.sending.paused).toBe(true);
    await second.queue.resume("sending");
    await machine.clock.advance(10);
    expect(sends.seen).toEqual(["paused"]);
  });

  test("an update that kills the process is quarantined after three deaths; innocent ones are handled", async () => {
    const machine = new QueueMachine();
    const completed: string[] = [];
    const sends = recorder();
    let lives = 0;
    for (let dead = true; dead && lives < 10; ) {
      lives++;
      dead = false;
      const life: { kill?: () => void } = {};
      const process = await machine.boot({
        handlers: handlers({
          update: {
            handle: async ({ message, signal }) => {
              if (textOf(message) === "poison") {
                life.kill?.();
                dead = true;
                return forever();
              }
              await machine.clock.sleep(50, signal);
              if (!dead) completed.push(textOf(message));
              return done;
            },
            lastWords: () => [send("p", "sorry")],
          },
          send: sends.handle,
        }),
      });
      life.kill = process.kill;
      if (lives === 1) {
        const innocents = [1, 2, 3, 4, 5].map((n) => update(`lane${n}`, `innocent${n}`));
        await process.store.enqueue([...innocents, update("p", "poison"), update("p", "behind")]);
      }
      await process.queue.start();
      await machine.clock.advance(3_000);
      if (dead) continue;
      const letters = await process.store.deadLetters({ offset: 0, limit: 10 });
      expect(letters).toMatchObject([
        { reason: "quarantined", deaths: 3, payload: { text: "poison" } },
      ]);
      expect(ofType(process.events, "message.dead-lettered")).toMatchObject([
        { reason: "quarantined" },
      ]);
    }
    expect(lives).toBe(4);
    expect(completed.toSorted()).toEqual(["behind", ...[1, 2, 3, 4, 5].map((n) => `innocent${n}`)]);
    expect(sends.seen).toEqual(["sorry"]);
  });

  test("a suspect that hangs holds back the others for only one second", async () => {
    const machine = new QueueMachine();
    const first = await machine.start({ handlers: handlers({ update: forever }) });
    await first.queue.insertMessageByPriority([update("a", "suspect")]);
    await machine.clock.advance(10);
    first.kill();
    const { handle, seen } = recorder((text) => (text === "suspect" ? forever() : done));
    const second = await machine.start({ handlers: handlers({ update: handle }) });
    await second.queue.insertMessageByPriority([update("b", "other")]);
    await machine.clock.advance(990);
    expect(seen).toEqual(["suspect"]);
    await machine.clock.advance(20);
    expect(seen).toEqual(["suspect", "other"]);
  });

  test("a suspect that hangs holds back other suspects for only one second, too", async () => {
    const machine = new QueueMachine();
    const first = await machine.start({ handlers: handlers({ update: forever }) });
    await first.queue.insertMessageByPriority([update("a", "hangs"), update("b", "other")]);
    await machine.clock.advance(10);
    first.kill();
    const { handle, seen } = recorder((text) => (text === "hangs" ? forever() : done));
    await machine.start({ handlers: handlers({ update: handle }) });
    await machine.clock.advance(2_000);
    expect(seen.toSorted()).toEqual(["hangs", "other"]);
  });

  test("a send under way at a death is repeated or dropped, by its own policy", async () => {
    const machine = new QueueMachine();
    const first = await machine.start({ handlers: handlers({ send: forever }) });
    await first.queue.insertMessageByPriority([
      send("a", "again"),
      send("b", "never", { ambiguous: "drop" }),
    ]);
    await machine.clock.advance(10);
    first.kill();
    const { handle, seen } = recorder();
    const second = await machine.start({ handlers: handlers({ send: handle }) });
    await machine.clock.advance(10);
    expect(seen).toEqual(["again"]);
    const letters = await second.store.deadLetters({ offset: 0, limit: 10 });
    expect(letters).toMatchObject([{ reason: "ambiguous-dropped", payload: { text: "never" } }]);
    expect(ofType(second.events, "message.recovered").map((event) => event.ambiguous)).toEqual([
      true,
      true,
    ]);
  });
});

describe("a send whose process always dies", () => {
  /** Every process of the machine dies while it sends. @returns the attempts that were seen. */
  async function killEach(machine: QueueMachine, deaths: number): Promise<number[]> {
    const attempts: number[] = [];
    for (let life = 0; life < deaths; life++) {
      const handle = ({ message }: Attempt) => {
        attempts.push(message.attempts);
        return forever();
      };
      const process = await machine.start({ handlers: handlers({ send: handle }) });
      if (life === 0) await process.queue.insertMessageByPriority([send("a", "reply")]);
      await machine.clock.advance(10);
      process.kill();
    }
    return attempts;
  }

  test("spends no attempt on a death, and is sent by the first process that lives", async () => {
    const machine = new QueueMachine();
    const attempts = await killEach(machine, sendDeathsMax - 1);
    expect(attempts).toHaveLength(sendDeathsMax - 1);
    expect(new Set(attempts)).toEqual(new Set([attempts[0]]));
    const { handle, seen } = recorder();
    const { store } = await machine.start({ handlers: handlers({ send: handle }) });
    await machine.clock.advance(10);
    expect(seen).toEqual(["reply"]);
    expect(await store.deadLetters({ offset: 0, limit: 10 })).toEqual([]);
  });

  test("is given up after twenty deaths, and the next of its chat is sent", async () => {
    const machine = new QueueMachine();
    await killEach(machine, sendDeathsMax);
    const { handle, seen } = recorder();
    const { queue, store } = await machine.start({ handlers: handlers({ send: handle }) });
    await queue.insertMessageByPriority([send("a", "next")]);
    await machine.clock.advance(10);
    expect(seen).toEqual(["next"]);
    expect(await store.deadLetters({ offset: 0, limit: 10 })).toMatchObject([
      { reason: "attempts-exhausted", deaths: 20, payload: { text: "reply" } },
    ]);
  });
});

describe("claims that fail", () => {
  /** A process whose claims fail. @returns what it has told after a minute. */
  async function told(error: Error): Promise<string[]> {
    const machine = new QueueMachine();
    const { events, queue } = await machine.start((store) => {
      store.claim = () => Promise.reject(error);
      return {};
    });
    await queue.insertMessageByPriority([update("a", "1")]);
    await machine.clock.advance(60_000);
    return events
      .map(({ type }) => type)
      .filter((type) => type === "queue.commit-failed" || type === "component.given-up");
  }

  test("by a defect again and again end the process, because only the next one builds its index anew", async () => {
    expect(await told(new Error("message 10 is not in its table"))).toEqual([
      "queue.commit-failed",
      "component.given-up",
    ]);
  });

  test("while the disk is full end nothing", async () => {
    expect(await told(new StorageFullError("full"))).toEqual(["queue.commit-failed"]);
  });
});

describe("operating", () => {
  test("a drain claims nothing new and waits for the work under way", async () => {
    const machine = new QueueMachine();
    const { handle, seen } = recorder(async (_, { signal }) => {
      await machine.clock.sleep(500, signal);
      return done;
    });
    const { queue, store } = await machine.start({ handlers: handlers({ update: handle }) });
    await queue.insertMessageByPriority([update("a", "1"), update("a", "2")]);
    await machine.clock.advance(10);
    let left: readonly string[] | undefined;
    void queue.drain(new AbortController().signal).then((rest) => {
      left = rest;
    });
    await machine.clock.advance(480);
    expect(left).toBeUndefined();
    await machine.clock.advance(20);
    expect(left).toEqual([]);
    expect(seen).toEqual(["1"]);
    expect(await store.depth("handling")).toBe(1);
  });

  test("a drain at its deadline reports what is left, and the next start counts no death against it", async () => {
    const machine = new QueueMachine();
    const first = await machine.start({ handlers: handlers({ update: forever }) });
    await first.queue.insertMessageByPriority([update("a", "stuck")]);
    await machine.clock.advance(10);
    const deadline = new AbortController();
    const drained = first.queue.drain(deadline.signal);
    deadline.abort();
    expect(await drained).toEqual(["update 1"]);
    await first.queue.stop();
    await first.store.close();
    const deaths: number[] = [];
    const second = await machine.start({
      handlers: handlers({
        update: async ({ message }) => {
          deaths.push(message.deaths);
          return done;
        },
      }),
    });
    await machine.clock.advance(10);
    expect(deaths).toEqual([0]);
    expect(ofType(second.events, "message.recovered")).toEqual([]);
  });

  test("a hold keeps back a pool until it is over", async () => {
    const machine = new QueueMachine();
    const { handle, seen } = recorder();
    let held = true;
    const { queue } = await machine.start({
      handlers: handlers({ send: handle }),
      holds: heldWhile(machine.clock, () => held),
    });
    await queue.insertMessageByPriority([send("a", "1")]);
    await machine.clock.advance(60_000);
    expect(seen).toEqual([]);
    held = false;
    queue.wake("sending");
    await machine.clock.advance(0);
    expect(seen).toEqual(["1"]);
  });

  test("updates wait while there is no room for their replies", async () => {
    const machine = new QueueMachine();
    const { handle, seen } = recorder();
    const { queue } = await machine.start({ lengthMax: 3, handlers: handlers({ update: handle }) });
    await queue.pause("sending");
    await queue.insertMessageByPriority([1, 2, 3].map((n) => send(`s${n}`, "x")));
    await machine.clock.advance(300);
    await queue.insertMessageByPriority([update("a", "1")]);
    await machine.clock.advance(1_000);
    expect(seen).toEqual([]);
    expect(await queue.room()).toBe(2);
    await queue.resume("sending");
    await machine.clock.advance(600);
    expect(seen).toEqual(["1"]);
  });

  test("a broadcast that waits takes no room from replies", async () => {
    const machine = new QueueMachine();
    const { handle, seen } = recorder();
    const { queue } = await machine.start({ lengthMax: 3, handlers: handlers({ update: handle }) });
    await queue.pause("sending");
    const news = [1, 2, 3, 4].map((n) => ({ ...send(`s${n}`, "x"), priority: "low" }) as const);
    await queue.insertMessageByPriority(news);
    await machine.clock.advance(300);
    await queue.insertMessageByPriority([update("a", "1")]);
    await machine.clock.advance(300);
    expect(seen).toEqual(["1"]);
  });

  test("the snapshot shows what is waiting, for how long, and the counts so far", async () => {
    const machine = new QueueMachine();
    const { queue } = await machine.start();
    await queue.pause("handling");
    await queue.insertMessageByPriority([
      update("a", "1"),
      update("b", "2", { dedupeKeys: ["k"] }),
    ]);
    await machine.clock.advance(7_000);
    expect(await queue.snapshot()).toMatchObject({
      pools: {
        handling: { waiting: 2, inHand: 0, lanes: 2, oldestAgeMs: 7_000, paused: true },
        sending: { waiting: 0, inHand: 0, lanes: 0, oldestAgeMs: 0, paused: false },
      },
      deadLetters: 0,
      dedupeKeys: 1,
      lengthMax: 100,
      counts: { queued: 2, done: 0 },
    });
  });

  test("old dead letters and keys are swept", async () => {
    const machine = new QueueMachine();
    const { events, queue } = await machine.start({
      attemptsMax: 1,
      deadLettersKeepMs: 600_000,
      handlers: handlers({ update: () => Promise.reject(new Error("always")) }),
    });
    await queue.addMessage("update", { text: "bad" }, { lane: "a", dedupeKey: "k" });
    await machine.clock.advance(500_000);
    expect(await queue.snapshot()).toMatchObject({ deadLetters: 1, dedupeKeys: 0 });
    await machine.clock.advance(200_000);
    expect(await queue.snapshot()).toMatchObject({ deadLetters: 0 });
    expect(ofType(events, "queue.swept").length).toBeGreaterThan(0);
  });
});
