/**
 * Launcher: the composition root, the one place where parts are made and joined. Read it first.
 *
 * `assemble` reads top to bottom as the architecture: memory, sending, handling, intake, what watches over
 * them and what shows them. The files in enhanced-launcher/ make each of these of its parts.
 */
import { join } from "node:path";
import { EventStream } from "./api/event-stream.ts";
import type { Environment, FaultToleranceConfig } from "./config/fault-tolerance-config.ts";
import { type Clock, type Random, systemClock, systemRandom } from "./core/clock.ts";
import type { BotError } from "./core/errors.ts";
import { EventBus } from "./core/event-bus.ts";
import type { BotEvent, Publish } from "./core/events.ts";
import type { Secret } from "./core/secret.ts";
import type { Store } from "./core/store.ts";
import { createBackups } from "./enhanced-launcher/backups.ts";
import { createCommandMenu, createHandledBot, createQueue } from "./enhanced-launcher/handling.ts";
import { createAlerts, createDeadMansSwitch, createHealth } from "./enhanced-launcher/health.ts";
import { createHolds } from "./enhanced-launcher/holds.ts";
import { createIntake } from "./enhanced-launcher/intake.ts";
import { createMetrics } from "./enhanced-launcher/metrics.ts";
import { createMiniAppAnswer, createMiniAppListener } from "./enhanced-launcher/mini-app.ts";
import { createMonitoring } from "./enhanced-launcher/monitoring.ts";
import { createOperations } from "./enhanced-launcher/operations.ts";
import { createProcessReport } from "./enhanced-launcher/processes.ts";
import { createReactions } from "./enhanced-launcher/reactions.ts";
import { createRestarts } from "./enhanced-launcher/restarts.ts";
import { createRoles } from "./enhanced-launcher/roles.ts";
import { createClient, createSending } from "./enhanced-launcher/sending.ts";
import {
  createFiles,
  createStore,
  loadPostgres,
  type PostgresParts,
  storageComponent,
} from "./enhanced-launcher/storage.ts";
import { shippedModule } from "./index.ts";
import type { BotModule } from "./kit/module.ts";
import { ErrorGroups } from "./telemetry/error-groups.ts";
import { IncidentBook } from "./telemetry/incident-book.ts";
import { FaultToleranceManager } from "./utils/fault-tolerance-manager.ts";
import { BotLogger } from "./utils/logger.ts";
import type { MessageQueue } from "./utils/message-queue.ts";
import type { RestartReason } from "./utils/process-monitor.ts";

/** Parts that tests, and `start.ts` for the sandbox, may replace. */
export interface Parts {
  readonly clock: Clock;
  readonly random: Random;
  readonly token: Secret;
  readonly apiRoot: string;
  /** The bot that is run. Default: the shop. */
  readonly module: BotModule;
  /** While true no update is taken in and no message worked on; everything else is up. Default false. */
  readonly held: boolean;
  /** Variables that the operator's own commands inherit; without secrets. Default: none. */
  readonly environment: Environment;
  /** Called with every event. */
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
   * Takes nothing new, finishes what is under way within the configured deadline, stops everything.
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
  const { api, beginDrain, clock, ledger, manager, tokens, ...bot } = assemble(config, {
    ...parts,
    postgres: await loadPostgres(config),
  });
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
      beginDrain();
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
  parts: Partial<Parts> &
    Pick<Parts, "token" | "onFatal"> & { postgres: PostgresParts | undefined },
) {
  const { clock = systemClock, random = systemRandom, module = shippedModule } = parts;
  const { held = false, onFatal, postgres, token } = parts;
  const { apiRoot = config.telegram.apiRoot, onEvent = () => {}, onRestart = () => {} } = parts;
  const { environment = {} } = parts;
  const botId = String(token.reveal().split(":")[0]);
  // A directory for each bot, so that two tokens never share a queue.
  const directory = join(config.storage.directory, botId);
  const bus = new EventBus();
  const { publish } = bus;
  const { beginDrain, holds } = createHolds(clock, held);
  const runtime = { clock, random, publish, holds };

  // The records come first, so that they miss nothing.
  const { profile } = config.lifecycle;
  const log = new BotLogger({ ...config.log, clock, profile, publish });
  const book = new IncidentBook({ directory, clock });
  const errors = new ErrorGroups({ clock, publish });
  for (const { listener } of [log, book, errors]) bus.subscribe(listener);
  log.start();

  // Memory, and what it says about the processes before this one.
  const store = createStore(config, { ...runtime, botId, directory, module, onFatal, postgres });
  const files = createFiles(config, { ...runtime, directory, store });
  const { ledger, restartLedger, safeMode, watchdog } = createRestarts(config, {
    ...runtime,
    directory,
    book,
  });
  const backups = createBackups(config, { ...runtime, directory, environment, store });

  // From the queue to Telegram, from the queue to the handlers, and from Telegram into the queue.
  const client = createClient(config, { clock, files, token, apiRoot });
  const sending = createSending(config, { ...runtime, store, client });
  const { breaker, connections, delivery, gate, pollingApi, telegram } = sending;
  const { handlers, identity, miniApp, panels, tasks, updateKinds } = createHandledBot(config, {
    ...runtime,
    ...{ apiRoot, breaker, files, gate, module, pollingApi, store, token },
    operations: createOperations({ book, holds, store, queue: () => queue }),
  });
  const queue: MessageQueue = createQueue(config, {
    ...runtime,
    ...{ delivery, gate, handlers, store },
    deathsInARow: () => safeMode.deathsInARow,
  });
  const answer = createMiniAppAnswer(config, {
    ...runtime,
    ...{ apiRoot, handlers: miniApp, module, queue, store, token },
  });
  const intake = createIntake(config, {
    ...runtime,
    ...{ botId, breaker, miniApp: answer, pollingApi, queue, store, updateKinds },
  });
  const { restoreLimits } = sending;
  const roles = createRoles(config, { ...runtime, held, intake, queue, restoreLimits, store });
  const alerts = createAlerts(config, { ...runtime, book, breaker, queue });

  // Supervision.
  const manager = new FaultToleranceManager(runtime);
  const { health, processMonitor } = createHealth(config, {
    ...runtime,
    ...{ backups, breaker, connections, directory, intake, log, onRestart, queue, safeMode, store },
    components: () => manager.snapshot(),
  });
  const restartProcess = (detail: string) => {
    processMonitor.current.triggerRestart({ type: "component-stuck", detail });
  };
  bus.subscribe(createReactions({ backups, breaker, intake, queue, restartProcess, safeMode }));
  const deadMansSwitch = createDeadMansSwitch(config, { ...runtime, health });

  // Charts, Prometheus and the monitoring API.
  const stream = new EventStream({ clock });
  const watched = { ...runtime, ...{ backups, book, breaker, connections, health, log, manager } };
  const measured = { ...watched, ...{ processMonitor, queue, safeMode, store, stream } };
  const { prometheus, series } = createMetrics(config, { ...measured, bus });
  const { api, tokens } = createMonitoring(config, {
    ...measured,
    ...{ client, errors, intake, ledger, panels, prometheus, series },
  });
  const report = createProcessReport({
    ...measured,
    monitoringUrl: () => api.current.url,
  });
  bus.subscribe(report.listener);
  bus.subscribe(onEvent);

  // They start in this order, and stop in the opposite one.
  manager.add(storageComponent(store, runtime), restartLedger, watchdog, safeMode, backups, files);
  manager.add(telegram, connections, identity, tasks(queue), queue, alerts);
  manager.add(createCommandMenu(module, store, queue, clock), ...roles, intake);
  if (!held) manager.add(...createMiniAppListener(config, { ...runtime, answer }));
  manager.add(processMonitor, health, ...deadMansSwitch, series, tokens, api, ...report.components);
  return { api, beginDrain, botId, clock, ledger, log, manager, publish, queue, store, tokens };
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
