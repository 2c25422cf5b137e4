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

async function restored(sent: readonly SentRecord[]) {
  const clock = new ManualClock();
  const slowly = async <T>(value: T) => {
    await clock.sleep(400, new AbortController().signal);
    return value;
  };
  const gate = new FloodGate({
    clock,
    limits,
    paused: () => false,
    store: {
      sentSince: () => slowly(sent),
      recordSent: async () => {},
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

test("while Telegram limits all chats a call made at once waits, until it is given up", async () => {
  let paused = true;
  const clock = new ManualClock();
  const store = { sentSince: async () => [], recordSent: async () => {} };
  const gate = new FloodGate({ clock, limits, paused: () => paused, store });
  const call = { floodScope: "7", floodCost: 1 };
  const permitted: string[] = [];
  void gate.permit(call, new AbortController().signal).then(() => permitted.push("first"));
  const given = new AbortController();
  const late = expect(gate.permit(call, given.signal)).rejects.toThrow("given up");
  await clock.advance(60_000);
  given.abort();
  await late;
  expect(permitted).toEqual([]);
  paused = false;
  await clock.advance(250);
  expect(permitted).toEqual(["first"]);
});
