/** Broadcasts survive a death at every commit and every call. */
import { expect, test } from "vitest";
import { shippedModule } from "../../../bot/index.ts";
import { Play } from "../../../lab/crash-test/play.ts";
import type { Script } from "../../../lab/crash-test/script.ts";
import { survives } from "../../../lab/crash-test/survives.ts";

const env = { ADMIN_IDS: "1" };
const boss = 1;

const script: Script = [
  { say: "/start" },
  { from: 8, say: "/start" },
  { from: boss, say: "/broadcast Hello all" },
  { from: boss, press: "everybody" },
  { from: boss, press: "Send" },
  { wait: 8 },
];

function said(made: readonly { readonly lane: string; readonly meaning: string }[], lane: string) {
  return made.filter((call) => call.lane === lane && call.meaning.includes("Hello all")).length;
}

test("everybody is written to once, and the administrator reads the result", async () => {
  const { deadLetters, made } = await new Play(
    async () => shippedModule,
    script,
    env,
    undefined,
  ).run();
  expect(deadLetters).toEqual([]);
  expect([7, 8].map((id) => said(made, `chat ${id}`))).toEqual([1, 1]);
  const last = made.filter(({ lane }) => lane === "chat 1").at(-1);
  expect(last?.meaning).toContain("Done: 2 of 2");
});

test("a broadcast survives every death", async () => {
  const { deaths } = await survives(shippedModule, script, { env });
  expect(deaths).toBeGreaterThan(60);
}, 300_000);
