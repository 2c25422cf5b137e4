/** Flood gate: it reads its state back after a restart, however long the reading takes. */
import { expect, test } from "vitest";
import type { SentRecord } from "../../../bot/core/store.ts";
import { FloodGate } from "../../../bot/telegram/delivery/flood-gate.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const limits = { enabled: true, chatBurst: 1, groupPerMinute: 20, totalPerSecond: 30 };
const candidate = {
  messageId: 1,
  lane: "chat:7",
  priority: "normal",
  floodScope: "7",
  floodCost: 1,
} as const;

async function restored(sent: readonly SentRecord[], parkedUntil?: number) {
  const clock = new ManualClock();
  const slowly = async <T>(value: T) => {
    await clock.sleep(400, new AbortController().signal);
    return value;
  };
  const gate = new FloodGate({
    clock,
    limits,
    publish: () => {},
    reachable: () => true,
    store: {
      sentSince: () => slowly(sent),
      recordSent: async () => {},
      getFact: () => slowly(parkedUntil === undefined ? undefined : String(parkedUntil)),
      setFact: async () => {},
    },
  });
  const restoring = gate.restore();
  await clock.advance(800);
  await restoring;
  return { clock, gate };
}

test("a slow disk at the start does not open a window early", async () => {
  const atEpochMs = new ManualClock().epochMs();
  const { clock, gate } = await restored([{ scope: "7", cost: 1, atEpochMs }]);
  await clock.advance(199);
  expect(gate.admit(candidate)).not.toBe("take");
  await clock.advance(3);
  expect(gate.admit(candidate)).toBe("take");
});

test("a slow disk at the start lets no message start before a global 429 is over", async () => {
  const { clock, gate } = await restored([], new ManualClock().epochMs() + 5_000);
  await clock.advance(4_199);
  expect(gate.admit(candidate)).toBe("stop");
  await clock.advance(1);
  expect(gate.admit(candidate)).toBe("take");
});
