/** Schedules: each due instant runs once, whatever happens to the process in between. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { AddSchedule, ScheduleContext, ScheduleOptions } from "../../bot/kit/schedule.ts";
import { deathsMax } from "../../bot/utils/message-queue/poison-rules.ts";
import { ada } from "../shop/commands/bot-under-test.ts";
import type { Routes } from "../support/durable-bot.ts";
import { TimedBot } from "../support/timed-bot.ts";

const minuteMs = 60_000;
const beginMs = Date.UTC(2026, 0, 1);
const minuteOf = (epochMs: number) => (epochMs - beginMs) / minuteMs;

/** Notes each instant in a durable step, and tells it. */
async function note(ctx: ScheduleContext): Promise<void> {
  await ctx.transaction(async ({ documents }) => {
    const key = String(ctx.dueAtEpochMs).padStart(16, "0");
    const times = (await documents.get<number>("ran", key)) ?? 0;
    await documents.put("ran", key, times + 1);
  });
  const missed = ctx.missedFromEpochMs;
  const from = missed === undefined ? "" : ` for ${minuteOf(missed)} on`;
  await ctx.telegram.sendMessage(ada.id, `minute ${minuteOf(ctx.dueAtEpochMs)}${from}`);
}

function scheduled(options: ScheduleOptions, run = note, name = "job"): Routes {
  return (_bot, _session, { schedule }) => schedule(name, options, run);
}

type Life = Awaited<ReturnType<TimedBot["start"]>>;

/** The minutes that ran, each with how often. */
async function ran({ store }: Life): Promise<readonly [number, number][]> {
  const found = await store.transaction(({ documents }) =>
    documents.list<number>("ran", { limit: 1_000 }),
  );
  return found.map(({ key, value }) => [minuteOf(Number(key)), value]);
}

test("each instant runs once, on time, with durable steps and recorded calls", async () => {
  const bot = new TimedBot(scheduled({ every: minuteMs }));
  const life = await bot.start();
  await bot.clock.advance(3 * minuteMs + 30_000);
  expect(await ran(life)).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
  expect(bot.calls).toEqual([1, 2, 3].map((minute) => `sendMessage minute ${minute}`));
});

test.each<[ScheduleOptions["missed"] & string, readonly string[]]>([
  ["once", ["minute 1", "minute 60 for 2 on", "minute 61"]],
  ["skip", ["minute 1", "minute 61"]],
])("after an hour of downtime, %s runs %j", async (missed, texts) => {
  const bot = new TimedBot(scheduled({ cron: "* * * * *", missed }));
  const first = await bot.start();
  await bot.clock.advance(minuteMs + 1_000);
  first.kill();
  await bot.clock.advance(59 * minuteMs);
  const { events } = await bot.start();
  await bot.clock.advance(minuteMs);
  const told = events.filter(({ type }) => type === "schedule.instants-missed");
  const beforeEpochMs = beginMs + (missed === "once" ? 60 : 61) * minuteMs;
  expect(told).toEqual([
    {
      ...{ type: "schedule.instants-missed", schedule: "job", policy: missed },
      ...{ fromEpochMs: beginMs + 2 * minuteMs, beforeEpochMs },
    },
  ]);
  expect(bot.calls).toEqual(texts.map((text) => `sendMessage ${text}`));
});

test("after downtime, all runs every instant, in order", async () => {
  const bot = new TimedBot(scheduled({ every: minuteMs, missed: "all" }));
  const first = await bot.start();
  first.kill();
  await bot.clock.advance(20 * minuteMs);
  const second = await bot.start();
  await bot.clock.advance(1_000);
  expect(await ran(second)).toEqual(Array.from({ length: 20 }, (_, index) => [index + 1, 1]));
});

test("a run that fails is tried again, given up, and the next instant comes in any case", async () => {
  let attempts = 0;
  const failing = async (ctx: ScheduleContext) => {
    await note(ctx);
    attempts += 1;
    if (attempts <= 5) throw new Error("no");
  };
  const bot = new TimedBot(scheduled({ every: 10 * minuteMs }, failing));
  const life = await bot.start();
  await bot.clock.advance(25 * minuteMs);
  expect(await ran(life)).toEqual([
    [10, 1],
    [20, 1],
  ]);
  expect(bot.calls).toEqual(["sendMessage minute 20"]);
  const [letter] = await life.deadLetters();
  expect(letter).toMatchObject({ type: "task", lane: "schedule:job", attempts: 5 });
  // Put back, it runs its own instant, and the others go on as they did.
  await life.queue.requeue(letter?.id as number);
  await bot.clock.advance(10 * minuteMs);
  expect(bot.calls.slice(1)).toEqual(["sendMessage minute 10", "sendMessage minute 30"]);
  expect(await ran(life)).toEqual([
    [10, 1],
    [20, 1],
    [30, 1],
  ]);
});

test("an instant that kills the process again and again is quarantined, and the next one comes", async () => {
  const bot = new TimedBot(scheduled({ every: 10 * minuteMs }));
  let life = await bot.start();
  const deadly = scheduled({ every: 10 * minuteMs }, async (ctx) => {
    if (minuteOf(ctx.dueAtEpochMs) === 10) life.kill();
    else await note(ctx);
  });
  await life.stop();
  for (let lives = 1; life.isDead() || lives === 1; lives++) {
    life = await bot.start(deadly);
    await bot.clock.advance(lives === 1 ? 10 * minuteMs : 5_000);
  }
  await bot.clock.advance(10 * minuteMs);
  expect((await life.deadLetters()).map(({ reason }) => reason)).toEqual(["quarantined"]);
  expect(bot.calls).toEqual(["sendMessage minute 20"]);
});

test("a changed timetable and a removed schedule take effect at the next start", async () => {
  const bot = new TimedBot(scheduled({ every: 60 * minuteMs }));
  const first = await bot.start();
  await bot.clock.advance(minuteMs);
  await first.stop();
  const second = await bot.start(scheduled({ every: 5 * minuteMs }));
  await bot.clock.advance(5 * minuteMs);
  expect(bot.calls).toEqual(["sendMessage minute 5"]);
  await second.stop();
  const third = await bot.start(scheduled({ every: minuteMs }, note, "other"));
  expect((await third.store.snapshot()).pools.handling.delayed).toBe(1);
  await bot.clock.advance(minuteMs);
  expect(bot.calls).toEqual(["sendMessage minute 5", "sendMessage minute 7"]);
});

test("a paused pool holds it, and the operator sees it among what is delayed", async () => {
  const bot = new TimedBot(scheduled({ every: 10 * minuteMs }));
  const { queue } = await bot.start();
  expect((await queue.snapshot()).pools.handling).toMatchObject({ delayed: 1, waiting: 0 });
  await queue.pause("handling");
  await bot.clock.advance(25 * minuteMs);
  expect(bot.calls).toEqual([]);
  await queue.resume("handling");
  await bot.clock.advance(1_000);
  expect(bot.calls).toEqual(["sendMessage minute 20 for 10 on"]);
});

test.each(["once", "skip", "all"] as const)(
  "an instant that an operator runs now (%s) does not run again, and the next one comes once",
  async (missed) => {
    const bot = new TimedBot(scheduled({ every: 10 * minuteMs, missed }));
    let life = await bot.start();
    const delayed = () => life.store.delayedMessages({ offset: 0, limit: 9 });
    await bot.clock.advance(4 * minuteMs);
    const [first] = await delayed();
    expect(first).toMatchObject({ type: "task", key: "schedule:job" });
    expect(await life.queue.runNow(first?.id as number)).toBe(true);
    await bot.clock.advance(minuteMs);
    expect(await ran(life)).toEqual([[10, 1]]);
    const dues = (await delayed()).map(({ dueAtEpochMs }) => minuteOf(dueAtEpochMs));
    expect(dues).toEqual([20]);
    life.kill();
    life = await bot.start();
    await bot.clock.advance(26 * minuteMs);
    expect(await ran(life)).toEqual([
      [10, 1],
      [20, 1],
      [30, 1],
    ]);
  },
);

test("over any history of kills and stops, each due instant has run exactly once", async () => {
  const end = fc.constantFrom("kill", "stop");
  const death = fc.option(
    fc.record({ atCommit: fc.integer({ min: 1, max: 25 }), reachedDisk: fc.boolean() }),
  );
  const life = fc.record({ runsMs: fc.integer({ min: 0, max: 150_000 }), end, death });
  const down = fc.integer({ min: 0, max: 90_000 });
  const lives = fc.array(fc.tuple(life, down), { minLength: 1, maxLength: 5 });
  // A task that was in hand at `deathsMax` deaths is poison, and rightly a dead letter.
  const history = lives.map((all) => {
    let deaths = 0;
    return all.map(([one, downMs]) => {
      if (one.death || one.end === "kill") deaths++;
      const calm = { ...one, end: "stop", death: null };
      return [deaths < deathsMax ? one : calm, downMs] as const;
    });
  });
  await fc.assert(
    fc.asyncProperty(history, async (all) => {
      const bot = new TimedBot(scheduled({ every: minuteMs, missed: "all" }));
      for (const [{ death: plan, end: how, runsMs }, downMs] of all) {
        const one = await bot.start(undefined, plan ?? undefined).catch(() => undefined);
        await bot.clock.advance(runsMs);
        if (one && !one.isDead()) await (how === "kill" ? one.kill() : one.stop());
        await bot.clock.advance(downMs);
      }
      const last = await bot.start();
      await bot.clock.advance(3 * minuteMs);
      const found = await ran(last);
      const first = found[0]?.[0] ?? 1;
      // The first start that reached the disk has fixed the first instant.
      expect(found).toEqual(found.map((_, index) => [first + index, 1]));
      expect(found.at(-1)?.[0]).toBe(Math.floor(minuteOf(bot.clock.epochMs())));
      expect(await last.deadLetters()).toEqual([]);
    }),
    { numRuns: 25 },
  );
}, 60_000);

test.each<[Parameters<AddSchedule>, RegExp]>([
  [["no name", { every: minuteMs }, note], /^schedule: name: expected 1 to 100 letters/],
  [
    ["a", {} as ScheduleOptions, note],
    /^schedule a: options: expected either cron or every, received neither/,
  ],
  [["a", { cron: "* * * * *", every: 1 } as never, note], /received both/],
  [
    ["a", { every: minuteMs, missed: "never" as never }, note],
    /^schedule a: missed: expected once, skip, all/,
  ],
  [["a", { every: minuteMs }, 7 as never], /^schedule a: run: expected a function/],
])("%j is refused in words", async (given, message) => {
  const routes: Routes = (_bot, _session, { schedule }) => schedule(...given);
  await expect(new TimedBot(routes).start()).rejects.toThrow(message);
});

test("two schedules of one name are refused", async () => {
  const routes: Routes = (_bot, _session, { schedule }) => {
    schedule("a", { every: minuteMs }, note);
    schedule("a", { every: minuteMs }, note);
  };
  await expect(new TimedBot(routes).start()).rejects.toThrow("a name of its own");
});
