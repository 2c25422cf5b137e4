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
import type { Component, ProbeResult } from "./contracts/component.ts";
import type { BotError } from "./contracts/errors.ts";
import type { BotEvent, Publish } from "./contracts/events.ts";
import type { Message, MessageType, NewMessage } from "./contracts/message.ts";
import type { MessageHandler } from "./contracts/message-handler.ts";
import type { Secret } from "./contracts/secret.ts";
import type { Store } from "./contracts/store.ts";
import { postAlert } from "./incidents/alert-webhook.ts";
import { Alerts } from "./incidents/alerts.ts";
import { ErrorGroups } from "./incidents/error-groups.ts";
import { IncidentBook } from "./incidents/incident-book.ts";
import { createBot } from "./index.ts";
import { RapidRequests } from "./policies/rapid-requests.ts";
import { clockProbe } from "./probes/clock-probe.ts";
import { diskProbe } from "./probes/disk-probe.ts";
import { logProbe } from "./probes/log-probe.ts";
import { processProbes } from "./probes/process-probes.ts";
import { queueProbe } from "./probes/queue-probe.ts";
import { restartsProbe } from "./probes/restarts-probe.ts";
import { telegramProbe } from "./probes/telegram-probe.ts";
import { RestartLedger } from "./restarts/restart-ledger.ts";
import { SafeMode } from "./restarts/safe-mode.ts";
import { parseCatalogue } from "./shop/catalogue.ts";
import { SqliteStore } from "./storage/sqlite-store.ts";
import { BotApiClient, type Route } from "./telegram/bot-api-client.ts";
import { Breaker } from "./telegram/breaker.ts";
import { registerCommandMenus } from "./telegram/command-menu.ts";
import { Delivery } from "./telegram/delivery.ts";
import { FloodGate } from "./telegram/flood-gate.ts";
import { Identity } from "./telegram/identity.ts";
import { chatIdOf, languageCodeOf } from "./telegram/incoming.ts";
import { MeasuredApi } from "./telegram/measured-api.ts";
import { toOutgoingMessage } from "./telegram/outgoing.ts";
import { Polling } from "./telegram/polling.ts";
import { createContextType, type Recorders } from "./telegram/recorded-context.ts";
import { DirectCalls } from "./telegram/recorded-telegram.ts";
import { UpdateHandler } from "./telegram/update-handler.ts";
import { FaultToleranceManager } from "./utils/fault-tolerance-manager.ts";
import { HealthMonitor } from "./utils/health-monitor.ts";
import { BotLogger, createEventBus, withCorrelation } from "./utils/logger.ts";
import { callsPerUpdate, MessageQueue } from "./utils/message-queue.ts";
import { ProcessMonitor, type RestartReason } from "./utils/process-monitor.ts";
import { ReconnectManager } from "./utils/reconnect-manager.ts";
import { type Breadcrumb, takeBreadcrumb } from "./watchdog/breadcrumb.ts";
import { Watchdog } from "./watchdog/watchdog.ts";

/** What may be replaced from outside: by tests, and by `start.ts` for the sandbox. */
export interface Parts {
  readonly clock: Clock;
  readonly random: Random;
  readonly token: Secret;
  readonly apiRoot: string;
  /** Hears every event, beside the log. */
  readonly onEvent: (event: BotEvent) => void;
  /** A restart is due: drain and end the process, which is started again from outside. */
  readonly onRestart: (reason: RestartReason) => void;
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
  const { api, clock, ledger, manager, ...bot } = assemble(config, parts);
  await manager.start();
  return {
    ...bot,
    monitoringUrl: api.url,
    stop: async (reason) => {
      bot.publish({ type: "process.stopping", reason });
      const left = await drainWithin(manager, clock, config.lifecycle.drainDeadlineMs);
      ledger.end({ cause: reason, clean: reason !== defectReason });
      await manager.stop();
      await bot.log.close();
      return left;
    },
  };
}

/** Makes all parts and joins them; nothing runs yet. */
function assemble(
  config: FaultToleranceConfig,
  parts: Partial<Parts> & Pick<Parts, "token" | "onFatal">,
) {
  const { clock = systemClock, random = systemRandom, token, onFatal, onEvent } = parts;
  const apiRoot = parts.apiRoot ?? config.telegram.apiRoot;
  const botId = String(token.reveal().split(":")[0]);
  // A directory a bot, so that two tokens never share a queue.
  const directory = join(config.storage.directory, botId);
  const log = new BotLogger({ ...config.log, clock, profile: config.lifecycle.profile });
  log.start();
  const book = new IncidentBook({ directory, clock, onChange: (news) => alerts.tell(news) });
  const errors = new ErrorGroups({ clock, publish: (event) => publish(event) });
  const own = [log.listener, book.listener, errors.listener];
  const listeners = [...own, ...(onEvent ? [onEvent] : [])];
  const publish = createEventBus(listeners, log);
  const base = { clock, random, publish };

  const store = createStore(config, directory, { ...base, onFatal });
  const { ledger, restarts, safeMode, watchdog } = createSupervision(config, directory, {
    ...base,
    book,
  });
  const outward = createWayOut(config, {
    ...base,
    store,
    token,
    apiRoot,
    wake: () => wakeSending(),
    onTelegramBack: () => polling.nudge(),
  });
  const bot = createHandledBot(config, { ...base, ...outward, token, apiRoot, store });
  const send = outward.delivery;
  const handlers = { update: bot.handler, send, broadcast: send, alert: send };
  const held = () => safeMode.holding;
  const queue = createQueue(config, { ...base, store, handlers, held, ...outward });
  const wakeSending = () => {
    queue.wake("sending");
    queue.wake("answering");
  };
  const polling = createIntake(config, { ...base, botId, queue, held, ...outward });
  const alerts = createAlerts(config, { ...base, queue, ...outward });
  const { processMonitor, health, api } = createWatch(config, {
    ...base,
    directory,
    store,
    queue,
    polling,
    safeMode,
    ledger,
    book,
    errors,
    log,
    onRestart: parts.onRestart ?? (() => {}),
    ...outward,
  });

  const manager = new FaultToleranceManager({
    clock,
    publish,
    components: [
      storage(store, publish),
      restarts,
      watchdog,
      safeMode,
      outward.component,
      outward.connections,
      bot.identity,
      queue,
      alerts,
      commandMenu(store, queue, clock),
      polling,
      processMonitor,
      health,
      api,
    ],
  });
  return { api, botId, clock, ledger, log, manager, publish, queue, store };
}

interface Base {
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
}

/** The reason to give to `stop` when a defect ends the process. */
export const defectReason = "defect";

async function drainWithin(manager: FaultToleranceManager, clock: Clock, deadlineMs: number) {
  const deadline = new AbortController();
  const drained = new AbortController();
  void clock.sleep(deadlineMs, drained.signal).then(() => deadline.abort());
  const left = await manager.drain(deadline.signal);
  drained.abort();
  return left;
}

function createStore(
  config: FaultToleranceConfig,
  directory: string,
  deps: Base & Pick<Parts, "onFatal">,
): Store {
  return new SqliteStore({
    ...deps,
    directory,
    dedupeKeepMs: config.storage.dedupeKeepMs,
    laneLengthMax: config.queue.laneLengthMax,
  });
}

/** Ledger, watchdog, safe mode: what a process knows of the ends of those before it. */
function createSupervision(
  config: FaultToleranceConfig,
  directory: string,
  deps: Base & { book: IncidentBook },
) {
  const { clock, publish } = deps;
  const ledger = new RestartLedger({ directory, clock, pid: process.pid, version });
  const restarts: Component = {
    name: "restart-ledger",
    start: async () => {
      deps.book.begin();
      ledger.begin((pid) => explainHang(takeBreadcrumb(directory), pid));
      const { end } = ledger.records.at(-2) ?? {};
      if (end && !end.clean) {
        publish({ type: "process.died-before", cause: end.cause, detail: end.detail });
      }
    },
    stop: async () => {},
  };
  const killAfterMs = config.lifecycle.hangKillMs;
  const watchdog = new Watchdog({ clock, publish, directory, killAfterMs });
  const safeMode = new SafeMode({
    ...deps,
    deathsMax: config.lifecycle.safeModeDeaths,
    lives: () => ledger.lives,
  });
  return { ledger, restarts, safeMode, watchdog };
}

/** What the watchdog wrote down about the process before this one. */
function explainHang(crumb: Breadcrumb | undefined, pid: number) {
  if (crumb?.pid !== pid) return undefined;
  const [at] = crumb.frames;
  const where = at ? `in ${at.name} (${at.file}:${at.line})` : "in native code";
  return { cause: "hang", detail: `no sign of life for ${crumb.silentMs} ms, ${where}` };
}

const { version } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8"),
) as { version: string };

/** Client, breaker, flood control, delivery: everything between the queue and Telegram. */
function createWayOut(
  config: FaultToleranceConfig,
  deps: Base & {
    store: Store;
    token: Secret;
    apiRoot: string;
    wake: () => void;
    onTelegramBack: () => void;
  },
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
    fallbacks: fallbackRoutes(telegram, deps.apiRoot),
  });
  const connections = createConnections({ ...deps, client, breaker: () => breaker });
  const measured = (name: string) =>
    new MeasuredApi({
      api: client,
      clock: deps.clock,
      onAnswer: (durationMs) => connections.succeeded(name, durationMs),
      onFailure: (error) => connections.failed(name, error),
    });
  const pollingApi = measured(connectionNames.polling);
  const sendingApi = measured(connectionNames.sending);
  const breaker = new Breaker({ ...deps, api: sendingApi, onChange: deps.wake });
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
  return { client, pollingApi, breaker, gate, delivery, component, connections };
}

const connectionNames = {
  polling: "telegram-polling",
  sending: "telegram-sending",
  database: "database",
} as const;

/** A silent connection is asked this often: a dead long poll must not be waited for. */
const heartbeatMs = 10_000;
const heartbeatDeadlineMs = 5_000;
/** Failed attempts on one way to Telegram before the next one is tried. */
const attemptsPerRoute = 2;

function createConnections(
  deps: Base & {
    store: Store;
    client: BotApiClient;
    breaker: () => Breaker;
    onTelegramBack: () => void;
  },
): ReconnectManager {
  const { breaker, client, onTelegramBack, store } = deps;
  const ask = async (signal: AbortSignal) => {
    await client.call("getMe", {}, { signal, deadlineMs: heartbeatDeadlineMs });
  };
  return new ReconnectManager({
    ...deps,
    connections: [
      {
        name: connectionNames.polling,
        heartbeatMs,
        heartbeat: ask,
        reconnect: (signal, attempts) => {
          client.renew(attempts > 0 && attempts % attemptsPerRoute === 0);
          return ask(signal);
        },
        onRestored: () => {
          breaker().signOfLife();
          onTelegramBack();
        },
      },
      { name: connectionNames.sending, reconnect: ask, onRestored: () => breaker().signOfLife() },
      {
        name: connectionNames.database,
        heartbeatMs,
        heartbeat: () => store.probe(),
        reconnect: () => store.probe(),
      },
    ],
  });
}

/** The first server by other proxies, then other servers by the first proxy. */
function fallbackRoutes(telegram: FaultToleranceConfig["telegram"], apiRoot: string): Route[] {
  const { apiRootFallbacks = [], httpsProxy, httpsProxyFallbacks = [] } = telegram;
  return [
    ...httpsProxyFallbacks.map((proxy) => ({ apiRoot, httpsProxy: proxy })),
    ...apiRootFallbacks.map((root) => ({ apiRoot: root, ...(httpsProxy && { httpsProxy }) })),
  ];
}

/** The Telegraf router with durable contexts, as the handler of updates. */
function createHandledBot(
  config: FaultToleranceConfig,
  deps: Base & {
    store: Store;
    token: Secret;
    apiRoot: string;
    pollingApi: MeasuredApi;
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
  const rapid = new RapidRequests(config.rapidRequests);
  const file = config.shop.catalogueFile ?? shippedCatalogue;
  const bot = createBot({
    token: deps.token,
    contextType: createContextType(recorders, direct),
    catalogue: parseCatalogue(readFileSync(file, "utf8"), file),
    miniAppUrl: config.telegram.miniAppUrl,
    welcomeBalanceMinor: config.shop.welcomeBalanceMinor,
    cancelWindowMs: config.shop.cancelWindowMs,
    publish: deps.publish,
    judgeRequest: (...request) => rapid.judge(...request),
  });
  const identity = new Identity({ ...deps, api: deps.pollingApi, facts: deps.store });
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
    held: () => boolean;
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

function createAlerts(
  { alerts }: FaultToleranceConfig,
  deps: Base & { queue: MessageQueue; breaker: Breaker },
): Alerts {
  const { adminIds = [], webhookUrl } = alerts;
  const { breaker, clock, queue } = deps;
  return new Alerts({
    ...deps,
    send: async (text) => {
      const receivedAtEpochMs = clock.epochMs();
      const options = { type: "alert", priority: "high", receivedAtEpochMs } as const;
      const messages = adminIds.map((chatId) =>
        toOutgoingMessage("sendMessage", { chat_id: chatId, text }, options),
      );
      if (messages.length > 0) await queue.insertMessageByPriority(messages);
    },
    telegramReachable: () => breaker.closed,
    ...(webhookUrl && { post: (text, signal) => postAlert(webhookUrl, text, signal) }),
  });
}

function createIntake(
  config: FaultToleranceConfig,
  deps: Base & {
    botId: string;
    queue: MessageQueue;
    held: () => boolean;
    pollingApi: MeasuredApi;
    breaker: Breaker;
  },
): Polling {
  const { breaker, pollingApi, queue } = deps;
  return new Polling({
    ...deps,
    api: pollingApi,
    pollTimeoutSeconds: config.intake.pollTimeoutSeconds,
    accept: (messages) => queue.insertMessageByPriority(messages),
    room: () => queue.room(),
    onPoll: () => breaker.signOfLife(),
  });
}

/** Health and the monitoring API. */
function createWatch(
  config: FaultToleranceConfig,
  deps: Base & {
    store: Store;
    queue: MessageQueue;
    polling: Polling;
    breaker: Breaker;
    safeMode: SafeMode;
    ledger: RestartLedger;
    book: IncidentBook;
    errors: ErrorGroups;
    log: BotLogger;
    directory: string;
    onRestart: (reason: RestartReason) => void;
    client: BotApiClient;
    connections: ReconnectManager;
  },
) {
  const { breaker, clock, ledger, polling, publish, queue, safeMode } = deps;
  const processMonitor = new ProcessMonitor({
    clock,
    publish,
    ...config.process,
    isQuiet: async () => {
      const all = Object.values((await queue.snapshot()).pools);
      return all.every(({ inHand, waiting }) => inHand + waiting === 0);
    },
    restart: deps.onRestart,
  });
  const health = new HealthMonitor({
    clock,
    publish,
    probes: [
      { name: "database", check: () => probeDatabase(deps) },
      telegramProbe({
        intake: () => polling.snapshot(),
        reachable: () => breaker.closed,
        pollDueMs: (config.intake.pollTimeoutSeconds + 15) * 1000,
      }),
      queueProbe(() => lookAtQueue(queue)),
      restartsProbe(() => safeMode.snapshot()),
      ...processProbes(() => processMonitor.snapshot()),
      diskProbe([deps.directory, config.log.directory]),
      logProbe(() => deps.log.snapshot()),
      clockProbe(clock),
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
        process: processMonitor.snapshot(),
        intake: polling.snapshot(),
        breaker: breaker.state,
        safeMode: safeMode.snapshot(),
        incidents: deps.book.list(incidentsShown),
        errors: deps.errors.list(errorsShown),
        restarts: ledger.records.slice(-restartsShown).toReversed(),
      }),
      messageQueue: () => queue.snapshot(),
      connections: () => ({ connections: deps.connections.snapshot(), pool: deps.client.pool }),
    },
  });
  return { processMonitor, health, api };
}

/** What health finds counts for the connection, too, so that a healthy disk is asked once. */
async function probeDatabase(
  deps: Base & { store: Store; connections: ReconnectManager },
): Promise<ProbeResult> {
  const { clock, connections, store } = deps;
  const startedAtMs = clock.monotonicMs();
  try {
    await store.probe();
  } catch (error) {
    connections.failed(connectionNames.database, error);
    throw error;
  }
  connections.succeeded(connectionNames.database, clock.monotonicMs() - startedAtMs);
  return { status: "healthy" };
}

async function lookAtQueue(queue: MessageQueue) {
  const { deadLetters, lengthMax, pools: all } = await queue.snapshot();
  const { oldestAgeMs, paused, waiting } = all.handling;
  return { waiting, oldestAgeMs, paused, sending: all.sending.waiting, deadLetters, lengthMax };
}

/** Latest restarts that `/api/status` shows. */
const restartsShown = 20;
const incidentsShown = 20;
const errorsShown = 20;

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
