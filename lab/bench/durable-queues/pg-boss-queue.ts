/**
 * pg-boss queue: pg-boss with `key_strict_fifo`, which keeps the order of each chat.
 *
 * One loop for each of its two queues fetches as many jobs as there are free places, which was twice as fast as
 * a loop for each place. As in a bot, an update is done when its own handler ends, in one transaction with its
 * reply. In batches, all that were fetched together are done together, so a slow handler would hold up the
 * others; that is the most that pg-boss can do. Jobs have ids of ours that rise, because pg-boss orders what is
 * inserted together by its id.
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
const gatherMs = 5;
/** This share of the places has to be free before more is fetched, because a fetch costs the same for one. */
const freeShareMin = 0.5;
/** Connections of a process, as many as the bot has. */
const connectionsMax = 17;

export const openOnPgBoss: OpenQueue = (setup) => open(setup, false);
export const openOnPgBossInBatches: OpenQueue = (setup) => open(setup, true);

async function open(setup: QueueSetup, batches: boolean): Promise<DurableQueue> {
  const boss = new PgBoss({
    ...{ connectionString: setup.url, schema: "pgboss", schedule: false, max: connectionsMax },
  });
  boss.on("error", setup.fail);
  await boss.start();
  if (setup.process === 0) {
    for (const name of queues) await boss.createQueue(name, { policy: "key_strict_fifo" });
  }
  return new PgBossQueue(boss, setup, batches);
}

type Jobs = readonly Job<Update>[];

class PgBossQueue implements DurableQueue {
  readonly #boss: PgBoss;
  readonly #setup: QueueSetup;
  readonly #batches: boolean;
  readonly #loops: readonly Promise<void>[];
  readonly #wake: Partial<Record<QueueName, () => void>> = {};
  #adding: Promise<void> = Promise.resolve();
  #ids = 0;
  #stopped = false;

  constructor(boss: PgBoss, setup: QueueSetup, batches: boolean) {
    this.#boss = boss;
    this.#setup = setup;
    this.#batches = batches;
    const { concurrency, process: number } = setup;
    const loops = [this.#work("updates", concurrency, (jobs) => this.#handle(jobs))];
    if (number === 0) {
      const sends = concurrency * repliesPerUpdate;
      loops.push(this.#work("replies", sends, (jobs) => this.#send(jobs)));
    }
    this.#loops = loops.map((loop) => loop.catch(setup.fail));
  }

  async add(updates: readonly Update[]): Promise<void> {
    // One after the other, because two insertions under way together can overtake each other.
    this.#adding = this.#adding.then(async () => {
      await this.#boss.insert("updates", this.#jobsOf(updates, texts.update));
      this.#wake.updates?.();
    });
    await this.#adding;
  }

  async close(): Promise<void> {
    this.#stopped = true;
    for (const name of queues) this.#wake[name]?.();
    await Promise.all(this.#loops);
    await this.#boss.stop({ graceful: false });
  }

  async #work(name: QueueName, places: number, work: (jobs: Jobs) => Promise<void>): Promise<void> {
    const running = new Set<Promise<void>>();
    while (!this.#stopped) {
      const woken = new Promise<void>((resolve) => {
        this.#wake[name] = resolve;
      });
      const batchSize = places - running.size;
      const jobs =
        batchSize >= places * freeShareMin
          ? await this.#boss.fetch<Update>(name, { batchSize })
          : [];
      for (const together of this.#batches && jobs.length > 0 ? [jobs] : jobs.map((job) => [job])) {
        const run = work(together)
          .catch(this.#setup.fail)
          .finally(() => running.delete(run));
        running.add(run);
      }
      if (jobs.length === 0) await Promise.race([woken, pause(lookEveryMs)]);
      // There was no more; a fetch for every single job would keep the server busy.
      else if (jobs.length < batchSize) await pause(gatherMs);
      if (this.#batches) await Promise.all(running);
    }
    await Promise.all(running);
  }

  async #handle(jobs: Jobs): Promise<void> {
    const transaction = await this.#boss.getDb().beginTransaction?.();
    if (!transaction) throw new Error("pg-boss has no transactions here");
    const { db } = transaction;
    const replies = jobs.map(({ data }) => data);
    await this.#boss.insert("replies", this.#jobsOf(replies, texts.reply), { db });
    await this.#boss.complete("updates", idsOf(jobs), null, { db });
    await transaction.commit();
    this.#wake.replies?.();
  }

  async #send(jobs: Jobs): Promise<void> {
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

function idsOf(jobs: Jobs): string[] {
  return jobs.map(({ id }) => id);
}
