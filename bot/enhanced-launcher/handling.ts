/** Handling: the queue, and the bot that works on what is in it. */
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import { type Clock, steadyEpoch } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import type { FileStore } from "../core/file-store.ts";
import type { HoldDevice } from "../core/holds.ts";
import type { Message, NewMessage } from "../core/message.ts";
import type { MessageHandler } from "../core/message-handler.ts";
import type { Secret } from "../core/secret.ts";
import type { Store } from "../core/store.ts";
import { createBot } from "../index.ts";
import { createLater } from "../kit/later.ts";
import { createMiniApp } from "../kit/mini-app.ts";
import type { BotModule } from "../kit/module.ts";
import type { Operations } from "../kit/operations.ts";
import { createPanels } from "../kit/panel.ts";
import { createSchedules } from "../kit/schedule.ts";
import { createSession } from "../kit/session.ts";
import { Identity } from "../telegram/client/identity.ts";
import type { MeasuredApi } from "../telegram/client/measured-api.ts";
import { CallsBySender } from "../telegram/context/calls-by-sender.ts";
import { cidOf } from "../telegram/context/correlation.ts";
import { MessageOutbox } from "../telegram/context/outbox.ts";
import { RapidRequests } from "../telegram/context/rapid-requests-rules.ts";
import { createContextType, type Recorders } from "../telegram/context/recorded-context.ts";
import { DirectCalls, OutboxTelegram } from "../telegram/context/recorded-telegram.ts";
import { Recorder } from "../telegram/context/recorder.ts";
import { TaskHandler } from "../telegram/context/task-handler.ts";
import { UpdateHandler } from "../telegram/context/update-handler.ts";
import type { Breaker } from "../telegram/delivery/breaker.ts";
import { toCallMessage } from "../telegram/delivery/call-message.ts";
import { registerCommandMenus } from "../telegram/delivery/command-menu.ts";
import type { FloodGate } from "../telegram/delivery/flood-gate.ts";
import { chatIdOf, languageCodeOf } from "../telegram/intake/update-message.ts";
import { withCorrelation } from "../utils/logger.ts";
import { MessageQueue } from "../utils/message-queue.ts";
import { miniAppUrl } from "./mini-app.ts";
import type { Runtime } from "./runtime.ts";
import { createTasks } from "./tasks.ts";

/** The Telegraf router with durable contexts, as the handler of updates. */
export function createHandledBot(
  config: FaultToleranceConfig,
  deps: Runtime & {
    store: Store;
    files: FileStore;
    token: Secret;
    apiRoot: string;
    pollingApi: MeasuredApi;
    breaker: Breaker;
    gate: FloodGate;
    module: BotModule;
    operations: Operations;
  },
) {
  const { apiRoot, breaker, clock, files, gate, holds, module } = deps;
  const { operations, pollingApi, publish, random, store, token } = deps;
  const recorders: Recorders = new WeakMap();
  const direct = new DirectCalls({
    api: breaker,
    apiRoot,
    clock,
    files,
    random,
    store,
    token,
    permit: (call, signal) => gate.permit(call, signal),
    bySender: new CallsBySender({ clock, store }),
  });
  const rapid = new RapidRequests(config.rapidRequests);
  holds.add(holdOf(rapid, config.rapidRequests.windowMs, clock));
  const updateKinds = new Set(module.updates);
  const now = steadyEpoch(clock);
  const later = createLater();
  // An answer outlives the key of its act, so that a repetition never finds the one without the other.
  const miniApp = createMiniApp(miniAppUrl(config), config.storage.dedupeKeepMs + 3_600_000);
  const { add: schedule, schedules } = createSchedules();
  const { add: panel, panels } = createPanels();
  // What a handler reads is read by its attempt, which lends its slot meanwhile.
  const read: Store["read"] = (work) => Recorder.current?.read(work) ?? store.read(work);
  const outbox = new MessageOutbox({ files, now, store });
  const contextType = createContextType(recorders, direct, { names: later.names, now });
  const bot = createBot({
    token,
    onUpdateKind: (kind) => updateKinds.add(kind),
    contextType,
    module,
    telegram: new OutboxTelegram(outbox, direct, outbox.signal),
    kit: {
      settings: config.module,
      adminIds: config.alerts.adminIds ?? [],
      messagesPerSecond: config.flood.totalPerSecond,
      publish,
      judgeRequest: (...request) => rapid.judge(...request),
      session: createSession({ store: { read }, keepMs: config.storage.sessionsKeepMs }),
      outbox,
      schedule,
      later: later.make,
      miniApp: miniApp.kit,
      panel,
      read,
      operations,
    },
  });
  const identity = new Identity({ api: pollingApi, clock, facts: store, random });
  const recorded = {
    ...{ bot, files, recorders, whoAmI: () => identity.whoAmI() },
    lastWords: (message: Message, languageCode: string | undefined) =>
      lastWords(module, message, languageCode),
  };
  const { acts } = miniApp;
  const handlers = {
    update: new UpdateHandler(recorded),
    task: new TaskHandler({ ...recorded, acts, contextType, later, publish, schedules }),
  };
  const tasks = (queue: MessageQueue) =>
    createTasks({ now, outbox, schedules, store }, (messages) =>
      queue.insertMessageByPriority(messages),
    );
  return { handlers, identity, miniApp, panels, tasks, updateKinds: [...updateKinds] };
}

function holdOf(rapid: RapidRequests, windowMs: number, clock: Clock): HoldDevice {
  return {
    kind: "rapid-requests",
    targets: ["handling"],
    advisory: true,
    look: () => {
      const { people, untilEpochMs } = rapid.limited(clock.epochMs());
      if (people === 0) return undefined;
      const untilMs = clock.monotonicMs() + untilEpochMs - clock.epochMs();
      const reason = `too many requests from ${people === 1 ? "one person" : `${people} people`}`;
      return { sinceMs: untilMs - windowMs, untilMs, reason };
    },
  };
}

/** The message to a user whose update was given up, where there is a chat to send it to. */
function lastWords(
  module: BotModule,
  message: Message,
  languageCode: string | undefined,
): readonly NewMessage[] {
  const update = { update_id: 0, ...message.payload };
  const chatId = chatIdOf(update);
  const text = module.lastWords?.(languageCode ?? languageCodeOf(update));
  if (chatId === undefined || text === undefined) return [];
  const payload = { chat_id: chatId, text };
  const receivedAtEpochMs = message.createdAtEpochMs;
  return [
    toCallMessage("sendMessage", payload, {
      type: "send",
      priority: "normal",
      receivedAtEpochMs,
      cid: cidOf(message),
    }),
  ];
}

export function createQueue(
  { queue }: FaultToleranceConfig,
  deps: Runtime & {
    store: Store;
    gate: FloodGate;
    deathsInARow?: () => number;
    handlers: Readonly<Record<"update" | "task", MessageHandler>>;
    delivery: MessageHandler;
  },
): MessageQueue {
  const { clock, deathsInARow, delivery, gate, handlers, holds, publish, random, store } = deps;
  return new MessageQueue({
    clock,
    holds,
    ...(deathsInARow && { deathsInARow }),
    publish,
    random,
    store,
    handlers: { ...handlers, send: delivery, broadcast: delivery, alert: delivery },
    // Telegram does not limit answers to queries.
    gates: { sending: gate },
    concurrency: queue.concurrency,
    attemptsMax: queue.attemptsMax,
    backoff: { initialMs: queue.retryInitialMs, maxMs: queue.retryMaxMs },
    handlerTimeoutMs: queue.handlerTimeoutMs,
    handlerSlowMs: queue.handlerSlowMs,
    lengthMax: queue.lengthMax,
    deadLettersKeepMs: queue.deadLettersKeepMs,
    referencesKeepMs: queue.referencesKeepMs,
    correlate: (message, run) =>
      withCorrelation({ cid: cidOf(message), messageId: message.id }, run),
  });
}

/** Tells Telegram the module's command menus, when they have changed. */
export function createCommandMenu(
  { commandMenus = [] }: BotModule,
  store: Store,
  queue: MessageQueue,
  clock: Clock,
): Component {
  const enqueue = (messages: readonly NewMessage[]) => queue.insertMessageByPriority(messages);
  return {
    name: "command-menu",
    start: () => registerCommandMenus(commandMenus, store, enqueue, clock.epochMs()),
    stop: async () => {},
  };
}
