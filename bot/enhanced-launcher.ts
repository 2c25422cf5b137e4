/**
 * Launcher: the composition root, the one place where parts are made and joined. Read it first.
 *
 * It reads top to bottom as the architecture: memory, the way out to Telegram, the bot, the queue
 * between them, the way in, and what watches over all of it. How each of these is made of its parts is
 * in enhanced-launcher/.
 */
import { join } from "node:path";
import type { FaultToleranceConfig } from "./config/fault-tolerance-config.ts";
import { encryptionKeysOf } from "./config/key-file.ts";
import { type Clock, type Random, systemClock, systemRandom } from "./core/clock.ts";
import type { Component } from "./core/component.ts";
import type { BotError } from "./core/errors.ts";
import type { BotEvent, Publish } from "./core/events.ts";
import type { Secret } from "./core/secret.ts";
import type { Store } from "./core/store.ts";
import type { Base } from "./enhanced-launcher/base.ts";
import {
  createCommandMenu,
  createHandledBot,
  createIntake,
  createQueue,
} from "./enhanced-launcher/handling.ts";
import { createAlerts, createWatch } from "./enhanced-launcher/health.ts";
import { createMetrics } from "./enhanced-launcher/metrics.ts";
import { createMonitoring } from "./enhanced-launcher/monitoring.ts";
import type { Watched } from "./enhanced-launcher/monitoring-view.ts";
import { createLives } from "./enhanced-launcher/restarts.ts";
import { createClient, createWayOut } from "./enhanced-launcher/sending.ts";
import { botModule } from "./index.ts";
import type { BotModule } from "./kit/module.ts";
import { SqliteStore } from "./storage/sqlite/sqlite-store.ts";
import { ErrorGroups } from "./telemetry/error-groups.ts";
import { type Incident, IncidentBook } from "./telemetry/incident-book.ts";
import { FaultToleranceManager } from "./utils/fault-tolerance-manager.ts";
import { BotLogger, createEventBus } from "./utils/logger.ts";
import type { MessageQueue } from "./utils/message-queue.ts";
import type { RestartReason } from "./utils/process-monitor.ts";

/** What may be replaced from outside: by tests, and by `start.ts` for the sandbox. */
export interface Parts {
  readonly clock: Clock;
  readonly random: Random;
  readonly token: Secret;
  readonly apiRoot: string;
  /** The bot that is run. Default: the shop. */
  readonly module: BotModule;
  /** Nothing is taken in and nothing worked on; everything else is up. Default false. */
  readonly held: boolean;
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
  /** Where the token for changes stands, when none is configured. */
  readonly restartTokenFile: string | undefined;
  readonly log: BotLogger;
  readonly queue: MessageQueue;
  readonly store: Store;
  readonly publish: Publish;
  /** Restarts one component while the others go on; see the FaultToleranceManager. */
  restart(component: string): Promise<void>;
  /**
   * Takes nothing new, finishes what is in hand under the configured deadline, stops everything.
   *
   * @param detail More about the reason, for the record.
   * @returns what was left unfinished; it is in the queue, and continues at the next start.
   */
  stop(reason: string, detail?: string): Promise<readonly string[]>;
}

/** Starts the bot. Rejects with the `BotError` of what could not start; then nothing is left. */
export async function launch(
  config: FaultToleranceConfig,
  parts: Partial<Parts> & Pick<Parts, "token" | "onFatal">,
): Promise<Running> {
  const { api, clock, ledger, manager, tokens, ...bot } = assemble(config, parts);
  await manager.start();
  return {
    ...bot,
    get monitoringUrl() {
      return api.current.url;
    },
    get restartTokenFile() {
      return tokens.file;
    },
    restart: (component) => manager.restart(component),
    stop: async (reason, detail) => {
      bot.publish({ type: "process.stop-begun", reason });
      const left = await drainWithin(manager, clock, config.lifecycle.drainDeadlineMs);
      const clean = reason !== defectReason;
      ledger.end({ cause: reason, clean, ...(detail !== undefined && { detail }) });
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
  const { module = botModule } = parts;
  const botId = String(token.reveal().split(":")[0]);
  // A directory a bot, so that two tokens never share a queue.
  const directory = join(config.storage.directory, botId);
  const { book, errors, log, metrics, publish } = createRecords(config, {
    directory,
    clock,
    onEvent,
    onIncident: (news) => alerts.current.tell(news),
    watched: () => watched,
  });
  const base = { clock, random, publish };

  const store = createStore(config, directory, { ...base, module, onFatal });
  const lives = createLives(config, directory, { ...base, book });
  const outward = createWayOut(config, {
    ...base,
    store,
    client: createClient(config, { clock, token, apiRoot }),
    wake: () => wakeSending(),
    onTelegramBack: () => polling.current.nudge(),
  });
  const bot = createHandledBot(config, { ...base, ...outward, token, apiRoot, module, store });
  const held = () => parts.held === true || lives.safeMode.holding;
  const queue = createQueue(config, { ...base, ...outward, ...bot, store, held });
  const wakeSending = () => {
    queue.wake("sending");
    queue.wake("answering");
  };
  const polling = createIntake(config, { ...base, botId, queue, held, ...outward });
  const alerts = createAlerts(config, { ...base, queue, ...outward });
  const components = () => manager.snapshot();
  const onRestart = parts.onRestart ?? (() => {});
  const records = { book, errors, log };
  const all = {
    ...base,
    ...outward,
    ...lives,
    ...records,
    store,
    queue,
    polling,
    directory,
    components,
  };
  const watch = createWatch(config, { ...all, onRestart });
  const watched: Watched = { ...all, ...watch, ...metrics, manager: () => manager };
  const { processMonitor, health } = watch;
  const { api, tokens } = createMonitoring(config, watched);

  const manager = new FaultToleranceManager({
    ...base,
    restartProcess: (component, cause) => {
      const detail = `${component}: ${cause}`;
      processMonitor.current.triggerRestart({ type: "component-stuck", detail });
    },
    components: [
      storage(store, publish),
      lives.restarts,
      lives.watchdog,
      lives.safeMode,
      outward.component,
      outward.connections,
      bot.identity,
      queue,
      alerts,
      createCommandMenu(module, store, queue, clock),
      polling,
      processMonitor,
      health,
      metrics.series,
      tokens,
      api,
    ],
  });
  const { ledger } = lives;
  return { api, botId, clock, ledger, log, manager, publish, queue, store, tokens };
}

/** Log, incidents, error groups and metrics: those who hear every event. */
function createRecords(
  config: FaultToleranceConfig,
  deps: {
    readonly directory: string;
    readonly clock: Clock;
    readonly onEvent: Parts["onEvent"] | undefined;
    readonly onIncident: (incident: Incident) => void;
    readonly watched: () => Watched;
  },
) {
  const { clock, directory, onEvent, onIncident, watched } = deps;
  const publishLater: Publish = (event) => publish(event);
  const { profile } = config.lifecycle;
  const log = new BotLogger({ ...config.log, clock, profile, publish: publishLater });
  log.start();
  const metrics = createMetrics(config, clock, watched);
  log.subscribe((line) => {
    if (line.level === "warn" || line.level === "error") metrics.stream.push("log", line);
  });
  const onChange = (incident: Incident) => {
    metrics.series.mark("incident", incident.subject);
    onIncident(incident);
  };
  const book = new IncidentBook({ directory, clock, onChange });
  const errors = new ErrorGroups({ clock, publish: publishLater });
  const own = [log.listener, book.listener, errors.listener, ...metrics.listeners];
  const publish = createEventBus([...own, ...(onEvent ? [onEvent] : [])], log);
  return { book, errors, log, metrics, publish };
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
  deps: Base & Pick<Parts, "module" | "onFatal">,
): Store {
  return new SqliteStore({
    ...deps,
    directory,
    keys: encryptionKeysOf(config.storage, (file) =>
      deps.publish({ type: "encryption-key.created", file }),
    ),
    tableSets: deps.module.tables ?? [],
    dedupeKeepMs: config.storage.dedupeKeepMs,
    backupsKept: config.storage.backupsKept,
    laneLengthMax: config.queue.laneLengthMax,
  });
}

function storage(store: Store, publish: Publish): Component {
  return {
    name: "storage",
    start: async () => {
      const previousEnd = await store.open();
      publish({ type: "process.started", previousEnd });
    },
    stop: () => store.close(),
    heartbeat: () => store.heartbeat(),
  };
}
