/** Intake: its life and what it says of itself, whichever source updates come from. */
import { expect, onTestFinished, test } from "vitest";
import { Holds } from "../../../bot/core/holds.ts";
import { Intake, type IntakeDeps, type IntakeSource } from "../../../bot/telegram/intake/intake.ts";
import { heldWhile } from "../../support/held-while.ts";
import { lifecycleConformance } from "../../support/lifecycle-conformance.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { ScriptedApi } from "../../support/scripted-api.ts";

function setup(overrides: Partial<IntakeDeps> = {}, clock = new ManualClock()) {
  const source: IntakeSource = {
    state: "polling",
    look: async (intake) => {
      if ((await intake.room()) > 0) intake.heard();
      return 1_000;
    },
  };
  const deps: IntakeDeps = {
    api: new ScriptedApi(() => true),
    clock,
    random: () => 0.5,
    publish: () => {},
    botId: "42",
    accept: async () => [],
    room: async () => 1_000,
    onHeard: () => {},
    holds: new Holds(clock),
    ...overrides,
  };
  return { clock, component: new Intake(deps, source) };
}

lifecycleConformance("the intake", () => setup());

test("it tells a full queue from a hold, and both from a stop", async () => {
  let free = 0;
  let held = false;
  const clock = new ManualClock();
  const holds = heldWhile(clock, () => held);
  const { component } = setup({ room: async () => free, holds }, clock);
  onTestFinished(() => component.stop());
  const stateSoon = async () => {
    await clock.advance(1_000);
    return component.snapshot().state;
  };
  await component.start();
  expect(await stateSoon()).toBe("back-pressure");
  held = true;
  expect(await stateSoon()).toBe("held");
  held = false;
  free = 10;
  expect(await stateSoon()).toBe("polling");
  held = true;
  await component.stop();
  expect(component.snapshot().state).toBe("stopped");
});

test("what it has committed in the last minutes is submitted again in its order, and nothing older", async () => {
  const accepted: unknown[][] = [];
  const { clock, component } = setup({
    keepsAccepted: true,
    accept: async (messages) => {
      accepted.push(messages.map(({ payload }) => payload["n"]));
      return messages.map(() => ({ kind: "duplicate" }));
    },
  });
  component.submitAgain();
  expect(accepted).toEqual([]);
  await component.take([{ update_id: 1, n: 1 }]);
  await clock.advance(600_001);
  await component.take([{ update_id: 2, n: 2 }]);
  await component.take([{ update_id: 3, n: 3 }]);
  accepted.length = 0;
  component.submitAgain();
  // Before anything else can be submitted.
  expect(accepted).toEqual([[2, 3]]);
});

test("what the store refuses to take again is submitted until it is taken", async () => {
  const accepted: number[] = [];
  let refuses = false;
  const { clock, component } = setup({
    keepsAccepted: true,
    accept: async (messages) => {
      accepted.push(messages.length);
      if (refuses) throw new Error("the session was lost again");
      return messages.map(() => ({ kind: "queued", messageId: 1 }));
    },
  });
  onTestFinished(() => component.stop());
  await component.start();
  await component.take([{ update_id: 1 }]);
  refuses = true;
  component.submitAgain();
  await clock.advance(60_000);
  refuses = false;
  await clock.advance(60_000);
  const refused = accepted.length;
  expect(refused).toBeGreaterThan(3);
  await clock.advance(60_000);
  expect(accepted.length).toBe(refused);
});

test("it stands by while another process polls", async () => {
  const clock = new ManualClock();
  const { component } = setup({ holds: heldWhile(clock, () => true), standsBy: () => true }, clock);
  onTestFinished(() => component.stop());
  await component.start();
  await clock.advance(1_000);
  expect(component.snapshot().state).toBe("standby");
});
