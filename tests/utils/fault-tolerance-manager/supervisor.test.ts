/** Supervisor: tests that a component is restarted alone, proves itself, or is given up. */
import { expect, onTestFinished, test } from "vitest";
import type { Component } from "../../../bot/core/component.ts";
import type { BotEvent } from "../../../bot/core/events.ts";
import { Holds } from "../../../bot/core/holds.ts";
import { Intake } from "../../../bot/telegram/intake/intake.ts";
import { Polling } from "../../../bot/telegram/intake/polling.ts";
import { restartRules } from "../../../bot/utils/fault-tolerance-manager/recovery-rules.ts";
import { Replaceable } from "../../../bot/utils/fault-tolerance-manager/replaceable.ts";
import {
  type SupervisedComponent,
  Supervisor,
} from "../../../bot/utils/fault-tolerance-manager/supervisor.ts";
import { FaultToleranceManager } from "../../../bot/utils/fault-tolerance-manager.ts";
import { lifecycleConformance } from "../../support/lifecycle-conformance.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { ScriptedApi } from "../../support/scripted-api.ts";

/**
 * The behaviour of a component's instances, in order; further instances behave like the last one.
 */
type Ways = "lives" | "stuck" | "start fails" | "never starts" | "never stops and stuck";

class Instance implements Component {
  readonly name = "poller";
  readonly #ways: Ways;
  #startedAtMs: number | undefined;
  readonly #clock: ManualClock;

  constructor(ways: Ways, clock: ManualClock) {
    this.#ways = ways;
    this.#clock = clock;
  }

  async start(): Promise<void> {
    if (this.#ways === "start fails") throw new Error("no");
    if (this.#ways === "never starts") await new Promise(() => {});
    this.#startedAtMs = this.#clock.monotonicMs();
  }

  async stop(): Promise<void> {
    if (this.#ways === "never stops and stuck") await new Promise(() => {});
  }

  heartbeat() {
    const aliveMs = this.#clock.monotonicMs() - (this.#startedAtMs ?? this.#clock.monotonicMs());
    if (this.#ways === "lives") return { beats: 1 + aliveMs, overdueMs: 0 };
    return { beats: 0, overdueMs: aliveMs };
  }
}

function setup(ways: readonly Ways[], given: { clock?: ManualClock; component?: Component } = {}) {
  const { clock = new ManualClock() } = given;
  const events: BotEvent[] = [];
  const givenUp: string[] = [];
  const made: Instance[] = [];
  const component = new Replaceable(() => {
    const instance = new Instance(ways[made.length] ?? ways.at(-1) ?? "lives", clock);
    made.push(instance);
    return instance;
  });
  const manager = new FaultToleranceManager({
    clock,
    random: () => 0.5,
    publish: (event) => {
      events.push(event);
      if (event.type === "component.given-up") givenUp.push(event.component);
    },
  });
  manager.add(given.component ?? component);
  const types = () => events.map(({ type }) => type).filter((type) => !type.endsWith(".started"));
  return { clock, component, events, givenUp, made, manager, types };
}

lifecycleConformance("a manager with a component that has to be restarted", () => {
  const { clock, manager } = setup(["stuck", "never starts", "never stops and stuck", "lives"]);
  return { clock, component: manager };
});

test("a component that works is left alone, however long it runs", async () => {
  const { clock, made, manager } = setup(["lives"]);
  await manager.start();
  await clock.advance(3_600_000);
  expect(made).toHaveLength(1);
  expect(manager.snapshot()).toEqual([
    { name: "poller", state: "alive", restartable: true, restarts: 0, overdueMs: 0 },
  ]);
});

test.for<Ways>(["stuck", "never stops and stuck"])(
  "a component that is %s is replaced by a new instance, which proves itself",
  async (ways) => {
    const { clock, component, givenUp, made, manager, types } = setup([ways, "lives"]);
    await manager.start();
    await clock.advance(60_000);
    expect(component.current).toBe(made[1]);
    expect(types().filter((type) => !type.startsWith("component.stop"))).toEqual([
      "component.stalled",
      "component.restart-begun",
      "component.recovered",
    ]);
    expect(givenUp).toEqual([]);
    await manager.stop();
    expect(clock.pending).toBe(0);
  },
);

test.for<Ways>(["stuck", "start fails", "never starts"])(
  "when every new instance is one that %s, the process is restarted",
  async (ways) => {
    const { clock, givenUp, made, manager, types } = setup(["stuck", ways]);
    await manager.start();
    await clock.advance(180_000);
    expect(givenUp[0]).toBe("poller");
    expect(made).toHaveLength(1 + restartRules.intensity);
    expect(types().filter((type) => type === "component.restart-failed")).toHaveLength(
      restartRules.intensity,
    );
    expect(types()).not.toContain("component.recovered");
  },
);

test("after the machine has slept, one late heartbeat is forgiven", async () => {
  const { clock, made, manager } = setup(["lives"]);
  await manager.start();
  let late = true;
  (made[0] as Instance).heartbeat = () => {
    const overdueMs = late ? 60_000 : 0;
    late = false;
    return { beats: 1, overdueMs };
  };
  await clock.advance(10_000);
  expect(made).toHaveLength(1);
});

test("a stuck component without a factory restarts the process", async () => {
  const clock = new ManualClock();
  const stuck = new Instance("stuck", clock);
  const { givenUp, manager } = setup([], { clock, component: stuck });
  await manager.start();
  await clock.advance(10_000);
  expect(givenUp[0]).toBe("poller");
});

test("a requested restart resolves once the new instance has proved itself", async () => {
  const { clock, made, manager, types } = setup(["lives"]);
  await manager.start();
  const restarted = manager.restart("poller");
  await expect(manager.restart("poller")).rejects.toThrow(/being restarted/);
  await clock.advance(1_000);
  await restarted;
  expect(made).toHaveLength(2);
  expect(types()).toContain("component.recovered");
});

test("a requested restart that fails is reported to the caller and tried again", async () => {
  const { clock, made, manager } = setup(["lives", "start fails", "lives"]);
  await manager.start();
  const refused = expect(manager.restart("poller")).rejects.toThrow("no");
  await clock.advance(20_000);
  await refused;
  expect(made).toHaveLength(3);
  expect(manager.snapshot()).toMatchObject([{ state: "alive", restarts: 2 }]);
});

test("an unknown component is refused with the names of those that can be restarted", async () => {
  const { manager } = setup(["lives"]);
  await manager.start();
  await expect(manager.restart("storage")).rejects.toMatchObject({
    code: "COMPONENT_NOT_RESTARTABLE",
    hint: expect.stringContaining("poller"),
  });
});

test("a poll that hangs in spite of its deadline costs a new poller and no update", async () => {
  const clock = new ManualClock();
  const api = new ScriptedApi(() =>
    clock.sleep(50_000, new AbortController().signal).then(() => []),
  );
  const accepted: number[] = [];
  const intake = new Replaceable(
    () =>
      new Intake(
        {
          api,
          clock,
          random: () => 0.5,
          publish: () => {},
          botId: "42",
          accept: async (messages) => {
            accepted.push(messages.length);
            return messages.map((_, index) => ({ kind: "queued", messageId: index }));
          },
          room: async () => 100,
          holds: new Holds(clock),
          onHeard: () => {},
        },
        new Polling({ pollTimeoutSeconds: 50 }),
      ),
  );
  const { manager } = setup([], { clock, component: intake });
  api.script([], () => new Promise(() => {}), [{ update_id: 7, message: { chat: { id: 1 } } }]);
  await manager.start();
  await clock.advance(120_000);
  expect(accepted).toEqual([1]);
  expect(manager.snapshot()).toMatchObject([{ name: "intake", restarts: 1, state: "alive" }]);
});

// ---- every state, every event -------------------------------------------------------------------

type State = SupervisedComponent["state"];
type Happening =
  | "a look finds it alive"
  | "a look finds it overdue"
  | "a restart is asked for"
  | "all stops";

/** The state afterwards and the number of instances; a missing pair does not compile. */
const transitions: Record<State, Record<Happening, readonly [State, number]>> = {
  alive: {
    "a look finds it alive": ["alive", 1],
    "a look finds it overdue": ["stuck", 1],
    "a restart is asked for": ["restarting", 2],
    "all stops": ["alive", 1],
  },
  // One late heartbeat is forgiven.
  stuck: {
    "a look finds it alive": ["alive", 1],
    "a look finds it overdue": ["restarting", 2],
    "a restart is asked for": ["restarting", 2],
    "all stops": ["stuck", 1],
  },
  // The second instance has not beaten yet.
  restarting: {
    "a look finds it alive": ["restarting", 2],
    "a look finds it overdue": ["restarting", 2],
    "a restart is asked for": ["restarting", 2],
    "all stops": ["alive", 2],
  },
};
const pairs = Object.entries(transitions).flatMap(([state, row]) =>
  Object.entries(row).map(([happening, expected]) => ({ state, happening, expected })),
);

test.for(pairs)("$state, and $happening: $expected", async ({ expected, happening, state }) => {
  const clock = new ManualClock();
  let overdueMs = 0;
  let made = 0;
  const component = new Replaceable(() => {
    const own = ++made;
    const heartbeat = () => ({ beats: own === 1 ? 1 : 0, overdueMs });
    return { name: "part", start: async () => {}, stop: async () => {}, heartbeat };
  });
  const supervisor = new Supervisor({
    clock,
    random: () => 0.5,
    publish: () => {},
    stop: (old) => old.stop(),
  });
  onTestFinished(() => supervisor.stop());
  supervisor.start([component]);
  const look = async (found: "alive" | "overdue") => {
    overdueMs = found === "overdue" ? 1 : 0;
    await clock.advance(1_000);
  };
  const ask = async () => {
    supervisor.restart("part").catch(() => {});
    await clock.advance(0);
  };
  if (state === "stuck") await look("overdue");
  if (state === "restarting") await ask();
  expect(supervisor.snapshot()).toMatchObject([{ state }]);

  if (happening === "a look finds it alive") await look("alive");
  if (happening === "a look finds it overdue") await look("overdue");
  if (happening === "a restart is asked for") await ask();
  if (happening === "all stops") await supervisor.stop();

  const [after, instances] = expected;
  expect(supervisor.snapshot()).toMatchObject([{ state: after }]);
  expect(made).toBe(instances);
});
