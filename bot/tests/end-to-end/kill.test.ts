/**
 * The main job under `kill -9`: people write, press and buy while the process dies again and again.
 *
 * Judged from outside: the sandbox's journal and facts, and the database after the last stop.
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { eventually, pause } from "../../drill/bot-process.ts";
import { checkReplies, type SeenReply } from "../../drill/reply-history.ts";
import type { SandboxClient } from "../../sandbox/client.ts";
import type { JournalEntry } from "../../sandbox/control-api.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { isQueueEmpty, setupLiveBot } from "../support/live-bot.ts";
import { seededRandom } from "../support/seeded-random.ts";

const seed = Number(process.env["KILL_SEED"] ?? 20_261_124);
const kills = Number(process.env["KILLS"] ?? 50);
const writers = 60;
const textsEach = 50;
const buyers = 10;
const firstWriterId = 5_000;
const firstBuyerId = 7_000;

/** Neighbours differ, so that a repeated reply can be told from the next one. */
const commands = ["/start", "/help", "/balance", "/orders", "hello"];
const labelOf: Readonly<Record<string, string>> = {
  "/start": "greeting",
  "/help": "help",
  "/balance": "balance",
  "/orders": "orders",
  hello: "hint",
};

test(`nothing is lost, doubled or reordered by ${kills} kills under load`, {
  timeout: 400_000,
}, async () => {
  const { bot, directory, sandbox } = await setupLiveBot({ FLOOD_LIMITS_ENABLED: "false" }, [
    "--flood",
    "off",
  ]);
  const random = seededRandom(seed);
  console.log(`seed ${seed}; replay with KILL_SEED=${seed} KILLS=${kills}`);

  bot.start();
  let killing = true;
  const shopping = Promise.all(
    Array.from({ length: buyers }, (_, index) => goShopping(sandbox, firstBuyerId + index)),
  );
  const writing = write(sandbox, () => killing, random);
  for (let kill = 0; kill < kills; kill++) {
    await pause(random() * 1_500);
    await bot.kill();
    bot.start();
  }
  killing = false;
  await writing;
  const bought = await shopping;

  await eventually(
    "every update is confirmed",
    async () => (await sandbox.queue()).pending === 0,
    60_000,
  );
  await eventually("the queue is empty", () => isQueueEmpty(bot), 60_000);
  expect(await bot.stop()).toBe(0);

  const journal = await sandbox.journalAll();
  const facts = await allFacts(sandbox);
  expect(facts.length).toBeGreaterThanOrEqual(writers * textsEach);
  expect(facts.filter((fact) => fact.end !== "confirmed")).toEqual([]);

  const verdicts = Array.from({ length: writers }, (_, index) => {
    const chatId = firstWriterId + index;
    return checkReplies(expectedReplies(index), repliesOf(journal, chatId));
  });
  const summary = {
    missing: verdicts.flatMap((verdict) => verdict.missing),
    violations: verdicts.flatMap((verdict) => verdict.violations),
  };
  const duplicates = verdicts.reduce((sum, verdict) => sum + verdict.ambiguousDuplicates, 0);
  console.log(`${facts.length} updates, ${kills} kills, ${duplicates} ambiguous duplicates`);
  expect(summary).toEqual({ missing: [], violations: [] });

  checkBooks(join(directory, "data", sandboxToken.split(":")[0] ?? ""), bought);
});

/** Every writer sends the same round of commands, each starting at another one. */
async function write(
  sandbox: SandboxClient,
  killing: () => boolean,
  random: () => number,
): Promise<void> {
  for (let turn = 0; turn < textsEach; turn++) {
    for (let index = 0; index < writers; index++) {
      const text = commands[(turn + index) % commands.length] as string;
      await sandbox.write({ userId: firstWriterId + index, text });
    }
    if (killing()) await pause(random() * 1_400);
  }
}

function expectedReplies(index: number): readonly string[] {
  return Array.from({ length: textsEach }, (_, turn) => {
    const text = commands[(turn + index) % commands.length] as string;
    return labelOf[text] as string;
  });
}

function repliesOf(journal: readonly JournalEntry[], chatId: number): readonly SeenReply[] {
  return journal
    .filter((entry) => entry.chatId === chatId && entry.executed && entry.method === "sendMessage")
    .map((entry) => ({
      label: labelOfReply(entry.parameters["text"] ?? ""),
      ambiguous: isAmbiguous(entry),
    }));
}

/** The client may not have learnt of it: no answer, or it was gone right after. */
function isAmbiguous(entry: JournalEntry): boolean {
  return entry.answeredAtMs === null || (entry.clientGoneAfterMs ?? 10_000) < 1_000;
}

function labelOfReply(text: string): string {
  if (/^(Hello|Welcome back)/.test(text)) return "greeting";
  if (text.startsWith("This is what I can do")) return "help";
  if (text.startsWith("Balance:")) return "balance";
  if (text.startsWith("You have no orders")) return "orders";
  if (text.startsWith("I understand commands only")) return "hint";
  return `unknown: ${text}`;
}

interface Bought {
  readonly userId: number;
  /** Different wishes confirmed: a question that came twice asks for the same one. */
  readonly wishes: number;
}

/** Buys the same product until the money is gone, pressing every confirm button twice. */
async function goShopping(sandbox: SandboxClient, userId: number): Promise<Bought> {
  const patience = { timeoutMs: 60_000 };
  await sandbox.write({ userId, text: "/shop" });
  const list = await sandbox.waitForMessage(userId, hasButtons, patience);
  const wishes = new Set<string>();
  let after = list.message_id;
  for (let purchase = 0; purchase < 5; purchase++) {
    await sandbox.press({ userId, chatId: userId, messageId: list.message_id, row: 0, column: 0 });
    const question = await sandbox.waitForMessage(userId, hasButtons, { after, ...patience });
    after = question.message_id;
    wishes.add(JSON.stringify(question.reply_markup));
    const confirm = { userId, chatId: userId, messageId: after, row: 0, column: 0 };
    await sandbox.press(confirm);
    await sandbox.press(confirm).catch(() => {
      // The first press has been answered already, and its button is gone.
    });
    await sandbox.waitForMessage(
      userId,
      (message) => message.message_id === after && message.edit_date !== undefined,
      { after: after - 1, ...patience },
    );
  }
  return { userId, wishes: wishes.size };
}

function hasButtons(message: { readonly reply_markup?: unknown }): boolean {
  return message.reply_markup !== undefined;
}

async function allFacts(sandbox: SandboxClient) {
  const facts = [];
  for (let after = 0; ; ) {
    const page = await sandbox.facts({ after, limit: 5_000 });
    facts.push(...page);
    const last = page.at(-1);
    if (!last || page.length < 5_000) return facts;
    after = last.sequence;
  }
}

/** The ledger after everything: one debit an order, one welcome a user, no balance below zero. */
function checkBooks(dataDirectory: string, bought: readonly Bought[]): void {
  const database = new DatabaseSync(join(dataDirectory, "bot.db"), { readOnly: true });
  const count = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0]);
  try {
    expect(count("SELECT count(*) FROM messages")).toBe(0);
    expect(count("SELECT count(*) FROM dead_letters")).toBe(0);
    expect(count("SELECT count(*) FROM accounts")).toBe(writers + buyers);
    expect(count("SELECT count(*) FROM ledger WHERE kind = 'welcome'")).toBe(writers + buyers);
    expect(count("SELECT count(*) FROM orders")).toBe(
      count("SELECT count(*) FROM ledger WHERE kind = 'purchase'"),
    );
    expect(
      count(
        "SELECT count(*) FROM (SELECT sum(amount_minor) s FROM ledger GROUP BY user_id HAVING s < 0)",
      ),
    ).toBe(0);
    for (const { userId, wishes } of bought) {
      const of = `WHERE user_id = ${userId}`;
      expect(count(`SELECT count(*) FROM orders ${of}`)).toBe(wishes);
      expect(count(`SELECT count(*) FROM ledger ${of} AND kind = 'purchase'`)).toBe(wishes);
    }
  } finally {
    database.close();
  }
}
