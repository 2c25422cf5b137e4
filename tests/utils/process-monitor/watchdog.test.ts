/** Watchdog: tests its life as a component; end-to-end tests show what it does about a hang. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { BotEvent } from "../../../bot/core/events.ts";
import { Watchdog } from "../../../bot/utils/process-monitor/watchdog.ts";
import { lifecycleConformance } from "../../support/lifecycle-conformance.ts";
import { ManualClock } from "../../support/manual-clock.ts";

/** The worker's clock is real, so this limit is longer than any silence in these tests. */
const killAfterMs = 3_600_000;

function setup() {
  const directory = mkdtempSync(join(tmpdir(), "watchdog-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const clock = new ManualClock();
  const events: BotEvent[] = [];
  const publish = (event: BotEvent) => events.push(event);
  const watchdog = new Watchdog({ clock, publish, directory, killAfterMs });
  return { clock, directory, events, watchdog };
}

lifecycleConformance("the watchdog", () => {
  const { clock, watchdog } = setup();
  return { clock, component: watchdog };
});

test("it beats five times a second while it runs, and leaves nothing on disk", async () => {
  const { clock, directory, events, watchdog } = setup();
  await watchdog.start();
  const { beats } = watchdog.heartbeat();
  await clock.advance(10_000);
  expect(watchdog.heartbeat()).toEqual({ beats: beats + 50, overdueMs: 0 });
  await watchdog.stop();
  const last = watchdog.heartbeat().beats;
  await clock.advance(10_000);
  expect(watchdog.heartbeat().beats).toBe(last);
  expect(readdirSync(directory)).toEqual([]);
  expect(events).toEqual([]);
});

test("once stopped, it does not start again", async () => {
  const { clock, watchdog } = setup();
  await watchdog.stop();
  await watchdog.start();
  await clock.advance(10_000);
  expect(watchdog.heartbeat().beats).toBe(0);
});
