/**
 * Shop panel: the page "Shop" of the dashboard: turnover, top-ups, open orders and broadcasts.
 *
 * The ledger only grows, so what a day brought is final once the day is over: such days are read once and
 * remembered, and looking again costs a transaction over the present day. Names of buyers are marked, so that
 * only who may operate the bot gets them.
 */
import type { Transaction } from "../../core/transaction.ts";
import type { PanelChart, PanelContent, PanelFigure, PanelTable } from "../../kit/panel.ts";
import {
  type Campaign,
  campaignsOf,
  type Outcome,
  outcomes,
} from "../campaigns/campaign-tables.ts";
import { sumOf } from "../campaigns/campaigns.ts";
import { broadcastTexts } from "../campaigns/texts.ts";
import type { Catalogue } from "../catalogue.ts";
import { productName } from "../commands/order-card.ts";
import { shopOf } from "../sqlite-tables.ts";
import type { Order } from "../tables.ts";
import { type Day, daysOf } from "./day-tables.ts";
import { panelTexts as t } from "./panel-texts.ts";

export interface ShopPanelOptions {
  /** The catalogue in force. */
  readonly catalogue: Catalogue;
  readonly read: <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;
}

const dayMs = 86_400_000;
const daysShown = 30;
/** A transaction that began before midnight can commit after it. */
const finalAfterMs = 3_600_000;
const ordersShown = 20;
const campaignsShown = 10;

interface Present {
  readonly nowEpochMs: number;
  /** The first instant of this day. */
  readonly todayAt: number;
  readonly today: Day;
  readonly orders: readonly (readonly [order: Order, buyer: string])[];
  readonly ordersTotal: number;
  readonly campaigns: readonly Campaign[];
}

export class ShopPanel {
  readonly #options: ShopPanelOptions;
  /** Days that are over, by their first instant. */
  readonly #days = new Map<number, Day>();

  constructor(options: ShopPanelOptions) {
    this.#options = options;
  }

  async read(): Promise<PanelContent> {
    const { catalogue, read } = this.#options;
    const present = await read(readPresent);
    const past = await this.#past(present);
    const { code, exponent } = catalogue.currency;
    const days = [...past, [present.todayAt, present.today] as const];
    return {
      currency: { code, exponent },
      figures: figures(days.map(([, day]) => day)),
      charts: charts(days),
      tables: [ordersTable(present, catalogue), campaignsTable(present.campaigns)],
    };
  }

  /** The days before today, oldest first. Each that is not known has a transaction of its own, so that it is short. */
  async #past({ nowEpochMs, todayAt }: Present): Promise<readonly (readonly [number, Day])[]> {
    const days: (readonly [number, Day])[] = [];
    for (let at = todayAt - (daysShown - 1) * dayMs; at < todayAt; at += dayMs) {
      const known = this.#days.get(at);
      const day = known ?? (await this.#options.read((tx) => daysOf(tx).day(at, at + dayMs)));
      if (nowEpochMs >= at + dayMs + finalAfterMs) this.#days.set(at, day);
      days.push([at, day]);
    }
    for (const at of this.#days.keys()) if (at < (days[0]?.[0] ?? 0)) this.#days.delete(at);
    return days;
  }
}

async function readPresent(tx: Transaction): Promise<Present> {
  const { nowEpochMs } = tx;
  const todayAt = nowEpochMs - (nowEpochMs % dayMs);
  const { items, total } = await shopOf(tx).ordersToFulfil(0, ordersShown);
  const orders: [Order, string][] = [];
  for (const order of items) {
    const name = (await shopOf(tx).findProfile(order.userId))?.firstName ?? "";
    orders.push([order, `${name} (${order.userId})`.trim()]);
  }
  const campaigns = await campaignsOf(tx).campaigns(campaignsShown);
  return {
    nowEpochMs,
    todayAt,
    today: await daysOf(tx).day(todayAt, todayAt + dayMs),
    orders,
    ordersTotal: total,
    campaigns: campaigns.filter(({ state }) => state !== "draft"),
  };
}

function figures(days: readonly Day[]): readonly PanelFigure[] {
  const today = (of: keyof Day) => days.at(-1)?.[of] ?? 0;
  const month = (of: keyof Day) => days.reduce((sum, day) => sum + day[of], 0);
  return [
    { label: t.turnoverToday, value: today("turnoverMinor"), form: "money" },
    { label: t.turnoverMonth, value: month("turnoverMinor"), form: "money" },
    { label: t.ordersToday, value: today("orders"), form: "count" },
    { label: t.ordersMonth, value: month("orders"), form: "count" },
    { label: t.topupsToday, value: today("topups"), form: "count" },
    { label: t.topupsMonth, value: month("topups"), form: "count" },
    { label: t.starsToday, value: today("stars"), form: "count" },
    { label: t.starsMonth, value: month("stars"), form: "count" },
  ];
}

function charts(days: readonly (readonly [number, Day])[]): readonly PanelChart[] {
  const bars = (of: keyof Day) => days.map(([atEpochMs, day]) => ({ atEpochMs, value: day[of] }));
  return [
    { title: t.turnoverPerDay, form: "money", per: "day", bars: bars("turnoverMinor") },
    { title: t.starsPerDay, form: "count", per: "day", bars: bars("stars") },
  ];
}

function ordersTable({ orders, ordersTotal }: Present, catalogue: Catalogue): PanelTable {
  return {
    title: t.openOrders,
    empty: t.noOrders,
    columns: [
      { label: t.order },
      { label: t.item },
      { label: t.sum, form: "money" },
      { label: t.age, form: "age" },
      { label: t.buyer, people: true },
    ],
    rows: orders.map(([{ createdAtEpochMs, id, priceMinor, sku }, buyer]) => {
      const [en, zh] = [productName(catalogue, sku, "en"), productName(catalogue, sku, "zh")];
      return [`#${id}`, { en, zh }, priceMinor, createdAtEpochMs, buyer];
    }),
    total: ordersTotal,
  };
}

const inBoth = (of: (texts: ReturnType<typeof broadcastTexts>) => string) => ({
  en: of(broadcastTexts("en")),
  zh: of(broadcastTexts("zh")),
});

const outcomeLabels = {
  sent: t.sent,
  blocked: t.blocked,
  gone: t.gone,
  failed: t.failed,
  unclear: t.unclear,
} satisfies Record<Outcome, unknown>;

function campaignsTable(campaigns: readonly Campaign[]): PanelTable {
  return {
    title: t.campaigns,
    empty: t.noCampaigns,
    columns: [
      { label: t.campaign },
      { label: t.state },
      { label: t.segment },
      { label: t.begun, form: "instant" },
      { label: t.progress, form: "share" },
      { label: t.of, form: "count" },
      ...outcomes.map((outcome) => ({ label: outcomeLabels[outcome], form: "count" as const })),
    ],
    rows: campaigns.map(({ counts, expected, id, segment, startedAtEpochMs, state }) => [
      `#${id}`,
      inBoth(({ states }) => states[state]),
      inBoth(({ segments }) => segments[segment]),
      startedAtEpochMs ?? null,
      // Who was counted before the beginning is only expected, so there can be more.
      expected > 0 ? Math.min(1, sumOf(counts) / expected) : null,
      expected,
      ...outcomes.map((outcome) => counts[outcome]),
    ]),
  };
}
