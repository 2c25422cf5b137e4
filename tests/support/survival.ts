/**
 * Survival: plays updates through a durable bot undisturbed, and then once for every commit and every
 * call to Telegram with a death exactly there.
 */
import { expect } from "vitest";
import type { BotApi } from "../../bot/core/bot-api.ts";
import type { RawUpdate } from "../../bot/core/intake.ts";
import type { JsonObject } from "../../bot/core/message.ts";
import type { Transaction } from "../../bot/core/transaction.ts";
import { shopOf } from "../../bot/shop/sqlite-tables.ts";
import { toUpdateMessage } from "../../bot/telegram/intake/update-message.ts";
import { ada } from "../shop/commands/bot-under-test.ts";
import { bootDurableBot, type MakeBot } from "./durable-bot.ts";
import { QueueMachine } from "./queue-under-test.ts";

interface Executed {
  /** The lane within which the order must hold: the chat, or one query. */
  readonly lane: string;
  readonly label: string;
  /** The message whose text it edits. */
  readonly edits: string | undefined;
  readonly process: number;
}

interface Fate {
  /** The process dies at this commit. */
  readonly atCommit?: number;
  readonly reachedDisk?: boolean;
  /** The process dies after Telegram has executed this many calls, before the answer arrives. */
  readonly afterCall?: number;
}

export interface Scenario {
  readonly makeBot: MakeBot;
  readonly updates: readonly RawUpdate[];
}

/** Runs a scenario in a process that meets its fate and then in one that lives. */
async function play({ makeBot, updates }: Scenario, fate: Fate) {
  const machine = new QueueMachine();
  const executed: Executed[] = [];
  let unconfirmed = [...updates];
  let commits = 0;
  let data: unknown;
  for (const process of [1, 2]) {
    const life: { kill: () => void } = { kill: () => {} };
    const api: BotApi = {
      call: async <T>(method: string, payload: JsonObject) => {
        executed.push({ ...describeCall(method, payload), process });
        if (process === 1 && executed.length === fate.afterCall) {
          life.kill();
          return new Promise<never>(() => {});
        }
        return true as T;
      },
    };
    const { atCommit = Number.POSITIVE_INFINITY, reachedDisk = true } = process === 1 ? fate : {};
    const booted = await bootDurableBot(machine, makeBot, api, { atCommit, reachedDisk }).catch(
      () => undefined,
    );
    if (!booted) continue;
    life.kill = booted.kill;
    const { queue, store } = booted;
    const feed = async () => {
      await queue.start();
      for (const update of [...unconfirmed]) {
        await queue.insertMessageByPriority([toUpdateMessage(update, "42")]);
        unconfirmed = unconfirmed.filter((one) => one !== update);
      }
    };
    // The next process gets again what a death interrupts.
    feed().catch(() => {});
    for (let step = 0; step < 100 && !booted.isDead(); step++) await machine.clock.advance(100);
    commits = booted.commits();
    if (booted.isDead()) continue;
    expect((await queue.snapshot()).counts.dead).toBe(0);
    data = await store.transaction(readData);
    await queue.stop();
    await store.close();
    if (process === 1) break;
  }
  return { commits, executed, data };
}

function describeCall(method: string, payload: JsonObject) {
  const { callback_query_id: query, message_id: messageId, text } = payload;
  const label = `${method}:${String(text ?? messageId ?? "")}`;
  const edits = method.startsWith("edit") ? `${method}:${String(messageId)}` : undefined;
  return { lane: String(query ?? "chat"), label, edits };
}

/** Plays the scenario undisturbed, then with a death at every commit and after every call. */
export async function expectSurvival(scenario: Scenario) {
  const calm = await play(scenario, {});
  expect(calm.executed.length).toBeGreaterThan(2);
  expect(calm.commits).toBeGreaterThan(5);
  const fates: Fate[] = [
    ...calm.executed.map((_, index) => ({ afterCall: index + 1 })),
    ...Array.from({ length: calm.commits }, (_, index) => index + 1).flatMap((atCommit) => [
      { atCommit, reachedDisk: true },
      { atCommit, reachedDisk: false },
    ]),
  ];
  for (const fate of fates) {
    const { data, executed } = await play(scenario, fate);
    expect(withoutExcused(executed), JSON.stringify(fate)).toEqual(withoutExcused(calm.executed));
    expect(data, JSON.stringify(fate)).toEqual(calm.data);
  }
  return calm;
}

/** The replies of a run, in the order in which they were sent. */
export async function replies(scenario: Scenario): Promise<readonly string[]> {
  return (await play(scenario, {})).executed.map(({ label }) => label);
}

/** Everything the bot has stored, without when and by which update. */
async function readData(tx: Transaction) {
  const entries = await shopOf(tx).ledgerEntries(ada.id, 100);
  const sessions = await tx.documents.list<{ data: unknown }>("kit:session");
  return {
    ledger: entries.map(({ amountMinor, kind }) => `${kind}:${amountMinor}`),
    sessions: sessions.map(({ key, value }) => ({ key, data: value.data })),
    notes: await tx.documents.list("notes"),
  };
}

/** Returns the calls by lane, without a call that both processes had to make. */
function withoutExcused(executed: readonly Executed[]): Record<string, readonly string[]> {
  const lanes = Map.groupBy(executed, ({ lane }) => lane);
  const entries = [...lanes].map(([lane, calls]) => {
    // An edit that still waits is replaced by a newer one of the same message.
    const last = calls.filter(
      ({ edits }, index) =>
        edits === undefined || !calls.slice(index + 1).some((later) => later.edits === edits),
    );
    const by = (which: number) =>
      last.filter(({ process }) => process === which).map(({ label }) => label);
    const [first, second] = [by(1), by(2)];
    const repeated = second.length > 0 && second[0] === first.at(-1);
    return [lane, [...first, ...(repeated ? second.slice(1) : second)]] as const;
  });
  return Object.fromEntries(entries);
}
