/** Rate limits on a full disk: what is only for the next process changes nothing in this one. */
import { expect, test } from "vitest";
import { StorageFailedError, StorageFullError } from "../../../bot/core/errors.ts";
import { Holds } from "../../../bot/core/holds.ts";
import { RateLimits } from "../../../bot/telegram/delivery/rate-limits.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function limitsWith(error: Error) {
  const clock = new ManualClock();
  const store = { getFact: async () => undefined, setFact: () => Promise.reject(error) };
  const holds = new Holds(clock);
  return new RateLimits({ clock, publish: () => {}, holds, store, waitMaxMs: 300_000 });
}

const sendTo = (id: number) => ({ id, lane: `chat:${id}`, pool: "sending" }) as const;

test("P6: on a full disk a limit over all is kept all the same, and what was sent stays sent", async () => {
  const limits = limitsWith(new StorageFullError("full"));
  for (const id of [1, 2, 3]) {
    expect(await limits.refused(sendTo(id), 8_000)).toMatchObject({ kind: "wait" });
  }
  expect(limits.paused).toBe(true);
  await limits.accepted(sendTo(1), 0);
});

test("a disk that cannot be trusted is not passed over", async () => {
  const limits = limitsWith(new StorageFailedError("broken"));
  await limits.refused(sendTo(1), 8_000);
  await limits.refused(sendTo(2), 8_000);
  await expect(limits.refused(sendTo(3), 8_000)).rejects.toMatchObject({ code: "STORAGE_FAILED" });
});
