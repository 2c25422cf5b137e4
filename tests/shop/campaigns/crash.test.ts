/**
 * A broadcast with a death at every commit and every call.
 *
 * What a death cuts off may have arrived, and is not repeated, so plays do not end alike: what holds in all
 * of them is judged here.
 */
import { expect, test } from "vitest";
import { shippedModule } from "../../../bot/index.ts";
import { type Death, Play } from "../../../lab/crash-test/play.ts";
import type { Script } from "../../../lab/crash-test/script.ts";

const boss = 1;

const script: Script = [
  { say: "/start" },
  { from: 8, say: "/start" },
  { from: boss, say: "/broadcast Hello all" },
  { from: boss, press: "everybody" },
  { from: boss, press: "Send" },
  { wait: 8 },
];

async function play(death?: Death) {
  const env = { ADMIN_IDS: String(boss) };
  const played = await new Play(async () => shippedModule, script, env, death).run();
  const written = (lane: string) =>
    played.made.filter((call) => call.lane === lane && call.meaning.includes("Hello all")).length;
  const row = JSON.parse(played.tables["campaigns"]?.[0] ?? "{}") as Record<string, string>;
  const counts = JSON.parse(row["counts "] ?? "{}") as Record<"sent" | "unclear", number>;
  const awaited = played.tables["campaign_awaited"] ?? [];
  const times = [7, 8].map((id) => written(`chat ${id}`));
  return { ...played, awaited, counts, state: row["state "], times };
}

test("everybody is written to once, and the administrator reads the result", async () => {
  const { counts, deadLetters, made, state, times } = await play();
  expect(deadLetters).toEqual([]);
  expect({ state, times }).toEqual({ state: "done", times: [1, 1] });
  expect(counts).toMatchObject({ sent: 2, unclear: 0 });
  const last = made.filter(({ lane }) => lane === `chat ${boss}`).at(-1);
  expect(last?.meaning).toContain("Done: 2 of 2");
});

test("after any death nobody was written to twice, and everybody is counted", async () => {
  const calm = await play();
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  const deaths: readonly Death[] = [
    ...numbers(calm.commits).flatMap((number) =>
      [false, true].map((reachedDisk) => ({ at: "commit", number, reachedDisk }) as const),
    ),
    ...numbers(calm.calls).map((number) => ({ at: "call", number }) as const),
  ];
  let cutOff = 0;
  for (const death of deaths) {
    const { awaited, counts, state, times } = await play(death);
    const told = JSON.stringify(death);
    expect({ awaited, state }, told).toEqual({ awaited: [], state: "done" });
    expect(counts.sent + counts.unclear, told).toBe(2);
    expect(Math.max(...times), told).toBeLessThanOrEqual(1);
    const reached = times.filter((count) => count > 0).length;
    expect(reached, told).toBeGreaterThanOrEqual(counts.sent);
    cutOff += counts.unclear;
  }
  expect(deaths.length).toBeGreaterThan(60);
  expect(cutOff).toBeGreaterThan(0);
}, 300_000);
