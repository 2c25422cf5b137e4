/** Holds: what devices say together, how it is listed, and how it is released. */
import { expect, test } from "vitest";
import { type HoldDevice, type HoldLook, Holds, type LaneHolds } from "../../bot/core/holds.ts";
import { ManualClock } from "../support/manual-clock.ts";

function setup() {
  const clock = new ManualClock();
  const holds = new Holds(clock);
  const put = (device: Partial<HoldDevice>, look: HoldLook | undefined) =>
    holds.add({ kind: "paused", targets: ["sending"], look: () => look, ...device });
  return { clock, holds, put };
}

const reason = "a reason";

test("without a device everything may go on", async () => {
  const { holds } = setup();
  expect((await holds.allowance("sending")).limit).toBe(Number.POSITIVE_INFINITY);
  expect(await holds.list()).toEqual([]);
});

test("the strictest device decides, for its own targets only", async () => {
  const { holds, put } = setup();
  put({ kind: "safe-mode" }, { limit: 3, sinceMs: 0, reason });
  put({ kind: "paused" }, { limit: 1, sinceMs: 0, reason });
  put({ kind: "draining", targets: ["handling"] }, { limit: 0, sinceMs: 0, reason });
  expect((await holds.allowance("sending")).limit).toBe(1);
  expect((await holds.allowance("handling")).limit).toBe(0);
  expect((await holds.allowance("intake")).limit).toBe(Number.POSITIVE_INFINITY);
});

test("what is held looks again soon, and at the latest when the hold ends", async () => {
  const { clock, holds, put } = setup();
  put({}, { limit: 0, sinceMs: 0, untilMs: clock.monotonicMs() + 40, reason });
  expect((await holds.allowance("sending")).reviewInMs).toBe(40);
  put({}, { limit: 0, sinceMs: 0, reason });
  expect((await holds.allowance("sending")).reviewInMs).toBe(250);
});

test("an advisory device is listed and limits nothing", async () => {
  const { holds, put } = setup();
  put({ kind: "disk-full", advisory: true }, { sinceMs: 0, reason });
  expect((await holds.allowance("sending")).limit).toBe(Number.POSITIVE_INFINITY);
  expect(await holds.list()).toMatchObject([{ id: "disk-full:sending", limit: null }]);
});

test("a new instance of a device takes the place of the one before", async () => {
  const { holds, put } = setup();
  put({}, { limit: 0, sinceMs: 0, reason });
  put({}, undefined);
  expect(await holds.list()).toEqual([]);
});

test("a hold says since when, why, until when and how it is tested", async () => {
  const { clock, holds, put } = setup();
  await clock.advance(5_000);
  const nowMs = clock.monotonicMs();
  put({ release: () => {} }, { limit: 0, sinceMs: nowMs - 1_000, untilMs: nowMs + 2_000, reason });
  expect(await holds.list()).toEqual([
    {
      id: "paused:sending",
      kind: "paused",
      target: "sending",
      limit: 0,
      reason,
      sinceEpochMs: clock.epochMs() - 1_000,
      untilEpochMs: clock.epochMs() + 2_000,
      test: "nothing; it is kept over restarts",
      releasable: true,
    },
  ]);
});

test("released by hand it is over; what only its own test can end, and what is not there, is refused", async () => {
  const { holds, put } = setup();
  let held = true;
  const look = () => (held ? { limit: 0, sinceMs: 0, reason } : undefined);
  holds.add({
    kind: "paused",
    targets: ["sending"],
    look,
    release: () => {
      held = false;
    },
  });
  put({ kind: "disk-full", targets: ["handling"] }, { sinceMs: 0, reason });
  expect(await holds.release("paused:sending")).toBe("released");
  expect(await holds.release("paused:sending")).toBe("unknown");
  expect(await holds.release("disk-full:handling")).toBe("not-releasable");
  expect(await holds.release("nonsense")).toBe("unknown");
});

test("a held lane has the chat in its id, and is released by it", async () => {
  const { holds } = setup();
  const released: string[] = [];
  const lanes: LaneHolds = {
    list: async () => [
      {
        ...{ kind: "chat-rate-limited", target: "sending", lane: "chat:7", reason },
        ...{ sinceEpochMs: 1, untilEpochMs: 2 },
      },
    ],
    release: async (target, lane) => {
      released.push(`${target} ${lane}`);
      return lane === "chat:7";
    },
  };
  holds.addLanes(lanes);
  expect(await holds.list()).toMatchObject([{ id: "chat-rate-limited:sending:chat:7", limit: 0 }]);
  expect(await holds.release("chat-rate-limited:sending:chat:7")).toBe("released");
  expect(await holds.release("chat-rate-limited:sending:chat:8")).toBe("unknown");
  expect(released).toEqual(["sending chat:7", "sending chat:8"]);
});
