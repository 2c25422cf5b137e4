/** Queue main: one process of a durable queue, which its bench tells what to do. */
import type { QueueKind } from "../durable-queues/contenders.ts";
import type { OpenQueue } from "../durable-queues/durable-queue.ts";
import { Load } from "../durable-queues/load.ts";
import type { Answer, Order, ProcessOptions } from "../durable-queues/queue-process.ts";

/** Only what is measured is loaded, because the memory is measured too. */
async function loaded(kind: QueueKind): Promise<OpenQueue> {
  switch (kind) {
    case "sqlite":
      return (await import("../durable-queues/our-queue.ts")).openOnSqlite;
    case "postgres":
      return (await import("../durable-queues/our-queue.ts")).openOnPostgres;
    case "pg-boss":
      return (await import("../durable-queues/pg-boss-queue.ts")).openOnPgBoss;
    case "pg-boss-batches":
      return (await import("../durable-queues/pg-boss-queue.ts")).openOnPgBossInBatches;
    case "bare":
      return (await import("../durable-queues/bare-queue.ts")).openBare;
  }
}

const options = JSON.parse(process.argv[2] ?? "{}") as ProcessOptions;
const load = new Load(options.chats);
const open = await loaded(options.kind);
const queue = await open({ ...options, send: load.sent, fail });

function fail(error: unknown): void {
  process.stderr.write(`${options.kind}, process ${options.process}: ${String(error)}\n`);
  process.exit(1);
}

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case "fill":
      return load.fill(queue, order.waiting, order.seconds);
    case "pace":
      return load.pace(queue, order.perSecond, order.seconds);
    case "end":
      await queue.close();
      return load.faults;
  }
}

process.on("message", (order: Order) => {
  obey(order).then((result) => {
    process.send?.({ result } satisfies Answer);
    if (order.do === "end") process.disconnect();
  }, fail);
});
// Whoever wanted the figures has gone.
process.on("disconnect", () => process.exit());
process.send?.({ result: "ready" } satisfies Answer);
