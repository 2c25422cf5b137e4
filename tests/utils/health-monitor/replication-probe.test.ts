/** Replication probe: what a failover of the database would cost, and whether clocks agree. */
import { expect, test } from "vitest";
import { replicationProbe } from "../../../bot/utils/health-monitor/replication-probe.ts";

const signal = new AbortController().signal;

test("a standby that is lost is said, because nothing can be committed without it", async () => {
  const probe = replicationProbe("none", async () => ({
    ...{ synchronous: true, clockAheadMs: 0, standbyLost: true, standbys: 0, oldestSnapshotMs: 0 },
  }));
  expect(await probe.check(signal)).toMatchObject({
    status: "degraded",
    reason: expect.stringContaining("not connected"),
  });
});

test.each([
  ["none", false, 0, "healthy", false, undefined],
  ["none", true, 0, "healthy", false, undefined],
  ["storage", false, 0, "healthy", true, undefined],
  ["sync", true, 0, "healthy", true, undefined],
  ["sync", false, 0, "degraded", false, /waits for no standby/],
  ["sync", true, 1_000, "healthy", true, undefined],
  ["sync", true, 2_400, "degraded", true, /2 s ahead of/],
  ["none", false, -61_000, "degraded", false, /61 s behind/],
] as const)(
  "%s, synchronous %s, clock ahead by %i ms: %s",
  async (replicated, synchronous, clockAheadMs, status, survivesFailover, reason) => {
    const probe = replicationProbe(replicated, async () => ({
      ...{ synchronous, clockAheadMs, standbyLost: false, standbys: 1, oldestSnapshotMs: 0 },
    }));
    const result = await probe.check(signal);
    expect(result).toMatchObject({ status, figures: { replicated, survivesFailover } });
    if (reason) expect(result.reason).toMatch(reason);
    else expect(result.reason).toBe(undefined);
  },
);
