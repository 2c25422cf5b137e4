/**
 * Launcher: the composition root, the one place where parts are made and joined. Read it first.
 *
 * It reads top to bottom as the architecture: memory, the way out to Telegram, the bot, the queue
 * between them, the way in, and what watches over all of it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MonitoringServer } from "./api/monitoring.ts";
import { commandList, failureNotice } from "./commands/texts.ts";
import type { FaultToleranceConfig } from "./config/fault-tolerance-config.ts";
import { type Clock, type Random, systemClock, systemRandom } from "./contracts/clock.ts";
import type { Component } from "./contracts/component.ts";
import type { BotError } from "./contracts/errors.ts";
import type { BotEvent, Publish } from "./contracts/events.ts";
import type { Message, MessageType, NewMessage } from "./contracts/message.ts";
import type { MessageHandler } from "./contracts/message-handler.ts";
import type { Secret } from "./contracts/secret.ts";
import type { Store } from "./contracts/store.ts";
import { createBot } from "./index.ts";
import { parseCatalogue } from "./shop/catalogue.ts";
import { SqliteStore } from "./storage/sqlite-store.ts";
import { BotApiClient } from "./telegram/bot-api-client.ts";
import { Breaker } from "./telegram/breaker.ts";
import { registerCommandMenus } from "./telegram/command-menu.ts";
import { Delivery } from "./telegram/delivery.ts";
import { FloodGate } from "./telegram/flood-gate.ts";
import { Identity } from "./telegram/identity.ts";
import { chatIdOf, languageCodeOf } from "./telegram/incoming.ts";
import { toOutgoingMessage } from "./telegram/outgoing.ts";
import { Polling } from "./telegram/polling.ts";
import { createContextType, type Recorders } from "./telegram/recorded-context.ts";
import { DirectCalls } from "./telegram/recorded-telegram.ts";
import { UpdateHandler } from "./telegram/update-handler.ts";
import { FaultToleranceManager } from "./utils/fault-tolerance-manager.ts";
import { HealthMonitor } from "./utils/health-monitor.ts";
import { BotLogger, createEventBus, withCorrelation } from "./utils/logger.ts";
import { callsPerUpdate, MessageQueue } from "./utils/message-queue.ts";

/** What may be replaced from outside: by tests, and by `start.ts` for the sandbox. */
export interface Parts {
  readonly clock: Clock;
  readonly random: Random;
  readonly token: Secret;
  readonly apiRoot: string;
  /** Hears every event, beside the log. */
  readonly onEvent: (event: BotEvent) => void;
  /** The disk can no longer be trusted; the process must end with exit code 74. */
  readonly onFatal: (error: BotError) => void;
}

/** A running bot. */
export interface Running {
  readonly botId: string;
  /** Base address of the monitoring API. */
  readonly monitoringUrl: string;
  readonly log: BotLogger;
  readonly queue: MessageQueue;
  readonly store: Store;
  readonly publish: Publish;
  /**
   * Takes nothing new, finishes what is in hand under the configured deadline, stops everything.
   *
   * @returns what was left unfinished; it is in the queue, and continues at the next start.
   */
  stop(reason: string): Promise<readonly string[]>;
}

/** Starts the bot. Rejects with the `BotError` of what could not start; then nothing is left. */
export async function launch(
  config: FaultToleranceConfig,
  parts: Partial<Parts> & Pick<Parts, "token" | "onFatal">,
): Promise<Running> {
  const { clock = systemClock, random = systemRandom, token, onFatal, onEvent } = parts;
  const apiRoot = parts.apiRoot ?? config.telegram.apiRoot;
  const botId = String(token.reveal().split(":")[0]);
  const log = new BotLogger({ ...config.log, clock, profile: config.lifecycle.profile });
  const publish = createEventBus([log.listener, ...(onEvent ? [onEvent] : [])], log);
  const base = { clock, random, publish };

  const store = createStore(config, botId, { ...base, onFatal });
  const outward = createWayOut(config, {
    ...base,
    store,
    token,
    apiRoot,
    wake: () => wakeSending(),
  });
  const bot = createHandledBot(config, { ...base, ...outward, token, apiRoot, store });
  const send = outward.delivery;
  const handlers = { update: bot.handler, send, broadcast: send, alert: send };
  const queue = createQueue(config, { ...base, store, handlers, ...outward });
  const wakeSending = () => {
    queue.wake("sending");
    queue.wake("answering");
  };
  const polling = new Polling({
    ...base,
    botId,
    api: outward.client,
    pollTimeoutSeconds: config.intake.pollTimeoutSeconds,
    accept: (messages) => queue.insertMessageByPriority(messages),
    room: () => queue.room(),
    onPoll: () => outward.breaker.signOfLife(),
  });
  const { health, api } = createWatch(config, { ...base, store, queue, polling, ...outward });

  const manager = new FaultToleranceManager({
    clock,
    publish,
    components: [
      storage(store, publish),
      outward.component,
      bot.identity,
      queue,
      commandMenu(store, queue, clock),
      polling,
      health,
      api,
    ],
  });
  await manager.start();
  return {
    botId,
    monitoringUrl: api.url,
    log,
    queue,
    store,
    publish,
    stop: async (reason) => {
      publish({ type: "process.stopping", reason });
      const deadline = new AbortController();
      const drained = new AbortController();
      void clock
        .sleep(config.lifecycle.drainDeadlineMs, drained.signal)
        .then(() => deadline.abort());
      const left = await manager.drain(deadline.signal);
      drained.abort();
      await manager.stop();
      await log.close();
      return left;
    },
  };
}

interface Base {
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
}

function createStore(
  config: FaultToleranceConfig,
  botId: string,
  deps: Base & Pick<Parts, "onFatal">,
): Store {
  return new SqliteStore({
    ...deps,
    // A directory a bot, so that two tokens never share a queue.
    directory: join(config.storage.directory, botId),
    dedupeKeepMs: config.storage.dedupeKeepMs,
    laneLengthMax: config.queue.laneLengthMax,
  });
}

/** Client, breaker, flood control, delivery: everything between the queue and Telegram. */
function createWayOut(
  config: FaultToleranceConfig,
  deps: Base & { store: Store; token: Secret; apiRoot: string; wake: () => void },
) {
  const { telegram, queue } = config;
  const client = new BotApiClient({
    token: deps.token,
    apiRoot: deps.apiRoot,
    clock: deps.clock,
    deadlineMs: telegram.callDeadlineMs,
    // Sending, answering, handlers' own questions, the long poll and a probe.
    connections: queue.concurrency * (2 * callsPerUpdate + 1) + 2,
    ...(telegram.httpsProxy !== undefined && { httpsProxy: telegram.httpsProxy }),
  });
  const breaker = new Breaker({ ...deps, api: client, onChange: deps.wake });
  const gate = new FloodGate({
    ...deps,
    limits: {
      enabled: config.flood.enabled,
      chatBurst: config.flood.chatBurst,
      groupPerMinute: config.flood.groupPerMinute,
      totalPerSecond: config.flood.totalPerSecond,
    },
    isOpen: () => breaker.closed,
  });
  const delivery = new Delivery({ ...deps, api: breaker, gate, facts: deps.store });
  const component: Component = {
    name: "telegram",
    start: () => gate.restore(),
    stop: async () => {
      await breaker.stop();
      await client.close();
    },
  };
  return { client, breaker, gate, delivery, component };
}

/** The Telegraf router with durable contexts, as the handler of updates. */
function createHandledBot(
  config: FaultToleranceConfig,
  deps: Base & {
    store: Store;
    token: Secret;
    apiRoot: string;
    client: BotApiClient;
    breaker: Breaker;
    gate: FloodGate;
  },
) {
  const recorders: Recorders = new WeakMap();
  const direct = new DirectCalls({
    ...deps,
    api: deps.breaker,
    permit: (call, signal) => deps.gate.permit(call, signal),
  });
  const file = config.shop.catalogueFile ?? shippedCatalogue;
  const bot = createBot({
    token: deps.token,
    contextType: createContextType(recorders, direct),
    catalogue: parseCatalogue(readFileSync(file, "utf8"), file),
    miniAppUrl: config.telegram.miniAppUrl,
    welcomeBalanceMinor: config.shop.welcomeBalanceMinor,
    cancelWindowMs: config.shop.cancelWindowMs,
    publish: deps.publish,
  });
  const identity = new Identity({ ...deps, api: deps.client, facts: deps.store });
  const handler = new UpdateHandler({ bot, recorders, whoAmI: () => identity.whoAmI(), lastWords });
  return { handler, identity };
}

const shippedCatalogue = fileURLToPath(new URL("./shop/catalogue.json", import.meta.url));

/** What a user is told when their update was given up; nothing where there is nobody to tell. */
function lastWords(message: Message): readonly NewMessage[] {
  const update = { update_id: 0, ...message.payload };
  const chatId = chatIdOf(update);
  if (chatId === undefined) return [];
  const payload = { chat_id: chatId, text: failureNotice(languageCodeOf(update)) };
  const receivedAtEpochMs = message.createdAtEpochMs;
  return [
    toOutgoingMessage("sendMessage", payload, {
      type: "send",
      priority: "normal",
      receivedAtEpochMs,
    }),
  ];
}

function createQueue(
  { queue }: FaultToleranceConfig,
  deps: Base & {
    store: Store;
    gate: FloodGate;
    breaker: Breaker;
    handlers: Readonly<Record<MessageType, MessageHandler>>;
  },
): MessageQueue {
  return new MessageQueue({
    ...deps,
    gates: {
      sending: deps.gate,
      // Telegram does not limit answers; they only need Telegram to be there.
      answering: {
        isOpen: () => deps.breaker.closed,
        admit: () => "take",
        withdraw: () => {},
        reopensInMs: () => undefined,
        settle: () => undefined,
        recovered: () => undefined,
      },
    },
    concurrency: queue.concurrency,
    attemptsMax: queue.attemptsMax,
    backoff: { initialMs: queue.retryInitialMs, maxMs: queue.retryMaxMs },
    handlerTimeoutMs: queue.handlerTimeoutMs,
    handlerSlowMs: queue.handlerSlowMs,
    lengthMax: queue.lengthMax,
    deadLettersKeepMs: queue.deadLettersKeepMs,
    correlate: (message, run) => withCorrelation({ messageId: message.id }, run),
  });
}

/** Health and the monitoring API. */
function createWatch(
  config: FaultToleranceConfig,
  deps: Base & { store: Store; queue: MessageQueue; polling: Polling; breaker: Breaker },
) {
  const { breaker, clock, polling, publish, queue, store } = deps;
  const pollDueMs = (config.intake.pollTimeoutSeconds + 15) * 1000;
  const health = new HealthMonitor({
    clock,
    publish,
    probes: [
      {
        name: "database",
        check: async () => {
          await store.probe();
          return { status: "healthy" };
        },
      },
      { name: "telegram", check: async () => judgeTelegram(polling, breaker, pollDueMs) },
      { name: "message-queue", check: () => judgeQueue(queue) },
    ],
  });
  const startedAtMs = clock.monotonicMs();
  const api = new MonitoringServer({
    ...config.monitoring,
    publish,
    view: {
      health: () => health.getHealthStatus(),
      status: async () => ({
        uptimeSeconds: Math.round((clock.monotonicMs() - startedAtMs) / 1000),
        profile: config.lifecycle.profile,
        node: process.version,
        pid: process.pid,
        memory: process.memoryUsage(),
        intake: polling.snapshot(),
        breaker: breaker.state,
      }),
      messageQueue: () => queue.snapshot(),
    },
  });
  return { health, api };
}

/** Alive is who completes polls; a bot nobody writes to is not dead. */
function judgeTelegram(polling: Polling, breaker: Breaker, pollDueMs: number) {
  const { failuresInARow, reason, sinceLastPollMs, state } = polling.snapshot();
  const figures = { state, failuresInARow, sinceLastPollMs: sinceLastPollMs ?? null };
  if (state === "back-pressure") {
    return {
      status: "degraded",
      reason: "the queue is full, intake is held back",
      figures,
    } as const;
  }
  if (sinceLastPollMs === undefined && failuresInARow === 0) {
    return { status: "degraded", reason: "the first poll is under way", figures } as const;
  }
  if (sinceLastPollMs === undefined || sinceLastPollMs > pollDueMs) {
    const why = reason === undefined ? "no poll has been completed" : `polling fails: ${reason}`;
    return { status: "unhealthy", reason: why, figures } as const;
  }
  if (failuresInARow > 0 || !breaker.closed) {
    const why = reason ?? "the circuit breaker is open";
    return { status: "degraded", reason: `Telegram cannot be reached: ${why}`, figures } as const;
  }
  return { status: "healthy", figures } as const;
}

/** An update this old waits for something that does not come by itself. */
const oldestAgeMsMax = 60_000;

async function judgeQueue(queue: MessageQueue) {
  const { deadLetters, lengthMax, pools } = await queue.snapshot();
  const { oldestAgeMs, paused, waiting } = pools.handling;
  const figures = { waiting, oldestAgeMs, deadLetters, sending: pools.sending.waiting };
  if (waiting >= lengthMax)
    return { status: "unhealthy", reason: "the queue is full", figures } as const;
  if (paused) return { status: "degraded", reason: "handling is paused", figures } as const;
  if (waiting > 0 && oldestAgeMs > oldestAgeMsMax) {
    return { status: "degraded", reason: "the oldest update waits too long", figures } as const;
  }
  return { status: "healthy", figures } as const;
}

function storage(store: Store, publish: Publish): Component {
  return {
    name: "storage",
    start: async () => {
      const previousEnd = await store.open();
      publish({ type: "process.started", previousEnd });
    },
    stop: () => store.close(),
  };
}

function commandMenu(store: Store, queue: MessageQueue, clock: Clock): Component {
  const menus = [
    { languageCode: "", commands: commandList("en") },
    { languageCode: "zh", commands: commandList("zh") },
  ];
  const enqueue = (messages: readonly NewMessage[]) => queue.insertMessageByPriority(messages);
  return {
    name: "command-menu",
    start: () => registerCommandMenus(menus, store, enqueue, clock.epochMs()),
    stop: async () => {},
  };
}
