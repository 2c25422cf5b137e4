/** Sending: everything between the queue and Telegram: client, breaker, flood control, delivery. */
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import type { BotApi } from "../core/bot-api.ts";
import type { Component } from "../core/component.ts";
import type { FileStore } from "../core/file-store.ts";
import type { Secret } from "../core/secret.ts";
import type { Store } from "../core/store.ts";
import { type ApiRoute, BotApiClient } from "../telegram/client/bot-api-client.ts";
import { MeasuredApi } from "../telegram/client/measured-api.ts";
import { Breaker } from "../telegram/delivery/breaker.ts";
import { Delivery } from "../telegram/delivery/delivery.ts";
import { FloodGate } from "../telegram/delivery/flood-gate.ts";
import { RateLimits } from "../telegram/delivery/rate-limits.ts";
import { Replaceable } from "../utils/fault-tolerance-manager/replaceable.ts";
import { callsPerUpdate, reservedFor } from "../utils/message-queue.ts";
import { ReconnectManager } from "../utils/reconnect-manager.ts";
import type { Runtime } from "./runtime.ts";

/** The part of the client that is used here; the simulation has another client. */
export type TelegramClient = BotApi & Pick<BotApiClient, "close" | "pool" | "renew">;

export function createClient(
  { queue, telegram }: FaultToleranceConfig,
  deps: Pick<Runtime, "clock"> & { token: Secret; apiRoot: string; files: FileStore },
): TelegramClient {
  return new BotApiClient({
    token: deps.token,
    apiRoot: deps.apiRoot,
    clock: deps.clock,
    files: deps.files,
    deadlineMs: telegram.callDeadlineMs,
    // Sending, answering, handlers' own questions, the long poll and a probe.
    connections: queue.concurrency * (2 * callsPerUpdate + 1) + reservedFor(queue.concurrency) + 2,
    ...(telegram.httpsProxy !== undefined && { httpsProxy: telegram.httpsProxy }),
    fallbacks: fallbackRoutes(telegram, deps.apiRoot),
  });
}

export function createSending(
  config: FaultToleranceConfig,
  deps: Runtime & { store: Store; client: TelegramClient },
) {
  const { client, clock, holds, publish, random, store } = deps;
  const connections = new Replaceable(() => createConnections(config, deps));
  const measured = (name: string) =>
    new MeasuredApi({
      api: client,
      clock,
      onAnswer: (durationMs) => connections.current.succeeded(name, durationMs),
      onFailure: (error) => connections.current.failed(name, error),
    });
  const pollingApi = measured(connectionNames.polling);
  const sendingApi = measured(connectionNames.sending);
  const breaker = new Breaker({ api: sendingApi, clock, holds, publish, random });
  const { waitMaxMs } = config.flood;
  const rateLimits = new RateLimits({ clock, holds, publish, store, waitMaxMs });
  const gate = new FloodGate({
    clock,
    store,
    limits: config.flood,
    paused: () => rateLimits.paused,
  });
  const delivery = new Delivery({
    ...{ api: breaker, clock, facts: store, gate, publish, random, rateLimits },
  });
  const restoreLimits = async () => {
    await gate.restore();
    await rateLimits.restore();
  };
  const telegram: Component = {
    name: "telegram",
    start: restoreLimits,
    stop: async () => {
      await breaker.stop();
      await client.close();
    },
  };
  return { breaker, client, connections, delivery, gate, pollingApi, restoreLimits, telegram };
}

export const connectionNames = {
  polling: "telegram-polling",
  sending: "telegram-sending",
  database: "database",
} as const;

/** Milliseconds between two questions to a silent connection, so that a dead long poll is noticed. */
const heartbeatMs = 10_000;
const heartbeatDeadlineMs = 5_000;
/** Failed attempts on one route to Telegram before the next one is tried. */
const attemptsPerRoute = 2;

function createConnections(
  { telegram }: FaultToleranceConfig,
  {
    client,
    clock,
    publish,
    random,
    store,
  }: Omit<Runtime, "holds"> & { store: Store; client: TelegramClient },
): ReconnectManager {
  const deadlineMs = Math.min(heartbeatDeadlineMs, telegram.callDeadlineMs);
  const ask = async (signal: AbortSignal) => {
    await client.call("getMe", {}, { signal, deadlineMs });
  };
  return new ReconnectManager({
    clock,
    publish,
    random,
    connections: [
      {
        name: connectionNames.polling,
        heartbeatMs,
        heartbeat: ask,
        reconnect: (signal, attempts) => {
          client.renew(attempts > 0 && attempts % attemptsPerRoute === 0);
          return ask(signal);
        },
      },
      { name: connectionNames.sending, reconnect: ask },
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
function fallbackRoutes(telegram: FaultToleranceConfig["telegram"], apiRoot: string): ApiRoute[] {
  const { apiRootFallbacks = [], httpsProxy, httpsProxyFallbacks = [] } = telegram;
  return [
    ...httpsProxyFallbacks.map((proxy) => ({ apiRoot, httpsProxy: proxy })),
    ...apiRootFallbacks.map((root) => ({ apiRoot: root, ...(httpsProxy && { httpsProxy }) })),
  ];
}
