/** Dead man's switch: when the outside address is called, and what is said when it does not answer. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { BotEvent } from "../../bot/core/events.ts";
import { Secret } from "../../bot/core/secret.ts";
import { callSwitch, DeadMansSwitch } from "../../bot/telemetry/dead-mans-switch.ts";
import { lifecycleConformance } from "../support/lifecycle-conformance.ts";
import { ManualClock } from "../support/manual-clock.ts";

const minute = 60_000;

function setup() {
  const clock = new ManualClock();
  const events: BotEvent[] = [];
  const world = { alive: true, answers: true, hangs: false, calls: 0 };
  const deadMansSwitch = new DeadMansSwitch({
    clock,
    publish: (event) => events.push(event),
    alive: async () => world.alive,
    call: async () => {
      world.calls += 1;
      if (world.hangs) await new Promise(() => {});
      if (!world.answers) throw new Error("no answer");
    },
  });
  onTestFinished(() => deadMansSwitch.stop());
  return { clock, deadMansSwitch, events, world };
}

lifecycleConformance("dead-mans-switch", () => {
  const { clock, deadMansSwitch } = setup();
  return { component: deadMansSwitch, clock };
});

test("it is called every minute, not while health is unhealthy, and again afterwards", async () => {
  const { clock, deadMansSwitch, events, world } = setup();
  await deadMansSwitch.start();
  await clock.advance(3 * minute);
  expect(world.calls).toBe(3);
  world.alive = false;
  await clock.advance(10 * minute);
  expect(world.calls).toBe(3);
  world.alive = true;
  await clock.advance(2 * minute);
  expect(world.calls).toBe(5);
  expect(events).toEqual([]);
});

test("an address that fails for an hour is told once, and once that it is back", async () => {
  const { clock, deadMansSwitch, events, world } = setup();
  await deadMansSwitch.start();
  world.answers = false;
  await clock.advance(60 * minute);
  expect(world.calls).toBe(60);
  world.answers = true;
  await clock.advance(5 * minute);
  expect(events.map(({ type }) => type)).toEqual([
    "dead-mans-switch.failed",
    "dead-mans-switch.recovered",
  ]);
});

test("an address that hangs is given up after ten seconds, and tried again", async () => {
  const { clock, deadMansSwitch, events, world } = setup();
  await deadMansSwitch.start();
  world.hangs = true;
  await clock.advance(minute + 10_000);
  expect(events).toMatchObject([{ error: { code: "HEARTBEAT_NOT_TAKEN" } }]);
  await clock.advance(minute);
  expect(world.calls).toBe(2);
});

test.each([
  [200, "taken"],
  [302, "HEARTBEAT_NOT_TAKEN"],
  [404, "HEARTBEAT_NOT_TAKEN"],
])(
  "an answer of %i is %s; no redirect is followed, and no error names the address",
  async (status, outcome) => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(status, { location: "/elsewhere" }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const url = new Secret(`http://127.0.0.1:${port}/a-key`);
    const error = await callSwitch(url, AbortSignal.timeout(10_000)).catch((thrown) => thrown);
    expect(error?.code ?? "taken").toBe(outcome);
    expect(String(error)).not.toContain("a-key");
    expect(asked).toEqual(["/a-key"]);
  },
);
