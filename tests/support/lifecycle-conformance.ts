/**
 * Lifecycle conformance: what every Component has to get right, as one suite.
 *
 * Run it from the component's own test: `lifecycleConformance("polling", () => ({ component, clock }))`.
 * (The idea is River's start/stop stress test.)
 */
import { describe, expect, onTestFinished, test } from "vitest";
import type { Component } from "../../bot/core/component.ts";
import { type ManualClock, settle } from "./manual-clock.ts";

export interface ConformanceSubject {
  readonly component: Component;
  /** The clock that was given to it. */
  readonly clock: ManualClock;
  /** Lets go of what the subject's surroundings hold. */
  readonly cleanUp?: () => void | Promise<void>;
}

/** @param create A component that was never started, able to start, with surroundings of its own. */
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

    test("it starts, lives and stops, and nothing is left", async () => {
      const { clock, component, expectNothingLeft, inTime } = await setup();
      await inTime(component.start());
      await clock.advance(1_000);
      await inTime(component.stop());
      await expectNothingLeft();
    });

    test("stopping before it was started is harmless", async () => {
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

    test("a drain under a deadline that is over comes back, and it stops after it", async () => {
      const { component, expectNothingLeft, inTime } = await setup();
      await inTime(component.start());
      const left = await inTime(component.drain?.(AbortSignal.abort()) ?? Promise.resolve([]));
      expect(Array.isArray(left)).toBe(true);
      await inTime(component.stop());
      await expectNothingLeft();
    });

    test("with nothing in hand it drains at once", async () => {
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
/** A worker thread takes real time to end, more of it on a busy machine; no simulated time helps it. */
const realEndMsMax = 5_000;
const stepMs = 500;
const stepsMax = 240;

/**
 * Settles `work`: first in real time alone (sockets, files), then with the clock moving (deadlines), then
 * in real time again (threads). Rejects when two simulated minutes were not enough.
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
  if (!done) throw new Error("it did not come back within two simulated minutes");
  return finished;
}

/** Servers and child processes that keep this process alive. */
function openHandles(): readonly string[] {
  const kinds = ["TCPServerWrap", "PipeServerWrap", "ProcessWrap"];
  return process
    .getActiveResourcesInfo()
    .filter((kind) => kinds.includes(kind))
    .sort();
}
