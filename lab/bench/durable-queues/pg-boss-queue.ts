/**
 * pg-boss queue: pg-boss with `key_strict_fifo`, which keeps the order of each chat, used in the fastest way
 * that we found.
 *
 * One loop for each of its two queues fetches a whole batch; a batch is done, and its replies are queued, in
 * one transaction. Jobs have ids of ours that rise, because pg-boss orders what is inserted together by its id.
 */
import { type Job, PgBoss } from "pg-boss";
import { pause } from "../../drill/bot-process.ts";
import {
  type DurableQueue,
  type OpenQueue,
  type QueueSetup,
  repliesPerUpdate,
  texts,
  type Update,
} from "./durable-queue.ts";

const queues = ["updates", "replies"] as const;
type QueueName = (typeof queues)[number];

/** Pause before the next look for what another process has queued. */
const lookEveryMs = 20;

export const openOnPgBoss: OpenQueue = async (setup) => {
  const boss = new PgBoss({ connectionString: setup.url, schema: "pgboss", schedule: false });
  boss.on("error", setup.fail);
  await boss.start();
  if (setup.process === 0) {
    for (const name of queues) await boss.createQueue(name, { policy: "key_strict_fifo" });
  }
  return new PgBossQueue(boss, setup);
};

class PgBossQueue implements DurableQueue {
  readonly #boss: PgBoss;
  readonly #setup: QueueSetup;
  readonly #loops: readonly Promise<void>[];
  #ids = 0;
  #stopped = false;
  readonly #wake: Partial<Record<QueueName, () => void>> = {};

  constructor(boss: PgBoss, setup: QueueSetup) {
    this.#boss = boss;
    this.#setup = setup;
    const { concurrency, process: number } = setup;
    const loops = [this.#work("updates", concurrency, (jobs) => this.#handle(jobs))];
    if (number === 0) {
      const sends = concurrency * repliesPerUpdate;
      loops.push(this.#work("replies", sends, (jobs) => this.#send(jobs)));
    }
    this.#loops = loops.map((loop) => loop.catch(setup.fail));
  }

  async add(updates: readonly Update[]): Promise<void> {
    await this.#boss.insert("updates", this.#jobsOf(updates, texts.update));
    this.#wake.updates?.();
  }

  async close(): Promise<void> {
    this.#stopped = true;
    for (const name of queues) this.#wake[name]?.();
    await Promise.all(this.#loops);
    await this.#boss.stop({ graceful: false });
  }

  async #work(
    name: QueueName,
    batchSize: number,
    work: (jobs: readonly Job<Update>[]) => Promise<void>,
  ): Promise<void> {
    while (!this.#stopped) {
      const woken = new Promise<void>((resolve) => {
        this.#wake[name] = resolve;
      });
      const jobs = await this.#boss.fetch<Update>(name, { batchSize });
      if (jobs.length > 0) await work(jobs);
      else await Promise.race([woken, pause(lookEveryMs)]);
    }
  }

  async #handle(jobs: readonly Job<Update>[]): Promise<void> {
    const transaction = await this.#boss.getDb().beginTransaction?.();
    if (!transaction) throw new Error("pg-boss has no transactions here");
    const { db } = transaction;
    const replies = jobs.map(({ data }) => data);
    await this.#boss.insert("replies", this.#jobsOf(replies, texts.reply), { db });
    await this.#boss.complete("updates", idsOf(jobs), null, { db });
    await transaction.commit();
    this.#wake.replies?.();
  }

  async #send(jobs: readonly Job<Update>[]): Promise<void> {
    for (const { data } of jobs) this.#setup.send(data);
    await this.#boss.complete("replies", idsOf(jobs));
  }

  #jobsOf(updates: readonly Update[], text: string) {
    return updates.map(({ atMs, chat, number }) => ({
      id: this.#nextId(),
      data: { atMs, chat, number, text },
      singletonKey: `chat:${chat}`,
    }));
  }

  /** A UUID of version 7 whose instant is followed by a counter: ids of a process rise. */
  #nextId(): string {
    const instant = Date.now().toString(16).padStart(12, "0");
    const count = (this.#ids++ % 2 ** 48).toString(16).padStart(12, "0");
    const middle = `7${count.slice(0, 3)}-8${count.slice(3, 6)}`;
    const last = `${count.slice(6)}${this.#setup.process.toString(16).padStart(6, "0")}`;
    return `${instant.slice(0, 8)}-${instant.slice(8)}-${middle}-${last}`;
  }
}

function idsOf(jobs: readonly Job<Update>[]): string[] {
  return jobs.map(({ id }) => id);
}
