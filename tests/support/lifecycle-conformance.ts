/**
 * Lifecycle conformance: tests what every Component must guarantee, as one suite.
 *
 * Run it from the component's own test: `lifecycleConformance("polling", () => ({ component, clock
 * }))`. (The idea is River's start/stop stress test.)
 */
import { describe, expect, onTestFinished, test } from "vitest";
import type { Component } from "../../bot/core/component.ts";
import { type ManualClock, settle } from "./manual-clock.ts";

export interface ConformanceSubject {
  readonly component: Component;
  /** The clock that the component uses. */
  readonly clock: ManualClock;
  /** Releases whatever the component's surroundings hold. */
  readonly cleanUp?: () => void | Promise<void>;
}

/** @param create Returns a component that was not started yet, with surroundings of its own. */
export function lifecycleConformance(
  name: string,
  create: () => ConformanceSubject | Promise<ConformanceSubject>,
): void {
  async function setup() {
    const { cleanUp, clock, component } = await create();
    if (cleanUp) onTestFinished(cleanUp);
    const handlesBefore = openHandles();
    const inTime = <T>(work: Promise<T>) => withTimePassing(clock, work);
    const expectNothingLeft = async () => {
      await settle();
      expect(clock.pending, "sleepers left in the clock").toBe(0);
      await expect.poll(openHandles, { timeout: 2_000 }).toEqual(handlesBefore);
    };
    return { clock, component, inTime, expectNothingLeft };
  }

  describe(`lifecycle of ${name}`, () => {
    test("it has a name", async () => {
      const { component } = await setup();
      expect(component.name).toMatch(/^[a-z][a-z-]*$/);
    });

    test("it starts, runs and stops, and leaves nothing behind", async () => {
      const { clock, component, expectNothingLeft, inTime } = await setup();
      await inTime(component.start());
      await clock.advance(1_000);
      await inTime(component.stop());
      await expectNothingLeft();
    });

    test("stopping before the start is harmless", async () => {
      const { component, expectNothingLeft, inTime } = await setup();
      await inTime(component.stop());
      await expectNothingLeft();
    });

    test("stopping twice is harmless", async () => {
      const { component, expectNothingLeft, inTime } = await setup();
      await inTime(component.start());
      await inTime(component.stop());
      await inTime(component.stop());
      await expectNothingLeft();
    });

    test("stopping several times at once is harmless", async () => {
      const { component, expectNothingLeft, inTime } = await setup();
      await inTime(component.start());
      await inTime(Promise.all([component.stop(), component.stop(), component.stop()]));
      await expectNothingLeft();
    });

    test("stopping while it starts leaves nothing behind", async () => {
      const { component, expectNothingLeft, inTime } = await setup();
      const started = component.start().catch(() => "interrupted");
      await inTime(component.stop());
      await inTime(started);
      await expectNothingLeft();
    });

    test("a drain whose deadline is over returns, and a stop after it works", async () => {
      const { component, expectNothingLeft, inTime } = await setup();
      await inTime(component.start());
      const left = await inTime(component.drain?.(AbortSignal.abort()) ?? Promise.resolve([]));
      expect(Array.isArray(left)).toBe(true);
      await inTime(component.stop());
      await expectNothingLeft();
    });

    test("without work it drains at once", async () => {
      const { component, expectNothingLeft, inTime } = await setup();
      await inTime(component.start());
      const deadline = new AbortController();
      const left = await inTime(component.drain?.(deadline.signal) ?? Promise.resolve([]));
      expect(left).toEqual([]);
      await inTime(component.stop());
      await expectNothingLeft();
    });
  });
}

const patienceMs = 100;
/** A worker thread needs real time to end, and more of it on a busy machine. */
const realEndMsMax = 5_000;
const stepMs = 500;
const stepsMax = 240;

/**
 * Settles `work`: first in real time alone (sockets, files), then with the clock moving
 * (deadlines), then in real time again (threads). Rejects when two simulated minutes were not
 * enough.
 */
async function withTimePassing<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let done = false;
  const finished = work.finally(() => {
    done = true;
  });
  finished.catch(() => {});
  const letRealTimePass = async (ms: number) => {
    const untilMs = performance.now() + ms;
    while (!done && performance.now() < untilMs) await new Promise((r) => setTimeout(r, 1));
  };
  await settle();
  await letRealTimePass(patienceMs);
  for (let step = 0; !done && step < stepsMax; step += 1) await clock.advance(stepMs);
  await letRealTimePass(realEndMsMax);
  if (!done) throw new Error("it did not return within two simulated minutes");
  return finished;
}

/** Returns the servers and child processes that keep this process alive. */
function openHandles(): readonly string[] {
  const kinds = ["TCPServerWrap", "PipeServerWrap", "ProcessWrap"];
  return process
    .getActiveResourcesInfo()
    .filter((kind) => kinds.includes(kind))
    .sort();
}
