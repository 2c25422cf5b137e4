/** Crash test of what ships: every example and the shop survive a death at every commit and call. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { shippedModule } from "../../bot/index.ts";
import { Play } from "../../lab/crash-test/play.ts";
import { type Script, survives } from "../../lab/crash-test/survives.ts";

const folder = fileURLToPath(new URL("../../examples/", import.meta.url));

const scripts: Readonly<Record<string, Script>> = {
  echo: [{ say: "/start" }, { say: "one" }, { from: 8, say: "two" }],
  "group-moderator": [
    { say: "hello", in: "Club" },
    { say: "see https://example.org", in: "Club" },
    { from: 8, say: "t.me/spam", in: "Club" },
  ],
  "file-converter": [{ say: "hello" }, { file: "quiet words" }, { from: 8, file: "more" }],
  reminder: [
    { say: "in 10 min tea" },
    { say: "in 30 s coffee" },
    { say: "/list" },
    { wait: 100 },
    { say: "cancel 1" },
    { say: "cancel 1" },
    { from: 8, say: "in 2 min milk" },
    { wait: 700 },
  ],
  "streamed-answer": [{ say: "/start" }, { say: "why" }],
  wizard: [{ say: "/order" }, { say: "Ada" }, { say: "tea" }],
};

test("every example has a script", () => {
  const names = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  expect(names.map((name) => name.replace(".ts", "")).sort()).toEqual(Object.keys(scripts).sort());
});

test.each(Object.entries(scripts))(
  "%s survives every death",
  async (name, script) => {
    const { calls, deaths } = await survives(`${folder}${name}.ts`, script);
    expect(calls).toBeGreaterThanOrEqual(script.length - 1);
    expect(deaths).toBeGreaterThan(40);
  },
  120_000,
);

test("a payment in Stars, one more of the same invoice, and its refund survive every death", async () => {
  const payments: Script = [
    { say: "/topup" },
    { press: "⭐ 100" },
    { pay: "Top-up" },
    { pay: "Top-up" },
  ];
  const env = { ADMIN_IDS: "1" };
  const undisturbed = await new Play(async () => shippedModule, payments, env, undefined).run();
  const [charge = ""] = /stx\d+/.exec(undisturbed.tables["star_charges"]?.[0] ?? "") ?? [];
  const refund = { from: 1, say: `/refund ${charge}` };
  const script = [...payments, refund, refund, { from: 1, say: "/reconcile" }, { say: "/balance" }];
  const { deaths } = await survives(shippedModule, script, { env });
  expect(deaths).toBeGreaterThan(100);
}, 300_000);

test("the shop survives every death", async () => {
  const script = [
    { say: "/start" },
    { say: "/shop" },
    { press: "Espresso" },
    { press: "Buy for" },
    { press: "Cancel and refund" },
    { say: "/balance" },
  ];
  const { deaths } = await survives(shippedModule, script);
  expect(deaths).toBeGreaterThan(70);
}, 300_000);
