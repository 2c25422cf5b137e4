import { describe, expect, test } from "vitest";
import { settle, startConversation } from "./bot-client.ts";

const latency = { kind: "latency", ms: 1 } as const;
const down = { kind: "error", status: 502 } as const;

test("steps happen at their instants, and faults end at theirs", async () => {
  const { call, control } = await startConversation();
  control.playScenario({
    name: "an outage of a method",
    steps: [
      { atMs: 1_000, match: "getMe", fault: down, forMs: 2_000 },
      { atMs: 2_000, operation: "createUser", request: { id: 77, firstName: "New" } },
    ],
  });
  expect((await call("getMe")).status).toBe(200);
  control.advanceClock({ ms: 1_000 });
  expect((await call("getMe")).status).toBe(502);
  expect(control.users().some(({ id }) => id === 77)).toBe(false);
  control.advanceClock({ ms: 1_000 });
  expect(control.users().some(({ id }) => id === 77)).toBe(true);
  control.advanceClock({ ms: 1_000 });
  expect((await call("getMe")).status).toBe(200);
  expect(control.scenario()).toMatchObject({ playing: false, steps: 2, done: 2, failures: [] });
});

test("a step that is refused is reported, and the others happen", async () => {
  const { control } = await startConversation();
  control.playScenario({
    steps: [
      { atMs: 0, operation: "press", request: { userId: 1, chatId: 1, messageId: 1 } },
      { atMs: 1, operation: "createUser", request: { id: 78, firstName: "New" } },
    ],
  });
  control.advanceClock({ ms: 1 });
  expect(control.scenario()).toMatchObject({
    done: 2,
    failures: [expect.stringContaining("steps[0]: ")],
  });
  expect(control.users().some(({ id }) => id === 78)).toBe(true);
});

test("stopping a scenario ends its faults, and another one takes its place", async () => {
  const { call, control } = await startConversation();
  control.playScenario({ steps: [{ atMs: 0, match: "getMe", fault: down }] });
  control.advanceClock({ ms: 0 });
  expect((await call("getMe")).status).toBe(502);
  control.playScenario({ steps: [] });
  expect((await call("getMe")).status).toBe(200);
  expect(control.stopScenario()).toMatchObject({ playing: false });
});

test("the same seed gives the same chances", async () => {
  const draw = async () => {
    const { call, control } = await startConversation({ seed: Math.floor(Math.random() * 1e6) });
    const fault = { ...down };
    control.playScenario({
      seed: 5,
      steps: [{ atMs: 0, match: "getMe", fault, probability: 0.5 }],
    });
    control.advanceClock({ ms: 0 });
    const statuses: number[] = [];
    for (let turn = 0; turn < 20; turn++) statuses.push((await call("getMe")).status);
    return statuses;
  };
  const first = await draw();
  expect(new Set(first).size).toBe(2);
  expect(await draw()).toEqual(first);
});

test("the scenarios that ship can be played to their end", async () => {
  const { control } = await startConversation({ frozenClock: false });
  expect(control.scenarios().length).toBeGreaterThan(1);
  for (const scenario of control.scenarios()) {
    const steps = scenario.steps.filter(({ operation }) => operation !== "outage");
    control.playScenario({ ...scenario, steps });
    control.advanceClock({ ms: 120_000 });
    await settle();
    expect(control.scenario()).toMatchObject({ playing: false, failures: [] });
  }
  control.stopScenario();
});

describe("a scenario with a mistake is refused, and the field named", () => {
  test.each<[unknown, string]>([
    [7, "a scenario must be an object"],
    [{}, "steps must be a list"],
    [{ steps: [], seed: -1 }, "seed must be a whole number; received -1"],
    [{ steps: [], name: 7 }, "name must be a string"],
    [{ steps: [null] }, "steps[0] must be an object"],
    [{ steps: [{ fault: latency }] }, "steps[0].atMs must be"],
    [{ steps: [{ atMs: 0 }] }, 'steps[0] must be "fault" or "operation"'],
    [{ steps: [{ atMs: 0, fault: latency, operation: "write" }] }, "and not both"],
    [{ steps: [{ atMs: 0, fault: { kind: "magic" } }] }, "fault.kind must be one of"],
    [{ steps: [{ atMs: 0, fault: latency, forMs: "1" }] }, "steps[0].forMs must be"],
    [{ steps: [{ atMs: 0, operation: "playScenario" }] }, "steps[0].operation must be one of"],
    [{ steps: [{ atMs: 0, operation: "write", request: 7 }] }, "steps[0].request must be"],
  ])("%j", async (scenario, text) => {
    const { control } = await startConversation();
    expect(() => control.playScenario(scenario as never)).toThrow(text);
  });
});
