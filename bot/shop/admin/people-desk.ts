/** People desk: finds a person, shows their account, credits, debits, blocks and unblocks. */
import type { Transaction } from "../../core/transaction.ts";
import { statement } from "../accounts.ts";
import { button, keyboard } from "../commands/keyboard.ts";
import { type Card, productName } from "../commands/order-card.ts";
import { type CommandOptions, parseCount, type Routes, type Turn } from "../commands/routes.ts";
import { standingOf } from "../people/standing.ts";
import { shopOf } from "../sqlite-tables.ts";
import { actsOn } from "./acts.ts";
import {
  askAdmin,
  audit,
  menuButton,
  parseAmount,
  reply,
  show,
  tell,
  textsOf,
} from "./admin-turn.ts";
import { type Booking, book, findPeople, setBlockedBy, type Told } from "./desk.ts";

const shown = { orders: 5, entries: 15, acts: 5, people: 10 };

export function registerPeopleDesk(routes: Routes, options: CommandOptions): void {
  routes.press("adm-people", (turn) =>
    askAdmin(turn, { what: "find", of: "" }, textsOf(turn).askPerson),
  );

  routes.press("adm-person", async (turn, [id]) =>
    show(turn, await personCard(turn, options, parseCount(id) ?? 0)),
  );

  routes.press("adm-entries", async (turn, [id]) => {
    const userId = parseCount(id) ?? 0;
    const { balanceMinor, entries } = await options.read((tx) =>
      statement(tx, userId, shown.entries),
    );
    const { format, texts } = turn;
    const lines = entries.map(({ amountMinor, createdAtEpochMs, kind, reference }) => {
      const what = `${texts.entryKinds[kind]} (${reference})`;
      return texts.entry(format.instant(createdAtEpochMs), format.change(amountMinor), what);
    });
    const text = [texts.balance(format.money(balanceMinor)), ...lines].join("\n\n");
    return show(turn, [text, backToPerson(turn, userId)]);
  });

  routes.press("adm-credit", (turn, [id = ""]) =>
    askAdmin(turn, { what: "credit", of: id }, textsOf(turn).askCredit(id)),
  );
  routes.press("adm-debit", (turn, [id = ""]) =>
    askAdmin(turn, { what: "debit", of: id }, textsOf(turn).askDebit(id)),
  );
  routes.press("adm-block", async (turn, [id = ""]) =>
    options.adminIds.includes(Number(id))
      ? textsOf(turn).notYourself
      : askAdmin(turn, { what: "block", of: id }, textsOf(turn).askBlock(id)),
  );

  routes.press("adm-unblock", async (turn, [id]) => {
    const userId = parseCount(id) ?? 0;
    const adminId = turn.visitor.userId;
    const told = await turn.ctx.transaction(
      async (tx) => (await setBlockedBy(tx, adminId, userId, false)) ?? null,
    );
    if (!told) return textsOf(turn).unchanged;
    audit(options, turn, "unblock", { userId });
    await tell(turn, options, told, ({ admin }) => admin.toldUnblocked);
    await show(turn, [textsOf(turn).unblocked(String(userId)), backToPerson(turn, userId)]);
    return undefined;
  });
}

export type PeopleAnswer =
  | { readonly kind: "found"; readonly userIds: readonly number[] }
  | {
      readonly kind: "booking";
      readonly userId: number;
      readonly amountMinor: number;
      readonly reason: string;
      readonly booking: Booking;
    }
  | { readonly kind: "amount-not-read" }
  | { readonly kind: "blocked"; readonly userId: number; readonly told: Told | null };

/** Carries out the answer to a question of this desk. */
export async function answerPeople(
  tx: Transaction,
  { adminIds, catalogue }: CommandOptions,
  adminId: number,
  what: "find" | "credit" | "debit" | "block",
  of: string,
  text: string,
): Promise<PeopleAnswer> {
  if (what === "find") {
    return { kind: "found", userIds: (await findPeople(tx, text)).slice(0, shown.people) };
  }
  const userId = parseCount(of) ?? 0;
  if (what === "block") {
    const allowed = !adminIds.includes(userId);
    const told = allowed && (await setBlockedBy(tx, adminId, userId, true, text));
    return { kind: "blocked", userId, told: told || null };
  }
  const [, number = "", reason = ""] = /^(\S+)\s+([\s\S]+)$/.exec(text) ?? [];
  const amount = parseAmount(catalogue, number);
  if (amount === undefined) return { kind: "amount-not-read" };
  const amountMinor = what === "credit" ? amount : -amount;
  const booking = await book(tx, adminId, userId, amountMinor, reason);
  return { kind: "booking", userId, amountMinor, reason, booking };
}

/** Says how an answer was carried out, and tells the person it concerns. */
export async function replyToPeopleAnswer(
  turn: Turn,
  options: CommandOptions,
  answer: PeopleAnswer,
): Promise<void> {
  const t = textsOf(turn);
  const back = keyboard([menuButton(turn)]);
  switch (answer.kind) {
    case "found": {
      const [first, ...others] = answer.userIds;
      if (first === undefined) return reply(turn, [t.noPerson, back]);
      if (others.length === 0) return reply(turn, await personCard(turn, options, first));
      const rows = answer.userIds.map((id) => [button(String(id), `adm-person:${id}`)]);
      return reply(turn, [t.foundPeople, keyboard(...rows, [menuButton(turn)])]);
    }
    case "amount-not-read":
      return reply(turn, [t.amountNotRead, back]);
    case "booking":
      return replyToBooking(turn, options, answer);
    case "blocked": {
      const { told, userId } = answer;
      if (!told) return reply(turn, [t.unchanged, back]);
      audit(options, turn, "block", { userId });
      await tell(turn, options, told, ({ admin }) => admin.toldBlocked);
      return reply(turn, [t.blocked(String(userId)), backToPerson(turn, userId)]);
    }
  }
}

async function replyToBooking(
  turn: Turn,
  options: CommandOptions,
  { amountMinor, booking, reason, userId }: Extract<PeopleAnswer, { readonly kind: "booking" }>,
): Promise<void> {
  const t = textsOf(turn);
  const { format } = turn;
  const back = backToPerson(turn, userId);
  if (booking.kind === "no-account") return reply(turn, [t.noPerson, back]);
  const { balanceMinor } = booking;
  if (booking.kind === "insufficient") {
    return reply(turn, [t.overdrawn(format.money(balanceMinor)), back]);
  }
  audit(options, turn, amountMinor > 0 ? "credit" : "debit", { userId, amountMinor });
  await tell(turn, options, booking.person, ({ admin, format: theirs }) =>
    admin.toldBooked(theirs.change(amountMinor), reason, theirs.money(balanceMinor)),
  );
  const text = t.booked(String(userId), format.change(amountMinor), format.money(balanceMinor));
  return reply(turn, [text, back]);
}

function backToPerson(turn: Turn, userId: number) {
  return keyboard([button(`‹ ${userId}`, `adm-person:${userId}`), menuButton(turn)]);
}

async function personCard(turn: Turn, options: CommandOptions, userId: number): Promise<Card> {
  const t = textsOf(turn);
  const { format, texts, visitor } = turn;
  const found = await options.read(async (tx) => ({
    account: await shopOf(tx).findAccount(userId),
    profile: await shopOf(tx).findProfile(userId),
    balanceMinor: await shopOf(tx).balanceMinor(userId),
    orders: await shopOf(tx).orders(userId, 0, shown.orders),
    acts: await actsOn(tx, userId, shown.acts),
    blocked: (await standingOf(tx, userId)).blocked === true,
  }));
  const { account, acts, balanceMinor, blocked, orders, profile } = found;
  if (!account) return [t.noPerson, keyboard([menuButton(turn)])];
  const orderLines = orders.items.map(({ id, sku, status }) => {
    const name = productName(options.catalogue, sku, visitor.language);
    return texts.orderButton(String(id), name, texts.orderStatuses[status]);
  });
  const actLines = acts.map(({ adminId, atEpochMs, kind, reason = "" }) =>
    `${format.instant(atEpochMs)} ${kind} (${adminId}) ${reason}`.trim(),
  );
  const id = String(userId);
  const text = [
    t.person(
      profile?.firstName || texts.someone,
      id,
      format.instant(account.createdAtEpochMs),
      format.money(balanceMinor),
      format.count(orders.total),
    ),
    profile?.username && t.username(profile.username),
    blocked && t.isBlocked,
    orderLines.join("\n"),
    actLines.length > 0 && [t.lastActs, ...actLines].join("\n"),
  ];
  const buttons = keyboard(
    [button(t.creditButton, `adm-credit:${id}`), button(t.debitButton, `adm-debit:${id}`)],
    [
      button(t.entriesButton, `adm-entries:${id}`),
      blocked
        ? button(t.unblockButton, `adm-unblock:${id}`)
        : button(t.blockButton, `adm-block:${id}`),
    ],
    ...orders.items.map((order, index) => [
      button(orderLines[index] ?? String(order.id), `adm-order:${order.id}`),
    ]),
    [menuButton(turn)],
  );
  return [text.filter(Boolean).join("\n\n"), buttons];
}
