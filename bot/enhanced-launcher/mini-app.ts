/** Mini App: the page that a module brings, served by the webhook's listener or by one of its own. */
import type { RequestListener } from "node:http";
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import type { Component } from "../core/component.ts";
import type { Secret } from "../core/secret.ts";
import type { Store } from "../core/store.ts";
import type { MiniAppHandlers } from "../kit/mini-app.ts";
import type { BotModule } from "../kit/module.ts";
import { RapidRequests } from "../telegram/context/rapid-requests-rules.ts";
import { InitDataCheck } from "../telegram/mini-app/init-data.ts";
import { MiniAppListener } from "../telegram/mini-app/mini-app-listener.ts";
import { MiniAppRequests } from "../telegram/mini-app/mini-app-requests.ts";
import { createMiniAppServer, miniAppPath } from "../telegram/mini-app/mini-app-server.ts";
import { Replaceable } from "../utils/fault-tolerance-manager/replaceable.ts";
import type { MessageQueue } from "../utils/message-queue.ts";
import type { Runtime } from "./runtime.ts";

/**
 * The page's address. Without one, and without a token, it is the listener's own, because the sandbox's chat
 * page runs on this machine and takes http.
 */
export function miniAppUrl(config: FaultToleranceConfig): string | undefined {
  const { intake, miniApp, telegram } = config;
  const { host, port, url } = miniApp;
  if (url !== undefined || telegram.token !== undefined || port === 0) return url;
  if (intake.mode === "webhook") return undefined;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}${miniAppPath}`;
}

/** @returns what answers its requests; `undefined` when the module brings none, or it has no address. */
export function createMiniAppAnswer(
  config: FaultToleranceConfig,
  parts: Runtime & {
    apiRoot: string;
    module: BotModule;
    handlers: MiniAppHandlers;
    queue: MessageQueue;
    store: Store;
    token: Secret;
  },
): RequestListener | undefined {
  const { apiRoot, clock, handlers, holds, module, publish, queue, store, token } = parts;
  if (!module.miniApp || handlers.kit.url === undefined) return undefined;
  const { ageMaxMs, publicKeys } = config.miniApp;
  const rapid = new RapidRequests(config.rapidRequests);
  let requests = 0;
  return createMiniAppServer({
    clock,
    publish,
    initData: new InitDataCheck({ ageMaxMs, publicKeys, token }),
    requests: new MiniAppRequests({
      clock,
      store,
      handlers,
      accept: (messages) => queue.insertMessageByPriority(messages),
      // What holds back updates holds back these as well.
      room: async () => ((await holds.allowance("intake")).limit === 0 ? 0 : queue.room()),
    }),
    admit: (userId) => rapid.judge(userId, ++requests, clock.epochMs()) === "fine",
    files: module.miniApp,
    // Telegram's web clients show Mini Apps in a frame; so does the sandbox's chat page.
    frameAncestors: ["https://*.telegram.org", new URL(apiRoot).origin],
  });
}

/** The listener of its own, where the webhook's listener does not serve it. */
export function createMiniAppListener(
  { intake, miniApp }: FaultToleranceConfig,
  { answer, clock }: Runtime & { answer: RequestListener | undefined },
): readonly Component[] {
  if (!answer || intake.mode === "webhook") return [];
  const { host, port } = miniApp;
  return [new Replaceable(() => new MiniAppListener({ clock, host, port, answer }))];
}
