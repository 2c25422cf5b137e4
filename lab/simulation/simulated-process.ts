/**
 * Simulated process: one life of the bot, made of its real parts in a simulated world.
 *
 * Store, queue, intake, delivery, flood control, breaker, connections, handlers, supervision and the
 * manager that joins them are real, made by bot/enhanced-launcher/. Time, chance, the network's far end
 * and the moment of every death are simulated.
 */

import { type FaultToleranceConfig, parseConfig } from "../../bot/config/fault-tolerance-config.ts";
import type { Clock, Random } from "../../bot/core/clock.ts";
import type { Component } from "../../bot/core/component.ts";
import type { EncryptionKeys } from "../../bot/core/encryption-keys.ts";
import { EventBus } from "../../bot/core/event-bus.ts";
import type { BotEvent } from "../../bot/core/events.ts";
import { Holds } from "../../bot/core/holds.ts";
import type { JsonObject } from "../../bot/core/message.ts";
import type { Attempt, MessageHandler } from "../../bot/core/message-handler.ts";
import { Secret } from "../../bot/core/secret.ts";
import type { Store } from "../../bot/core/store.ts";
import { createHandledBot, createQueue } from "../../bot/enhanced-launcher/handling.ts";
import { createIntake } from "../../bot/enhanced-launcher/intake.ts";
import { createOperations } from "../../bot/enhanced-launcher/operations.ts";
import { createReactions } from "../../bot/enhanced-launcher/reactions.ts";
import { createSending } from "../../bot/enhanced-launcher/sending.ts";
import { shop } from "../../bot/shop/module.ts";
import { SealedFiles } from "../../bot/storage/files/sealed-files.ts";
import type { Database } from "../../bot/storage/sqlite/sqlite-driver.ts";
import { SqliteStore } from "../../bot/storage/sqlite/sqlite-store.ts";
import type { Breaker } from "../../bot/telegram/delivery/breaker.ts";
import { Replaceable } from "../../bot/utils/fault-tolerance-manager/replaceable.ts";
import { FaultToleranceManager } from "../../bot/utils/fault-tolerance-manager.ts";
import { componentsProbe } from "../../bot/utils/health-monitor/components-probe.ts";
import { telegramProbe } from "../../bot/utils/health-monitor/telegram-probe.ts";
import { HealthMonitor } from "../../bot/utils/health-monitor.ts";
import type { MessageQueue } from "../../bot/utils/message-queue.ts";
import { SafeMode } from "../../bot/utils/process-monitor/safe-mode.ts";
import type { Life } from "../../bot/utils/process-monitor/safe-mode-rules.ts";
import { SimulatedDisk, type StrikeDisk } from "./simulated-disk.ts";
import { type OnAnswer, SimulatedNetwork } from "./simulated-network.ts";
import { botUser, type SimulatedTelegram } from "./simulated-telegram.ts";
import type { Thread, VirtualTime } from "./virtual-time.ts";
import type { Weather } from "./weather.ts";
import { type WorkWorld, workingShop } from "./work-command.ts";

/** Broken parts that replace real ones, to prove that the checker notices them. */
export interface Plants {
  readonly store?: (store: Store, clock: Clock) => Store;
  readonly database?: (database: Database) => Database;
  readonly delivery?: (delivery: MessageHandler) => MessageHandler;
  readonly config?: (config: FaultToleranceConfig) => FaultToleranceConfig;
}

export interface SimulatedProcessDeps {
  readonly directory: string;
  readonly time: VirtualTime;
  readonly thread: Thread;
  readonly random: Random;
  readonly telegram: SimulatedTelegram;
  readonly weather: Weather;
  readonly strikeDisk: StrikeDisk;
  readonly work: Omit<WorkWorld, "killProcess">;
  readonly plants: Plants;
  /** The lives before this one, oldest first. */
  readonly lives: readonly Life[];
  readonly onEvent: (event: BotEvent) => void;
  readonly onHandling: (kind: "began" | "ended", message: JsonObject) => void;
  readonly onExecuted: () => void;
  readonly onAnswer: OnAnswer;
  /** Called once, when the process has ended; `clean` when it was stopped. */
  readonly onEnd: (reason: string, clean: boolean) => void;
}

const encryptionKey = new Secret(Buffer.alloc(32, "simulated").toString("base64"));

/** All processes use the same keys; another test covers a lost key. */
export const simulatedKeys: EncryptionKeys = {
  find: () => encryptionKey,
  previous: undefined,
  create: () => encryptionKey,
};

const token = new Secret(`${botUser.id}:unused`);

/** Everything that the simulation sets: production's settings apply, protective devices included. */
export const simulatedSettings = {
  NODE_ENV: "production",
  TELEGRAM_BOT_TOKEN: `${botUser.id}:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`,
} as const;

export const simulatedConfig = parseConfig(simulatedSettings, undefined, shop.settings);

export class SimulatedProcess {
  readonly #deps: SimulatedProcessDeps;
  readonly #disk: SimulatedDisk;
  readonly #network: SimulatedNetwork;
  readonly #manager: FaultToleranceManager;
  readonly #config: FaultToleranceConfig;
  #ended = false;
  #stopping = false;

  constructor(deps: SimulatedProcessDeps) {
    this.#deps = deps;
    const { plants, random, strikeDisk, telegram, thread, time, weather } = deps;
    this.#config = plants.config?.(simulatedConfig) ?? simulatedConfig;
    this.#disk = new SimulatedDisk(
      strikeDisk,
      (reason) => this.#end(reason),
      () => thread.sleep(weather.syncMs(), new AbortController().signal),
    );
    this.#network = new SimulatedNetwork({
      time,
      thread,
      telegram,
      weather,
      random,
      deadlineMs: this.#config.telegram.callDeadlineMs,
      onExecuted: deps.onExecuted,
      onAnswer: deps.onAnswer,
    });
    this.#manager = this.#assemble();
  }

  /** Starts the process. It ends when it cannot start. */
  start(): void {
    this.#manager.start().catch((error: unknown) => {
      if (!this.#stopping) this.kill(`could not start: ${String(error)}`);
    });
  }

  kill(reason: string): void {
    // This comes first, so that its reason counts.
    this.#end(reason);
    this.#disk.kill();
  }

  /** @param part How much of what was not synced is left, 0 to 1. */
  cutPower(part: number): void {
    this.#disk.cutPower(part);
  }

  /** Stops the process as SIGTERM does: it drains under its deadline, stops, and ends. */
  stop(reason: string): void {
    if (this.#stopping || this.#ended) return;
    this.#stopping = true;
    void this.#stop(reason);
  }

  loseIdlePoll(): void {
    this.#network.loseIdlePoll();
  }

  async #stop(reason: string): Promise<void> {
    const deadline = new AbortController();
    const drained = new AbortController();
    const { drainDeadlineMs } = this.#config.lifecycle;
    void this.#deps.thread.sleep(drainDeadlineMs, drained.signal).then(() => deadline.abort());
    await this.#manager.drain(deadline.signal);
    drained.abort();
    await this.#manager.stop();
    this.kill(reason);
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#deps.thread.dead = true;
    this.#network.died();
    this.#deps.onEnd(reason, this.#stopping);
  }

  #assemble(): FaultToleranceManager {
    const { directory, plants, random, thread: clock, work } = this.#deps;
    const bus = new EventBus();
    bus.subscribe((event) => {
      if (!this.#ended) this.#deps.onEvent(event);
    });
    const { publish } = bus;
    const runtime = { clock, random, publish, holds: new Holds(clock) };
    const real = new SqliteStore({
      ...runtime,
      directory,
      onFatal: () => this.kill("the disk cannot be trusted"),
      dedupeKeepMs: this.#config.storage.dedupeKeepMs,
      keys: simulatedKeys,
      tableSets: shop.tables ?? [],
      backupsKept: 1,
      laneLengthMax: this.#config.queue.laneLengthMax,
      openDatabase: (path, options) => {
        const database = this.#disk.open(path, options);
        return plants.database?.(database) ?? database;
      },
      defer: clock.defer,
    });
    const store = plants.store?.(real, clock) ?? real;
    const sending = createSending(this.#config, { ...runtime, store, client: this.#network });
    const { breaker, connections, gate, pollingApi, telegram } = sending;
    const world = { ...work, killProcess: () => this.kill("killed by its handler") };
    const { handlers, identity, tasks } = createHandledBot(this.#config, {
      ...runtime,
      ...{ breaker, gate, pollingApi, store, token },
      files: new SealedFiles({ ...runtime, directory, store, totalBytesMax: 0, attemptMs: 0 }),
      apiRoot: "http://unused",
      module: workingShop(world),
      operations: createOperations({
        store,
        holds: runtime.holds,
        book: { list: () => [] },
        queue: () => queue,
      }),
    });
    const { lifecycle, queue: limits } = this.#config;
    const safeMode = new SafeMode({
      ...runtime,
      concurrency: limits.concurrency,
      deathsMax: lifecycle.safeModeDeaths,
      lives: () => this.#deps.lives,
    });
    const queue: MessageQueue = createQueue(this.#config, {
      ...runtime,
      ...{ gate, store },
      deathsInARow: () => safeMode.deathsInARow,
      handlers: { ...handlers, update: this.#witnessed(handlers.update) },
      delivery: plants.delivery?.(sending.delivery) ?? sending.delivery,
    });
    const botId = String(botUser.id);
    const intake = createIntake(this.#config, {
      ...runtime,
      ...{ botId, breaker, pollingApi, queue, store },
    });
    const manager = new FaultToleranceManager(runtime);
    const health = this.#createHealth(store, breaker, intake, () => manager.snapshot());
    const restartProcess = () => this.stop("restarting one component alone did not help");
    bus.subscribe(createReactions({ breaker, intake, queue, restartProcess, safeMode }));
    manager.add(storage(store), safeMode, telegram, connections, identity, tasks(queue));
    manager.add(queue, intake, health);
    return manager;
  }

  /** The handler, with its beginnings and ends recorded. */
  #witnessed(handler: MessageHandler): MessageHandler {
    const { onHandling } = this.#deps;
    return {
      onRetry: handler.onRetry,
      lastWords: (message) => handler.lastWords?.(message) ?? [],
      handle: async (attempt: Attempt) => {
        const { payload } = attempt.message;
        let over = false;
        const end = () => {
          if (!over && !this.#ended) onHandling("ended", payload);
          over = true;
        };
        // The rest of its turn still runs after a death; of that nothing has happened.
        if (!this.#ended) onHandling("began", payload);
        // A handler that was given up can commit nothing any more, although it may still run.
        attempt.signal.addEventListener("abort", end, { once: true });
        try {
          return await handler.handle(attempt);
        } finally {
          end();
        }
      },
    };
  }

  #createHealth(
    store: Store,
    breaker: Breaker,
    intake: ReturnType<typeof createIntake>,
    components: () => ReturnType<FaultToleranceManager["snapshot"]>,
  ): Component {
    const { thread: clock } = this.#deps;
    const probes = [
      { name: "database", check: () => store.probe().then(() => ({ status: "healthy" }) as const) },
      telegramProbe({
        intake: () => intake.current.snapshot(),
        reachable: () => breaker.reachable,
        latencyMs: () => null,
        pollDueMs: (this.#config.intake.pollTimeoutSeconds + 15) * 1_000,
      }),
      componentsProbe(components),
    ];
    const publish = (event: BotEvent) => this.#deps.onEvent(event);
    return new Replaceable(() => new HealthMonitor({ clock, publish, probes }));
  }
}

function storage(store: Store): Component {
  return {
    name: "storage",
    start: async () => {
      await store.open();
    },
    stop: () => store.close(),
    heartbeat: () => store.heartbeat(),
  };
}
