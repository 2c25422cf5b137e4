import { expect, test } from "vitest";
import type { Component } from "../../bot/core/component.ts";
import { StorageInUseError } from "../../bot/core/errors.ts";
import type { BotEvent } from "../../bot/core/events.ts";
import {
  FaultToleranceManager,
  StartInterruptedError,
} from "../../bot/utils/fault-tolerance-manager.ts";
import { lifecycleConformance } from "../support/lifecycle-conformance.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";

const hanging = () => new Promise<never>(() => {});

/** Creates components that record the calls made to them. */
function setup(parts: readonly (Partial<Component> & { name: string })[]) {
  const clock = new ManualClock();
  const events: BotEvent[] = [];
  const calls: string[] = [];
  const components = parts.map((part): Component => {
    const { name, drain } = part;
    const note =
      <A extends unknown[], R>(verb: string, run: ((...args: A) => R) | undefined) =>
      (...args: A) => {
        calls.push(`${verb} ${name}`);
        return run?.(...args) ?? Promise.resolve();
      };
    return {
      name,
      start: note("start", part.start) as Component["start"],
      stop: note("stop", part.stop) as Component["stop"],
      ...(drain && { drain: note("drain", drain) as NonNullable<Component["drain"]> }),
    };
  });
  const publish = (event: BotEvent) => events.push(event);
  const manager = new FaultToleranceManager({ clock, publish });
  manager.add(...components);
  const typesOf = (component: string) =>
    events.flatMap((e) => ("component" in e && e.component === component ? [e.type] : []));
  return { calls, clock, events, manager, typesOf };
}

const drainedClean = async () => [];

lifecycleConformance("the fault tolerance manager", () => {
  const clock = new ManualClock();
  const part = (name: string): Component => ({
    name,
    start: () => clock.sleep(10, new AbortController().signal),
    drain: drainedClean,
    stop: async () => {},
  });
  const components = [part("storage"), part("queue")];
  const component = new FaultToleranceManager({ clock, publish: () => {} });
  component.add(...components);
  return { clock, component };
});

test("components start in order, and drain and stop in reverse order", async () => {
  const { calls, events, manager } = setup([
    { name: "storage" },
    { name: "queue", drain: drainedClean },
    { name: "intake", drain: drainedClean },
  ]);

  await manager.start();
  await manager.drain(new AbortController().signal);
  await manager.stop();

  expect(calls).toEqual([
    "start storage",
    "start queue",
    "start intake",
    "drain intake",
    "drain queue",
    "stop intake",
    "stop queue",
    "stop storage",
  ]);
  expect(events.map((event) => event.type)).toEqual([
    ...Array(3).fill("component.started"),
    ...Array(2).fill("component.drained"),
    ...Array(3).fill("component.stopped"),
  ]);
});

test("each component starts only once the one before it has started", async () => {
  let started = () => {};
  const { calls, manager } = setup([
    {
      name: "storage",
      start: () =>
        new Promise<void>((resolve) => {
          started = resolve;
        }),
    },
    { name: "queue" },
  ]);

  const starting = manager.start();
  await settle();
  expect(calls).toEqual(["start storage"]);
  started();
  await starting;

  expect(calls).toEqual(["start storage", "start queue"]);
});

test.each([
  [
    "rejects",
    async () => {
      throw new StorageInUseError("held");
    },
  ],
  [
    "throws",
    () => {
      throw new StorageInUseError("held");
    },
  ],
])(
  "when a start %s, the components already begun are stopped and the reason is thrown",
  async (_, start) => {
    const { calls, events, manager } = setup([
      { name: "storage" },
      { name: "queue", start },
      { name: "intake" },
    ]);

    await expect(manager.start()).rejects.toThrow(new StorageInUseError("held"));

    expect(calls).toEqual(["start storage", "start queue", "stop queue", "stop storage"]);
    expect(events[1]).toMatchObject({
      type: "component.start-failed",
      component: "queue",
      error: { code: "STORAGE_IN_USE" },
    });
  },
);

test("the reason for the failed start is thrown even when stopping fails as well", async () => {
  const { events, manager } = setup([
    {
      name: "storage",
      stop: async () => {
        throw new Error("cannot stop");
      },
    },
    {
      name: "queue",
      start: async () => {
        throw new StorageInUseError("held");
      },
    },
  ]);

  await expect(manager.start()).rejects.toThrow(StorageInUseError);

  expect(events.at(-1)).toMatchObject({ type: "component.stop-failed", component: "storage" });
});

test("a stop during the start stops the components already begun and rejects the start", async () => {
  let interrupt = () => {};
  const { calls, events, manager, typesOf } = setup([
    { name: "storage" },
    {
      name: "queue",
      start: () =>
        new Promise<void>((_, reject) => {
          interrupt = () => reject(new Error("cut"));
        }),
      stop: async () => interrupt(),
    },
    { name: "intake" },
  ]);

  const starting = manager.start();
  await settle();
  await manager.stop();
  await expect(starting).rejects.toThrow(StartInterruptedError);

  expect(calls).toEqual(["start storage", "start queue", "stop queue", "stop storage"]);
  expect(typesOf("queue")).toEqual(["component.stopped"]);
  expect(events.filter((event) => event.type === "component.stopped")).toHaveLength(2);
});

test("after a stop, a start starts nothing", async () => {
  const { calls, manager } = setup([{ name: "storage" }]);

  await manager.stop();

  await expect(manager.start()).rejects.toThrow(StartInterruptedError);
  expect(calls).toEqual([]);
});

test("each component is stopped once, however often stop is called", async () => {
  const { calls, manager } = setup([{ name: "storage" }, { name: "queue" }]);
  await manager.start();

  await Promise.all([manager.stop(), manager.stop()]);
  await manager.stop();

  expect(calls.filter((call) => call.startsWith("stop"))).toEqual(["stop queue", "stop storage"]);
});

test("work left undrained is returned and published per component", async () => {
  const { events, manager } = setup([
    { name: "queue", drain: async () => ["message 7"] },
    {
      name: "intake",
      drain: async () => {
        throw new Error("broken");
      },
    },
  ]);
  await manager.start();

  const left = await manager.drain(new AbortController().signal);

  expect(left).toEqual(["intake: Error: broken", "queue: message 7"]);
  expect(events.at(-1)).toEqual({
    type: "component.drained",
    component: "queue",
    left: ["message 7"],
  });
});

test("all drains share one deadline, and one that ignores it is left behind", async () => {
  const { clock, manager } = setup([
    {
      name: "queue",
      drain: async (deadline) => (deadline.aborted ? ["had no time"] : []),
    },
    { name: "intake", drain: hanging },
  ]);
  await manager.start();
  const deadline = new AbortController();

  const draining = manager.drain(deadline.signal);
  await clock.advance(60_000);
  deadline.abort();
  await clock.advance(500);

  expect(await draining).toEqual(["intake: its drain did not return", "queue: had no time"]);
  expect(clock.pending).toBe(0);
});

test("a component that never stops is reported and left behind; the others are stopped", async () => {
  const { calls, clock, events, manager } = setup([
    { name: "storage" },
    { name: "queue", stop: hanging },
  ]);
  await manager.start();

  const stopping = manager.stop();
  await clock.advance(5_000);
  await stopping;

  expect(calls.slice(-2)).toEqual(["stop queue", "stop storage"]);
  expect(events.slice(-2)).toMatchObject([
    { type: "component.stop-failed", component: "queue", error: { code: "COMPONENT_STUCK" } },
    { type: "component.stopped", component: "storage" },
  ]);
});

test("the duration of each start is published", async () => {
  const { clock, events, manager } = setup([
    { name: "storage", start: () => clock.sleep(250, new AbortController().signal) },
  ]);

  const starting = manager.start();
  await clock.advance(250);
  await starting;

  expect(events).toEqual([{ type: "component.started", component: "storage", durationMs: 250 }]);
});

// ---- every state, every command -----------------------------------------------------------------

type State = "created" | "starting" | "running" | "draining" | "drained" | "stopped";
type Command = "start" | "drain" | "stop";

/** The calls the component then gets; a missing pair does not compile. */
const commands: Record<State, Record<Command, readonly string[]>> = {
  created: { start: ["start"], drain: [], stop: [] },
  // The start under way notices the end and stops the component it has begun.
  starting: { start: [], drain: ["drain", "stop"], stop: ["stop"] },
  running: { start: [], drain: ["drain"], stop: ["stop"] },
  draining: { start: [], drain: [], stop: ["stop"] },
  drained: { start: [], drain: [], stop: ["stop"] },
  stopped: { start: [], drain: [], stop: [] },
};
const pairs = Object.entries(commands).flatMap(([state, row]) =>
  Object.entries(row).map(([command, expected]) => ({ state, command, expected })),
);

test.for(pairs)("$state, $command: $expected", async ({ command, expected, state }) => {
  const started = Promise.withResolvers<void>();
  const drained = Promise.withResolvers<readonly string[]>();
  const part = { name: "part", start: () => started.promise, drain: () => drained.promise };
  const { calls, clock, manager } = setup([part]);
  const deadline = new AbortController().signal;
  const obey = (what: Command) => (what === "drain" ? manager.drain(deadline) : manager[what]());
  const before: Record<State, readonly Command[]> = {
    created: [],
    starting: ["start"],
    running: ["start"],
    draining: ["start", "drain"],
    drained: ["start", "drain"],
    stopped: ["start", "stop"],
  };
  if (state !== "starting" && state !== "created") started.resolve();
  if (state === "drained") drained.resolve([]);
  for (const what of before[state as State]) {
    void obey(what).catch(() => {});
    await settle();
  }
  calls.length = 0;

  const obeyed = obey(command as Command);
  const settled = obeyed.then(
    () => "done",
    (error: unknown) => error,
  );
  await settle();
  started.resolve();
  drained.resolve([]);
  await settle();

  expect(await settled).toBe("done");
  expect(calls).toEqual(expected.map((verb) => `${verb} part`));
  await manager.stop();
  expect(clock.pending).toBe(0);
});

test("the phase follows start, drain and stop", async () => {
  const started = Promise.withResolvers<void>();
  const { manager } = setup([{ name: "slow", start: () => started.promise }]);
  expect(manager.phase).toBe("starting");

  const starting = manager.start();
  expect(manager.phase).toBe("starting");
  started.resolve();
  await starting;
  expect(manager.phase).toBe("running");
  await manager.drain(new AbortController().signal);
  expect(manager.phase).toBe("draining");
  await manager.stop();
  expect(manager.phase).toBe("stopped");
});
