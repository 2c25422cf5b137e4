/** Safe mode as a component: it holds, lets go, watches, and ends. */
import { expect, test } from "vitest";
import type { BotEvent } from "../../contracts/events.ts";
import type { Life } from "../../policies/safe-mode.ts";
import { SafeMode } from "../../restarts/safe-mode.ts";
import { lifecycleConformance } from "../support/lifecycle-conformance.ts";
import { ManualClock } from "../support/manual-clock.ts";

function setup(deaths: number) {
  const clock = new ManualClock();
  const events: BotEvent[] = [];
  const now = clock.epochMs();
  const life: Life = { startedAtEpochMs: now - 1_000, endedAtEpochMs: now - 500, clean: false };
  const safeMode = new SafeMode({
    clock,
    random: () => 1,
    deathsMax: 3,
    publish: (event) => events.push(event),
    lives: () => Array(deaths).fill(life),
  });
  return { clock, events, safeMode };
}

lifecycleConformance("safe mode", () => {
  const { clock, safeMode } = setup(3);
  return { component: safeMode, clock };
});

test("after an ordinary start nothing is held", async () => {
  const { events, safeMode } = setup(2);
  await safeMode.start();
  expect(safeMode.holding).toBe(false);
  expect(safeMode.snapshot().state).toBe("off");
  expect(events).toEqual([]);
});

test("after three deaths work is held, then watched, then safe mode is left", async () => {
  const { clock, events, safeMode } = setup(4);
  await safeMode.start();
  await clock.advance(19_999);
  expect(safeMode.snapshot()).toEqual({ state: "holding", deaths: 4, heldForMs: 1 });
  await clock.advance(1);
  expect(safeMode.holding).toBe(false);
  expect(safeMode.snapshot().state).toBe("watching");
  await clock.advance(600_000);
  expect(safeMode.snapshot().state).toBe("off");
  expect(events.map(({ type }) => type)).toEqual([
    "safe-mode.entered",
    "safe-mode.released",
    "safe-mode.left",
  ]);
});
