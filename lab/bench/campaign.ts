/**
 * Campaign: the shop with many accounts, an administrator's /broadcast to all of them, and people who pay.
 *
 * Everything goes the way of a real one: commands and presses in the sandbox, the shop's turns, flood control
 * at the rate that is allowed. The sandbox refuses what is too much where that rate is Telegram's own.
 */
import { fileURLToPath } from "node:url";
import { type BotProcess, eventually, nowMs, pause } from "../drill/bot-process.ts";
import { limitedTo } from "./broadcast.ts";
import { openLoop } from "./open-loop.ts";
import { invite, type Scene, type SceneOptions, type Span } from "./scene.ts";
import { type Latencies, latenciesOf } from "./statistics.ts";

const file = fileURLToPath(new URL("./programs/crowd-main.ts", import.meta.url));
/** Messages a second that Telegram sends for nothing. Source: core.telegram.org/bots/faq. */
const freePerSecond = 30;
const recipients = 100_000;
/** They come after everybody who writes, because a campaign goes by ascending id. */
const firstId = 50_000_001;
const bossId = 9;
const readyMsMax = 300_000;
const payers = 20;
const firstPayerId = 4_000_001;
/** Check-outs a second; each payer's chat takes a message a second. */
const checkoutsPerSecond = 5;
/** How long after the last check-out its answer may come. Source: Bot API, answerPreCheckoutQuery. */
const answerMsMax = 10_000;

/** @param perSecond Messages a second that are allowed. */
export function crowdScene(perSecond: number, { seconds, warmSeconds }: Span): SceneOptions {
  // Nobody else is reached within the span.
  const known = Math.min(recipients, (seconds + warmSeconds + 30) * perSecond);
  return {
    file,
    env: {
      ...limitedTo(perSecond),
      ADMIN_IDS: String(bossId),
      CROWD_FIRST: String(firstId),
      CROWD_COUNT: String(recipients),
    },
    flood: perSecond <= freePerSecond ? "strict" : "off",
    prepare: async (sandbox) => {
      await invite(sandbox, bossId, 1);
      await invite(sandbox, firstPayerId, payers);
      await invite(sandbox, firstId, known);
    },
    ready: (bot) => eventually("the accounts are there", async () => isReady(bot), readyMsMax),
  };
}

function isReady(bot: BotProcess): boolean {
  if (bot.running) return bot.lines.some(({ text }) => text.startsWith("Health: "));
  throw new Error(`the bot ended: ${bot.output.slice(-2_000)}`);
}

/** Drafts a campaign to everybody and begins it, as an administrator does. */
export async function beginCampaign({ sandbox }: Scene): Promise<void> {
  const press = async (data: string) => {
    const card = await sandbox.waitForMessage(
      bossId,
      (message) => JSON.stringify(message).includes(`"${data}"`),
      { after: 0, timeoutMs: readyMsMax },
    );
    const messageId = card.message_id;
    await sandbox.press({ userId: bossId, chatId: bossId, messageId, data });
  };
  await sandbox.write({ userId: bossId, text: "/broadcast News for everybody" });
  await press("adm-cast-to:1:all");
  await press("adm-cast-go:1");
}

/** How many of the campaign's messages were sent while it counted. */
export async function countCampaign(
  { sandbox }: Scene,
  { seconds, warmSeconds }: Span,
): Promise<number> {
  const fromMs = nowMs() + warmSeconds * 1_000;
  const toMs = fromMs + seconds * 1_000;
  await pause(toMs - nowMs());
  const entries = await sandbox.journalAll({ method: "sendMessage" });
  return entries.filter(
    ({ chatId, executedAtMs }) =>
      chatId !== null &&
      chatId >= firstId &&
      executedAtMs !== null &&
      executedAtMs >= fromMs &&
      executedAtMs < toMs,
  ).length;
}

/** Gives each payer an invoice, which can be paid again and again. */
export async function makeInvoices({ sandbox }: Scene): Promise<void> {
  const timeoutMs = 60_000;
  await Promise.all(
    Array.from({ length: payers }, async (_, index) => {
      const userId = firstPayerId + index;
      await sandbox.write({ userId, text: "/topup" });
      const offer = await sandbox.waitForMessage(
        userId,
        ({ reply_markup: markup }) => markup !== undefined,
        { after: 0, timeoutMs },
      );
      const messageId = offer.message_id;
      await sandbox.press({ userId, chatId: userId, messageId, row: 0, column: 0 });
      await sandbox.waitForMessage(userId, isInvoice, { after: 0, timeoutMs });
    }),
  );
}

const isInvoice = (message: object) => "invoice" in message;

async function invoiceOf({ sandbox }: Scene, userId: number): Promise<number> {
  const invoice = (await sandbox.messages({ chatId: userId })).find(isInvoice);
  if (!invoice) throw new Error(`${userId} has no invoice`);
  return invoice.message_id;
}

/** How long check-outs waited for their answer, from the instant that was meant. */
export async function payAll(scene: Scene, { seconds, warmSeconds }: Span): Promise<Latencies> {
  const { sandbox } = scene;
  const invoices = await Promise.all(
    Array.from({ length: payers }, (_, index) => invoiceOf(scene, firstPayerId + index)),
  );
  const intended = new Map<number, number>();
  const numberOf = new Map<string, number>();
  const warm = warmSeconds * checkoutsPerSecond;
  const count = warm + seconds * checkoutsPerSecond;
  await openLoop(count, checkoutsPerSecond, async (index, intendedAtMs) => {
    const payer = index % payers;
    const userId = firstPayerId + payer;
    const messageId = invoices[payer] ?? 0;
    const { preCheckoutQueryId } = await sandbox.pay({ userId, chatId: userId, messageId });
    if (index < warm) return;
    intended.set(index, intendedAtMs);
    numberOf.set(preCheckoutQueryId, index);
  });
  const answers = async () => {
    const entries = await sandbox.journalAll({ method: "answerPreCheckoutQuery" });
    return entries.flatMap(({ executedAtMs, parameters }) => {
      const chatId = numberOf.get(parameters["pre_checkout_query_id"] ?? "");
      return chatId === undefined || executedAtMs === null ? [] : [{ chatId, atMs: executedAtMs }];
    });
  };
  const untilMs = nowMs() + answerMsMax;
  while ((await answers()).length < intended.size && nowMs() < untilMs) await pause(250);
  return latenciesOf(intended, await answers());
}
