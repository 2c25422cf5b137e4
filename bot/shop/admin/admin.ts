/**
 * /admin: the menu of the people who run the shop, and the answers to what it asks them.
 *
 * Only administrators get past its guard, in their private chats. For everybody else its command, its
 * buttons and its questions do not exist: they go on to the other routes, like anything unknown.
 */
import { Composer } from "telegraf";
import type { Transaction } from "../../core/transaction.ts";
import type { BotContext } from "../../kit/bot-context.ts";
import { registerBroadcastDesk } from "../campaigns/broadcast-desk.ts";
import { broadcastTexts } from "../campaigns/texts.ts";
import { button, keyboard } from "../commands/keyboard.ts";
import type { Card } from "../commands/order-card.ts";
import { type CommandOptions, createRoutes, type Routes, type Turn } from "../commands/routes.ts";
import { visitorOf } from "../commands/visitor.ts";
import { forgetAsked, takeAsked } from "../people/asking.ts";
import { shopOf } from "../sqlite-tables.ts";
import { menuVerb, reply, show, textsOf } from "./admin-turn.ts";
import type { OrderAct } from "./desk.ts";
import { registerEngineDesk } from "./engine-desk.ts";
import {
  answerGoods,
  type GoodsAnswer,
  type GoodsQuestion,
  registerGoodsDesk,
  replyToGoodsAnswer,
} from "./goods-desk.ts";
import { orderAnswers, registerOrdersDesk, replyToOrderAnswer } from "./orders-desk.ts";
import {
  answerPeople,
  type PeopleAnswer,
  registerPeopleDesk,
  replyToPeopleAnswer,
} from "./people-desk.ts";

const dayMs = 24 * 3_600_000;

export function adminRoutes(options: CommandOptions): Pick<Routes, "composer"> {
  const routes = createRoutes(options);

  routes.command("admin", async (turn) => {
    // Whatever was asked before is no longer expected.
    await turn.ctx.transaction((tx) => forgetAsked(tx, turn.visitor.userId));
    await reply(turn, menuCard(turn));
  });
  routes.press(menuVerb, (turn) => show(turn, menuCard(turn)));
  routes.press("adm-drop", async (turn) => {
    await turn.ctx.transaction((tx) => forgetAsked(tx, turn.visitor.userId));
    return show(turn, [textsOf(turn).forgotten, keyboard([menuOf(turn)])]);
  });
  routes.press("adm-figures", async (turn) => show(turn, await figuresCard(turn, options)));
  registerOrdersDesk(routes, options);
  registerPeopleDesk(routes, options);
  registerGoodsDesk(routes, options);
  registerEngineDesk(routes, options);
  registerBroadcastDesk(routes, options);
  routes.text((turn, text) => takeAnswer(turn, options, text, textQuestions));
  routes.photo((turn, fileId) => takeAnswer(turn, options, fileId, ["picture"]));

  const isAdmin = (ctx: BotContext) => {
    const { inPrivateChat, userId } = visitorOf(ctx);
    return inPrivateChat && options.adminIds.includes(userId);
  };
  return { composer: new Composer<BotContext>(Composer.optional(isAdmin, routes.composer)) };
}

function menuOf(turn: Turn) {
  return button(textsOf(turn).menuButton, menuVerb);
}

function menuCard(turn: Turn): Card {
  const t = textsOf(turn);
  const buttons = keyboard(
    [button(t.orders, "adm-orders")],
    [button(t.people, "adm-people"), button(t.goods, "adm-goods")],
    [button(t.figures, "adm-figures"), button(t.troubles, "adm-troubles")],
    [button(t.deadLetters, "adm-letters"), button(t.pools, "adm-pools")],
    [button(broadcastTexts(turn.visitor.language).listButton, "adm-casts")],
  );
  return [t.menu, buttons];
}

/** Figures of the day so far (UTC) and of the last 30 days. */
async function figuresCard(turn: Turn, options: CommandOptions): Promise<Card> {
  const t = textsOf(turn);
  const { ctx, format } = turn;
  const nowEpochMs = ctx.receivedAtEpochMs;
  const [today, month] = await options.read(async (tx) => [
    await shopOf(tx).figures(nowEpochMs - (nowEpochMs % dayMs)),
    await shopOf(tx).figures(nowEpochMs - 30 * dayMs),
  ]);
  const lines = [
    [t.today, today],
    [t.lastDays, month],
  ] as const;
  const text = lines.map(([title, figures]) => {
    const { newPeople, orders, turnoverMinor } = figures ?? zero;
    const [count, people] = [orders, newPeople].map(format.count);
    return t.figure(title, format.money(turnoverMinor), count ?? "", people ?? "");
  });
  return [text.join("\n\n"), keyboard([button(t.refresh, "adm-figures"), menuOf(turn)])];
}

const zero = { newPeople: 0, orders: 0, turnoverMinor: 0 };

/** The question and the effect of its answer, as the durable step keeps them. */
type Answered =
  | { readonly desk: "orders"; readonly result: OrderAct }
  | { readonly desk: "people"; readonly result: PeopleAnswer }
  | { readonly desk: "goods"; readonly what: GoodsQuestion; readonly result: GoodsAnswer };

type Question = "refuse" | "tell" | "find" | "credit" | "debit" | "block" | GoodsQuestion;

const textQuestions: readonly Question[] = [
  "refuse",
  "tell",
  "find",
  "credit",
  "debit",
  "block",
  "price",
  "stock",
  "codes",
];

/** Takes a text or a photo as the answer to one of these questions, if it was asked. */
async function takeAnswer(
  turn: Turn,
  options: CommandOptions,
  text: string,
  questions: readonly Question[],
): Promise<boolean> {
  const { userId: adminId } = turn.visitor;
  const answered = await turn.ctx.transaction(async (tx) => {
    const asked = await takeAsked(tx, adminId, questions);
    return asked ? answer(tx, options, adminId, asked, text) : null;
  }, "answer");
  if (!answered) return false;
  switch (answered.desk) {
    case "orders":
      await replyToOrderAnswer(turn, options, answered.result, text);
      return true;
    case "people":
      await replyToPeopleAnswer(turn, options, answered.result);
      return true;
    case "goods":
      await replyToGoodsAnswer(turn, options, answered.what, answered.result);
      return true;
  }
}

async function answer(
  tx: Transaction,
  options: CommandOptions,
  adminId: number,
  { of, what }: { readonly of: string; readonly what: Question },
  text: string,
): Promise<Answered> {
  switch (what) {
    case "refuse":
    case "tell":
      return { desk: "orders", result: await orderAnswers[what](tx, adminId, of, text) };
    case "find":
    case "credit":
    case "debit":
    case "block": {
      const result = await answerPeople(tx, options, adminId, what, of, text);
      return { desk: "people", result };
    }
    case "price":
    case "stock":
    case "codes":
    case "picture": {
      const result = await answerGoods(tx, options, adminId, what, of, text);
      return { desk: "goods", what, result };
    }
  }
}
