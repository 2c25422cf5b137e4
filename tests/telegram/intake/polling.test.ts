/** Polling: what it asks, when it polls again, and that nothing ends it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CallNotSentError,
  CallUnknownError,
  PollConflictError,
  RateLimitedError,
  StorageFullError,
  UnauthorizedError,
} from "../../../bot/core/errors.ts";
import type { BotEvent } from "../../../bot/core/events.ts";
import { Holds } from "../../../bot/core/holds.ts";
import type { NewMessage } from "../../../bot/core/message.ts";
import { Intake, type IntakeDeps } from "../../../bot/telegram/intake/intake.ts";
import { Polling } from "../../../bot/telegram/intake/polling.ts";
import { allowedUpdates } from "../../../bot/telegram/intake/update-message.ts";
import { heldWhile } from "../../support/held-while.ts";
import { lifecycleConformance } from "../../support/lifecycle-conformance.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { hangUntilAborted, ScriptedApi } from "../../support/scripted-api.ts";

const aborted = new CallUnknownError("aborted");
const text = (update_id: number) => ({ update_id, message: { chat: { id: 1 }, text: "x" } });

function setup(overrides: Partial<IntakeDeps> = {}, clock = new ManualClock()) {
  const api = new ScriptedApi(hangUntilAborted(aborted));
  const events: BotEvent[] = [];
  const accepted: NewMessage[] = [];
  let polls = 0;
  const deps: IntakeDeps = {
    api,
    clock,
    random: () => 0.5,
    publish: (event) => events.push(event),
    botId: "42",
    accept: async (messages) => {
      accepted.push(...messages);
      return messages.map((_, index) => ({ kind: "queued", messageId: index }));
    },
    room: async () => 1_000,
    onHeard: () => {
      polls++;
    },
    holds: new Holds(clock),
    ...overrides,
  };
  const polling = new Intake(deps, new Polling({ pollTimeoutSeconds: 50 }));
  return { accepted, api, clock, events, polling, polls: () => polls };
}

const payloads = (api: ScriptedApi) =>
  api.calls.filter(({ method }) => method === "getUpdates").map(({ payload }) => payload);

lifecycleConformance("polling", () => {
  const { clock, polling } = setup();
  return { component: polling, clock };
});

test("the first poll returns at once to prove the connection, later ones wait at Telegram", async () => {
  const { api, clock, polling, polls } = setup();
  api.script([], []);
  await polling.start();
  await clock.advance(250);
  const common = { allowed_updates: allowedUpdates, limit: 100 };
  expect(payloads(api)).toEqual([
    { ...common, timeout: 0 },
    { ...common, timeout: 50 },
    { ...common, timeout: 50 },
  ]);
  expect(api.calls.map(({ options }) => options?.deadlineMs)).toEqual([10_000, 60_000, 60_000]);
  expect(polls()).toBe(2);
  await polling.stop();
});

test("a server that does not hold polls open is asked only a few times per second", async () => {
  const { api, clock, polling } = setup();
  api.otherwise([]);
  await polling.start();
  await clock.advance(10_000);
  expect(api.calls.length).toBeLessThanOrEqual(42);
  await polling.stop();
});

test("a batch is confirmed only after its commit, and an empty one leaves no offset", async () => {
  let commit = () => {};
  const committed = new Promise<void>((resolve) => {
    commit = resolve;
  });
  const { api, clock, polling } = setup({
    accept: async (messages) => {
      await committed;
      return messages.map((_, index) => ({ kind: "queued", messageId: index }));
    },
  });
  api.script([text(7), text(9), text(8)], []);
  await polling.start();
  await clock.advance(1_000);
  expect(api.calls).toHaveLength(1);
  commit();
  await clock.advance(250);
  expect(payloads(api).map((payload) => payload["offset"])).toEqual([undefined, 10, undefined]);
  await polling.stop();
});

test("ids that jump down are confirmed by their own batch", async () => {
  const { api, clock, polling } = setup();
  api.script([text(900_000_000)], [text(12)]);
  await polling.start();
  await clock.advance(0);
  expect(payloads(api).map((payload) => payload["offset"])).toEqual([undefined, 900_000_001, 13]);
  await polling.stop();
});

test("a batch that cannot be stored is not confirmed, and comes again", async () => {
  let full = true;
  const { api, clock, events, polling } = setup({
    accept: async (messages) => {
      if (full) throw new StorageFullError("no space");
      return messages.map((_, index) => ({ kind: "queued", messageId: index }));
    },
  });
  api.script([text(7)], [text(7)], [text(7)]);
  await polling.start();
  await clock.advance(400);
  full = false;
  await clock.advance(5_000);
  const offsets = payloads(api).map((payload) => payload["offset"]);
  expect(offsets.slice(0, -1).every((offset) => offset === undefined)).toBe(true);
  expect(offsets.at(-1)).toBe(8);
  expect(events).toContainEqual(expect.objectContaining({ type: "intake.failed" }));
  await polling.stop();
});

describe("a failure is survived:", () => {
  test.each<[string, Error, number]>([
    ["network", new CallNotSentError("no connection"), 500],
    ["5xx", new CallUnknownError("502"), 500],
    ["other poller", new PollConflictError("other-poller"), 3_000],
    ["429", new RateLimitedError("getUpdates", 7_000), 7_000],
    ["401", new UnauthorizedError("getUpdates"), 6_000],
    ["a defect of ours", new TypeError("defect"), 500],
  ])("%s", async (_, error, mostMs) => {
    const { api, clock, events, polling, polls } = setup();
    api.script(error, []);
    await polling.start();
    await clock.advance(0);
    expect(polling.snapshot()).toMatchObject({ state: "backing-off", failuresInARow: 1 });
    await clock.advance(mostMs);
    expect(polls()).toBe(1);
    expect(polling.snapshot()).toMatchObject({ state: "polling", failuresInARow: 0 });
    expect(events.map(({ type }) => type)).toEqual(["intake.failed", "intake.recovered"]);
    // The connection is proved again: no long poll is made before a short one has come back.
    expect(payloads(api).map((payload) => payload["timeout"])).toEqual([0, 0, 50]);
    await polling.stop();
  });

  test("a leftover webhook is removed, its updates are kept, and polling goes on at once", async () => {
    const { api, clock, events, polling } = setup();
    api.script(new PollConflictError("webhook"), true, []);
    await polling.start();
    await clock.advance(0);
    expect(
      api.calls.slice(0, 3).map(({ method, payload }) => [method, payload["drop_pending_updates"]]),
    ).toEqual([
      ["getUpdates", undefined],
      ["deleteWebhook", false],
      ["getUpdates", undefined],
    ]);
    expect(events.map(({ type }) => type)).toContain("webhook.removed");
    await polling.stop();
  });

  test("a poll that is never answered is given up and repeated", async () => {
    const { api, clock, polling, polls } = setup();
    // Ends with the client's deadline, which the polling sets.
    api.script([], async () => {
      await clock.sleep(60_000, new AbortController().signal);
      throw new CallUnknownError("half-open connection");
    }, []);
    await polling.start();
    await clock.advance(61_000);
    expect(polls()).toBe(2);
    await polling.stop();
  });

  test("nothing ends the loop, and it recovers within five seconds of any outage's end", async () => {
    const errors = fc.constantFrom(
      new CallNotSentError("x"),
      new CallUnknownError("x"),
      new PollConflictError("other-poller"),
      new PollConflictError("webhook"),
      new Error("x"),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(errors, { maxLength: 30 }), async (failures) => {
        const { api, clock, polling, polls } = setup();
        let broken = true;
        let next = 0;
        api.otherwise((call: { method: string; options: never }) => {
          if (!broken)
            return call.method === "getUpdates" && polls() === 0
              ? []
              : hangUntilAborted(aborted)(call as never);
          throw failures[next++ % Math.max(1, failures.length)] ?? new Error("x");
        });
        await polling.start();
        await clock.advance(120_000);
        broken = false;
        await clock.advance(5_000);
        expect(polls()).toBe(1);
        await polling.stop();
      }),
      { numRuns: 25 },
    );
  });
});

test("a full queue stops the polls and is reported once; later polls ask for what fits", async () => {
  let free = 0;
  const { api, clock, events, polling } = setup({ room: async () => free });
  await polling.start();
  await clock.advance(10_000);
  expect(api.calls).toEqual([]);
  expect(polling.snapshot().state).toBe("back-pressure");
  free = 30;
  await clock.advance(250);
  expect(payloads(api)).toMatchObject([{ limit: 30 }]);
  expect(events.map(({ type }) => type)).toEqual(["intake.held-back", "intake.resumed"]);
  await polling.stop();
});

test("an update without a usable id is reported and skipped; the rest of the batch is taken", async () => {
  const { accepted, api, clock, events, polling } = setup();
  api.script([null, { message: {} }, { update_id: "7" }, text(7)]);
  await polling.start();
  await clock.advance(0);
  expect(accepted).toHaveLength(1);
  expect(events.filter(({ type }) => type === "update.ignored")).toHaveLength(3);
  expect(payloads(api).at(-1)).toMatchObject({ offset: 8 });
  await polling.stop();
});

test("an answer that is not a list counts as empty", async () => {
  const { api, clock, polling, polls } = setup();
  api.script({ surprise: true }, "text", null);
  await polling.start();
  await clock.advance(500);
  expect(polls()).toBe(3);
  await polling.stop();
});

test("a drain ends the poll under way without confirming anything", async () => {
  const { api, clock, polling } = setup();
  api.script([text(7)]);
  await polling.start();
  await clock.advance(0);
  expect(await polling.drain()).toEqual([]);
  expect(api.calls).toHaveLength(2);
  expect(polling.snapshot().state).toBe("stopped");
});

test("a nudge gives up a poll that may be dead and proves the connection again", async () => {
  const { api, clock, events, polling } = setup();
  api.script([], hangUntilAborted(aborted), []);
  await polling.start();
  await clock.advance(1_000);
  polling.nudge();
  await clock.advance(0);
  expect(payloads(api).map((payload) => payload["timeout"])).toEqual([0, 50, 0, 50]);
  expect(events).toEqual([]);
  await polling.stop();
});

test("a nudge ends a back-off", async () => {
  const { api, clock, polling } = setup();
  api.script(new RateLimitedError("getUpdates", 60_000), []);
  await polling.start();
  await clock.advance(1_000);
  polling.nudge();
  await clock.advance(0);
  expect(api.calls.length).toBeGreaterThanOrEqual(2);
  await polling.stop();
});

test("while held back on purpose it neither polls nor reports, and it goes on afterwards", async () => {
  let held = true;
  const clock = new ManualClock();
  const { api, events, polling } = setup({ holds: heldWhile(clock, () => held) }, clock);
  await polling.start();
  await clock.advance(60_000);
  expect(api.calls).toEqual([]);
  expect(events).toEqual([]);
  held = false;
  await clock.advance(250);
  expect(api.calls).toHaveLength(1);
  await polling.stop();
});
