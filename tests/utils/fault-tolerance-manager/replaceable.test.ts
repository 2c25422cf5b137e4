/** Replaceable: tests that callers always get the current instance. */
import { expect, test } from "vitest";
import type { Probe } from "../../../bot/core/component.ts";
import { Replaceable } from "../../../bot/utils/fault-tolerance-manager/replaceable.ts";
import { HealthMonitor } from "../../../bot/utils/health-monitor.ts";
import { lifecycleConformance } from "../../support/lifecycle-conformance.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function setup() {
  const clock = new ManualClock();
  const made: HealthMonitor[] = [];
  const place = new Replaceable(() => {
    const probe: Probe = { name: "part", check: async () => ({ status: "healthy" }) };
    const monitor = new HealthMonitor({ clock, publish: () => {}, probes: [probe] });
    made.push(monitor);
    return monitor;
  });
  return { clock, made, place };
}

lifecycleConformance("a replaceable component", () => {
  const { clock, place } = setup();
  return { clock, component: place };
});

lifecycleConformance("a component that replaced another", () => {
  const { clock, place } = setup();
  place.renew();
  return { clock, component: place };
});

test("renewing returns the old instance, and a start then starts the new one", async () => {
  const { clock, made, place } = setup();
  await place.start();
  const old = place.renew();
  expect(old).toBe(made[0]);
  expect(place.current).toBe(made[1]);
  await old.stop();
  expect(clock.pending).toBe(0);
  await place.start();
  await clock.advance(0);
  expect(clock.pending).toBeGreaterThan(0);
  await place.stop();
  expect(clock.pending).toBe(0);
});
