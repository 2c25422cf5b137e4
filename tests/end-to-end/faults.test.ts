/**
 * Faults injected for real where the machine can: each is noticed, survived, and costs no message.
 *
 * The drill plays them; here are those that no other test injects. Times are printed, not judged, so
 * that several can be played at once.
 */
import { describe, expect, test } from "vitest";
import { allFaults } from "../../lab/drill/faults/all.ts";
import { runFault, seconds } from "../../lab/drill/run-fault.ts";

const names = [
  "fsync-fails",
  "data-disk-full",
  "data-read-only",
  "log-disk-full",
  "clock-forward",
  "clock-back",
  "out-of-memory",
  "database-corrupt",
  "kill-stored-not-confirmed",
  "kill-sent-not-recorded",
  "poison-kill",
  "network-cut",
];

describe.concurrent("the bot gets over", () => {
  test.for(names)("%s", { timeout: 120_000 }, async (name, context) => {
    const fault = allFaults.find((one) => one.name === name);
    expect.assert(fault);
    const report = await runFault(fault, { seed: 1 }, () => {});
    if (report.outcome === "skipped") return context.skip(report.reasons.join("; "));
    const { detectedAfterMs, recoveredAfterMs = 0 } = report;
    const noticed =
      detectedAfterMs === undefined ? "" : `noticed after ${seconds(detectedAfterMs)}, `;
    console.log(`${fault.title}: ${noticed}answering after ${seconds(recoveredAfterMs)}`);
    expect(report.reasons).toEqual([]);
  });
});
