/** Store conformance: tests what every Store must do, whatever it is made of. */

import { describe, expect, test } from "vitest";
import type { Documents, ListOptions } from "../../bot/core/documents.ts";
import { StepResultError } from "../../bot/core/errors.ts";
import type { Message, NewMessage } from "../../bot/core/message.ts";
import type {
  AttemptRef,
  Backup,
  ClaimRequest,
  DeadLetterFilter,
  Store,
} from "../../bot/core/store.ts";
import { shopOf } from "../../bot/shop/sqlite-tables.ts";
import type { ManualClock } from "../support/manual-clock.ts";

export interface StoreSubject {
  readonly store: Store;
  readonly clock: ManualClock;
  /** Kills this process's store and opens the same data as the next process would. */
  readonly reopenAfterKill: () => Promise<Store>;
  /**
   * Restores a backup into another directory, as an operator would, and opens it. Missing where the
   * database has backups of its own.
   */
  readonly openBackup?: (backup: Backup) => Promise<Store>;
}

/**
 * @param open Returns an open, empty store whose lanes hold 5 messages and whose keys live a
 * minute.
 */
export function describeStore(
  name: string,
  open: () => Promise<StoreSubject>,
  { backups = true, skip }: { readonly backups?: boolean; readonly skip?: string | undefined } = {},
): void {
  describe.skipIf(skip)(`${name} as a store${skip ? ` (skipped: ${skip})` : ""}`, () => {
    test("hands out a lane's messages in order, one at a time", async () => {
      const { store } = await open();
      await store.enqueue([update("a", 1), update("a", 2), update("b", 3)]);
      const first = await claim(store);
      expect(numbers(first)).toEqual([1, 3]);
      expect(numbers(await claim(store))).toEqual([]);
      await store.finish(ref(first[0]), { kind: "done", enqueue: [] });
      expect(numbers(await claim(store))).toEqual([2]);
    });

    test("queues a message with a known key once, until the key is forgotten", async () => {
      const { clock, store } = await open();
      const message = { ...update("a", 1), dedupeKeys: ["k"] };
      const kinds = (await store.enqueue([message, message])).map(({ kind }) => kind);
      expect(kinds).toEqual(["queued", "duplicate"]);
      await clock.advance(60_001);
      expect((await store.enqueue([message]))[0]?.kind).toBe("queued");
    });

    test("queues the whole batch or nothing of it", async () => {
      const { store } = await open();
      const impossible = { ...update("a", 2), payload: { n: 1n as unknown as number } };
      await expect(store.enqueue([update("a", 1), impossible])).rejects.toThrow();
      expect(await store.depth("handling")).toBe(0);
    });

    test("counts what waits, and apart what has a priority or a higher one", async () => {
      const { store } = await open();
      const low = { ...update("a", 2), priority: "low" } as const;
      await store.enqueue([update("a", 1), low, { ...update("b", 3), priority: "high" }]);
      expect(await store.depth("handling")).toBe(3);
      expect(await store.depth("handling", "normal")).toBe(2);
      expect(await store.depth("handling", "high")).toBe(1);
    });

    test("prefers higher priorities, and raises a lane's priority for a message behind its head", async () => {
      const { store } = await open();
      await store.enqueue([
        update("low", 1, "low"),
        update("normal", 2),
        update("high", 3, "high"),
        update("low", 4, "high"),
      ]);
      expect(numbers(await claim(store, { limit: 3 }))).toEqual([1, 3, 2]);
    });

    describe("a reference", () => {
      const reference = 2 ** 53 - 1;
      const sent = (n: number): NewMessage => ({
        ...update("a", n),
        references: [
          { id: reference, position: 1 },
          { id: reference - 1, position: 0 },
        ],
      });

      test("leads to the lane of its message, and then to the id that Telegram gave", async () => {
        const { reopenAfterKill, store } = await open();
        expect(await store.resolveReference(reference)).toEqual({ kind: "unknown" });
        await store.enqueue([sent(1)]);
        expect(await store.resolveReference(reference)).toEqual({ kind: "waiting", lane: "a" });
        const [message] = await claim(store);
        const done = { kind: "done", enqueue: [], telegramIds: [70, 71] } as const;
        await store.finish(ref(message), done);
        const next = await reopenAfterKill();
        const ids = [reference - 1, reference].map((one) => next.resolveReference(one));
        expect(await Promise.all(ids)).toEqual([
          { kind: "delivered", telegramId: 70 },
          { kind: "delivered", telegramId: 71 },
        ]);
      });

      test("follows its message to the dead letters and back", async () => {
        const { store } = await open();
        await store.enqueue([sent(1)]);
        const [message] = await claim(store);
        const dead = { kind: "dead", reason: "refused", error: undefined, enqueue: [] } as const;
        await store.finish(ref(message), dead);
        const deadLetterId = message?.id as number;
        expect(await store.resolveReference(reference)).toEqual({ kind: "dead", deadLetterId });
        await store.requeue(deadLetterId);
        expect(await store.resolveReference(reference)).toEqual({ kind: "waiting", lane: "a" });
        const [again] = await claim(store);
        await store.finish(ref(again), { kind: "expired" });
        expect(await store.resolveReference(reference)).toEqual({ kind: "unknown" });
      });

      test("is forgotten in time, but not while its message waits", async () => {
        const { clock, store } = await open();
        await store.enqueue([sent(1)]);
        await clock.advance(1_000);
        const sweep = () =>
          store.sweep({
            deadLettersBeforeEpochMs: 0,
            sentBeforeEpochMs: 0,
            referencesBeforeEpochMs: clock.epochMs(),
          });
        await sweep();
        expect((await store.resolveReference(reference)).kind).toBe("waiting");
        const [message] = await claim(store);
        await store.finish(ref(message), { kind: "done", enqueue: [], telegramIds: [70, 71] });
        await sweep();
        expect((await store.resolveReference(reference)).kind).toBe("delivered");
        await clock.advance(1);
        await sweep();
        expect((await store.resolveReference(reference)).kind).toBe("unknown");
      });
    });

    test("names a file while a message or a dead letter needs it", async () => {
      const { store } = await open();
      const needs = (n: number, ...files: string[]) => ({ ...update(String(n), n), files });
      await store.enqueue([needs(1, "f", "g"), needs(2, "f")]);
      expect((await store.filesInUse()).toSorted()).toEqual(["f", "g"]);
      const [first, second] = await claim(store);
      await store.finish(ref(first), { kind: "done", enqueue: [] });
      expect(await store.filesInUse()).toEqual(["f"]);
      await store.finish(ref(second), {
        ...{ kind: "dead", reason: "refused", error: undefined, enqueue: [] },
      } as const);
      const again = await store.requeue(second?.id as number);
      expect(await store.filesInUse()).toEqual(["f"]);
      const [third] = await claim(store);
      expect(third?.id).toBe(again);
      await store.finish(ref(third), { kind: "done", enqueue: [] });
      expect(await store.filesInUse()).toEqual([]);
    });

    describe("a message that replaces others", () => {
      const edit = (lane: string, n: number, replaces = "k"): NewMessage => ({
        ...update(lane, n),
        replaces,
      });
      const all = async (store: Store) => {
        const seen: unknown[] = [];
        const one = () => claim(store, { limit: 1 });
        for (let [head] = await one(); head; [head] = await one()) {
          seen.push(...numbers([head]));
          await store.finish(ref(head), { kind: "done", enqueue: [] });
        }
        return seen;
      };

      test("takes the place of none of them, and leaves everything else in order", async () => {
        const { store } = await open();
        await store.enqueue([edit("a", 1), update("a", 2), edit("a", 3, "other")]);
        const results = await store.enqueue([edit("a", 4), edit("b", 5)]);
        expect(results).toMatchObject([{ kind: "queued", replaced: 1 }, { kind: "queued" }]);
        expect(results[1]).not.toHaveProperty("replaced");
        expect(await store.depth("handling")).toBe(4);
        expect((await all(store)).toSorted()).toEqual([2, 3, 4, 5]);
        expect(await store.depth("handling")).toBe(0);
      });

      test("may be the only one of its lane, and keeps the lane parked", async () => {
        const { clock, store } = await open();
        await store.enqueue([update("a", 1), edit("a", 2)]);
        const [head] = await claim(store);
        await store.enqueue([edit("a", 3), edit("a", 4)]);
        const availableAtEpochMs = clock.epochMs() + 1_000;
        await store.finish(ref(head), { kind: "postponed", availableAtEpochMs, parkLane: true });
        await clock.advance(1_000);
        expect(await all(store)).toEqual([1, 4]);
        await store.enqueue([edit("a", 5), edit("a", 6)]);
        const snapshot = await store.snapshot();
        expect(snapshot.pools.handling).toMatchObject({ waiting: 1, inHand: 0, lanes: 1 });
        expect(await all(store)).toEqual([6]);
      });

      test("leaves those that are in hand or were tried before", async () => {
        const { reopenAfterKill, store } = await open();
        await store.enqueue([edit("a", 1)]);
        const [head] = await claim(store);
        await store.enqueue([edit("a", 2)]);
        await store.finish(ref(head), { kind: "released" });
        await store.enqueue([edit("a", 3)]);
        const next = await reopenAfterKill();
        expect(await all(next)).toEqual([1, 3]);
      });

      test("makes room in a full lane", async () => {
        const { store } = await open();
        await store.enqueue([1, 2, 3, 4].map((n) => update("a", n)));
        const kinds = (await store.enqueue([edit("a", 5), edit("a", 6), edit("a", 7)])).map(
          ({ kind }) => kind,
        );
        expect(kinds).toEqual(["queued", "queued", "queued"]);
        expect(await all(store)).toEqual([1, 2, 3, 4, 7]);
      });

      test("lets the lane's priority fall with what it replaces", async () => {
        const { store } = await open();
        await store.enqueue([
          update("a", 1, "low"),
          { ...edit("a", 2), priority: "high" },
          update("b", 3),
          { ...edit("a", 4), priority: "low" },
        ]);
        expect(numbers(await claim(store, { limit: 1 }))).toEqual([3]);
      });
    });

    test("claims what is urgent alone, and says when that is there", async () => {
      const { clock, store } = await open();
      await store.enqueue([update("a", 1), update("b", 2, "low"), update("c", 3, "high")]);
      // The aged come first, but not where only the urgent may.
      const agedBefore = { normal: clock.epochMs(), low: clock.epochMs() };
      const urgent = { limit: 3, agedLimit: 3, agedBefore, atLeast: "high" } as const;
      expect(numbers(await claim(store, urgent))).toEqual([3]);
      expect(numbers(await claim(store, urgent))).toEqual([]);
      await store.enqueue([update("b", 4, "high")]);
      // The head goes first, because a lane keeps its order.
      expect(await store.nextAvailableAtEpochMs("handling", "high")).toBeLessThanOrEqual(
        clock.epochMs(),
      );
      expect(numbers(await claim(store, urgent))).toEqual([2]);
      expect(numbers(await claim(store, { atLeast: "normal" }))).toEqual([1]);
    });

    test("keeps a delayed message back until its instant", async () => {
      const { clock, store } = await open();
      const dueAt = clock.epochMs() + 1_000;
      await store.enqueue([{ ...update("a", 1), availableAtEpochMs: dueAt }]);
      expect(await claim(store)).toEqual([]);
      expect(await store.nextAvailableAtEpochMs("handling")).toBe(dueAt);
      await clock.advance(1_000);
      expect(numbers(await claim(store))).toEqual([1]);
    });

    describe("a delayed message", () => {
      const inMs = (clock: ManualClock, n: number, ms: number, more: Partial<NewMessage> = {}) => ({
        ...update("a", n),
        availableAtEpochMs: clock.epochMs() + ms,
        ...more,
      });

      test("holds nothing back, and is not among those that wait", async () => {
        const { clock, store } = await open();
        await store.enqueue([inMs(clock, 1, 1_000), update("a", 2)]);
        expect(await store.depth("handling")).toBe(1);
        const { handling } = (await store.snapshot()).pools;
        expect(handling).toMatchObject({ delayed: 1, waiting: 1, lanes: 1 });
        expect(numbers(await claim(store))).toEqual([2]);
      });

      test.each([false, true])(
        "enters its lane when its time has come, also after a kill: %s",
        async (killed) => {
          const { clock, reopenAfterKill, store: first } = await open();
          await first.enqueue([inMs(clock, 3, 2_000), inMs(clock, 2, 1_000), update("a", 1)]);
          await clock.advance(1_500);
          await first.enqueue([update("a", 4)]);
          await clock.advance(1_000);
          await first.enqueue([update("a", 5)]);
          const store = killed ? await reopenAfterKill() : first;
          const order: unknown[] = [];
          for (;;) {
            const [head] = await claim(store);
            if (!head) break;
            order.push(head.payload["n"]);
            await store.finish(ref(head), { kind: "done", enqueue: [] });
          }
          expect(order).toEqual([1, 2, 4, 3, 5]);
          expect((await store.snapshot()).pools.handling.delayed).toBe(0);
        },
      );

      test("is listed until it enters, the next one first, a part at a time, also after a kill", async () => {
        const { clock, reopenAfterKill, store } = await open();
        const now = clock.epochMs();
        const key = { name: "k", again: "refuse" } as const;
        const given = [
          inMs(clock, 3, 3_000, { type: "task", lane: "c", key }),
          inMs(clock, 1, 1_000),
          inMs(clock, 2, 2_000),
        ];
        await store.enqueue([...given, update("a", 4)]);
        const list = (more: object = {}, from: Store = store) =>
          from.delayedMessages({ offset: 0, limit: 9, ...more });
        const dues = async (more: object = {}, from: Store = store) =>
          (await list(more, from)).map(({ dueAtEpochMs }) => dueAtEpochMs - now);
        expect((await list()).at(-1)).toEqual({
          ...{ id: expect.any(Number), type: "task", pool: "handling", lane: "c", key: "k" },
          ...{ createdAtEpochMs: now, dueAtEpochMs: now + 3_000 },
        });
        expect(await dues()).toEqual([1_000, 2_000, 3_000]);
        expect(await dues({ limit: 1, offset: 1 })).toEqual([2_000]);
        expect(await dues({ type: "task" })).toEqual([3_000]);
        const next = await reopenAfterKill();
        expect(await dues({}, next)).toEqual([1_000, 2_000, 3_000]);
        await clock.advance(1_000);
        expect(await dues({}, next)).toEqual([2_000, 3_000]);
        const [{ key: none } = { key: "?" }] = await list({}, next);
        expect(none).toBeUndefined();
      });

      test.each([false, true])(
        "that is run now goes to the end of its lane, once, also after a kill: %s",
        async (killed) => {
          const { clock, reopenAfterKill, store: first } = await open();
          await first.enqueue([inMs(clock, 2, 9_000), inMs(clock, 9, 8_000), update("a", 1)]);
          const messages = await first.delayedMessages({ offset: 0, limit: 9 });
          const { id = 0 } = messages.at(-1) ?? {};
          await clock.advance(500);
          expect(await first.runNow(id)).toBe(true);
          expect(await first.runNow(id)).toBe(false);
          expect((await first.snapshot()).pools.handling).toMatchObject({ delayed: 1, waiting: 2 });
          await clock.advance(500);
          await first.enqueue([update("a", 3)]);
          const store = killed ? await reopenAfterKill() : first;
          expect(await store.delayedMessages({ offset: 0, limit: 9 })).toHaveLength(1);
          const order: unknown[] = [];
          for (let waits = 0; waits < 2; waits++) {
            for (;;) {
              const [head] = await claim(store);
              if (!head) break;
              order.push(head.payload["n"]);
              await store.finish(ref(head), { kind: "done", enqueue: [] });
            }
            await clock.advance(20_000);
          }
          expect(order).toEqual([1, 2, 3, 9]);
        },
      );

      test("only what is delayed can be run now", async () => {
        const { clock, store } = await open();
        const [waiting, due] = await store.enqueue([update("a", 1), inMs(clock, 2, 1_000)]);
        const idOf = (result: typeof due) => (result?.kind === "queued" ? result.messageId : 0);
        await clock.advance(1_000);
        expect(await store.runNow(idOf(due))).toBe(false);
        expect(await store.runNow(idOf(waiting))).toBe(false);
        expect(await store.runNow(999)).toBe(false);
        expect(numbers(await claim(store))).toEqual([1]);
      });

      test("that was tried keeps its place at the head of its lane over a kill", async () => {
        const { clock, reopenAfterKill, store } = await open();
        await store.enqueue([inMs(clock, 1, 1_000)]);
        await clock.advance(1_000);
        const [head] = await claim(store);
        const availableAtEpochMs = clock.epochMs() + 5_000;
        const postponed = { kind: "postponed", availableAtEpochMs, parkLane: false } as const;
        await store.finish(ref(head), postponed);
        await store.enqueue([update("a", 2)]);
        const next = await reopenAfterKill();
        expect(await claim(next)).toEqual([]);
        await clock.advance(5_000);
        expect(numbers(await claim(next))).toEqual([1]);
      });

      test("in hand at a kill is recovered", async () => {
        const { clock, reopenAfterKill, store } = await open();
        await store.enqueue([inMs(clock, 1, 1_000), update("b", 2)]);
        await clock.advance(1_000);
        await claim(store);
        await store.enqueue([update("a", 3)]);
        const next = await reopenAfterKill();
        const recovered = await next.recover(() => ({ outcome: { kind: "released" } }));
        expect(numbers(recovered)).toEqual([1, 2]);
        expect(numbers(await claim(next))).toEqual([2, 1]);
      });
    });

    describe("a key", () => {
      const keyed = (n: number, more: Partial<NewMessage> = {}) => ({
        ...update("a", n),
        key: { name: "k", again: "refuse" as const },
        ...more,
      });
      const find = (store: Store, key = "k") =>
        store.transaction(({ messages }) => messages.find(key));
      const cancel = (store: Store, key = "k") =>
        store.transaction(({ messages }) => messages.cancel(key));
      const kinds = async (store: Store, ...messages: NewMessage[]) =>
        (await store.enqueue(messages)).map(({ kind }) => kind);

      test("queues its message once, and says what has become of it", async () => {
        const { clock, reopenAfterKill, store: first } = await open();
        expect(await find(first)).toEqual({ kind: "unknown" });
        const dueAt = clock.epochMs() + 100_000;
        expect(await kinds(first, keyed(1, { availableAtEpochMs: dueAt }))).toEqual(["queued"]);
        expect(await find(first)).toEqual({ kind: "waiting", atEpochMs: dueAt });
        const store = await reopenAfterKill();
        // It lasts for longer than other keys are remembered.
        await clock.advance(100_000);
        expect(await kinds(store, keyed(2))).toEqual(["duplicate"]);
        const [message] = await claim(store);
        expect(await find(store)).toEqual({ kind: "in-hand", atEpochMs: dueAt });
        expect(await kinds(store, keyed(2))).toEqual(["duplicate"]);
        await store.finish(ref(message), { kind: "done", enqueue: [] });
        expect(await find(store)).toEqual({ kind: "done", atEpochMs: clock.epochMs() });
        expect(await kinds(store, keyed(2))).toEqual(["duplicate"]);
        await clock.advance(60_001);
        expect(await find(store)).toEqual({ kind: "unknown" });
        expect(await kinds(store, keyed(2))).toEqual(["queued"]);
      });

      test("follows its message to the dead letters and back", async () => {
        const { clock, store } = await open();
        await store.enqueue([keyed(1)]);
        const [message] = await claim(store);
        const dead = { kind: "dead", reason: "refused", error: undefined, enqueue: [] } as const;
        await store.finish(ref(message), dead);
        const deadLetterId = message?.id as number;
        expect(await find(store)).toEqual({
          kind: "dead",
          atEpochMs: clock.epochMs(),
          deadLetterId,
        });
        expect(await kinds(store, keyed(2))).toEqual(["duplicate"]);
        await store.requeue(deadLetterId);
        expect((await find(store)).kind).toBe("waiting");
      });

      test("takes away what waits, and is free then", async () => {
        const { clock, reopenAfterKill, store } = await open();
        expect(await cancel(store)).toBe(false);
        await store.enqueue([keyed(1), keyed(2, { availableAtEpochMs: clock.epochMs() + 1_000 })]);
        expect(await cancel(store)).toBe(true);
        expect(await find(store)).toEqual({ kind: "unknown" });
        expect((await store.snapshot()).pools.handling).toMatchObject({ delayed: 0, waiting: 0 });
        expect(await kinds(store, keyed(3))).toEqual(["queued"]);
        const next = await reopenAfterKill();
        await clock.advance(2_000);
        expect(numbers(await claim(next))).toEqual([3]);
        expect(await cancel(next)).toBe(false);
      });

      test("takes nothing away in a transaction that fails", async () => {
        const { store } = await open();
        await store.enqueue([keyed(1)]);
        const failed = store.transaction(async ({ messages }) => {
          expect(await messages.cancel("k")).toBe(true);
          expect(await messages.cancel("k")).toBe(false);
          expect((await messages.find("k")).kind).toBe("unknown");
          throw new Error("no");
        });
        await expect(failed).rejects.toThrow("no");
        expect(numbers(await claim(store))).toEqual([1]);
      });

      test("is replaced where its message says so, also by the message in hand itself", async () => {
        const { clock, store } = await open();
        const again = (n: number, ms: number): NewMessage => ({
          ...update("a", n),
          availableAtEpochMs: clock.epochMs() + ms,
          key: { name: "k", again: "replace" },
        });
        await store.enqueue([again(1, 1_000)]);
        await store.enqueue([again(2, 2_000)]);
        await clock.advance(2_000);
        const [second, ...others] = await claim(store);
        expect(numbers([second as Message, ...others])).toEqual([2]);
        await store.finish(ref(second), { kind: "done", enqueue: [again(3, 1_000)] });
        expect((await find(store)).kind).toBe("waiting");
        await clock.advance(1_000);
        expect(numbers(await claim(store))).toEqual([3]);
      });

      test.each(["", "x".repeat(251), "a\0b", 7 as unknown as string])(
        "that is none is refused: %j",
        async (name) => {
          const { store } = await open();
          await expect(find(store, name)).rejects.toMatchObject({ code: "DATA_REFUSED" });
        },
      );
    });

    test("asks for admission, and leaves a refused message in its place", async () => {
      const { clock, store } = await open();
      await store.enqueue([update("a", 1), update("b", 2), update("c", 3)]);
      const later = { notBeforeEpochMs: clock.epochMs() + 500 };
      const picky = await claim(store, { admit: ({ lane }) => (lane === "a" ? later : "take") });
      expect(numbers(picky)).toEqual([2, 3]);
      expect(await claim(store)).toEqual([]);
      await clock.advance(500);
      expect(await claim(store, { admit: () => "stop" })).toEqual([]);
      expect(numbers(await claim(store))).toEqual([1]);
    });

    test("completes a message and queues its follow-ups in one step", async () => {
      const { reopenAfterKill, store } = await open();
      await store.enqueue([update("a", 1)]);
      const [message] = await claim(store);
      await store.finish(ref(message), { kind: "done", enqueue: [update("b", 2)] });
      const next = await reopenAfterKill();
      expect(await next.recover(() => ({ outcome: { kind: "released" } }))).toEqual([]);
      expect(numbers(await claim(next))).toEqual([2]);
    });

    test("writes in the transaction that completes a message, or nothing of it happens", async () => {
      const { reopenAfterKill, store } = await open();
      await store.enqueue([update("a", 1)]);
      const [message] = await claim(store);
      const refused = store.finish(ref(message), {
        kind: "done",
        enqueue: [update("b", 2)],
        write: async (tx) => {
          await tx.documents.put("c", "refused", 1);
          throw new Error("no");
        },
      });
      await expect(refused).rejects.toThrow("no");
      expect(numbers(await claim(store))).toEqual([]);
      await store.finish(ref(message), {
        kind: "done",
        enqueue: [update("b", 3)],
        write: (tx) => tx.documents.put("c", "written", tx.nowEpochMs),
      });
      const next = await reopenAfterKill();
      expect(await next.recover(() => ({ outcome: { kind: "released" } }))).toEqual([]);
      expect(numbers(await claim(next))).toEqual([3]);
      const kept = await next.transaction(({ documents }) => documents.list("c"));
      expect(kept.map(({ key }) => key)).toEqual(["written"]);
    });

    test.each(["hold", "skip"] as const)(
      "a retry with `%s` treats the lane accordingly",
      async (onRetry) => {
        const { clock, store } = await open();
        await store.enqueue([update("a", 1), update("a", 2)]);
        const [message] = await claim(store);
        const availableAtEpochMs = clock.epochMs() + 1_000;
        const error = { code: "X", message: "x", atEpochMs: 0 };
        await store.finish(ref(message), { kind: "retry", availableAtEpochMs, error, onRetry });
        expect(numbers(await claim(store))).toEqual(onRetry === "hold" ? [] : [2]);
        await clock.advance(1_000);
        const again = (await claim(store)).find(({ payload }) => payload["n"] === 1);
        expect(again).toMatchObject({ attempts: 1, errors: [{ code: "X" }] });
      },
    );

    test("a postponed message spends no attempt and parks its lane when told to", async () => {
      const { clock, store } = await open();
      await store.enqueue([update("a", 1)]);
      const [message] = await claim(store);
      const availableAtEpochMs = clock.epochMs() + 1_000;
      const outcome = { kind: "postponed", availableAtEpochMs, parkLane: true } as const;
      await store.finish(ref(message), outcome);
      expect(await claim(store)).toEqual([]);
      await clock.advance(1_000);
      expect((await claim(store))[0]).toMatchObject({ attempts: 0, claims: 2 });
    });

    test("lists the lanes that wait on purpose, the longest first, also after a kill", async () => {
      const { clock, reopenAfterKill, store } = await open();
      const now = clock.epochMs();
      const later = { ...update("scheduled", 4), availableAtEpochMs: now + 9_000 };
      await store.enqueue([update("parked", 1), update("failed", 2), update("ready", 3), later]);
      const [parked, failed] = await claim(store, { limit: 2 });
      const until = { kind: "postponed", availableAtEpochMs: now + 5_000, parkLane: true } as const;
      await store.finish(ref(parked), until);
      const error = { code: "X", message: "x", atEpochMs: 0 };
      await store.finish(ref(failed), {
        ...{ kind: "retry", availableAtEpochMs: now + 2_000, error, onRetry: "hold" },
      });
      const expected = [
        { lane: "parked", parked: true, availableAtEpochMs: now + 5_000, attempts: 0 },
        { lane: "failed", parked: false, availableAtEpochMs: now + 2_000, attempts: 1 },
      ];
      expect(await store.waitingLanes(9)).toMatchObject(expected);
      expect(await store.waitingLanes(1)).toHaveLength(1);
      expect(await (await reopenAfterKill()).waitingLanes(9)).toMatchObject(expected);
    });

    test.each(["parking", "back-off"])("ends a lane's %s by hand", async (kind) => {
      const { clock, reopenAfterKill, store } = await open();
      await store.enqueue([update("a", 1), update("a", 2)]);
      const [message] = await claim(store);
      const availableAtEpochMs = clock.epochMs() + 3_600_000;
      const error = { code: "X", message: "x", atEpochMs: 0 };
      await store.finish(
        ref(message),
        kind === "parking"
          ? { kind: "postponed", availableAtEpochMs, parkLane: true }
          : { kind: "retry", availableAtEpochMs, error, onRetry: "hold" },
      );
      expect(await store.releaseLane("sending", "a")).toBe(false);
      expect(await store.releaseLane("handling", "a")).toBe(true);
      expect(await store.releaseLane("handling", "a")).toBe(false);
      const next = await reopenAfterKill();
      expect(await next.waitingLanes(9)).toEqual([]);
      expect(numbers(await claim(next))).toEqual([1]);
    });

    test("refuses an attempt that no longer holds its message", async () => {
      const { store } = await open();
      await store.enqueue([update("a", 1)]);
      const [message] = await claim(store);
      await store.finish(ref(message), { kind: "released" });
      const done = { kind: "done", enqueue: [] } as const;
      await expect(store.finish(ref(message), done)).rejects.toMatchObject({
        code: "ATTEMPT_OVER",
      });
      const step = store.step(
        ref(message),
        "s",
        async () => 1,
        () => [],
      );
      await expect(step).rejects.toMatchObject({ code: "ATTEMPT_OVER" });
      await claim(store);
      await expect(store.finish(ref(message), done)).rejects.toMatchObject({
        code: "ATTEMPT_OVER",
      });
    });

    test("runs a step once and returns its result after a kill", async () => {
      const { reopenAfterKill, store } = await open();
      await store.enqueue([update("a", 1)]);
      const [message] = await claim(store);
      const result = await store.step(
        ref(message),
        "s",
        async () => ({ total: 5 }),
        () => [update("b", 2)],
      );
      expect(result).toEqual({ total: 5 });
      const next = await reopenAfterKill();
      const [recovered] = await next.recover(() => ({ outcome: { kind: "released" } }));
      expect(recovered).toMatchObject({ deaths: 1 });
      const again = await claim(next);
      expect(numbers(again)).toEqual([1, 2]);
      const never = () => Promise.reject(new Error("must not run twice"));
      expect(await next.step(ref(again[0]), "s", never, () => [])).toEqual({ total: 5 });
      expect(await next.depth("handling")).toBe(2);
    });

    test("keeps nothing of a step that fails or whose result is too large", async () => {
      const { store } = await open();
      await store.enqueue([update("a", 1)]);
      const [message] = await claim(store);
      const account = { userId: 7, createdAtEpochMs: 0 };
      const failing = store.step(
        ref(message),
        "s",
        async (tx) => {
          await shopOf(tx).insertAccount(account);
          throw new Error("no");
        },
        () => [],
      );
      await expect(failing).rejects.toThrow("no");
      const huge = store.step(
        ref(message),
        "s",
        async (tx) => {
          await shopOf(tx).insertAccount(account);
          return "x".repeat(70_000);
        },
        () => [],
      );
      await expect(huge).rejects.toThrow(StepResultError);
      expect(await store.transaction((tx) => shopOf(tx).findAccount(7))).toBeUndefined();
    });

    test("keeps dead letters with their reason, and requeues them at the end of the lane", async () => {
      const { store } = await open();
      await store.enqueue([update("a", 1), update("a", 2)]);
      const [message] = await claim(store);
      const error = { code: "X", message: "x", atEpochMs: 0 };
      await store.finish(ref(message), { kind: "dead", reason: "refused", error, enqueue: [] });
      const [letter] = await store.deadLetters({ offset: 0, limit: 10 });
      expect(letter).toMatchObject({ reason: "refused", payload: { n: 1 }, errors: [error] });
      expect(await store.requeue(letter?.id ?? 0)).toBeDefined();
      expect(await store.requeue(letter?.id ?? 0)).toBeUndefined();
      const [second] = await claim(store);
      expect(second?.payload["n"]).toBe(2);
      await store.finish(ref(second), { kind: "done", enqueue: [] });
      expect((await claim(store))[0]).toMatchObject({ payload: { n: 1 }, requeued: true });
    });

    test("keeps a message that a full lane cannot take as a dead letter", async () => {
      const { store } = await open();
      const results = await store.enqueue([1, 2, 3, 4, 5, 6].map((n) => update("a", n)));
      expect(results.map(({ kind }) => kind)).toEqual([...Array(5).fill("queued"), "lane-full"]);
      const letters = await store.deadLetters({ reason: "lane-full", offset: 0, limit: 10 });
      expect(letters.map(({ payload }) => payload["n"])).toEqual([6]);
    });

    test("finds dead letters by type, reason and the code of their latest error", async () => {
      const { store } = await open();
      const codes = ["A", "B", "A"];
      await store.enqueue(codes.map((_, n) => update(`lane ${n}`, n)));
      for (const message of await claim(store)) {
        const n = Number(message.payload["n"]);
        const error = { code: codes[n] ?? "", message: "", atEpochMs: n };
        const reason = n === 0 ? "refused" : "attempts-exhausted";
        await store.finish(ref(message), { kind: "dead", reason, error, enqueue: [] });
      }
      const found = async (filter: DeadLetterFilter) => {
        const letters = await store.deadLetters({ ...filter, offset: 0, limit: 10 });
        expect(await store.countDeadLetters(filter)).toBe(letters.length);
        return letters.map(({ payload }) => payload["n"]).sort();
      };
      expect(await found({})).toEqual([0, 1, 2]);
      expect(await found({ code: "A" })).toEqual([0, 2]);
      expect(await found({ code: "A", reason: "refused", type: "update" })).toEqual([0]);
      expect(await found({ type: "send" })).toEqual([]);
      expect(await found({ code: "' OR 1=1" })).toEqual([]);
      const [one] = await store.deadLetters({ code: "B", offset: 0, limit: 1 });
      expect(await store.deadLetter(one?.id ?? 0)).toEqual(one);
      expect(await store.deadLetter(999_999)).toBeUndefined();
    });

    test("counts a death only for messages that were claimed", async () => {
      const { reopenAfterKill, store } = await open();
      await store.enqueue([update("a", 1), update("b", 2)]);
      await claim(store, { limit: 1 });
      const next = await reopenAfterKill();
      const recovered = await next.recover(() => ({ outcome: { kind: "released" } }));
      expect(recovered.map(({ deaths, payload }) => [payload["n"], deaths])).toEqual([[1, 1]]);
      const suspects = await claim(next, { suspects: "only" });
      expect(suspects).toMatchObject([{ payload: { n: 1 }, deaths: 1 }]);
      expect(numbers(await claim(next, { suspects: "without" }))).toEqual([2]);
    });

    test("remembers facts, unreachable chats and sent messages across a kill", async () => {
      const { clock, reopenAfterKill, store } = await open();
      await store.setFact("a", "1");
      await store.recordSent({ scope: "5", cost: 2, atEpochMs: clock.epochMs() });
      await store.enqueue([update("a", 1)]);
      const [message] = await claim(store);
      await store.finish(ref(message), {
        kind: "dead",
        reason: "refused",
        error: undefined,
        enqueue: [],
        unreachableChat: { chat: "5", reason: "blocked" },
      });
      const next = await reopenAfterKill();
      expect(await next.getFact("a")).toBe("1");
      expect(await next.unreachableReason("5")).toBe("blocked");
      expect(await next.unreachableReason("5", clock.epochMs() + 1)).toBeUndefined();
      expect(await next.sentSince(0)).toMatchObject([{ scope: "5", cost: 2 }]);
    });

    test("a message that is done can say that a chat is reachable, or is not any more", async () => {
      const { store } = await open();
      const unreachableChat = { chat: "-5", reason: "kicked" };
      for (const [number, reach, reason] of [
        [1, { unreachableChat }, "kicked"],
        [2, { reachedChat: "-5" }, undefined],
        [3, { unreachableChat }, "kicked"],
      ] as const) {
        await store.enqueue([update("a", number)]);
        const [message] = await claim(store);
        await store.finish(ref(message), { kind: "done", enqueue: [], ...reach });
        expect(await store.unreachableReason("-5")).toBe(reason);
      }
    });

    test("beats for every synced transaction, and is overdue without one", async () => {
      const { clock, store } = await open();
      const { beats } = store.heartbeat();
      await store.probe();
      await clock.advance(3_600_000);
      expect(store.heartbeat().beats).toBeGreaterThan(beats);
      expect(store.heartbeat().overdueMs).toBe(0);
    });

    test.runIf(backups)(
      "backs up everything committed before, and no half transaction, under load",
      async () => {
        const { openBackup, store } = await open();
        const pairs = Array.from({ length: 200 }, (_, n) => [
          update(`a${n}`, n),
          update(`b${n}`, n),
        ]);
        const before = pairs.slice(0, 100);
        for (const pair of before) await store.enqueue(pair);
        const making = store.backup();
        for (const pair of pairs.slice(100)) await store.enqueue(pair);
        const backup = await making;
        expect(backup.bytes).toBeGreaterThan(0);
        const restored = (await openBackup?.(backup)) as Store;
        const found = numbers(await claim(restored, { limit: 1_000 }));
        expect(found).toEqual(expect.arrayContaining(before.flatMap((_, n) => [n, n])));
        for (const n of new Set(found)) expect(found.filter((m) => m === n)).toHaveLength(2);
      },
    );

    test.runIf(backups)(
      "makes one backup for all requests that come while it is being made",
      async () => {
        const { store } = await open();
        const [first, second] = await Promise.all([store.backup(), store.backup()]);
        expect(second).toEqual(first);
      },
    );

    test("sweeps old entries and returns how many", async () => {
      const { clock, store } = await open();
      await store.enqueue([{ ...update("a", 1), dedupeKeys: ["k"] }]);
      const [message] = await claim(store);
      const dead = { kind: "dead", reason: "refused", error: undefined, enqueue: [] } as const;
      await store.finish(ref(message), dead);
      const sweep = () => {
        const before = clock.epochMs() - 60_000;
        return store.sweep({
          deadLettersBeforeEpochMs: before,
          sentBeforeEpochMs: before,
          referencesBeforeEpochMs: before,
        });
      };
      expect(await sweep()).toEqual({ dedupeKeys: 0, deadLetters: 0 });
      await clock.advance(60_001);
      expect(await sweep()).toEqual({ dedupeKeys: 1, deadLetters: 1 });
    });

    test("keeps documents by collection and key, also after a kill", async () => {
      const { reopenAfterKill, store } = await open();
      const warned = { times: 2, by: ["spam", null], 名: "小明" };
      await store.transaction(async ({ documents }) => {
        await documents.put("warnings", "-5:7", { times: 1 });
        await documents.put("warnings", "-5:7", warned);
        await documents.put("warnings", "-5:8", false);
        await documents.put("reminders", "-5:7", "tea");
        expect(await documents.delete("warnings", "-5:8")).toBe(true);
        expect(await documents.delete("warnings", "-5:8")).toBe(false);
      });
      const next = await reopenAfterKill();
      await next.transaction(async ({ documents }) => {
        expect(await documents.get("warnings", "-5:7")).toEqual(warned);
        expect(await documents.get("warnings", "-5:8")).toBeUndefined();
        expect(await documents.get("reminders", "-5:7")).toBe("tea");
      });
    });

    test("reads what was committed before, and the work's own errors reach the reader", async () => {
      const { store } = await open();
      const reading = (key: string) =>
        store.read(({ documents, nowEpochMs }) => {
          expect(nowEpochMs).toBeGreaterThan(0);
          return documents.get("c", key);
        });
      await store.transaction(({ documents }) => documents.put("c", "a", 1));
      const [first, missing] = await Promise.all([reading("a"), reading("b")]);
      expect([first, missing]).toEqual([1, undefined]);
      const failed = store.read(async () => {
        throw new TypeError("broken");
      });
      await expect(failed).rejects.toThrow("broken");
      expect(await reading("a")).toBe(1);
      const kept = await store.read(async ({ documents }) => ({ documents }));
      expect(() => kept.documents.get("c", "a")).toThrow("the transaction is over");
    });

    test("lists documents by prefix, in the order of their keys, page by page", async () => {
      const { store } = await open();
      await store.transaction(async ({ documents }) => {
        const keys = ["b:2", "a:1", "b:10", "b:😀", "b:\uffff", "b", "c", "b;", "B:1"];
        for (const key of keys) await documents.put("list", key, key);
        await documents.put("other", "b:0", "b:0");
        const list = async (options: ListOptions) =>
          (await documents.list("list", options)).map(({ key, value }) => {
            expect(value).toBe(key);
            return key;
          });
        const all = ["b:10", "b:2", "b:\uffff", "b:😀"];
        expect(await list({ prefix: "b:" })).toEqual(all);
        expect(await list({ prefix: "b:", limit: 2 })).toEqual(all.slice(0, 2));
        expect(await list({ prefix: "b:", limit: 2, after: "b:2" })).toEqual(all.slice(2));
        expect(await list({ prefix: "b:", after: "c" })).toEqual([]);
        expect(await list({})).toEqual(["B:1", "a:1", "b", ...all, "b;", "c"]);
      });
    });

    test("forgets a document when its time is over", async () => {
      const { clock, store } = await open();
      const put = (keepMs?: number) =>
        store.transaction(({ documents }) =>
          documents.put("c", "k", 1, keepMs === undefined ? {} : { keepMs }),
        );
      const all = () => store.transaction(({ documents }) => documents.list("c"));
      await put(1_000);
      await clock.advance(999);
      expect(await all()).toHaveLength(1);
      await clock.advance(1);
      expect(await all()).toEqual([]);
      await store.transaction(async ({ documents }) => {
        expect(await documents.get("c", "k")).toBeUndefined();
        expect(await documents.delete("c", "k")).toBe(false);
      });
      await put(1_000);
      await put();
      await clock.advance(100_000);
      await store.sweep({
        deadLettersBeforeEpochMs: 0,
        sentBeforeEpochMs: 0,
        referencesBeforeEpochMs: 0,
      });
      expect(await all()).toHaveLength(1);
    });

    test.each<[string, (documents: Documents) => Promise<unknown>, string]>([
      ["an empty collection", (documents) => documents.get("", "k"), "collection"],
      ["a collection with a space", (documents) => documents.list("a b"), "collection"],
      ["an empty key", (documents) => documents.put("c", "", 1), "key"],
      ["a key too long", (documents) => documents.put("c", "k".repeat(201), 1), "key"],
      ["half a character", (documents) => documents.delete("c", "\ud83d"), "key"],
      ["a key with NUL", (documents) => documents.get("c", "a\0b"), "key"],
      ["a number as a key", (documents) => documents.get("c", 7 as never), "key"],
      ["nothing as a value", (documents) => documents.put("c", "k", undefined), "c"],
      ["a value too large", (documents) => documents.put("c", "k", "x".repeat(65_535)), "c"],
      ["a function", (documents) => documents.put("c", "k", { go: () => 1 }), "c.go"],
      ["no time to keep", (documents) => documents.put("c", "k", 1, { keepMs: 0 }), "keepMs"],
      ["a limit of 0", (documents) => documents.list("c", { limit: 0 }), "limit"],
      ["a limit too high", (documents) => documents.list("c", { limit: 1_001 }), "limit"],
    ])("refuses %s in documents by name, and keeps nothing of the step", async (_, use, field) => {
      const { store } = await open();
      const step = store.transaction(async ({ documents }) => {
        await documents.put("c", "before", 1);
        await use(documents);
      });
      await expect(step).rejects.toMatchObject({
        code: "DATA_REFUSED",
        field: `documents: ${field}`,
        message: expect.stringMatching(/: expected .+, received .+\. [A-Z].+\.$/),
      });
      expect(await store.transaction(({ documents }) => documents.list("c"))).toEqual([]);
    });

    test("a transaction's documents cannot be used when it is over", async () => {
      const { store } = await open();
      const kept = await store.transaction(async ({ documents }) => ({ documents }));
      expect(() => kept.documents.get("c", "k")).toThrow("the transaction is over");
    });
  });
}

/** Makes an update for a lane; `n` tells updates apart. */
export function update(lane: string, n: number, priority: NewMessage["priority"] = "normal") {
  return { type: "update", pool: "handling", lane, priority, payload: { n } } satisfies NewMessage;
}

/** Claims every available message, unless `request` says otherwise. */
export function claim(store: Store, request: Partial<ClaimRequest> = {}) {
  return store.claim({
    pool: "handling",
    limit: 10,
    agedLimit: 0,
    agedBefore: { normal: 0, low: 0 },
    suspects: "with",
    admit: () => "take",
    ...request,
  });
}

/** Returns the attempt at a claimed message. */
export function ref(message: Message | undefined): AttemptRef {
  if (!message) throw new Error("nothing was claimed");
  return { messageId: message.id, claims: message.claims };
}

function numbers(messages: readonly Message[]): unknown[] {
  return messages.map(({ payload }) => payload["n"]);
}
