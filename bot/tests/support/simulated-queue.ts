/**
 * Simulated queue: the real queue over the real store, with time, chance and deaths from a seed.
 *
 * A run feeds updates of a few chats, lets handlers and sends fail, and lets the process die at
 * random commits. Afterwards nothing fails any more and everything has to drain.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject, NewMessage } from "../../contracts/message.ts";
import type { Attempt, HandlerResult } from "../../contracts/message-handler.ts";
import { openNodeSqlite } from "../../storage/sqlite-driver.ts";
import { SqliteStore } from "../../storage/sqlite-store.ts";
import { MessageQueue } from "../../utils/message-queue.ts";
import { CrashingDatabases, type CrashPlan } from "./crashing-database.ts";
import { ManualClock } from "./manual-clock.ts";
import { seededRandom } from "./seeded-random.ts";
import type { History } from "./simulated-history.ts";

const chats = 3;
const updatesPerChat = 6;
/** One below the number of deaths that make an update poison. */
const deaths = 2;
const stepMs = 50;
/** Steps in which a living process has to be done. */
const stepsMax = 2_000;
/** A memory file system where there is one: only the order of writes matters here. */
const temporary = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Runs one seed. @returns what happened. */
export async function simulate(seed: number): Promise<History> {
  const directory = mkdtempSync(join(temporary, "simulation-"));
  try {
    return await new Simulation(seed, directory).run();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

class Simulation {
  readonly #random: () => number;
  readonly #directory: string;
  readonly #sent: { key: string; chat: number; process: number }[] = [];
  #epochMs = Date.UTC(2026, 0, 1);
  #process = 0;
  #effects = 0;
  #unconfirmed = createUpdates();

  constructor(seed: number, directory: string) {
    this.#random = seededRandom(seed);
    this.#directory = directory;
  }

  async run(): Promise<History> {
    for (let death = 0; death < deaths; death++) {
      const atCommit = 2 + Math.floor(this.#random() * 40);
      await this.#live({ atCommit, reachedDisk: this.#random() < 0.5 });
    }
    const left = await this.#live({ atCommit: Number.POSITIVE_INFINITY, reachedDisk: true });
    const expected = Array.from({ length: chats }, (_, chat) =>
      Array.from({ length: updatesPerChat }, (__, number) => `${chat}:${number}`),
    );
    return { expected, effects: this.#readEffects(), sent: this.#sent, left };
  }

  /** One process from its start to its death, or until nothing is left to do. */
  async #live(plan: CrashPlan): Promise<number> {
    this.#process++;
    const clock = new ManualClock(this.#epochMs);
    const databases = new CrashingDatabases(plan);
    const store = this.#createStore(clock, databases);
    const queue = this.#createQueue(clock, store, databases, this.#process);
    const work = async () => {
      await store.open();
      await queue.start();
      await this.#feed(queue);
    };
    let failed = false;
    // What the death interrupts, the next process does again.
    void work().catch(() => {
      failed = true;
    });
    let left = Number.NaN;
    for (let step = 0; step < stepsMax && !databases.dead; step++) {
      await clock.advance(stepMs);
      if (this.#unconfirmed.length > 0 || failed) continue;
      const asked = queue.snapshot().catch(() => undefined);
      await clock.advance(0);
      const pools = Object.values((await asked)?.pools ?? {});
      left = pools.reduce((sum, pool) => sum + pool.waiting + pool.inHand, 0);
      if (left === 0) break;
    }
    this.#epochMs = clock.epochMs() + 1_000;
    if (databases.dead) return left;
    const stopped = queue.stop().then(() => store.close());
    await clock.advance(stepMs);
    await stopped;
    return left;
  }

  #createStore(clock: ManualClock, databases: CrashingDatabases): SqliteStore {
    return new SqliteStore({
      directory: this.#directory,
      clock,
      publish: () => {},
      onFatal: () => {},
      backupsKept: 3,
      dedupeKeepMs: 86_400_000,
      laneLengthMax: 1_000,
      openDatabase: databases.open,
    });
  }

  #createQueue(
    clock: ManualClock,
    store: SqliteStore,
    databases: CrashingDatabases,
    process: number,
  ): MessageQueue {
    const update = {
      onRetry: "hold" as const,
      handle: (attempt: Attempt) => this.#handle(attempt),
    };
    const send = {
      onRetry: "hold" as const,
      handle: async ({ message }: Attempt): Promise<HandlerResult> => {
        await clock.sleep(this.#random() * 100, new AbortController().signal);
        if (this.#random() < 0.1) throw new Error("not sent");
        if (databases.dead) return { kind: "done" };
        const { chat, key } = message.payload as { chat: number; key: string };
        this.#sent.push({ chat, key, process });
        return { kind: "done" };
      },
    };
    return new MessageQueue({
      clock,
      store,
      random: this.#random,
      publish: () => {},
      handlers: { update, send, broadcast: send, alert: send },
      gates: {},
      concurrency: 4,
      attemptsMax: 1_000,
      backoff: { initialMs: 50, maxMs: 400 },
      handlerTimeoutMs: 600_000,
      handlerSlowMs: 5_000,
      lengthMax: 1_000,
      deadLettersKeepMs: 86_400_000,
    });
  }

  async #handle({ message, step }: Attempt): Promise<HandlerResult> {
    const { chat, key } = message.payload as { chat: number; key: string };
    if (this.#random() < 0.1) throw new Error("before the step");
    await step(
      "effect",
      async ({ shop, nowEpochMs }) => {
        await shop.insertAccount({ userId: chat + 1, createdAtEpochMs: nowEpochMs });
        await shop.appendLedgerEntry({
          userId: chat + 1,
          amountMinor: 1,
          kind: "welcome",
          // Never the same twice, so that a second effect is not swallowed as a duplicate.
          reference: `${key}#${this.#effects++}`,
          createdAtEpochMs: nowEpochMs,
        });
        return key;
      },
      () => [reply(chat, `${key}/step`)],
    );
    if (this.#random() < 0.1) throw new Error("after the step");
    return { kind: "done", enqueue: [reply(chat, `${key}/done`)] };
  }

  /** As Telegram does: a batch that was not confirmed comes again. */
  async #feed(queue: MessageQueue): Promise<void> {
    while (this.#unconfirmed.length > 0) {
      const batch = this.#unconfirmed.slice(0, 4);
      await queue.insertMessageByPriority(batch);
      this.#unconfirmed = this.#unconfirmed.slice(batch.length);
    }
  }

  #readEffects(): { chat: number; key: string }[] {
    const database = openNodeSqlite(join(this.#directory, "bot.db"), { readOnly: true });
    try {
      return database
        .prepare("SELECT user_id, reference FROM ledger ORDER BY id")
        .all<{ user_id: number; reference: string }>()
        .map((row) => ({ chat: row.user_id - 1, key: String(row.reference.split("#")[0]) }));
    } finally {
      database.close();
    }
  }
}

function createUpdates(): NewMessage[] {
  const numbers = Array.from({ length: updatesPerChat }, (_, number) => number);
  return numbers.flatMap((number) =>
    Array.from({ length: chats }, (_, chat): NewMessage => {
      const key = `${chat}:${number}`;
      const payload: JsonObject = { chat, key };
      const lane = `chat:${chat}`;
      const dedupeKeys = [`update:${key}`];
      return { type: "update", pool: "handling", lane, priority: "normal", payload, dedupeKeys };
    }),
  );
}

function reply(chat: number, key: string): NewMessage {
  const payload: JsonObject = { chat, key };
  return { type: "send", pool: "sending", lane: `chat:${chat}`, priority: "normal", payload };
}
