/** Our queue: the bot's own message queue on one of its stores, without Telegram. */
import { systemClock, systemRandom } from "../../../bot/core/clock.ts";
import type { EncryptionKeys } from "../../../bot/core/encryption-keys.ts";
import { Holds } from "../../../bot/core/holds.ts";
import type { MessageType, NewMessage } from "../../../bot/core/message.ts";
import type { MessageHandler } from "../../../bot/core/message-handler.ts";
import { Secret } from "../../../bot/core/secret.ts";
import type { Store } from "../../../bot/core/store.ts";
import { PostgresStore } from "../../../bot/storage/postgres/postgres-store.ts";
import { SqliteStore } from "../../../bot/storage/sqlite/sqlite-store.ts";
import { MessageQueue } from "../../../bot/utils/message-queue.ts";
import {
  type DurableQueue,
  type OpenQueue,
  type QueueSetup,
  texts,
  type Update,
} from "./durable-queue.ts";

const key = new Secret(Buffer.alloc(32, "bench").toString("base64"));
const keys: EncryptionKeys = { find: () => key, previous: undefined, create: () => key };
const laneLengthMax = 100_000;

export const openOnPostgres: OpenQueue = async (setup) => {
  const { dedupeKeepMs, fail, process: number, url } = setup;
  const store = new PostgresStore({
    ...{ url: new Secret(url), schema: "bot", clock: systemClock, publish: () => {} },
    ...{ onFatal: fail, keys, tableSets: [], dedupeKeepMs, laneLengthMax },
    ...{ name: `process ${number}`, version: "bench" },
  });
  return openOn(store, setup);
};

export const openOnSqlite: OpenQueue = async (setup) => {
  const { dedupeKeepMs, fail, url: directory } = setup;
  const store = new SqliteStore({
    ...{ directory, keys, clock: systemClock, publish: () => {}, onFatal: fail },
    ...{ tableSets: [], backupsKept: 1, dedupeKeepMs, laneLengthMax },
  });
  return openOn(store, setup);
};

async function openOn(store: Store, { concurrency, send }: QueueSetup): Promise<DurableQueue> {
  await store.open();
  const holds = new Holds(systemClock);
  const queue = new MessageQueue({
    ...{ clock: systemClock, random: systemRandom, publish: () => {}, store, holds, gates: {} },
    handlers: handlersOf(send),
    concurrency,
    attemptsMax: 5,
    backoff: { initialMs: 1_000, maxMs: 60_000 },
    handlerTimeoutMs: 30_000,
    handlerSlowMs: 5_000,
    lengthMax: 1_000_000,
    deadLettersKeepMs: 86_400_000,
  });
  await takeRoles(store, queue, holds);
  await queue.start();
  let received = 0;
  return {
    add: async (updates) => {
      await queue.insertMessageByPriority(updates.map((update) => received1(update, received++)));
    },
    close: async () => {
      await queue.stop();
      await store.close();
    },
  };
}

/** The first process that asks sends for all, as in the bot. */
async function takeRoles({ shared }: Store, queue: MessageQueue, holds: Holds): Promise<void> {
  if (!shared) return;
  const { roles } = shared;
  const reason = "another process sends";
  holds.add({
    kind: "other-process",
    targets: ["sending"],
    look: () => (roles.has("sending") ? undefined : { limit: 0, sinceMs: 0, reason }),
  });
  roles.start({ gaining: async () => {}, changed: () => queue.wake("sending") });
}

function received1({ atMs, chat, number }: Update, id: number): NewMessage {
  return {
    ...{ type: "update", pool: "handling", lane: `chat:${chat}`, priority: "normal" },
    payload: { chat, number, atMs, text: texts.update },
    dedupeKeys: [`update:${id}`],
  };
}

function handlersOf(send: QueueSetup["send"]): Readonly<Record<MessageType, MessageHandler>> {
  const none: MessageHandler = { onRetry: "hold", handle: async () => ({ kind: "done" }) };
  const update: MessageHandler = {
    onRetry: "hold",
    handle: async ({ message: { lane, payload } }) => ({
      kind: "done",
      enqueue: [
        {
          ...{ type: "send", pool: "sending", lane, priority: "normal" },
          payload: { ...payload, text: texts.reply },
        },
      ],
    }),
  };
  const reply: MessageHandler = {
    onRetry: "hold",
    handle: async ({ message }) => {
      send(message.payload as unknown as Update);
      return { kind: "done" };
    },
  };
  return { update, task: none, send: reply, broadcast: none, alert: none };
}
