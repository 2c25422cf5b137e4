/** Payments in Telegram Stars, in the real process: kills between check-out and credit, refunds, reconciliation. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { eventually, pause } from "../../lab/drill/bot-process.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { isQueueEmpty, setupLiveBot } from "../support/live-bot.ts";
import { runOperatorProgram } from "../support/operator-program.ts";

const buyer = 7;
const administrator = 1;

test("payments are credited once each although the process is killed, and the books agree", {
  timeout: 180_000,
}, async () => {
  const env = { ADMIN_IDS: String(administrator), FLOOD_LIMITS_ENABLED: "false" };
  const { apiRoot, bot, directory, sandbox } = await setupLiveBot(env, ["--flood", "off"]);
  for (const id of [buyer, administrator]) await sandbox.createUser({ id, firstName: `P${id}` });
  bot.start();
  await sandbox.write({ userId: buyer, text: "/topup" });
  const offer = await sandbox.waitForMessage(
    buyer,
    ({ reply_markup: markup }) => markup !== undefined,
    { timeoutMs: 30_000 },
  );
  await sandbox.press({
    userId: buyer,
    chatId: buyer,
    messageId: offer.message_id,
    row: 1,
    column: 0,
  });
  const { message_id: messageId } = await sandbox.waitForMessage(
    buyer,
    (message) => "invoice" in message,
    { timeoutMs: 30_000 },
  );
  const charges = async () =>
    (await sandbox.messages({ chatId: buyer })).flatMap((message) => {
      const { successful_payment: paid } = message as { successful_payment?: Paid };
      return paid ? [paid.telegram_payment_charge_id] : [];
    });

  // One invoice, paid again and again, with a death somewhere between check-out, payment and credit.
  for (const killAfterMs of [10, 60, 150]) {
    await sandbox.pay({ userId: buyer, chatId: buyer, messageId });
    await pause(killAfterMs);
    await bot.kill();
    bot.start();
    await bot.monitoringUrl();
  }
  await sandbox.pay({ userId: buyer, chatId: buyer, messageId });
  const receipts = async () => {
    const texts = (await sandbox.messages({ chatId: buyer })).map(({ text = "" }) => text);
    return new Set(texts.flatMap((text) => /Thank you.*(stx\d+)/s.exec(text)?.[1] ?? []));
  };
  await eventually("every payment has its receipt", async () => {
    const paid = await charges();
    const quiet = (await sandbox.queue()).pending === 0 && (await isQueueEmpty(bot));
    return quiet && paid.length > 0 && (await receipts()).size === paid.length;
  });

  const [first = ""] = await charges();
  await sandbox.write({ userId: administrator, text: `/refund ${first}` });
  await eventually("the refund is told", async () =>
    (await sandbox.messages({ chatId: buyer })).some(({ text }) => text?.includes("are returned")),
  );
  await eventually("all is quiet", () => isQueueEmpty(bot));
  const paid = (await charges()).length;
  await sandbox.write({ userId: buyer, text: "/balance" });
  // ¥50 of welcome, and ¥10 for each payment but the refunded one.
  const balance = `Balance: CN¥${50 + 10 * (paid - 1)}.00`;
  await sandbox.waitForMessage(buyer, ({ text = "" }) => text.startsWith(balance), {
    timeoutMs: 15_000,
  });

  const asOperator = { TELEGRAM_BOT_TOKEN: sandboxToken, TELEGRAM_API_ROOT: apiRoot };
  const reconcile = () => runOperatorProgram("reconcile", directory, [], asOperator);
  expect(await reconcile()).toEqual({
    exitCode: 0,
    output: "The books agree with Telegram's list.\n",
  });

  await bot.kill();
  const botId = sandboxToken.split(":")[0] ?? "";
  const database = new DatabaseSync(join(directory, "data", botId, "bot.db"));
  database.prepare("UPDATE star_charges SET total = 1 WHERE charge_id = ?").run(first);
  database.close();
  const differing = await reconcile();
  expect(differing.exitCode).toBe(65);
  expect(differing.output).toContain(`${first} (⭐ 1): payer or Stars are not the same`);
});

interface Paid {
  readonly telegram_payment_charge_id: string;
}
