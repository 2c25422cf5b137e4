/** Queue under test: runs the real queue on the real store with a manual clock. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { BotEvent } from "../../bot/core/events.ts";
import { Holds } from "../../bot/core/holds.ts";
import type { MessageType, NewMessage } from "../../bot/core/message.ts";
import type { MessageHandler } from "../../bot/core/message-handler.ts";
import { shop } from "../../bot/shop/module.ts";
import { SqliteStore } from "../../bot/storage/sqlite/sqlite-store.ts";
import { MessageQueue, type MessageQueueDeps } from "../../bot/utils/message-queue.ts";
import {
  type CrashPlan,
  crashAsPlanned,
  SimulatedDisk,
} from "../../lab/simulation/simulated-disk.ts";
import { keysOf } from "./encryption-keys.ts";
import { ManualClock } from "./manual-clock.ts";

/** Uses a memory file system if there is one, because only the order of writes matters here. */
const temporary = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const immortal: CrashPlan = { atCommit: Number.POSITIVE_INFINITY, reachedDisk: true };

export type Handle = MessageHandler["handle"];

/** One process: a queue on a store. */
export interface QueueProcess {
  readonly queue: MessageQueue;
  readonly store: SqliteStore;
  readonly events: BotEvent[];
  /** Acts like `kill -9`: uncommitted work is lost, and code still running can change nothing. */
  readonly kill: () => void;
  readonly isDead: () => boolean;
  /** Returns the number of commits so far. */
  readonly commits: () => number;
}

type Overrides = Partial<MessageQueueDeps> | ((store: SqliteStore) => Partial<MessageQueueDeps>);

/** Provides a data directory and a clock for several processes, one after another. */
export class QueueMachine {
  readonly clock = new ManualClock();
  readonly directory = mkdtempSync(join(temporary, "queue-"));

  constructor() {
    onTestFinished(() => rmSync(this.directory, { recursive: true, force: true }));
  }

  /**
   * Creates a process whose store is open and whose queue is not started yet.
   *
   * @param overrides Parts of the queue; a function if they need the store.
   */
  async boot(overrides: Overrides = {}, plan: CrashPlan = immortal): Promise<QueueProcess> {
    const disk = new SimulatedDisk(crashAsPlanned(plan));
    const events: BotEvent[] = [];
    const publish = (event: BotEvent) => events.push(event);
    const { clock } = this;
    const store = new SqliteStore({
      directory: this.directory,
      clock,
      publish,
      onFatal: () => {},
      keys: keysOf("the key"),
      tableSets: shop.tables ?? [],
      backupsKept: 3,
      dedupeKeepMs: 60_000,
      laneLengthMax: 1_000,
      openDatabase: disk.open,
    });
    await store.open();
    const queue = new MessageQueue({
      clock,
      store,
      publish,
      holds: new Holds(clock),
      random: () => 0.5,
      handlers: handlers({}),
      gates: {},
      concurrency: 10,
      attemptsMax: 5,
      backoff: { initialMs: 1_000, maxMs: 60_000 },
      handlerTimeoutMs: 30_000,
      handlerSlowMs: 5_000,
      lengthMax: 100,
      deadLettersKeepMs: 86_400_000,
      ...(typeof overrides === "function" ? overrides(store) : overrides),
    });
    onTestFinished(async () => {
      if (disk.dead) return;
      await queue.stop();
      await store.close();
    });
    return {
      queue,
      store,
      events,
      kill: () => disk.kill(),
      isDead: () => disk.dead,
      commits: () => disk.commits,
    };
  }

  /** Creates a process whose queue is running. */
  async start(overrides: Overrides = {}): Promise<QueueProcess> {
    const process = await this.boot(overrides);
    await process.queue.start();
    return process;
  }
}

/** Returns handlers for every type; those not given finish at once. */
export function handlers(
  given: Partial<Record<MessageType, Handle | Partial<MessageHandler>>>,
): Record<MessageType, MessageHandler> {
  const complete = (handler: Handle | Partial<MessageHandler> | undefined): MessageHandler => ({
    onRetry: "hold",
    handle: async () => ({ kind: "done" }),
    ...(typeof handler === "function" ? { handle: handler } : handler),
  });
  return {
    update: complete(given.update),
    task: complete(given.task),
    send: complete(given.send),
    broadcast: complete(given.broadcast),
    alert: complete(given.alert),
  };
}

/** Returns an update from chat `lane` with this text. */
export function update(lane: string, text: string, more: Partial<NewMessage> = {}): NewMessage {
  const payload = { text };
  return { type: "update", pool: "handling", lane, priority: "normal", payload, ...more };
}

/** Returns a send to chat `lane`. */
export function send(lane: string, text: string, more: Partial<NewMessage> = {}): NewMessage {
  return update(lane, text, { type: "send", pool: "sending", ...more });
}
