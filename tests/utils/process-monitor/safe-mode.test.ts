/** Safe mode: tests that it limits the work at first, relaxes in steps, watches, and ends. */
import { expect, onTestFinished, test } from "vitest";
import type { BotEvent } from "../../../bot/core/events.ts";
import { Holds } from "../../../bot/core/holds.ts";
import { SafeMode } from "../../../bot/utils/process-monitor/safe-mode.ts";
import type { Life } from "../../../bot/utils/process-monitor/safe-mode-rules.ts";
import { lifecycleConformance } from "../../support/lifecycle-conformance.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function setup(deaths: number) {
  const clock = new ManualClock();
  const events: BotEvent[] = [];
  const holds = new Holds(clock);
  const now = clock.epochMs();
  const life: Life = { startedAtEpochMs: now - 1_000, endedAtEpochMs: now - 500, clean: false };
  const safeMode = new SafeMode({
    clock,
    concurrency: 10,
    deathsMax: 3,
    holds,
    publish: (event) => events.push(event),
    lives: () => Array(deaths).fill(life),
  });
  return { clock, events, holds, safeMode };
}

lifecycleConformance("safe mode", () => {
  const { clock, safeMode } = setup(3);
  return { component: safeMode, clock };
});

test("an ordinary start is at full speed", async () => {
  const { events, safeMode } = setup(2);
  await safeMode.start();
  expect(safeMode.snapshot()).toEqual({ state: "off", deaths: 0, concurrency: 10 });
  expect(events).toEqual([]);
});

test("after three deaths the work begins at once, and twice as much follows every five seconds", async () => {
  const { clock, events, holds, safeMode } = setup(4);
  await safeMode.start();
  expect(safeMode.snapshot()).toEqual({ state: "careful", deaths: 4, concurrency: 1 });
  const limits: number[] = [];
  for (let step = 0; step < 4; step++) {
    await clock.advance(4_999);
    limits.push((await holds.allowance("handling")).limit);
    await clock.advance(1);
  }
  expect(limits).toEqual([1, 2, 4, 8]);
  expect(safeMode.snapshot()).toEqual({ state: "watching", deaths: 4, concurrency: 10 });
  await clock.advance(600_000);
  expect(safeMode.snapshot().state).toBe("off");
  expect(events.map(({ type }) => type)).toEqual([
    "safe-mode.entered",
    ...Array(4).fill("safe-mode.relaxed"),
    "safe-mode.left",
  ]);
});

test("updates that were handled bring full speed sooner than time does", async () => {
  const { clock, holds, safeMode } = setup(4);
  onTestFinished(() => safeMode.stop());
  await safeMode.start();
  const limits: number[] = [];
  for (let updates = 0; updates < 150; updates++) {
    safeMode.handled();
    await clock.advance(1);
    const { limit } = await holds.allowance("handling");
    if (limits.at(-1) !== limit) limits.push(limit);
  }
  expect(limits).toEqual([1, 2, 4, 8, Number.POSITIVE_INFINITY]);
  expect(safeMode.snapshot()).toEqual({ state: "watching", deaths: 4, concurrency: 10 });
});

test("released by hand, it is at full speed at once and goes on watching", async () => {
  const { holds, safeMode } = setup(4);
  onTestFinished(() => safeMode.stop());
  await safeMode.start();
  expect(await holds.list()).toMatchObject([{ kind: "safe-mode", target: "handling", limit: 1 }]);
  expect(await holds.release("safe-mode:handling")).toBe("released");
  expect(safeMode.snapshot()).toEqual({ state: "watching", deaths: 4, concurrency: 10 });
  expect(await holds.list()).toEqual([]);
});

type State = "off" | "careful" | "watching" | "left";
type Happening = "it starts" | "a second passes" | "its time is over" | "it stops";

/** The state afterwards and the events published; a missing pair does not compile. */
const transitions: Record<State, Record<Happening, readonly [State, ...string[]]>> = {
  off: {
    "it starts": ["careful", "safe-mode.entered"],
    "a second passes": ["off"],
    "its time is over": ["off"],
    "it stops": ["off"],
  },
  careful: {
    "it starts": ["careful"],
    "a second passes": ["careful"],
    "its time is over": ["watching", ...Array<string>(4).fill("safe-mode.relaxed")],
    "it stops": ["careful"],
  },
  watching: {
    "it starts": ["watching"],
    "a second passes": ["watching"],
    "its time is over": ["left", "safe-mode.left"],
    "it stops": ["watching"],
  },
  left: {
    "it starts": ["left"],
    "a second passes": ["left"],
    "its time is over": ["left"],
    "it stops": ["left"],
  },
};
const pairs = Object.entries(transitions).flatMap(([state, row]) =>
  Object.entries(row).map(([happening, expected]) => ({ state, happening, expected })),
);

test.for(pairs)("$state, and $happening: $expected", async ({ expected, happening, state }) => {
  const { clock, events, safeMode } = setup(3);
  onTestFinished(() => safeMode.stop());
  const carefulMs = 20_000;
  const healthyMs = 600_000;
  if (state !== "off") await safeMode.start();
  if (state === "watching" || state === "left") await clock.advance(carefulMs);
  if (state === "left") await clock.advance(healthyMs);
  events.length = 0;

  if (happening === "it starts") await safeMode.start();
  if (happening === "a second passes") await clock.advance(1_000);
  if (happening === "its time is over") {
    await clock.advance(state === "careful" ? carefulMs : healthyMs);
  }
  if (happening === "it stops") await safeMode.stop();

  const [after, ...said] = expected;
  // A safe mode that was left is off for good.
  expect(safeMode.snapshot().state).toBe(after === "left" ? "off" : after);
  expect(events.map(({ type }) => type)).toEqual(said);
});
