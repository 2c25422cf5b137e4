/** /admin: what administrators do by buttons and answers, and what everybody else sees of it. */
import { expect, test } from "vitest";
import type { Operations } from "../../../bot/kit/operations.ts";
import { actsOn } from "../../../bot/shop/admin/acts.ts";
import { adminTexts } from "../../../bot/shop/admin/admin-texts.ts";
import { texts } from "../../../bot/shop/commands/texts.ts";
import { bareKit } from "../../support/bare-kit.ts";
import {
  ada,
  buttonsOf,
  type Call,
  dataOf,
  group,
  li,
  type Person,
  pressed,
  said,
  setup as setupBot,
} from "../commands/bot-under-test.ts";

const boss: Person = { id: 1, first_name: "Boss", language_code: "en" };
const other: Person = { id: 2, first_name: "Chef", language_code: "zh" };
const en = texts("en");
const zhAdmin = adminTexts("zh");
const admin = adminTexts("en");

function setup(operations: Partial<Operations> = {}) {
  const bot = setupBot({
    adminIds: [boss.id, other.id],
    operations: { ...bareKit.operations, ...operations },
  });
  const { handle } = bot;
  const menu = async () => (await handle(said(boss, "/admin")))[0];
  /** Presses a button of this message, and returns what the bot did. */
  const press = (call: Call | undefined, label: string, from = boss) =>
    handle(pressed(from, dataOf(call, label)));
  const buyEspresso = async (person: Person) => {
    await handle(said(person, "/start"));
    const [question] = await handle(pressed(person, "item:espresso"));
    const data = buttonsOf(question).map(({ callback_data }) => callback_data);
    await handle(pressed(person, data.find((one) => one?.startsWith("buy:")) ?? ""));
  };
  const acts = (person = ada) => bot.tables.read((tx) => actsOn(tx, person.id, 20));
  return { ...bot, acts, buyEspresso, menu, press };
}

const textOf = (call: Call | undefined): string => call?.payload.text ?? "";
const to = (calls: readonly Call[], person: Person) =>
  calls.filter(({ method, payload }) => method === "sendMessage" && payload.chat_id === person.id);

test("for everybody else /admin is an unknown command, and its buttons are stale", async () => {
  const { handle } = setup();
  for (const text of ["/admin", "/ADMIN", "/admin now"]) {
    const [answer] = await handle(said(ada, text));
    expect(answer?.payload).toEqual((await handle(said(ada, "/nonsense")))[0]?.payload);
  }
  const stale = await handle(pressed(ada, "nonsense"));
  for (const data of ["adm", "adm-orders", "adm-credit:1001", "adm-ticket:1", "adm-figures"]) {
    const answer = await handle(pressed(ada, data));
    const sightOf = (calls: readonly Call[]) =>
      calls.map(({ method, payload }) => [method, payload.text]);
    expect(sightOf(answer)).toEqual(sightOf(stale));
  }
});

test("in a group an administrator is a person like any other", async () => {
  const { handle } = setup();
  expect(await handle(said(boss, "/admin", group))).toEqual([]);
  const [toast] = await handle(pressed(boss, "adm-orders", group));
  expect(textOf(toast)).toBe(en.staleButton);
});

test("without ADMIN_IDS there are no administrators", async () => {
  const { handle } = setupBot();
  const [answer] = await handle(said(boss, "/admin"));
  expect(textOf(answer)).toBe(en.unknownCommand);
});

test("the menu speaks the administrator's language", async () => {
  const { handle } = setup();
  const [menu] = await handle(said(other, "/admin"));
  expect(textOf(menu)).toBe(zhAdmin.menu);
});

test("an order is done once, and its buyer is told in their language", async () => {
  const { acts, buyEspresso, handle, menu, press, tables } = setup();
  await buyEspresso(li);
  const [list] = await press(await menu(), admin.orders);
  const [card] = await press(list, "#1");
  const data = dataOf(card, admin.doneButton);
  const calls = await handle(pressed(boss, data));
  expect(to(calls, li).map(textOf)).toEqual([zhAdmin.toldDone("1", "意式浓缩咖啡")]);
  expect(tables.allOrders[0]?.status).toBe("done");
  const again = await handle(pressed(boss, data));
  expect(again.map(textOf)).toEqual([admin.orderNotOpen]);
  expect(await acts(li)).toMatchObject([{ adminId: boss.id, kind: "order-done" }]);
});

test("a refused order is refunded, with a reason for the buyer and in the book of acts", async () => {
  const { acts, buyEspresso, events, handle, press, tables } = setup();
  await buyEspresso(ada);
  const [card] = await handle(pressed(boss, "adm-order:1"));
  const [question] = await press(card, admin.refuseButton);
  expect(textOf(question)).toBe(admin.askRefuse("1"));
  const calls = await handle(said(boss, "the machine is broken"));
  expect(to(calls, ada).map(textOf).join()).toContain("the machine is broken");
  expect(await tables.balanceMinor(ada.id)).toBe(5000);
  expect(tables.allEntries.at(-1)).toMatchObject({ kind: "refund", reference: "order:1" });
  expect(await acts()).toMatchObject([
    {
      adminId: boss.id,
      kind: "order-refused",
      subject: "order:1",
      reason: "the machine is broken",
    },
  ]);
  const audit = events.filter((event) => event.type === "security.recorded");
  expect(audit).toMatchObject([{ name: "admin_act", userId: boss.id }]);
  expect(JSON.stringify(events)).not.toContain("broken");
});

test("an answer is taken once; the next text is an ordinary one", async () => {
  const { buyEspresso, handle } = setup();
  await buyEspresso(ada);
  await handle(pressed(boss, "adm-tell:1"));
  expect(to(await handle(said(boss, "soon")), ada).map(textOf)).toEqual([
    admin.toldAboutOrder("1", "soon"),
  ]);
  expect(to(await handle(said(boss, "soon")), ada)).toEqual([]);
});

test("/admin and the button that says so take a question back", async () => {
  const { buyEspresso, handle, press } = setup();
  await buyEspresso(ada);
  const [first] = await handle(pressed(boss, "adm-tell:1"));
  await press(first, admin.neverMind);
  await handle(said(boss, "one"));
  await handle(pressed(boss, "adm-tell:1"));
  await handle(said(boss, "/admin"));
  expect(to(await handle(said(boss, "two")), ada)).toEqual([]);
});

test.each(["@Ada_L", "ada_l", "1001"])("a person is found by %s", async (text) => {
  const { handle } = setup();
  await handle(said({ ...ada, username: "ada_l" }, "/start"));
  await handle(pressed(boss, "adm-people"));
  const [card] = await handle(said(boss, text));
  expect(textOf(card)).toContain("Ada");
  expect(textOf(card)).toContain("CN¥50.00");
  expect(textOf(card)).toContain("@ada_l");
});

test("somebody who was never here is not found", async () => {
  const { handle } = setup();
  await handle(pressed(boss, "adm-people"));
  expect(textOf((await handle(said(boss, "@nobody")))[0])).toBe(admin.noPerson);
});

test("a credit is an entry that names its act, and the person reads the reason", async () => {
  const { acts, handle, tables } = setup();
  await handle(said(ada, "/start"));
  await handle(pressed(boss, `adm-credit:${ada.id}`));
  const calls = await handle(said(boss, "12.50 broken mug"));
  expect(to(calls, ada).map(textOf)).toEqual([
    admin.toldBooked("+CN¥12.50", "broken mug", "CN¥62.50"),
  ]);
  const [act] = await acts();
  expect(act).toMatchObject({ adminId: boss.id, kind: "credit", reason: "broken mug" });
  expect(tables.allEntries.at(-1)).toMatchObject({
    amountMinor: 1250,
    kind: "credit",
    reference: `act:${act?.id}`,
  });
});

test.each(["99.99 all of it", "0 nothing", "x why", "12.345 why", "12", "-5 why"])(
  "a debit of %s books nothing",
  async (text) => {
    const { acts, handle, tables } = setup();
    await handle(said(ada, "/start"));
    await handle(pressed(boss, `adm-debit:${ada.id}`));
    expect(to(await handle(said(boss, text)), ada)).toEqual([]);
    expect(await tables.balanceMinor(ada.id)).toBe(5000);
    expect(await acts()).toEqual([]);
  },
);

test("who is blocked is told, then gets no answer and buys nothing, also by an open question", async () => {
  const { handle, tables } = setup();
  await handle(said(ada, "/start"));
  const [question] = await handle(pressed(ada, "item:espresso"));
  await handle(pressed(boss, `adm-block:${ada.id}`));
  const calls = await handle(said(boss, "steals"));
  expect(to(calls, ada).map(textOf)).toEqual([admin.toldBlocked]);
  expect(await handle(said(ada, "/shop"))).toEqual([]);
  const [toast] = await handle(pressed(ada, dataOf(question, "Buy")));
  expect(textOf(toast)).toBe(en.blocked);
  expect(tables.allOrders).toEqual([]);
  const freed = await handle(pressed(boss, `adm-unblock:${ada.id}`));
  expect(to(freed, ada).map(textOf)).toEqual([admin.toldUnblocked]);
  expect(await handle(said(ada, "/shop"))).toHaveLength(1);
});

test("administrators cannot block each other", async () => {
  const { handle } = setup();
  const [toast] = await handle(pressed(boss, `adm-block:${other.id}`));
  expect(textOf(toast)).toBe(admin.notYourself);
});

test("a dead letter is shown by its codes and put back, once", async () => {
  const letter = {
    id: 5,
    type: "update",
    reason: "attempts-exhausted",
    lane: "chat:1001",
    attempts: 5,
    deaths: 0,
    createdAtEpochMs: 0,
    diedAtEpochMs: 1,
    errorCodes: ["HANDLER_TIMEOUT"],
  } as const;
  let there = true;
  const requeued: number[] = [];
  const { handle, menu, press } = setup({
    deadLetters: async () => ({ total: 1, letters: [letter] }),
    deadLetter: async () => (there ? letter : undefined),
    requeue: async (id) => {
      there = false;
      requeued.push(id);
      return true;
    },
  });
  const [list] = await press(await menu(), admin.deadLetters);
  const [card] = await press(list, "#5");
  expect(textOf(card)).toContain("HANDLER_TIMEOUT");
  const update = pressed(boss, dataOf(card, admin.putBackButton));
  const [done] = await handle(update);
  expect(textOf(done)).toBe(admin.putBack("5"));
  // The same update again, as after a death: the letter is gone, and the answer the same.
  expect(textOf((await handle(update))[0])).toBe(admin.putBack("5"));
  const [gone] = await handle(pressed(boss, "adm-back:5"));
  expect(textOf(gone)).toBe(admin.noDeadLetter);
});

test("pools are paused and resumed, but not the one that carries the menu", async () => {
  const paused = new Set<string>();
  const { handle, menu, press } = setup({
    pausedPools: async () => [...paused] as never,
    setPaused: async (pool, on) => void (on ? paused.add(pool) : paused.delete(pool)),
  });
  const [pools] = await press(await menu(), admin.pools);
  const [after] = await press(pools, admin.pauseButton("sending"));
  expect([...paused]).toEqual(["sending"]);
  await press(after, admin.resumeButton("sending"));
  expect([...paused]).toEqual([]);
  await handle(pressed(boss, "adm-pause:handling"));
  expect([...paused]).toEqual([]);
});

test("holds and incidents are listed", async () => {
  const { menu, press } = setup({
    holds: async () => [
      {
        kind: "paused",
        target: "sending",
        reason: "paused by hand",
        sinceEpochMs: 0,
        untilEpochMs: null,
      },
    ],
    incidents: () => [{ id: 1, subject: "disk", trouble: "disk-full", openedAtEpochMs: 0 }],
  });
  const [card] = await press(await menu(), admin.troubles);
  expect(textOf(card)).toContain("paused by hand");
  expect(textOf(card)).toContain(admin.stillOpen);
});

test("figures count what was paid and not refunded, today and in 30 days", async () => {
  const { buyEspresso, handle, menu, press, tables } = setup();
  await buyEspresso(li);
  tables.nowEpochMs += 2 * 24 * 3_600_000;
  await buyEspresso(ada);
  await buyEspresso(ada);
  await handle(pressed(boss, "adm-refuse:3"));
  await handle(said(boss, "no beans"));
  const [card] = await press(await menu(), admin.figures);
  expect(textOf(card)).toBe(
    [
      admin.figure(admin.today, "CN¥9.00", "2", "1"),
      admin.figure(admin.lastDays, "CN¥18.00", "3", "2"),
    ].join("\n\n"),
  );
});
