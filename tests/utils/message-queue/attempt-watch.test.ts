/** Attempt watch: every attempt is told in time, with one timer for all. */
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { AttemptWatch } from "../../../bot/utils/message-queue/attempt-watch.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function setup() {
  const clock = new ManualClock();
  const watch = new AttemptWatch({ clock, slowMs: 50, timeoutMs: 200 });
  onTestFinished(() => watch.stop());
  watch.start();
  const told: string[] = [];
  const attempt = (name: string) => ({
    onSlow: () => told.push(`${name} slow ${clock.monotonicMs()}`),
    onLate: () => told.push(`${name} late ${clock.monotonicMs()}`),
  });
  return { attempt, clock, told, watch };
}

test("an attempt is told once that it is slow and once that it is late, at its own instants", async () => {
  const { attempt, clock, told, watch } = setup();
  watch.begin(attempt("a"));
  await clock.advance(30);
  watch.begin(attempt("b"));
  await clock.advance(1_000);
  expect(told).toEqual(["a slow 50", "b slow 80", "a late 200", "b late 230"]);
});

test("one that has ended is told nothing more", async () => {
  const { attempt, clock, told, watch } = setup();
  const [quick, slow] = [attempt("quick"), attempt("slow")];
  watch.begin(quick);
  watch.begin(slow);
  await clock.advance(20);
  watch.end(quick);
  await clock.advance(100);
  watch.end(slow);
  await clock.advance(1_000);
  expect(told).toEqual(["slow slow 50"]);
});

test("whatever begins and ends when, the same is told as by a timer for each", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ afterMs: fc.nat({ max: 60 }), takesMs: fc.integer({ min: 1, max: 300 }) }),
        {
          maxLength: 20,
        },
      ),
      async (plans) => {
        const { attempt, clock, told, watch } = setup();
        const expected: string[] = [];
        const ends: { readonly atMs: number; readonly end: () => void }[] = [];
        for (const [index, { afterMs, takesMs }] of plans.entries()) {
          for (let ms = 0; ms < afterMs; ms++) await step(clock, ends);
          const begun = attempt(String(index));
          const atMs = clock.monotonicMs();
          watch.begin(begun);
          ends.push({ atMs: atMs + takesMs, end: () => watch.end(begun) });
          if (takesMs > 50) expected.push(`${index} slow ${atMs + 50}`);
          if (takesMs > 200) expected.push(`${index} late ${atMs + 200}`);
        }
        for (let ms = 0; ms < 320; ms++) await step(clock, ends);
        expect(told.toSorted()).toEqual(expected.toSorted());
      },
    ),
    { numRuns: 25 },
  ));

/** A millisecond passes; attempts that end at its end are ended before it is over. */
async function step(
  clock: ManualClock,
  ends: readonly { readonly atMs: number; readonly end: () => void }[],
): Promise<void> {
  for (const { atMs, end } of ends) if (atMs === clock.monotonicMs() + 1) end();
  await clock.advance(1);
}
