/**
 * Webhook listener: the HTTP server that Telegram posts updates to.
 *
 * Takes only what carries the secret, and no more than an update can be long. What it cannot read it
 * answers with 200 all the same: Telegram would bring the same again for a day, before everything else
 * of that chat.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import express, { type ErrorRequestHandler, type Express } from "express";
import type { Clock } from "../../core/clock.ts";
import { WebhookListenError } from "../../core/errors.ts";
import { HttpListener } from "../../core/http-listener.ts";
import type { Secret } from "../../core/secret.ts";

/** What becomes of a request: its update is on disk, or Telegram is to come again. */
export type WebhookVerdict = "taken" | { readonly retryAfterSeconds: number };

export interface WebhookListenerDeps {
  readonly clock: Clock;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly secret: Secret;
  /** Connections at a time. */
  readonly connectionsMax: number;
  /** Commits what came. Never rejects. */
  readonly take: (value: unknown) => Promise<WebhookVerdict>;
  /** A request without the secret. */
  readonly onRefused: () => void;
}

/** Telegram's events have at most 512 KiB. Source: frameworks.md 1.1, TQueue.cpp. */
const bodyBytesMax = 1024 * 1024;
const requestMsMax = 10_000;
/** Telegram keeps its connections; a proxy in front should close them first. */
const keepAliveMs = 65_000;

export class WebhookListener {
  readonly #deps: WebhookListenerDeps;
  readonly #listener: HttpListener;

  constructor(deps: WebhookListenerDeps) {
    this.#deps = deps;
    this.#listener = new HttpListener({
      ...deps,
      answer: createApp(deps),
      headersMs: requestMsMax,
      requestMs: requestMsMax,
      keepAliveMs,
      // It concerns one connection, and Telegram comes again.
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
        hint: "Stop what uses the port, or set WEBHOOK_HOST and WEBHOOK_PORT to another place.",
      });
    }
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }
}

function createApp({ onRefused, secret, take }: WebhookListenerDeps): Express {
  const expected = digest(secret.reveal());
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use((request, response, next) => {
    const given = request.get("X-Telegram-Bot-Api-Secret-Token") ?? "";
    if (request.method === "POST" && timingSafeEqual(digest(given), expected)) {
      next();
      return;
    }
    onRefused();
    // The rest of a body would come before the next request.
    response.set("Connection", "close").sendStatus(request.method === "POST" ? 401 : 404);
  });
  app.use(express.json({ limit: bodyBytesMax, type: () => true, strict: false }));
  // On any path: a proxy in front may have changed it, and the secret has decided already.
  app.use(async (request, response) => {
    const verdict = await take(request.body);
    if (verdict === "taken") response.sendStatus(200);
    else response.set("Retry-After", String(verdict.retryAfterSeconds)).sendStatus(503);
  });
  const onUnreadable: ErrorRequestHandler = async (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    // Cut off in the middle, it comes again whole; anything else stays what it is.
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
