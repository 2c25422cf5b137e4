/** The desk under kills: an administrator works, a person waits for them, and the process dies in between. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { pause } from "../../lab/drill/bot-process.ts";
import type { SandboxClient } from "../../sandbox/client.ts";
import { exampleText } from "../shop/shop-setup.ts";
import { setupLiveBot } from "../support/live-bot.ts";

const boss = 9;
const buyer = 7;
const patience = { timeoutMs: 40_000 };

interface Shown {
  readonly message_id: number;
  readonly text?: string;
  readonly reply_markup?: unknown;
}

const hasButton = (button: string) => (message: Shown) =>
  JSON.stringify(message.reply_markup ?? "").includes(button);

function chatOf(sandbox: SandboxClient, userId: number) {
  const wait = (accept: (message: Shown) => boolean) =>
    sandbox.waitForMessage(userId, accept, { after: 0, ...patience });
  return {
    say: (text: string, replyToMessageId?: number) =>
      sandbox.write({ userId, text, ...(replyToMessageId && { replyToMessageId }) }),
    hears: (text: string) => wait((message) => message.text?.includes(text) === true),
    /** Waits for a button with this data, and presses it. */
    press: async (data: string) => {
      const message = await wait(hasButton(`"${data}`));
      const whole = new RegExp(`"(${data}[^"]*)"`).exec(JSON.stringify(message.reply_markup))?.[1];
      const messageId = message.message_id;
      await sandbox.press({ userId, chatId: userId, messageId, data: whole ?? data });
    },
    count: async (text: string) =>
      (await sandbox.messages({ chatId: userId })).filter((message) => message.text?.includes(text))
        .length,
  };
}

test("orders, credits and tickets go through kills once, and a changed catalogue needs no restart", {
  timeout: 180_000,
}, async () => {
  const files = mkdtempSync(join(tmpdir(), "shop-desk-"));
  onTestFinished(() => rmSync(files, { recursive: true, force: true }));
  const catalogue = join(files, "catalogue.json");
  writeFileSync(catalogue, exampleText);
  const { bot, sandbox } = await setupLiveBot(
    { ADMIN_IDS: String(boss), CATALOGUE_FILE: catalogue, FLOOD_LIMITS_ENABLED: "false" },
    ["--flood", "off"],
  );
  await sandbox.createUser({ id: boss, firstName: "Boss", languageCode: "en" });
  await sandbox.createUser({ id: buyer, firstName: "李雷", languageCode: "zh" });
  const desk = chatOf(sandbox, boss);
  const person = chatOf(sandbox, buyer);
  bot.start();
  await bot.monitoringUrl();

  await person.say("/start");
  await person.hears("余额");
  await person.say("/shop");
  await person.press("item:espresso");
  await person.press("buy:espresso");
  await desk.say("/admin");
  await desk.press("adm-orders");
  await desk.press("adm-order:1");
  await desk.press("adm-refuse:1");
  await desk.hears("Why is order #1 refused?");
  await bot.kill();
  // The question is kept: its answer comes while no process runs.
  await desk.say("no beans");
  bot.start();
  await person.hears("no beans");
  await desk.hears("Order #1 is refused");
  expect(await person.count("no beans")).toBe(1);

  await person.say("/support 太凉了");
  await bot.kill();
  bot.start();
  const ticket = await desk.hears("#T1");
  await desk.say("we warm it up", ticket.message_id);
  await person.hears("we warm it up");
  await bot.kill();
  bot.start();
  await person.say("谢谢");
  await desk.hears("谢谢");

  /** The file is looked at by the updates that come, every two seconds at most. */
  const untilDeskHears = async (text: string) => {
    for (let turn = 0; turn < 40 && (await desk.count(text)) === 0; turn++) {
      await person.say("/shop");
      await pause(500);
    }
    expect(await desk.count(text)).toBe(1);
  };
  writeFileSync(catalogue, exampleText.replace("900", "-900"));
  await untilDeskHears("products[0].priceMinor");
  writeFileSync(catalogue, exampleText.replace("900", "950"));
  await untilDeskHears("was read again");
  await person.say("/language");
  await person.press("language:en");
  await person.say("/shop");
  await person.hears("What would you like?");
  await person.press("item:espresso");
  await person.hears("CN¥9.50");

  // Somebody else sees nothing of all this.
  const stranger = chatOf(sandbox, 8);
  await stranger.say("/admin");
  await stranger.hears("/help");
  expect(await bot.stop()).toBe(0);
});
