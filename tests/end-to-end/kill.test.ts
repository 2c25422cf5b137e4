/**
 * The main job under `kill -9`: people write, press and buy while the process dies again and again.
 *
 * It runs the production profile: no protective device is switched off, and Telegram's limits hold.
 * Judged from outside: the sandbox's journal and facts, and the database after every death and after the
 * last stop.
 */
import { join } from "node:path";
import { expect, onTestFailed, test } from "vitest";
import { existingKeysIn } from "../../bot/config/key-file.ts";
import { RowReader } from "../../bot/storage/sqlite/row-reader.ts";
import { eventually, nowMs, type OutputLine, pause } from "../../lab/drill/bot-process.ts";
import { productionProfile } from "../../lab/drill/production-profile.ts";
import { witnessEnd } from "../../lab/drill/witness.ts";
import { checkHistory } from "../../lab/history/checker.ts";
import {
  checkBooks,
  historyFromDatabase,
  type ReadTable,
} from "../../lab/history/from-database.ts";
import {
  type Expectation,
  historyFromJournal,
  type NamedCall,
  type WitnessedEnd,
} from "../../lab/history/from-journal.ts";
import { recordsOf } from "../../lab/history/history.ts";
import { seededRandom } from "../../lab/simulation/seeded-random.ts";
import type { SandboxClient } from "../../sandbox/client.ts";
import type { UpdateFact } from "../../sandbox/control-api.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { isQueueEmpty, setupLiveBot } from "../support/live-bot.ts";

const seed = Number(process.env["KILL_SEED"] ?? 20_261_124);
const kills = Number(process.env["KILLS"] ?? 50);
const writers = 30;
const textsEach = 30;
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
  const { bot, directory, sandbox } = await setupLiveBot(productionProfile);
  onTestFailed(() => {
    const givenUp = bot.lines.filter(({ text }) => text.includes('"message.dead-lettered"'));
    console.log(givenUp.map(({ text }) => text).join("\n"));
    console.log(`updates found in hand, by their deaths: ${JSON.stringify(suspicions(bot.lines))}`);
    console.log(bot.output.slice(-5_000));
  });
  const random = seededRandom(seed);
  console.log(`seed ${seed}; replay with KILL_SEED=${seed} KILLS=${kills}`);

  const data = join(directory, "data");
  const botDirectory = join(data, sandboxToken.split(":")[0] ?? "");
  const ends: WitnessedEnd[] = [];
  bot.start();
  let killing = true;
  const shopping = Promise.all(
    Array.from({ length: buyers }, (_, index) => goShopping(sandbox, firstBuyerId + index)),
  );
  const writing = write(sandbox, () => killing, random);
  for (let kill = 0; kill < kills; kill++) {
    // Every fifth kill may meet a start. More in a row would quarantine updates that a start has in hand,
    // as it should after three deaths.
    if (kill % 5 !== 4) await bot.monitoringUrl();
    await pause(random() * 1_500);
    await bot.kill();
    ends.push(witnessEnd(botDirectory, nowMs()));
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

  const rows = new RowReader(join(botDirectory, "bot.db"), existingKeysIn(data));
  const read: ReadTable = (table) => rows.all(`SELECT * FROM ${table} ORDER BY 1`);
  try {
    const at = Math.max(...journal.map(({ arrivedAtMs }) => arrivedAtMs));
    const names = { reply: nameOfReply, expectation: expectations(facts, bought) };
    const sent = historyFromJournal(journal, facts, names, ends);
    const { counts, findings } = checkHistory(
      [
        ...sent,
        ...historyFromDatabase(read, { at, reply: (method) => method }),
        { at, kind: "drained" },
      ],
      { limits: null },
    );
    const excused = recordsOf(sent, "executed").filter(({ ambiguous }) => ambiguous).length;
    const inHand = ends.flatMap((end) => end.inHand ?? []).length;
    console.log(`${kills} kills, ${inHand} sends in hand, ${excused} of them made`);
    console.log(`updates found in hand, by their deaths: ${JSON.stringify(suspicions(bot.lines))}`);
    console.log(JSON.stringify(counts));
    expect(ends.filter((end) => end.inHand === undefined).length).toBeLessThan(kills / 10);
    expect([...findings, ...checkBooks(read)]).toEqual([]);
    expect(read("dead_letters")).toEqual([]);
    expect(read("accounts")).toHaveLength(writers + buyers);
  } finally {
    rows.close();
  }
});

/** How often an update was found in hand at a start, by the deaths it had seen then. */
function suspicions(lines: readonly OutputLine[]): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { text } of lines) {
    if (!text.includes('"message.recovered"') || !text.includes('"pool":"handling"')) continue;
    const deaths = /"deaths":(\d+)/.exec(text)?.[1] ?? "unknown";
    found[deaths] = (found[deaths] ?? 0) + 1;
  }
  return found;
}

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
    if (killing()) await pause(random() * 6_000);
  }
}

/** What each update has to cause: of writers the replies, of buyers the money, which any may move. */
function expectations(
  facts: readonly UpdateFact[],
  bought: readonly Bought[],
): (fate: { readonly updateId: number }) => Expectation {
  const wishes = new Map(bought.map(({ keys, userId }) => [userId, keys]));
  const known = new Map<number, Expectation>();
  for (const [chatId, ofChat] of Map.groupBy(facts, (fact) => fact.chatId ?? 0)) {
    for (const [turn, { updateId }] of ofChat.entries()) {
      const text = commands[(turn + chatId - firstWriterId) % commands.length] as string;
      const purchases = [...(wishes.get(chatId) ?? [])].map((key) => `purchase:${chatId}:${key}`);
      known.set(updateId, {
        effects: turn === 0 ? [`welcome:${chatId}`, ...purchases] : [],
        ...(wishes.has(chatId) ? {} : { replies: [labelOf[text] as string] }),
      });
    }
  }
  return ({ updateId }) => known.get(updateId) ?? {};
}

function nameOfReply({ method, parameters }: NamedCall): string | undefined {
  return method === "sendMessage" ? labelOfReply(parameters["text"] ?? "") : undefined;
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
  /** Keys of the wishes confirmed: a question that came twice asks for the same one. */
  readonly keys: ReadonlySet<string>;
}

/** A list that a death has sent twice has buttons, too, but none that buys. */
function isQuestion({ reply_markup: markup }: { reply_markup?: unknown }): boolean {
  return JSON.stringify(markup ?? "").includes("buy:");
}

/** Buys the same product until the money is gone, pressing every confirm button twice. */
async function goShopping(sandbox: SandboxClient, userId: number): Promise<Bought> {
  // Between kills there is little time, so people wait until the last one.
  const patience = { timeoutMs: 300_000 };
  await sandbox.write({ userId, text: "/shop" });
  const list = await sandbox.waitForMessage(userId, hasButtons, patience);
  const keys = new Set<string>();
  let after = list.message_id;
  for (let purchase = 0; purchase < 5; purchase++) {
    await sandbox.press({ userId, chatId: userId, messageId: list.message_id, row: 0, column: 0 });
    const question = await sandbox.waitForMessage(userId, isQuestion, { after, ...patience });
    after = question.message_id;
    const data = /buy:[^:]*:[^:]*:[^"]*/.exec(JSON.stringify(question.reply_markup))?.[0] ?? "";
    keys.add(data.split(":")[3] ?? "");
    // Named by its data: at the same place the receipt has a button that cancels.
    const confirm = { userId, chatId: userId, messageId: after, data };
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
  return { userId, keys };
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
