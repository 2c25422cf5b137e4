/** Machine boot: what this machine says about itself. */
import { uptime } from "node:os";
import { expect, test } from "vitest";
import { readMachineBoot } from "../../bot/core/machine-boot.ts";

test.runIf(process.platform === "linux")("one boot has one id, and its time goes on", () => {
  const first = readMachineBoot();
  const second = readMachineBoot();
  // Some containers hide it.
  if (!first || !second) return;
  expect(second.id).toBe(first.id);
  expect(second.uptimeMs).toBeGreaterThanOrEqual(first.uptimeMs);
  expect(Math.abs(uptime() * 1_000 - second.uptimeMs)).toBeLessThan(5_000);
});
