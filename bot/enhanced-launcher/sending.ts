/** Way out: client, breaker, flood control, delivery; everything between the queue and Telegram. */
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import type { BotApi } from "../core/bot-api.ts";
import type { Component } from "../core/component.ts";
import type { Secret } from "../core/secret.ts";
import type { Store } from "../core/store.ts";
import { type ApiRoute, BotApiClient } from "../telegram/client/bot-api-client.ts";
import { MeasuredApi } from "../telegram/client/measured-api.ts";
import { Breaker } from "../telegram/delivery/breaker.ts";
import { Delivery } from "../telegram/delivery/delivery.ts";
import { FloodGate } from "../telegram/delivery/flood-gate.ts";
import { Replaceable } from "../utils/fault-tolerance-manager/replaceable.ts";
import { callsPerUpdate } from "../utils/message-queue.ts";
import { ReconnectManager } from "../utils/reconnect-manager.ts";
import type { Base } from "./base.ts";

/** What is needed of the client; the simulation has another one. */
export type TelegramClient = BotApi & Pick<BotApiClient, "close" | "pool" | "renew">;

export function createClient(
  { queue, telegram }: FaultToleranceConfig,
  deps: Pick<Base, "clock"> & { token: Secret; apiRoot: string },
): TelegramClient {
  return new BotApiClient({
    token: deps.token,
    apiRoot: deps.apiRoot,
    clock: deps.clock,
    deadlineMs: telegram.callDeadlineMs,
    // Sending, answering, handlers' own questions, the long poll and a probe.
    connections: queue.concurrency * (2 * callsPerUpdate + 1) + 2,
    ...(telegram.httpsProxy !== undefined && { httpsProxy: telegram.httpsProxy }),
    fallbacks: fallbackRoutes(telegram, deps.apiRoot),
  });
}

/** Breaker, flood control, delivery, connections: what stands between the queue and the client. */
export function createWayOut(
  config: FaultToleranceConfig,
  deps: Base & {
    store: Store;
    client: TelegramClient;
    wake: () => void;
    onTelegramBack: () => void;
  },
) {
  const { client } = deps;
  const connections = new Replaceable(() =>
    createConnections({
      ...deps,
      breaker: () => breaker,
      heartbeatDeadlineMs: Math.min(heartbeatDeadlineMs, config.telegram.callDeadlineMs),
    }),
  );
  const measured = (name: string) =>
    new MeasuredApi({
      api: client,
      clock: deps.clock,
      onAnswer: (durationMs) => connections.current.succeeded(name, durationMs),
      onFailure: (error) => connections.current.failed(name, error),
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

export const connectionNames = {
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
    client: TelegramClient;
    breaker: () => Breaker;
    onTelegramBack: () => void;
    heartbeatDeadlineMs: number;
  },
): ReconnectManager {
  const { breaker, client, onTelegramBack, store } = deps;
  const ask = async (signal: AbortSignal) => {
    await client.call("getMe", {}, { signal, deadlineMs: deps.heartbeatDeadlineMs });
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
function fallbackRoutes(telegram: FaultToleranceConfig["telegram"], apiRoot: string): ApiRoute[] {
  const { apiRootFallbacks = [], httpsProxy, httpsProxyFallbacks = [] } = telegram;
  return [
    ...httpsProxyFallbacks.map((proxy) => ({ apiRoot, httpsProxy: proxy })),
    ...apiRootFallbacks.map((root) => ({ apiRoot: root, ...(httpsProxy && { httpsProxy }) })),
  ];
}
