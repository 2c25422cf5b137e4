/** Slots: nobody has one too many, nobody waits beside a free one, and what is urgent goes first. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Message } from "../../../bot/core/message.ts";
import { OccupiedSlot } from "../../../bot/utils/message-queue/slot.ts";
import { Slots } from "../../../bot/utils/message-queue/slots.ts";

test("never are more taken than there are, and nobody waits beside a free one", () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.nat({ max: 2 }),
      fc.array(fc.constantFrom("urgent", "other", "release"), { maxLength: 60 }),
      (concurrency, reserved, acts) => {
        const slots = new Slots({ concurrency, reserved });
        const waiting = { urgent: 0, other: 0 };
        let taken = 0;
        for (const act of acts) {
          if (act === "release") {
            if (taken === 0) continue;
            taken--;
            slots.release();
          } else {
            waiting[act]++;
            slots.acquire(act === "urgent", () => {
              waiting[act]--;
              taken++;
            });
          }
          expect(taken).toBeLessThanOrEqual(concurrency + reserved);
          if (waiting.urgent > 0) expect(taken).toBe(concurrency + reserved);
          else if (waiting.other > 0) expect(taken).toBeGreaterThanOrEqual(concurrency);
        }
      },
    ),
  ));

test("what is urgent goes before the others, and both in the order in which they came", () => {
  const slots = new Slots({ concurrency: 1, reserved: 0 });
  const log: string[] = [];
  for (const name of ["first", "a", "U", "b", "V"]) {
    slots.acquire(name < "a", () => log.push(name));
  }
  for (let index = 0; index < 4; index++) slots.release();
  expect(log).toEqual(["first", "U", "V", "a", "b"]);
});

function occupied() {
  const slots = new Slots({ concurrency: 1, reserved: 0 });
  const log: string[] = [];
  const occupy = () =>
    new OccupiedSlot({ priority: "normal" } as Message, {
      slots,
      mayLend: () => true,
      released: () => log.push("released"),
    });
  slots.tryAcquire(false);
  const isFree = () => {
    const free = slots.tryAcquire(false);
    if (free) slots.release();
    return free;
  };
  return { isFree, log, slot: occupy(), slots };
}

test("while a message waits for the store, another one has its slot; then it waits for one", async () => {
  const { isFree, slot, slots } = occupied();
  const read = Promise.withResolvers<string>();
  const result = slot.whileWaiting(() => read.promise);
  expect(slots.tryAcquire(false)).toBe(true);
  let over = false;
  void result.finally(() => {
    over = true;
  });
  read.resolve("read");
  await new Promise(setImmediate);
  expect(over).toBe(false);
  slots.release();
  expect(await result).toBe("read");
  expect(isFree()).toBe(false);
});

test("of two waits at the same time the first gives the slot away, and an error comes out", async () => {
  const { isFree, slot } = occupied();
  const failed = slot.whileWaiting(() => Promise.reject(new Error("the disk")));
  expect(isFree()).toBe(true);
  await slot.whileWaiting(async () => {});
  await expect(failed).rejects.toThrow("the disk");
  expect(isFree()).toBe(false);
});

test.each(["release", "lend"] as const)(
  "after %s while it waits, a message goes on without a slot",
  async (act) => {
    const { isFree, log, slot } = occupied();
    const read = Promise.withResolvers<string>();
    const result = slot.whileWaiting(() => read.promise);
    slot[act]();
    slot.release();
    read.resolve("read");
    expect(await result).toBe("read");
    expect(log).toEqual(["released"]);
    expect(isFree()).toBe(true);
  },
);

test("a message that is given up while it waits for its slot again does not keep it", async () => {
  const { isFree, slot, slots } = occupied();
  const result = slot.whileWaiting(async () => {
    slots.tryAcquire(false);
  });
  await new Promise(setImmediate);
  slot.release();
  slots.release();
  await result;
  expect(isFree()).toBe(true);
});
