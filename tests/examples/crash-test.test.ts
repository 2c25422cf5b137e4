/** Crash test of what ships: every example and the shop survive a death at every commit and call. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { shippedModule } from "../../bot/index.ts";
import { Play } from "../../lab/crash-test/play.ts";
import { type Script, survives } from "../../lab/crash-test/survives.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";

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
    { act: "buy", data: { sku: "green-tea", priceMinor: 800 } },
    { act: "cancel", data: { orderId: 2 } },
    { say: "/balance" },
  ];
  const { deaths } = await survives(shippedModule, script);
  expect(deaths).toBeGreaterThan(70);
}, 300_000);

const boss = 9;

const asBoss = { env: { ADMIN_IDS: String(boss) } };

test("a refusal with its refund survives every death", async () => {
  const script: Script = [
    { say: "/shop" },
    { press: "Espresso" },
    { press: "Buy for" },
    { from: boss, say: "/admin" },
    { from: boss, press: "Orders to fulfil" },
    { from: boss, press: "#1 Espresso" },
    { from: boss, press: "Refuse and refund" },
    { from: boss, say: "no beans today" },
  ];
  const { deaths } = await survives(shippedModule, script, asBoss);
  expect(deaths).toBeGreaterThan(90);
}, 600_000);

test("credits and blocks survive every death", async () => {
  const script: Script = [
    { say: "/start" },
    { from: boss, say: "/admin" },
    { from: boss, press: "People" },
    { from: boss, say: "7" },
    { from: boss, press: "Credit" },
    { from: boss, say: "12.50 sorry" },
    { from: boss, press: "7" },
    { from: boss, press: "Block" },
    { from: boss, say: "steals spoons" },
    { say: "/balance" },
  ];
  const { deaths } = await survives(shippedModule, script, asBoss);
  expect(deaths).toBeGreaterThan(90);
}, 600_000);

test("changes of a product survive every death, and so does the last piece", async () => {
  const script: Script = [
    { from: boss, say: "/admin" },
    { from: boss, press: "Products" },
    { from: boss, press: "latte" },
    { from: boss, press: "Stock" },
    { from: boss, say: "1" },
    { from: boss, press: "Price" },
    { from: boss, say: "13.50" },
    { say: "/shop" },
    { press: "latte" },
    { press: "Buy for" },
    { press: "latte" },
  ];
  const { deaths } = await survives(shippedModule, script, asBoss);
  expect(deaths).toBeGreaterThan(90);
}, 600_000);

test("a ticket, its answer and its end survive every death", async () => {
  const botId = Number(sandboxToken.split(":")[0]);
  const chat = { id: boss, type: "private", first_name: "Boss" };
  const answer = {
    message_id: 700,
    date: 1_767_225_600,
    chat,
    from: { id: boss, is_bot: false, first_name: "Boss" },
    text: "we warm it up",
    reply_to_message: {
      ...{ message_id: 5, date: 1_767_225_600, chat, text: "#T1 Person 7 (7)\n\nit is cold" },
      from: { id: botId, is_bot: true, first_name: "Bot" },
    },
  };
  const script: Script = [
    { say: "/language" },
    { press: "English" },
    { say: "/support" },
    { say: "it is cold" },
    { from: boss, update: { message: answer } },
    { say: "thanks" },
    { from: boss, press: "Close the ticket" },
    { say: "/support once more" },
    { press: "Close the ticket" },
  ];
  const { deaths } = await survives(shippedModule, script, asBoss);
  expect(deaths).toBeGreaterThan(100);
}, 600_000);
