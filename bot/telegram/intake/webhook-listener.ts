/**
 * Webhook listener: the HTTP server that Telegram posts updates to.
 *
 * Accepts only requests that carry the secret, up to the length of an update. Even an unreadable
 * body is answered with 200, because Telegram would otherwise repeat it for a day and keep the
 * chat's later updates waiting. Requests of the Mini App go to its own server, which checks them.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { RequestListener } from "node:http";
import express, { type ErrorRequestHandler, type Express } from "express";
import type { Clock } from "../../core/clock.ts";
import { WebhookListenError } from "../../core/errors.ts";
import { HttpListener } from "../../core/http-listener.ts";
import type { Secret } from "../../core/secret.ts";
import { miniAppConnectionsMax, miniAppPath } from "../mini-app/mini-app-server.ts";

/** The outcome of a request: its update is on disk, or Telegram is told to repeat it later. */
export type WebhookVerdict = "taken" | { readonly retryAfterSeconds: number };

export interface WebhookListenerDeps {
  readonly clock: Clock;
  readonly host: string;
  /** 0 means any free port. */
  readonly port: number;
  readonly secret: Secret;
  /** Maximum number of connections. */
  readonly connectionsMax: number;
  /** Commits a request's body. Never rejects. */
  readonly take: (value: unknown) => Promise<WebhookVerdict>;
  /** Answers what is asked under the path of the Mini App. Default: there is none. */
  readonly miniApp?: RequestListener;
  /** Called for a request without the secret. */
  readonly onRefused: () => void;
}

const secretHeader = "X-Telegram-Bot-Api-Secret-Token";
/** Twice the maximum of a Telegram event, 512 KiB. Source: `TQueue.cpp` of tdlib/td. */
const bodyBytesMax = 1024 * 1024;
const requestMsMax = 10_000;
/** Telegram keeps its connections open; a proxy in front should close them first. */
const keepAliveMs = 65_000;

export class WebhookListener {
  readonly #deps: WebhookListenerDeps;
  readonly #listener: HttpListener;

  constructor(deps: WebhookListenerDeps) {
    this.#deps = deps;
    this.#listener = new HttpListener({
      ...deps,
      answer: createApp(deps),
      // People who use the Mini App take no connection from Telegram.
      connectionsMax: deps.connectionsMax + (deps.miniApp ? miniAppConnectionsMax : 0),
      headersMs: requestMsMax,
      requestMs: requestMsMax,
      keepAliveMs,
      // The error concerns one connection, and Telegram repeats its request.
      onError: () => {},
    });
  }

  /** Rejects with `WebhookListenError`. */
  async start(): Promise<void> {
    const { host, port } = this.#deps;
    try {
      await this.#listener.start();
    } catch (cause) {
      throw new WebhookListenError(`the webhook cannot listen on ${host} port ${port}`, {
        cause,
        hint: "Stop the program that uses the port, or change WEBHOOK_HOST or WEBHOOK_PORT.",
      });
    }
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }
}

function createApp({ miniApp, onRefused, secret, take }: WebhookListenerDeps): Express {
  const expected = digest(secret.reveal());
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use((request, response, next) => {
    const given = request.get(secretHeader) ?? "";
    // What carries a secret is meant as an update, whatever its path.
    const asksApp = given === "" && `${request.path}/`.startsWith(miniAppPath);
    if (miniApp && asksApp) return miniApp(request, response);
    if (request.method === "POST" && timingSafeEqual(digest(given), expected)) {
      next();
      return;
    }
    onRefused();
    // The connection is closed, because the unread body would precede the next request.
    response.set("Connection", "close").sendStatus(request.method === "POST" ? 401 : 404);
  });
  app.use(express.json({ limit: bodyBytesMax, type: () => true, strict: false }));
  // Every path is accepted: a proxy in front may have changed it, and the secret was checked above.
  app.use(async (request, response) => {
    const verdict = await take(request.body);
    if (verdict === "taken") response.sendStatus(200);
    else response.set("Retry-After", String(verdict.retryAfterSeconds)).sendStatus(503);
  });
  const onUnreadable: ErrorRequestHandler = async (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    // A body that was cut off comes again whole; any other unreadable body stays unreadable.
    const cutOff = error instanceof Error && "type" in error && error.type === "request.aborted";
    if (!cutOff) await take(undefined);
    response.sendStatus(cutOff ? 400 : 200);
  };
  app.use(onUnreadable);
  return app;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
